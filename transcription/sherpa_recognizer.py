"""sherpa-onnx, streaming: the better engine for Mandarin. Needs the extra `sherpa`.

Reads the folders that its makers publish: transducers (encoder, decoder, joiner), paraformers (encoder, decoder) and
zipformer2 CTC (one model). Each utterance is a stream of its own, so that times begin with it and words that are
expected can differ from room to room.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from transcription.recognizer import SAMPLE_RATE, Capabilities, EngineError, HeardWord, Piece

_TAIL_S: Final = 0.6  # of silence after the end, or the last word stays in the encoder
_LAST_TOKEN_S: Final = 0.24
_MOST_TERMS: Final = 500  # more make it slow
_WORD_START: Final = "▁"


class SherpaRecognizer:
    """One model; sherpa's own threads are not used, because each stream has one."""

    engine = "sherpa-onnx"

    def __init__(self, folder: Path) -> None:
        """Raises EngineError: engine_missing, model_broken."""
        try:
            package = importlib.import_module("sherpa_onnx")
        except ImportError as error:
            raise EngineError(
                "engine_missing", "sherpa-onnx is not installed: pip install yuanshang[sherpa]"
            ) from error
        encoder, decoder, joiner = (_file(folder, each) for each in ("encoder", "decoder", "joiner"))
        common = {
            "tokens": str(folder / "tokens.txt"),
            "num_threads": 1,
            "sample_rate": SAMPLE_RATE,
            "enable_endpoint_detection": True,
            "rule1_min_trailing_silence": 2.4,
            "rule2_min_trailing_silence": 0.8,
            "rule3_min_utterance_length": 28.0,
        }
        make = package.OnlineRecognizer
        try:
            if encoder and decoder and joiner:
                has_hot_words = _has_characters(folder / "tokens.txt")
                hot = (
                    {"decoding_method": "modified_beam_search", "modeling_unit": "cjkchar"}
                    if has_hot_words
                    else {}
                )
                self._recognizer: Any = make.from_transducer(
                    encoder=encoder, decoder=decoder, joiner=joiner, **common, **hot
                )
            elif encoder and decoder:
                has_hot_words = False
                self._recognizer = make.from_paraformer(encoder=encoder, decoder=decoder, **common)
            else:
                has_hot_words = False
                self._recognizer = make.from_zipformer2_ctc(model=_file(folder, "") or "", **common)
        except (RuntimeError, ValueError, AssertionError, OSError) as error:
            raise EngineError("model_broken", str(error)) from error
        self.caps = Capabilities(hot_words=has_hot_words)

    def open(self) -> SherpaStream:
        """Warmed by a second of silence."""
        stream = SherpaStream(self._recognizer, has_hot_words=self.caps.hot_words)
        stream.begin("", ())
        stream.accept(bytes(2 * SAMPLE_RATE), 0)
        stream.flush()
        return stream


class SherpaStream:
    """Utterance after utterance."""

    def __init__(self, recognizer: Any, *, has_hot_words: bool) -> None:
        self._recognizer = recognizer
        self._has_hot_words = has_hot_words
        self._hot_words = ""
        self._stream: Any = None
        self._start_sample = 0  # of the stream
        self._end_sample = 0
        self._is_fed = False

    def begin(self, speaker: str, terms: Sequence[str]) -> None:
        self._hot_words = "/".join(terms[:_MOST_TERMS]) if self._has_hot_words else ""
        self._renew()

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        if not self._is_fed:
            self._start_sample = start_sample
            self._is_fed = True
        self._feed(np.frombuffer(pcm16, np.int16))
        self._end_sample = start_sample + len(pcm16) // 2
        if not self._recognizer.is_endpoint(self._stream):
            return []
        piece = self._piece()
        self._renew()
        return [piece]

    def partial(self) -> str:
        return str(self._recognizer.get_result(self._stream)).strip()

    def flush(self) -> list[Piece]:
        self._feed(np.zeros(round(_TAIL_S * SAMPLE_RATE), np.int16))
        self._stream.input_finished()
        self._decode()
        piece = self._piece()
        self._renew()
        return [piece]

    def close(self) -> None:
        self._stream = None

    def _renew(self) -> None:
        if self._hot_words:
            self._stream = self._recognizer.create_stream(hotwords=self._hot_words)
        else:
            self._stream = self._recognizer.create_stream()
        self._is_fed = False

    def _feed(self, samples: np.ndarray[Any, np.dtype[np.int16]]) -> None:
        self._stream.accept_waveform(SAMPLE_RATE, samples.astype(np.float32) / 32768)
        self._decode()

    def _decode(self) -> None:
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)

    def _piece(self) -> Piece:
        found = self._recognizer.get_result_all(self._stream)
        return Piece(self._words(list(found.tokens), list(found.timestamps)), self._end_sample)

    def _words(self, tokens: Sequence[str], times_s: Sequence[float]) -> tuple[HeardWord, ...]:
        """Pieces of a word put together; a Chinese character is a word."""
        words: list[HeardWord] = []
        for number, (token, at_s) in enumerate(zip(tokens, times_s, strict=False)):
            end_s = times_s[number + 1] if number + 1 < len(times_s) else at_s + _LAST_TOKEN_S
            start, end = self._sample(at_s), min(self._sample(end_s), self._end_sample)
            text = token.removeprefix(_WORD_START).strip()
            goes_on = (
                bool(words) and token.isascii() and words[-1].text.isascii() and not token.startswith(" ")
            )
            if goes_on and text:
                before = words[-1]
                words[-1] = HeardWord(before.text + text, before.start_sample, end)
            elif text:
                words.append(HeardWord(text, start, max(start, end)))
        return tuple(words)

    def _sample(self, seconds: float) -> int:
        return self._start_sample + round(seconds * SAMPLE_RATE)


def _file(folder: Path, part: str) -> str | None:
    """The smaller (int8) one of several, but of decoders, where it gains nothing."""
    found = sorted(each for each in folder.glob("*.onnx") if part in each.name)
    small = [each for each in found if "int8" in each.name]
    chosen = small if small and part != "decoder" else [each for each in found if each not in small] or found
    return str(chosen[0]) if chosen else None


def _has_characters(tokens: Path) -> bool:
    """Whether the model's units are Chinese characters, which hot words are spelt in."""
    try:
        with tokens.open(encoding="utf-8") as lines:
            return any(0x4E00 <= ord(line[0]) <= 0x9FFF for line in lines if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError("model_broken", f"{tokens.name}: {error}") from error
