"""Real recognition: Vosk with a small Korean model, three voices at once, live and from recorded files."""

from __future__ import annotations

import random
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from conference.worker_events import Heard, ListenEnded, ListenJob, SoundFile, TranscriberModel, Utterance
from recording.track_writer import Format, TrackWriter
from tests.support.media import opus_packets, write_wav
from tests.support.speech_model import GRAMMAR, fetched, model_with_grammar, spoken
from tests.support.tap_feeder import TapFeeder
from tests.support.transcriber_process import TranscriberProcess, leveled, microphone, silence
from transcription import wire

pytestmark = pytest.mark.timeout(240)

START_MS = 60_000


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TranscriberProcess]:
    """With the model loaded, listening to few words."""
    directory = tmp_path_factory.mktemp("vosk")
    started = TranscriberProcess(directory, model=model_with_grammar(directory / "ko"), engine=None)
    started.wait(TranscriberModel)
    yield started
    started.close()


def sentences(speakers: int, each: int, words: int = 5) -> list[list[list[str]]]:
    """For each speaker so many sentences of these words, the same every time."""
    chosen = random.Random(3)
    return [[[chosen.choice(GRAMMAR) for _ in range(words)] for _ in range(each)] for _ in range(speakers)]


def right(said: list[list[str]], heard: list[Utterance]) -> int:
    """Words heard as they were said, in their order."""
    wanted = [word for sentence in said for word in sentence]
    got = [word.text for utterance in heard for word in utterance.words]
    matcher = SequenceMatcher(None, wanted, got, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks())


def assert_whole(heard: list[Heard]) -> None:
    """Stretches follow each other, and what was said lies in them."""
    for before, after in pairwise(heard):
        assert before.to_ms == after.from_ms
    for each in heard:
        for utterance in each.utterances:
            assert each.from_ms <= utterance.from_ms < utterance.to_ms <= each.to_ms
            times = [at for word in utterance.words for at in (word.start_ms, word.end_ms)]
            assert times == sorted(times)


def test_three_voices_at_once_are_told_apart_and_understood(worker: TranscriberProcess) -> None:
    said = sentences(3, 3)
    spoken_to_ms: dict[str, int] = {}
    feeder = TapFeeder(worker.listen(), START_MS)
    try:
        for number, one in enumerate(said, 1):
            sound = [part for words in one for part in (leveled(spoken(words)), silence(2))]
            feeder.add(microphone(number, silence(0.5), *sound, silence(1)))
            spoken_to_ms[f"p{number}"] = START_MS + sum(map(len, sound)) // 48 - 2_000
        for participant_id, end_ms in spoken_to_ms.items():
            worker.wait_heard(participant_id, end_ms)
    finally:
        feeder.close()
    worker.tell(wire.End("c_1"))
    worker.wait(wire.Released)
    total = 0
    for number, one in enumerate(said, 1):
        heard = worker.utterances(f"p{number}")
        own = right(one, heard)
        total += own
        assert len(heard) >= 3
        for other in said:
            assert other is one or right(other, heard) < own  # nobody's words stand under another's name
        assert_whole(worker.heard(f"p{number}"))
    assert total >= 36, [each.text for each in worker.utterances()]  # 8 of 10 of 45


def record(path: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]]) -> None:
    """As the recorder writes it."""
    wav = path.with_suffix(".wav")
    write_wav(wav, samples)
    writer = TrackWriter(path, Format("opus"))
    for number, packet in enumerate(opus_packets(wav)):
        writer.write(packet, number * 20_000, is_key=True)
    writer.close()


def test_a_gap_is_heard_from_the_recording_and_in_its_place(
    worker: TranscriberProcess, tmp_path: Path
) -> None:
    said = sentences(1, 2)[0]
    first = np.concatenate((silence(1), leveled(spoken(said[0])), silence(1.5)))
    second = np.concatenate((silence(1), leveled(spoken(said[1])), silence(1.5)))
    record(tmp_path / "1.webm", first)
    record(tmp_path / "2.webm", second)
    later_ms = START_MS + len(first) // 48
    files = (SoundFile(str(tmp_path / "1.webm"), START_MS), SoundFile(str(tmp_path / "2.webm"), later_ms))
    end_ms = later_ms + len(second) // 48
    worker.tell(wire.Job(ListenJob("j_1", "c_2", "p9", files, START_MS, end_ms)))
    ended = worker.wait(ListenEnded)
    assert ended == [ListenEnded("j_1")]
    heard = worker.heard("p9")
    assert {each.job_id for each in heard} == {"j_1"}
    assert (heard[0].from_ms, heard[-1].to_ms) == (START_MS, end_ms)
    assert_whole(heard)
    one, two = worker.utterances("p9")
    assert right(said, [one, two]) >= 8
    assert abs(one.from_ms - (START_MS + 1_000)) < 300
    assert abs(two.from_ms - (later_ms + 1_000)) < 300


def test_a_broken_model_is_said_to_be_broken(tmp_path: Path) -> None:
    model = model_with_grammar(tmp_path / "ko")
    (model / "am").unlink()
    (model / "am").mkdir()
    (model / "am" / "final.mdl").write_bytes((fetched() / "am" / "final.mdl").read_bytes()[:100_000])
    process = TranscriberProcess(tmp_path, model=model, engine=None)
    try:
        assert process.wait(TranscriberModel) == [TranscriberModel("", "ko", "model_broken")], process.errors
        assert process.process.wait(20) != 0
    finally:
        process.close()
