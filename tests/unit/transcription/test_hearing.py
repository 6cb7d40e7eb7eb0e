"""Lanes and what they follow, without taps: sound is handed over as fast as the test likes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from conference.worker_events import Heard, HeardPartial, ListenEnded, Utterance
from tests.support.eventually import eventually_sync
from tests.support.scripted_recognizer import ScriptedRecognizer, ScriptedStream
from transcription.gate import End, Voice
from transcription.hearing import Hearing
from transcription.line import Part, Skip
from transcription.recognizer import Capabilities, HeardWord, Piece
from transcription.source import Source

LOUD = np.random.default_rng(1).normal(0, 3_000, 3_200).astype(np.int16).tobytes()  # 200 ms


def voices(from_ms: float, to_ms: float) -> list[Part]:
    return [Voice(from_ms + at, bytearray(LOUD)) for at in range(0, round(to_ms - from_ms), 200)]


class Told:
    """What a Hearing tells; the engine stands still while `gate` is cleared."""

    def __init__(self, streams: int = 1, **script: Any) -> None:
        self.events: list[Heard | HeardPartial | ListenEnded] = []
        self.gate = threading.Event()
        self.gate.set()
        self.recognizer = Gated(self.gate, script)
        self.hearing = Hearing(streams, self.events.append)

    def start(self) -> None:
        self.hearing.start(self.recognizer)

    def source(self, participant_id: str, at_ms: float = 0) -> Source:
        source = Source("c", participant_id)
        source.begin(at_ms)
        self.hearing.add(source)
        return source

    def say(self, source: Source, from_ms: float, to_ms: float, *, ends: bool = False) -> None:
        parts = [*voices(from_ms, to_ms), *((End(to_ms),) if ends else ())]
        quiet = to_ms if ends else None
        self.hearing.sound(source, parts, newest_ms=to_ms, quiet_to_ms=quiet)

    def heard(self, participant_id: str) -> list[Heard]:
        return [e for e in list(self.events) if isinstance(e, Heard) and e.participant_id == participant_id]

    def spans(self, participant_id: str) -> list[tuple[int, int]]:
        return [(each.from_ms, each.to_ms) for each in self.heard(participant_id)]

    def utterances(self, participant_id: str) -> list[Utterance]:
        return [one for each in self.heard(participant_id) for one in each.utterances]

    def wait(self, until: Callable[[], object]) -> None:
        def look() -> object:
            self.hearing.tick()
            return until()

        eventually_sync(look, what=str(self.events[-5:]), every_s=0.01)


class Gated(ScriptedRecognizer):
    """Takes no sound while its gate is shut; counts streams."""

    def __init__(self, gate: threading.Event, script: dict[str, Any]) -> None:
        super().__init__(script)
        self.gate = gate
        self.opened = 0
        self.begun: list[tuple[str, tuple[str, ...]]] = []

    def open(self) -> ScriptedStream:
        self.opened += 1
        return GatedStream(self)


class GatedStream(ScriptedStream):
    def __init__(self, recognizer: Gated) -> None:
        super().__init__(recognizer)
        self._gated = recognizer

    def begin(self, speaker: str, terms: Sequence[str]) -> None:
        self._gated.begun.append((speaker, tuple(terms)))
        super().begin(speaker, terms)

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        self._gated.gate.wait(10)
        return super().accept(pcm16, start_sample)


def test_an_utterance_is_told_once_with_all_silence_before_it() -> None:
    told = Told()
    told.start()
    source = told.source("p1", 1_000)
    told.say(source, 3_000, 5_000, ends=True)
    told.wait(lambda: told.heard("p1"))
    assert told.spans("p1") == [(1_000, 5_000)]
    (one,) = told.utterances("p1")
    assert (one.from_ms, one.to_ms) == (3_000, 5_000)


def test_silence_is_told_of_every_ten_seconds_and_at_the_end() -> None:
    told = Told()
    told.start()
    source = told.source("p1")
    for quiet_ms in (4_000, 9_900, 10_100, 15_000, 21_000):
        told.hearing.sound(source, (), newest_ms=quiet_ms, quiet_to_ms=quiet_ms)
    assert told.spans("p1") == [(0, 10_100), (10_100, 21_000)]
    told.hearing.sound(source, (), newest_ms=22_000, quiet_to_ms=22_000)
    told.hearing.close(source)
    assert told.spans("p1")[-1] == (21_000, 22_000)
    assert not told.hearing.is_listening_to([source])


def test_before_there_is_a_model_nothing_is_told_and_old_sound_is_let_go() -> None:
    told = Told()
    source = told.source("p1")
    told.say(source, 0, 20_000)
    assert told.events == []
    assert source.voice_ms <= 5_400
    told.start()
    told.say(source, 20_000, 20_200, ends=True)
    told.wait(lambda: told.utterances("p1"))
    assert told.spans("p1")[0][0] >= 14_600


def test_a_lane_that_is_far_behind_goes_on_with_what_is_said_now() -> None:
    told = Told()
    told.start()
    source = told.source("p1")
    told.say(source, 0, 400)
    told.wait(lambda: source.lane is not None)
    told.gate.clear()
    for at in range(400, 60_400, 1_000):
        told.say(source, at, at + 1_000)
        assert source.voice_ms <= 19_000
    told.gate.set()
    told.say(source, 60_400, 61_000, ends=True)
    told.wait(lambda: told.spans("p1")[-1:] and told.spans("p1")[-1][1] == 61_000)
    spans = told.spans("p1")
    holes = [(before[1], after[0]) for before, after in pairwise(spans) if before[1] != after[0]]
    assert spans[0][0] == 0
    assert sum(to - from_ for from_, to in holes) > 35_000
    assert all(from_ < to for from_, to in holes)
    assert told.hearing.load()[1] == 0


def test_long_speech_is_cut_where_words_part_and_nothing_is_fed_twice_or_lost() -> None:
    told = Told(said=[" ".join(f"词{n}" for n in range(60))])
    told.start()
    source = told.source("p1")
    for at in range(0, 70_000, 200):
        told.say(source, at, at + 200)
        told.wait(lambda: source.voice_ms < 2_000)
    told.say(source, 70_000, 70_200, ends=True)
    told.wait(lambda: told.spans("p1")[-1:] and told.spans("p1")[-1][1] == 70_200)
    assert len(told.utterances("p1")) == 3
    assert all(to - from_ <= 31_000 for from_, to in told.spans("p1"))
    assert all(before[1] == after[0] for before, after in pairwise(told.spans("p1")))
    assert told.spans("p1")[0][0] == 0


def test_the_preferred_take_a_lane_and_the_hole_of_others_is_not_told() -> None:
    told = Told()
    told.start()
    first, second = told.source("p1"), told.source("p2")
    told.hearing.prefer("c", ("p9", "p2"))
    told.say(first, 0, 2_000)
    told.wait(lambda: first.lane is not None)
    told.say(second, 0, 1_400)
    told.say(first, 2_000, 2_200)
    told.wait(lambda: second.lane is not None)
    for at in range(2_200, 12_000, 200):
        told.say(first, at, at + 200)
    told.say(second, 1_400, 12_000, ends=True)
    told.wait(lambda: second.lane is None)
    told.say(first, 12_000, 12_400, ends=True)
    told.wait(lambda: len(told.utterances("p1")) == 2)
    assert told.spans("p2") == [(0, 12_000)]
    one, *_, last = told.spans("p1")
    assert one[1] <= 2_200
    assert last[1] == 12_400
    assert last[0] >= 6_000


def test_a_skip_is_a_hole_between_two_stretches() -> None:
    told = Told()
    told.start()
    source = told.source("p1")
    told.say(source, 1_000, 2_000, ends=True)
    told.wait(lambda: told.utterances("p1"))
    told.hearing.sound(source, [Skip(2_500, 6_000)], newest_ms=6_000, quiet_to_ms=2_500)
    told.say(source, 6_000, 7_000, ends=True)
    told.wait(lambda: len(told.utterances("p1")) == 2)
    assert told.spans("p1") == [(0, 2_000), (2_000, 2_500), (6_000, 7_000)]


def test_streams_are_kept_from_one_voice_to_the_next_and_told_whose_it_is() -> None:
    told = Told(streams=2)
    told.hearing.use_terms("c", ["一体化"])
    told.start()
    for number in range(6):
        told.say(told.source(f"p{number}"), 0, 1_000, ends=True)
    told.wait(lambda: all(told.utterances(f"p{number}") for number in range(6)))
    assert told.recognizer.opened == 2
    assert sorted(told.recognizer.begun) == [(f"p{number}", ("一体化",)) for number in range(6)]


def test_one_voice_after_the_other_goes_to_the_stream_that_is_warm() -> None:
    told = Told(streams=3)
    told.start()
    told.wait(lambda: len(told.hearing.lanes) == 3)
    for number in range(8):
        told.say(told.source(f"p{number}"), 0, 1_000, ends=True)
        told.wait(lambda: sum(told.hearing.fed.values()) == (number + 1) * 16_000)  # noqa: B023
    assert sorted(told.hearing.fed.values()) == [0, 0, 8 * 16_000]


class Mute:
    """Hears nothing in anything, but thinks for a while that it did."""

    caps = Capabilities()
    engine = "mute"

    def open(self) -> Mute:
        return self

    def begin(self, speaker: str, terms: Sequence[str]) -> None: ...

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        self.end = start_sample + len(pcm16) // 2
        return []

    def partial(self) -> str:
        return "嗯"

    def flush(self) -> list[Piece]:
        return [Piece((HeardWord("", 0, 0),), self.end)]

    def close(self) -> None: ...


def test_an_empty_final_is_no_utterance_and_takes_its_partial_back() -> None:
    events: list[Heard | HeardPartial | ListenEnded] = []
    hearing = Hearing(1, events.append)
    hearing.start(Mute())
    source = Source("c", "p1")
    source.begin(0)
    hearing.add(source)
    hearing.sound(source, [*voices(0, 1_000), End(1_000)], newest_ms=1_000, quiet_to_ms=1_000)
    eventually_sync(lambda: [each for each in events if isinstance(each, Heard)])
    assert [each.text for each in events if isinstance(each, HeardPartial)][-1] == ""
    assert [each.utterances for each in events if isinstance(each, Heard)] == [()]
