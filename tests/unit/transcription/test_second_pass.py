"""The second pass's process: what is cut out of the files for it, what comes back, and how it dies."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conference.model.transcript import Word
from conference.worker_events import Passage, Reheard, SoundFile, TranscriberModel
from recording.track_writer import Format, TrackWriter
from tests.support.eventually import eventually
from tests.support.media import opus_packets, write_wav
from tests.support.scripted_second_engine import FACTORY, heard, write_second_script
from tests.support.transcriber_process import noise, silence
from transcription.recognizer import EngineError
from transcription.second_engines import Said, Whisper, described, load
from transcription.second_pass import MOST_MS, reheard, sound_of
from transcription.second_pass_supervisor import SecondPassSupervisor

SENTENCES = (("城乡 供水 一体化", 1_000), ("老旧 管网 改造", 2_000), ("月底 以前 答复", 3_000))


class Loudness:
    """Says how long the loud part of a passage is."""

    engine = "loudness"

    def hear(self, samples: np.ndarray[Any, np.dtype[np.float32]], terms: Sequence[str]) -> Said:
        loud = np.nonzero(np.abs(samples) > 0.01)[0]
        return Said(f"{(loud[-1] - loud[0]) / 16_000:.1f} {'、'.join(terms)}")


def track(folder: Path, *sounds: np.ndarray[Any, Any]) -> SoundFile:
    """A file of a microphone that began at 10 s."""
    write_wav(folder / "a.wav", np.concatenate(sounds))
    writer = TrackWriter(folder / "a.webm", Format("opus"))
    for number, packet in enumerate(opus_packets(folder / "a.wav")):
        writer.write(packet, number * 20_000, is_key=True)
    writer.close()
    return SoundFile("a.webm", 10_000)


def test_a_passage_gets_its_own_sound_and_nothing_of_what_is_to_be_silent(tmp_path: Path) -> None:
    file = track(tmp_path, silence(2), noise(1), silence(2))
    whole = sound_of(Passage("x", (file,), 9_000, 15_000), tmp_path)
    loud = np.nonzero(np.abs(whole) > 0.01)[0] / 16
    assert len(whole) == 6_000 * 16
    assert abs(loud[0] - 3_000) < 40
    assert abs(loud[-1] - 4_000) < 60
    part = sound_of(Passage("x", (file,), 9_000, 15_000, silent=((0, 12_500), (14_000, 99_000))), tmp_path)
    loud = np.nonzero(np.abs(part) > 0.01)[0] / 16
    assert (loud[0] >= 3_500, abs(loud[-1] - 4_000) < 60) == (True, True)


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    file = track(tmp_path, silence(2), noise(1), silence(2))
    passages = [
        Passage("1", (file,), 11_500, 14_000, terms=("自来水",)),
        Passage("2", (SoundFile("gone.webm", 0),), 0, 1_000),
        Passage("3", (file,), 20_000, 21_000),
        Passage("4", (file,), 0, MOST_MS + 1),
    ]
    assert [reheard(Loudness(), each, tmp_path) for each in passages] == [
        Reheard("1", "1.0 自来水"),
        Reheard("2", reason="unreadable"),
        Reheard("3", reason="nothing_heard"),
        Reheard("4", reason="too_long"),
    ]


def test_whisper_is_asked_for_words_and_their_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its documentation has it: a model is no part of these tests."""
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).touch()
    asked: list[dict[str, Any]] = []

    class Package:
        def __init__(self, path: str, **options: Any) -> None:
            assert (path, options["local_files_only"]) == (str(tmp_path), True)

        def transcribe(self, _samples: Any, **options: Any) -> tuple[Any, None]:
            asked.append(options)
            words = [SimpleNamespace(word=" 自来水，", start=0.5, end=1.25, probability=0.75)]
            return iter([SimpleNamespace(text=" 自来水，", words=words)]), None

    monkeypatch.setitem(sys.modules, "faster_whisper", SimpleNamespace(WhisperModel=Package))
    said = Whisper(tmp_path).hear(np.zeros(1, np.float32), ("城乡供水", "管网"))
    assert (said.text, [(each.text, each.start_ms, each.end_ms) for each in said.words]) == (
        "自来水，",
        [("自来水，", 500, 1_250)],
    )
    assert (asked[0]["language"], asked[0]["initial_prompt"], asked[0]["word_timestamps"]) == (
        "zh",
        "城乡供水，管网",
        True,
    )


def test_what_can_be_said_of_a_model_without_loading_it(tmp_path: Path) -> None:
    assert described(None).reason == "no_model"
    assert described(tmp_path).reason == "model_broken"
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).touch()
    assert described(tmp_path).engine == "faster-whisper"
    assert described(None, "their.engine:make") == TranscriberModel("engine", "")
    with pytest.raises(EngineError) as caught:
        load(tmp_path, "no.such:thing")
    assert caught.value.reason == "engine_missing"


def test_the_process_says_why_it_cannot_begin(tmp_path: Path) -> None:
    options = f'{{"recordings": "{tmp_path}", "model": "{tmp_path}"}}'
    done = subprocess.run(
        [sys.executable, "-m", "transcription.second_pass", options],
        stdin=subprocess.PIPE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 4), "the end of its input may be faster"
    assert "model_broken" in done.stderr or done.returncode == 0


# ── supervised ──────────────────────────────────────────────────────────────────────────────────


