"""Engines of the second pass: each hears a whole passage at once. Told by the files of the model's folder, or by a
setting `module:factory`.

A factory is called with the model's folder, or None, and gives a SecondEngine.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from conference.worker_events import TranscriberModel
from transcription.recognizer import EngineError

if TYPE_CHECKING:
    import numpy as np

    Samples = np.ndarray[Any, np.dtype[np.float32]]

_PACKAGE: Final = "faster_whisper"
_FILES: Final = (
    "model.bin",
    "config.json",
    "tokenizer.json",
)  # without the last one it would ask the network


@dataclass(frozen=True, slots=True)
class SaidWord:
    """Times are milliseconds from the beginning of the passage."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in a passage; `words` only where the engine tells when."""

    text: str
    words: tuple[SaidWord, ...] = ()


class SecondEngine(Protocol):
    """A loaded model."""

    @property
    def engine(self) -> str:
        """Its name, as desks and trace say it."""

    def hear(self, samples: Samples, terms: Sequence[str]) -> Said:
        """All that is said in it: 16 kHz, -1 to 1. May take longer than the passage."""


class Whisper:
    """faster-whisper on the processor."""

    engine = "faster-whisper"

    def __init__(self, folder: Path, language: str = "zh") -> None:
        """Raises EngineError: engine_missing, model_broken."""
        _require_files(folder)
        os.environ["HF_HUB_OFFLINE"] = "1"
        try:
            package = importlib.import_module(_PACKAGE)
        except ImportError as error:
            raise EngineError("engine_missing", "not installed: pip install 'yuanshang[whisper]'") from error
        self._language = language
        try:
            self._model: Any = package.WhisperModel(
                str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise EngineError("model_broken", str(error)) from error

    def hear(self, samples: Samples, terms: Sequence[str]) -> Said:
        segments, _ = self._model.transcribe(
            samples,
            language=self._language,
            beam_size=5,
            condition_on_previous_text=False,  # or a slip is repeated to the end
            initial_prompt="，".join(terms) or None,
            word_timestamps=True,
        )
        found = list(segments)
        words = tuple(
            SaidWord(each.word.strip(), round(each.start * 1000), round(each.end * 1000), each.probability)
            for segment in found
            for each in segment.words or ()
            if each.word.strip()
        )
        return Said("".join(each.text for each in found).strip(), words)


def described(folder: Path | None, factory: str | None = None) -> TranscriberModel:
    """What can be said without loading it. `reason`: no_model, model_broken, engine_missing."""
    if factory is not None:
        return TranscriberModel(factory.partition(":")[0].rpartition(".")[2], folder.name if folder else "")
    if folder is None:
        return TranscriberModel("", "", "no_model")
    try:
        _require_files(folder)
    except EngineError as error:
        return TranscriberModel("", folder.name, error.reason)
    is_there = importlib.util.find_spec(_PACKAGE) is not None
    return TranscriberModel(Whisper.engine, folder.name, "" if is_there else "engine_missing")


def load(folder: Path | None, factory: str | None = None) -> SecondEngine:
    """May take a minute. Raises EngineError."""
    if factory is not None:
        return _made(factory, folder)
    if folder is None:
        raise EngineError("no_model", "no model")
    return Whisper(folder)


def _require_files(folder: Path) -> None:
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise EngineError("model_broken", f"{folder} lacks {', '.join(missing)}")


def _made(factory: str, folder: Path | None) -> SecondEngine:
    module, _, name = factory.partition(":")
    try:
        make = cast(Callable[[Path | None], SecondEngine], getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError("engine_missing", f"{factory}: {error}") from error
    return make(folder)
