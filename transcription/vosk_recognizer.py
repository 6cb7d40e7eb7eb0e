"""Vosk (Kaldi): one model for all, a recognizer of its own for each stream.

A recognizer is slow over the first sound that it hears, about a second, because it builds its graph as it goes; so
streams are warmed and kept. Its times count what it was fed since it was made.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import vosk

from transcription.recognizer import SAMPLE_RATE, Capabilities, EngineError, HeardWord, Piece

_UNKNOWN: Final = "[unk]"  # what a grammar calls all other words
_WARM_S: Final = 2


class VoskRecognizer:
    """Never asks the network: the model is a folder."""

    caps = Capabilities()
    engine = "vosk"

    def __init__(self, folder: Path, *, grammar: Sequence[str] = ()) -> None:
        """`grammar`: the only words that are to be heard. Raises EngineError."""
        vosk.SetLogLevel(-1)
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:  # Vosk raises nothing more exact
            raise EngineError("model_broken", str(error)) from error
        words = [each for each in (*grammar, _UNKNOWN) if self._model.vosk_model_find_word(each) >= 0]
        if grammar and words in ([], [_UNKNOWN]):
            raise EngineError("model_broken", "the model knows no word of the grammar")
        self._grammar = json.dumps(words, ensure_ascii=False) if grammar else None

    def open(self) -> VoskStream:
        """Takes a second or two. Raises EngineError."""
        try:
            if self._grammar is None:
                made = vosk.KaldiRecognizer(self._model, SAMPLE_RATE)
            else:
                made = vosk.KaldiRecognizer(self._model, SAMPLE_RATE, self._grammar)
        except Exception as error:
            raise EngineError("model_broken", str(error)) from error
        made.SetWords(True)
        return VoskStream(made)


class VoskStream:
    """One KaldiRecognizer."""

    def __init__(self, recognizer: Any) -> None:
        self._recognizer = recognizer
        self._fed = 0
        noise = np.random.default_rng(1).normal(0, 300, SAMPLE_RATE * _WARM_S).astype(np.int16)
        self._recognizer.AcceptWaveform(noise.tobytes())
        self._recognizer.FinalResult()
        self._fed = len(noise)
        self._offset = -self._fed  # from its own numbering to the caller's

    def begin(self, speaker: str, terms: Sequence[str]) -> None:
        """What it adapted to is forgotten at each flush."""

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        self._offset = start_sample - self._fed
        is_final = self._recognizer.AcceptWaveform(pcm16)
        self._fed += len(pcm16) // 2
        return [self._piece(self._recognizer.Result())] if is_final else []

    def partial(self) -> str:
        said = json.loads(self._recognizer.PartialResult())
        return " ".join(word for word in str(said.get("partial", "")).split() if word != _UNKNOWN)

    def flush(self) -> list[Piece]:
        return [self._piece(self._recognizer.FinalResult())]

    def close(self) -> None:
        self._recognizer = None

    def _piece(self, result: str) -> Piece:
        words = tuple(
            HeardWord(each["word"], self._sample(each["start"]), self._sample(each["end"]), each["conf"])
            for each in json.loads(result).get("result", ())
            if each["word"] != _UNKNOWN
        )
        return Piece(words, self._fed + self._offset)

    def _sample(self, seconds: float) -> int:
        return round(seconds * SAMPLE_RATE) + self._offset