@dataclass
class Stage:
    supervisor: SecondPassSupervisor
    model: Path
    file: SoundFile

    def passage(self, number: int, length_ms: int) -> Passage:
        return Passage(f"seg_{number}", (self.file,), 10_000, 10_000 + length_ms, terms=("管网",))

    async def texts(self, *lengths: int) -> list[str]:
        return [
            (told := await self.supervisor.hear(self.passage(number, ms))).text or told.reason
            for number, ms in enumerate(lengths)
        ]

    def lives(self) -> list[int]:
        return list(dict.fromkeys(each["pid"] for each in heard(self.model)))


@asynccontextmanager
async def stage(folder: Path, *, yields: bool = False, **script: Any) -> AsyncIterator[Stage]:
    file = track(folder, noise(4))
    model = write_second_script(folder / "model", *SENTENCES, **script)
    made = SecondPassSupervisor(folder, model=model, engine=FACTORY, yields=yields)
    try:
        yield Stage(made, model, file)
    finally:
        await made.close()


def is_gone(pid: int) -> Callable[[], bool]:
    return lambda: not Path(f"/proc/{pid}").exists()


async def test_one_process_hears_passages_and_is_ended(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        assert await on.supervisor.model() == TranscriberModel("scripted_second_engine", "model")
        assert on.supervisor.pid is None
        told = await on.supervisor.hear(on.passage(1, 2_000))
        assert (told.id, told.text, told.words[0]) == (
            "seg_1",
            "老旧管网改造",
            Word("老旧", 10_000, 10_666, 0.8),
        )
        assert told.words[-1].end_ms == 12_000
        assert await on.texts(1_000, 3_000) == ["城乡供水一体化", "月底以前答复"]
        assert await on.supervisor.model() == TranscriberModel("scripted-second", "model")
        (pid,) = on.lives()
        assert on.supervisor.pid == pid
        assert heard(on.model)[0]["terms"] == ["管网"]
        await on.supervisor.rest()
        assert (on.supervisor.pid, is_gone(pid)()) == (None, True)
        assert await on.texts(1_000) == ["城乡供水一体化"], "it is there again when it is wanted"
        assert len(on.lives()) == 2


async def test_it_takes_what_nobody_else_wants_of_the_processor(tmp_path: Path) -> None:
    async with stage(tmp_path, yields=True) as on:
        assert await on.texts(1_000) == ["城乡供水一体化"]
        (one,) = heard(on.model)
        assert (one["nice"], one["scheduler"]) == (19, os.SCHED_IDLE)


async def test_a_killed_process_is_started_again_and_goes_on(tmp_path: Path) -> None:
    async with stage(tmp_path, dies_once_of="老旧 管网 改造") as on:
        assert await on.texts(1_000, 2_000, 3_000) == ["城乡供水一体化", "老旧管网改造", "月底以前答复"]
        assert len(on.lives()) == 2


async def test_a_passage_that_kills_every_time_is_given_up_and_the_next_one_is_heard(tmp_path: Path) -> None:
    async with stage(tmp_path, dies_of="老旧 管网 改造") as on:
        assert await on.texts(2_000, 3_000) == ["worker_ended", "月底以前答复"]
        assert len(on.lives()) == 4


async def test_kill_9_amid_a_passage(tmp_path: Path) -> None:
    async with stage(tmp_path, s_each=0.5) as on:
        asked = asyncio.create_task(on.texts(1_000))
        await eventually(lambda: heard(on.model), timeout_s=60)
        assert on.supervisor.pid is not None
        os.kill(on.supervisor.pid, signal.SIGKILL)
        assert await asked == ["城乡供水一体化"]


async def test_one_that_hangs_is_killed(tmp_path: Path) -> None:
    async with stage(tmp_path, load_s=600) as on:
        hasty = SecondPassSupervisor(tmp_path, model=on.model, engine=FACTORY, patience_s=0.1)
        assert (await hasty.hear(on.passage(1, 1_000))).reason == "model_broken"
        assert hasty.pid is None


async def test_a_model_that_cannot_be_used_is_said_at_once(tmp_path: Path) -> None:
    made = SecondPassSupervisor(tmp_path, model=tmp_path, engine="no.such:thing")
    assert await made.hear(Passage("x", (), 0, 1)) == Reheard("x", reason="engine_missing")
    assert (await SecondPassSupervisor(tmp_path).model()).reason == "no_model"
    await made.close()


async def test_who_waits_is_told_when_it_is_closed_and_nothing_is_left(tmp_path: Path) -> None:
    async with stage(tmp_path, s_each=600) as on:
        asked = asyncio.create_task(on.texts(1_000))
        await eventually(lambda: heard(on.model), timeout_s=60)
        pid = on.supervisor.pid
        assert pid is not None
        await on.supervisor.close()
        assert await asked == ["worker_ended"]
        assert is_gone(pid)()
        assert await on.texts(1_000) == ["worker_ended"], "nothing begins any more"


async def test_nobody_who_waits_any_more_leaves_a_process_behind(tmp_path: Path) -> None:
    async with stage(tmp_path, s_each=600) as on:
        asked = asyncio.create_task(on.texts(1_000))
        await eventually(lambda: heard(on.model), timeout_s=60)
        pid = on.supervisor.pid
        assert pid is not None
        asked.cancel()
        await asyncio.wait([asked])
        assert is_gone(pid)()


async def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Standard input is closed when a server is killed, also amid a passage."""
    async with stage(tmp_path, s_each=600) as on:
        asked = asyncio.create_task(on.texts(1_000))
        await eventually(lambda: heard(on.model), timeout_s=60)
        process = on.supervisor._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        await eventually(lambda: process.returncode == 0)
        asked.cancel()
