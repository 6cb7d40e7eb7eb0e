"""The transcription worker as a process: sound in over its socket, what was said comes out with its times."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from conference.sfu import tap_frames
from conference.worker_events import (
    Heard,
    HeardPartial,
    ListenEnded,
    ListenJob,
    SoundFile,
    TranscriberModel,
    TranscriberReady,
)
from recording.track_writer import Format, TrackWriter
from tests.support.eventually import eventually_sync
from tests.support.media import opus_packets, speech, write_wav
from tests.support.scripted_recognizer import write_script
from tests.support.speech_model import CLIPS, clip
from tests.support.tap_feeder import Source, TapFeeder
from tests.support.transcriber_process import (
    Samples,
    TranscriberProcess,
    leveled,
    microphone,
    noise,
    silence,
)
from transcription import wire

pytestmark = pytest.mark.timeout(180)

START_MS = 60_000
SHORT = leveled(speech("各位代表"))
Start = Callable[..., TranscriberProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts workers with an engine of prepared sentences; waits until it is loaded."""
    started: list[TranscriberProcess] = []

    def run(**options: object) -> TranscriberProcess:
        started.append(TranscriberProcess(tmp_path, **options))  # type: ignore[arg-type]
        started[-1].wait(TranscriberModel)
        return started[-1]

    yield run
    for each in started:
        each.close()


@pytest.fixture
def feeders() -> Iterator[list[TapFeeder]]:
    opened: list[TapFeeder] = []
    yield opened
    for each in opened:
        each.close()


def ms(samples: Samples) -> float:
    return len(samples) / 48


def began_ms(feeder: TapFeeder, source: Source) -> float:
    """Program time of its first sample."""
    return feeder.program_time_ms(source.began_us)


