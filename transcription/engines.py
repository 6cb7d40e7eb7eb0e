"""Which engine reads a model: told by the files of its folder, or by a setting `module:factory`.

A factory is called with the model's folder, or None, and gives a recognizer.Recognizer.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from conference.worker_events import TranscriberModel
from transcription.recognizer import SAMPLE_RATE, EngineError, Recognizer

CARD: Final = "model.json"  # what we know of an installed model
_KALDI_RATE: Final = 16_000  # where conf/mfcc.conf does not say one, as in Kaldi itself
_PACKAGES: Final = {"vosk": "vosk", "sherpa": "sherpa_onnx"}


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A folder with a model in it."""

    engine: str  # vosk or sherpa
    folder: Path


def files_in(folder: Path) -> ModelFiles:
    """What lies there. Raises EngineError: model_broken, wrong_rate."""
    if (folder / "am").is_dir() and (folder / "conf").is_dir():
        rate = _kaldi_rate(folder / "conf" / "mfcc.conf")
        if rate != SAMPLE_RATE:
            raise EngineError("wrong_rate", f"the model wants {rate} samples a second, not {SAMPLE_RATE}")
        if not any((folder / "am").glob("*.mdl")):
            raise EngineError("model_broken", "there is no acoustic model in am/")
        return ModelFiles("vosk", folder)
    if (folder / "tokens.txt").is_file() and any(folder.glob("*.onnx")):
        return ModelFiles("sherpa", folder)
    raise EngineError("model_broken", "neither a Vosk model (am/, conf/) nor one of sherpa-onnx (tokens.txt)")


def described(folder: Path | None, factory: str | None = None) -> TranscriberModel:
    """What can be said without loading it."""
    if factory is not None:
        return TranscriberModel(factory.partition(":")[0].rpartition(".")[2], folder.name if folder else "")
    if folder is None:
        return TranscriberModel("", "", "no_model")
    try:
        engine = files_in(folder).engine
    except EngineError as error:
        return TranscriberModel("", folder.name, error.reason)
    is_there = importlib.util.find_spec(_PACKAGES[engine]) is not None
    return TranscriberModel(engine, folder.name, "" if is_there else "engine_missing")


def load(folder: Path | None, factory: str | None = None) -> Recognizer:
    """May take seconds. Raises EngineError."""
    if factory is not None:
        return _made(factory, folder)
    if folder is None:
        raise EngineError("no_model", "no model")
    engine = files_in(folder).engine
    if engine == "vosk":
        from transcription.vosk_recognizer import VoskRecognizer

        return VoskRecognizer(folder, grammar=grammar_of(folder))
    from transcription.sherpa_recognizer import SherpaRecognizer

    return SherpaRecognizer(folder)


def card_of(folder: Path) -> dict[str, Any]:
    """model.json, if it is there and can be read."""
    try:
        card = json.loads((folder / CARD).read_text())
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


def grammar_of(folder: Path) -> tuple[str, ...]:
    """The only words that are to be heard, where model.json names some: for small vocabularies."""
    words = card_of(folder).get("grammar", ())
    return tuple(each for each in words if isinstance(each, str)) if isinstance(words, list) else ()


def _kaldi_rate(path: Path) -> int:
    try:
        found = re.search(r"^--sample-frequency=(\d+)", path.read_text(), re.MULTILINE)
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError("model_broken", f"{path.name}: {error}") from error
    return int(found.group(1)) if found else _KALDI_RATE


def _made(factory: str, folder: Path | None) -> Recognizer:
    module, _, name = factory.partition(":")
    try:
        make = cast(Callable[[Path | None], Recognizer], getattr(importlib.import_module(module), name))
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError("engine_missing", f"{factory}: {error}") from error
    return make(folder)
