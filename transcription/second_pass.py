"""A second listening, after the session: a slower engine reads passages of the recorded tracks and proposes text.

`python -m transcription.second_pass MODEL RECORDINGS [LANGUAGE]`: a Passage on each line of standard input, a Proposal
on each line of standard output, in the same order; nothing more is proposed at the end of standard input. Needs the
extra `whisper` and a model of faster-whisper in a local folder; the network is never asked.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import av
import msgspec
import numpy as np

from conference.worker_events import SoundFile
from transcription.files import packets_of
from transcription.recognizer import SAMPLES_PER_MS, EngineError
from transcription.sound import Ear

EXIT_TROUBLE: Final = 4
MOST_MS: Final = 120_000  # of one passage; longer ones are cut
_LEAD_MS: Final = 200  # the decoder finds its feet
_FILES: Final = (
    "model.bin",
    "config.json",
    "tokenizer.json",
)  # without the last one it would ask the network

Samples = np.ndarray[Any, np.dtype[np.float32]]


class Passage(msgspec.Struct, frozen=True):
    """A stretch of one microphone in program time, ms; `terms` are words that are to be expected."""

    id: str
    files: tuple[SoundFile, ...]
    from_ms: int
    to_ms: int
    terms: tuple[str, ...] = ()


class Proposal(msgspec.Struct, frozen=True):
    """Better text, perhaps; empty with a `reason`: unreadable, nothing_heard."""

    id: str
    text: str = ""
    reason: str = ""


class SecondPass(Protocol):
    """An engine that hears a whole passage at once."""

    @property
    def engine(self) -> str: ...

    def text(self, samples: Samples, terms: Iterable[str]) -> str:
        """What is said in it: 16 kHz, -1 to 1. May take longer than the passage."""


class WhisperPass:
    """faster-whisper on the processor."""

    engine = "faster-whisper"

    def __init__(self, folder: Path, language: str = "zh") -> None:
        """Raises EngineError: engine_missing, model_broken."""
        missing = [name for name in _FILES if not (folder / name).is_file()]
        if missing:
            raise EngineError("model_broken", f"{folder} lacks {', '.join(missing)}")
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            package = importlib.import_module("faster_whisper")
        except ImportError as error:
            raise EngineError("engine_missing", "not installed: pip install 'yuanshang[whisper]'") from error
        self._language = language
        try:
            self._model: Any = package.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError("model_broken", str(error)) from error

    def text(self, samples: Samples, terms: Iterable[str]) -> str:
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=5,
            condition_on_previous_text=False,  # or a slip is repeated to the end
            initial_prompt="，".join(terms) or None,
        )
        return "".join(each.text for each in segments).strip()


def sound_of(passage: Passage, recordings: Path) -> Samples:
    """The passage from its files; silence where nothing was recorded. Raises av.FFmpegError, OSError."""
    to_ms = min(passage.to_ms, passage.from_ms + MOST_MS)
    whole = np.zeros(max(0, to_ms - passage.from_ms) * SAMPLES_PER_MS, np.float32)
    for file in passage.files:
        ear = Ear()
        from_ms = passage.from_ms - _LEAD_MS
        for data, at_ms in packets_of(recordings / file.path, file.started_at_ms, from_ms):
            if at_ms >= to_ms:
                break
            for frame in ear.push(data, at_ms):
                samples = np.frombuffer(frame.pcm, np.int16)
                first = round((frame.at_ms - passage.from_ms) * SAMPLES_PER_MS)
                begin, end = max(first, 0), min(first + len(samples), len(whole))
                if begin < end:
                    whole[begin:end] = samples[begin - first : end - first] / np.float32(32768)
    return whole


def proposals(engine: SecondPass, passages: Iterable[Passage], recordings: Path) -> Iterator[Proposal]:
    """One for each passage."""
    for passage in passages:
        try:
            samples = sound_of(passage, recordings)
        except (av.FFmpegError, OSError) as error:
            print(f"second pass: {error}", file=sys.stderr)
            yield Proposal(passage.id, reason="unreadable")
            continue
        text = engine.text(samples, passage.terms) if samples.any() else ""
        yield Proposal(passage.id, text) if text else Proposal(passage.id, reason="nothing_heard")


def _main(model: str, recordings: str, language: str = "zh") -> int:
    with contextlib.suppress(OSError):
        os.nice(10)
    try:
        engine = WhisperPass(Path(model), language)
    except EngineError as error:
        print(f"second pass: {error.reason}: {error}", file=sys.stderr)
        return EXIT_TROUBLE
    asked = (msgspec.json.decode(line, type=Passage) for line in sys.stdin.buffer)
    for each in proposals(engine, asked, Path(recordings)):
        sys.stdout.buffer.write(msgspec.json.encode(each) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