def voice_of(samples: Samples) -> tuple[float, float]:
    """Where a voice begins and ends, in ms: what is louder than a tenth of the loud parts."""
    blocks = samples[: len(samples) // 960 * 960].astype(np.float64).reshape(-1, 960)
    loudness = np.sqrt((blocks**2).mean(axis=1))
    loud = np.nonzero(loudness > np.percentile(loudness, 95) / 10)[0]
    return float(loud[0] * 20), float(loud[-1] * 20 + 20)


def assert_whole(heard: list[Heard]) -> None:
    """Stretches follow each other without a hole."""
    assert all(before.to_ms == after.from_ms for before, after in pairwise(heard))


# ── where and whose ─────────────────────────────────────────────────────────────────────────────


def test_human_voices_stand_under_their_names_and_at_their_times(
    start: Start, feeders: list[TapFeeder]
) -> None:
    names = sorted(str(each.relative_to(CLIPS)) for kind in ("*.wav", "*.raw") for each in CLIPS.rglob(kind))
    assert len(names) == 14
    worker = start(streams=5)
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    voices: list[tuple[str, float, float]] = []  # whose, from, to in the track
    sources: dict[str, Source] = {}
    for number in range(1, 6):
        sound: list[Samples] = []
        for name in names[number - 1 :: 5]:
            sound.append(silence(1.6))
            begin, end = voice_of(samples := leveled(clip(name)))
            at = sum(map(ms, sound))
            voices.append((f"p{number}", at + begin, at + end))
            sound.append(samples)
        sources[f"p{number}"] = microphone(number, *sound, silence(2))
    feeder.add(*sources.values())
    for who, _, end in voices:
        worker.wait_heard(who, began_ms(feeder, sources[who]) + end)
    for who, source in sources.items():
        began = began_ms(feeder, source)
        own = [(begin + began, end + began) for each, begin, end in voices if each == who]
        heard = worker.utterances(who)
        for begin, end in own:
            inside = [u for u in heard if u.from_ms < end + 300 and u.to_ms > begin - 300]
            assert inside, (who, begin, end)
            assert abs(inside[0].from_ms - begin) < 300, (who, begin, inside)
            assert abs(inside[-1].to_ms - end) < 300, (who, end, inside)
        for each in heard:
            assert any(each.from_ms < end + 300 and each.to_ms > begin - 300 for begin, end in own)
        assert_whole(worker.heard(who))


def test_partials_grow_and_the_final_comes_after_the_pause(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    feeder.add(source := microphone(1, silence(1), leveled(speech("各位代表大家上午好")), silence(3)))
    (utterance,) = worker.wait_said(1)
    partials = [each.text for each in worker.of(HeardPartial)]
    assert utterance.text == "各位委员各位代表大家上午好"
    assert len(partials) >= 3
    assert all(after.startswith(before) for before, after in pairwise(partials))
    assert partials[-1] in utterance.text
    assert [word.text for word in utterance.words][:2] == ["各位", "委员"]
    assert abs(utterance.from_ms - began_ms(feeder, source) - 1_000) < 300


def test_other_tracks_than_microphones_are_not_heard(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    feeder.add(microphone(2, SHORT, silence(2), source="screen-audio"), microphone(1, SHORT, silence(2)))
    worker.wait_said(1)
    assert not worker.heard("p2")


# ── what is no speech ───────────────────────────────────────────────────────────────────────────


def test_silence_and_noise_are_listened_to_and_say_nothing(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    feeder.add(microphone(1, silence(13)), microphone(2, noise(13, level=400)))
    for who in ("p1", "p2"):
        worker.wait_heard(who, START_MS + 10_000)
        assert not worker.utterances(who)
        assert_whole(worker.heard(who))
        assert all(each.to_ms - each.from_ms <= 12_000 for each in worker.heard(who))


# ── sound that ends ─────────────────────────────────────────────────────────────────────────────


def test_sound_that_stops_amid_a_word_is_told(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    feeder.add(microphone(1, silence(0.5), SHORT))  # and then no more packets, but the track stays
    worker.wait_said(1)


def test_a_mute_ends_the_utterance_and_time_goes_on(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    source = microphone(1, silence(0.5), np.tile(SHORT, 40))
    feeder.add(source)
    worker.wait(HeardPartial)
    source.is_paused = True
    feeder.send(tap_frames.Gate(1, False))
    (utterance,) = worker.wait_said(1)
    now_us = time.monotonic_ns() // 1000
    feeder.send(tap_frames.Clock(now_us + 15_000_000, round(feeder.program_time_ms(now_us)) + 15_000))
    worker.wait_heard("p1", utterance.to_ms + 10_000)
    assert_whole(worker.heard("p1"))


def test_what_the_tap_left_out_is_a_hole(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    sound = np.concatenate((silence(0.5), SHORT, silence(2)))
    source = microphone(1, np.tile(sound, 3))
    first, second = ms(sound) / 20, 2 * ms(sound) / 20

    def leave_out(sent: int, packets: list[bytes]) -> list[bytes]:
        if sent == int(second):
            feeder.send(tap_frames.Gap(1, int(second - first)))
        return packets if not first <= sent < second and sent < 3 * first else []

    source.mangle = leave_out
    feeder.add(source)
    worker.wait_said(2)
    one, two = [each for each in worker.heard("p1") if each.utterances]
    assert two.from_ms - one.to_ms > ms(sound) * 0.6
    began = began_ms(feeder, source)
    for each in (one, two):
        assert each.to_ms <= began + ms(sound) + 300 or each.from_ms >= began + 2 * ms(sound) - 300


def test_a_clock_that_jumps_makes_time_neither_go_back_nor_stop(
    start: Start, feeders: list[TapFeeder]
) -> None:
    worker = start()
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    sound = np.concatenate((silence(0.5), SHORT, silence(2)))
    source = microphone(1, np.tile(sound, 4))
    jumps = {1: 400_000_000, 2: -90_000_000, 3: 48_000 * 3}
    each_packets = len(sound) // 960

    def jump(sent: int, packets: list[bytes]) -> list[bytes]:
        if sent >= 4 * each_packets:
            return []
        shift = sum(by for number, by in jumps.items() if sent >= number * each_packets)
        return [
            packet[:4]
            + ((int.from_bytes(packet[4:8], "big") + shift) % 2**32).to_bytes(4, "big")
            + packet[8:]
            for packet in packets
        ]

    source.mangle = jump
    feeder.add(source)
    heard = worker.wait_said(4)
    assert [after.from_ms > before.to_ms for before, after in pairwise(heard)] == [True] * 3
    assert_whole(worker.heard("p1"))
    assert heard[-1].to_ms < began_ms(feeder, source) + 4 * ms(sound) + 4_000


def test_the_end_of_a_room_tells_what_was_said_and_lets_go(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    path = worker.listen()
    feeders.append(feeder := TapFeeder(path, START_MS))
    feeder.add(microphone(1, silence(0.5), np.tile(SHORT, 20)))
    worker.wait(HeardPartial)
    worker.tell(wire.End("c_1"))
    assert worker.wait(wire.Released) == [wire.Released("c_1", path)]
    assert len(worker.utterances("p1")) == 1
    assert not Path(path).exists()


def test_a_tap_that_broke_is_asked_for_again(start: Start, feeders: list[TapFeeder]) -> None:
    worker = start()
    path = worker.listen()
    feeders.append(broken := TapFeeder(path, START_MS))
    broken.send(b"\xff" * 64)
    broken.add(microphone(1, silence(1)))  # the decoder gives what was whole before it complains
    worker.wait(TranscriberReady, lambda found: len(found) == 2)
    feeders.append(feeder := TapFeeder(path, START_MS))
    feeder.add(microphone(1, silence(0.5), SHORT, silence(2)))
    worker.wait_said(1)


def test_lines_that_are_no_orders_are_passed_over(start: Start) -> None:
    worker = start()
    assert worker.process.stdin is not None
    worker.process.stdin.write(b'no json\n{"do":"dance"}\n[]\n{"do":"begin"}\n')
    worker.process.stdin.flush()
    worker.listen()
    eventually_sync(lambda: worker.errors.count("not understood"), lambda found: found == 4)


# ── files ───────────────────────────────────────────────────────────────────────────────────────


def record(path: Path, samples: Samples, *, close: bool = True) -> Path:
    """As the recorder writes it."""
    wav = path.with_suffix(".wav")
    write_wav(wav, samples)
    writer = TrackWriter(path, Format("opus"))
    for number, packet in enumerate(opus_packets(wav)):
        writer.write(packet, number * 20_000, is_key=True)
    if close:
        writer.close()
    else:
        writer.abandon()
    return path


def job(name: str, *files: tuple[Path, int], from_ms: int, to_ms: int) -> wire.Job:
    sounds = tuple(SoundFile(path.name, at) for path, at in files)
    return wire.Job(ListenJob(name, "c_1", "p1", sounds, from_ms, to_ms))


def test_a_part_of_a_file_is_heard_at_its_times(start: Start, tmp_path: Path) -> None:
    worker = start()
    piece = np.concatenate((silence(1), SHORT, silence(2)))
    file = record(tmp_path / "a.webm", np.tile(piece, 4))
    from_ms, to_ms = START_MS + round(ms(piece)), START_MS + round(3 * ms(piece))
    worker.tell(job("j", (file, START_MS), from_ms=from_ms, to_ms=to_ms))
    assert worker.wait(ListenEnded) == [ListenEnded("j")]
    heard = worker.heard("p1")
    assert (heard[0].from_ms, heard[-1].to_ms) == (from_ms, to_ms)
    assert_whole(heard)
    assert [each.from_ms // 100 for each in worker.utterances()] == [
        pytest.approx((from_ms + number * ms(piece) + 1_000) // 100, abs=3) for number in (0, 1)
    ]


def test_a_file_that_is_gone_is_a_hole_and_is_said(start: Start, tmp_path: Path) -> None:
    worker = start()
    piece = np.concatenate((silence(1), SHORT, silence(2)))
    first, third = record(tmp_path / "a.webm", piece), record(tmp_path / "c.webm", piece, close=False)
    (tmp_path / "b.webm").write_bytes(b"\x1a\x45\xdf\xa3 and no more")
    end = START_MS + 25_000  # the third has nothing behind that
    files = ((first, START_MS), (tmp_path / "b.webm", START_MS + 10_000), (third, START_MS + 20_000))
    worker.tell(job("j", *files, from_ms=START_MS, to_ms=end))
    assert worker.wait(ListenEnded) == [ListenEnded("j", "unreadable")]
    heard = worker.heard("p1")
    assert len(worker.utterances()) == 2
    holes = [
        (before.to_ms, after.from_ms) for before, after in pairwise(heard) if before.to_ms != after.from_ms
    ]
    assert [after for _, after in holes] == [START_MS + 20_000]
    assert heard[-1].to_ms == end


def test_files_wait_for_who_speaks_now_and_may_be_cancelled(
    start: Start, feeders: list[TapFeeder], tmp_path: Path
) -> None:
    worker = start(streams=1, model=write_script(tmp_path / "script", "说 话", slowness=0.3))
    file = record(tmp_path / "a.webm", np.tile(np.concatenate((silence(0.5), SHORT, silence(1.5))), 6))
    feeders.append(feeder := TapFeeder(worker.listen(), START_MS))
    worker.tell(job("j", (file, 0), from_ms=0, to_ms=18_000), job("k", (file, 0), from_ms=0, to_ms=18_000))
    worker.tell(wire.Cancel("k"))
    worker.wait_said(2, "p1")
    feeder.add(microphone(2, silence(0.2), SHORT, silence(3)))
    (live,) = worker.wait_said(1, "p2")
    assert_whole(worker.heard("p2"))
    assert [each for each in worker.heard("p2") if each.job_id is not None] == []
    worker.wait(ListenEnded)
    assert worker.of(ListenEnded) == [ListenEnded("j")]
    heard = worker.heard("p1")
    assert_whole(heard)
    assert (heard[0].from_ms, heard[-1].to_ms) == (0, 18_000)
    times = [(each.from_ms, each.to_ms) for each in worker.utterances("p1")]
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert live.to_ms > live.from_ms
