"""The worker killed amid speech: nothing that was told is told again, and the recording fills what is missing."""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np

from conference.model.transcript import merged, without
from conference.sfu import tap_frames
from conference.worker_events import (
    Heard,
    ListenEnded,
    ListenJob,
    SoundFile,
    TranscriberEvent,
    TranscriberReady,
    Utterance,
)
from recording.track_writer import Format, TrackWriter
from tests.support.eventually import eventually
from tests.support.media import opus_packets, speech, write_wav
from tests.support.scripted_recognizer import FACTORY, write_script
from tests.support.tap_feeder import TapFeeder
from tests.support.transcriber_process import leveled, microphone, silence
from transcription.supervisor import TranscriberSupervisor

TEXTS = ("第一 句", "第二 句 话", "第三 句 话 更长", "第四 句 话 最长 了")


async def test_a_killed_worker_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """Four sentences of different lengths; it is killed in the third, which is then heard from the file."""
    voice = leveled(speech("各位代表大家上午好今天的会议现在开始请大家发言"))
    lengths = [1_000, 1_800, 2_600, 3_600]
    pieces = [part for ms in lengths for part in (silence(1.6), voice[48 * 150 : 48 * (150 + ms)])]
    sound = np.concatenate((*pieces, silence(2)))
    write_wav(tmp_path / "whole.wav", sound)
    events: list[TranscriberEvent] = []
    script = write_script(tmp_path / "script", *zip(TEXTS, lengths, strict=True))
    made = TranscriberSupervisor(
        tmp_path / "run", recordings=tmp_path, models=tmp_path / "models", model=script, engine=FACTORY
    )
    made.listen(events.append)

    def heard() -> list[Heard]:
        return [each for each in events if isinstance(each, Heard)]

    def utterances() -> list[Utterance]:
        found = [one for each in heard() for one in each.utterances]
        return sorted(found, key=lambda one: one.from_ms)

    def texts() -> list[str]:
        return [one.text for one in utterances()]

    def ready() -> list[TranscriberReady]:
        return [each for each in events if isinstance(each, TranscriberReady)]

    feeders: list[TapFeeder] = []
    try:
        made.begin("c")
        await eventually(ready)
        feeders.append(first := TapFeeder(ready()[0].socket_path, 0))
        source = microphone(1, sound)
        first.add(source)
        third_ms = 3 * 1_600 + lengths[0] + lengths[1]
        await eventually(lambda: source.sent * 20 > third_ms + 1_000, timeout_s=30)
        assert made.pid is not None
        os.kill(made.pid, signal.SIGKILL)
        await eventually(lambda: len(ready()) == 2)
        # The media process goes on with the same clock at the new socket.
        feeders.append(second := TapFeeder(ready()[1].socket_path, 0))
        second.base_us = first.base_us
        begun = microphone(1, sound)
        begun.sent = source.sent
        second.send(_clock(first))
        second.add(begun, at_us=source.began_us)
        end_ms = round(first.program_time_ms(source.began_us)) + len(sound) // 48
        await eventually(lambda: heard() and heard()[-1].to_ms > end_ms - 1_200, timeout_s=40)

        began_ms = round(first.program_time_ms(source.began_us))
        covered = merged((each.from_ms, each.to_ms) for each in heard())
        assert all(one[1] <= two[0] for one, two in pairwise(covered))
        gaps = [gap for gap in without([(began_ms, end_ms)], covered) if gap[1] - gap[0] > 1_000]
        writer = TrackWriter(tmp_path / "whole.webm", Format("opus"))
        for number, packet in enumerate(opus_packets(tmp_path / "whole.wav")):
            writer.write(packet, number * 20_000, is_key=True)
        writer.close()
        for number, (from_ms, to_ms) in enumerate(gaps):
            files = (SoundFile("whole.webm", began_ms),)
            made.recognise(ListenJob(f"j{number}", "c", "p1", files, from_ms, to_ms))
        await eventually(lambda: sum(isinstance(each, ListenEnded) for each in events) == len(gaps))
        spans = sorted((each.from_ms, each.to_ms) for each in heard())
        assert all(one[1] <= two[0] for one, two in pairwise(spans))
        assert merged(spans, within_ms=0)[0][1] > end_ms - 1_200
        assert texts()[:2] == [text.replace(" ", "") for text in TEXTS[:2]]
        voices = [(began_ms + 1_600 * n + sum(lengths[: n - 1]), lengths[n - 1]) for n in range(1, 5)]
        for from_ms, length_ms in voices:
            inside = [
                each for each in utterances() if each.from_ms < from_ms + length_ms and each.to_ms > from_ms
            ]
            assert inside, from_ms
    finally:
        await made.close()
        for each in feeders:
            await asyncio.to_thread(each.close)


def _clock(feeder: TapFeeder) -> bytes:
    return tap_frames.encode(tap_frames.Clock(feeder.base_us, 0))
