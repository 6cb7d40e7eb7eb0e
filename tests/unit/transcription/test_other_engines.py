"""Engines that are extras, as far as that goes without them: what is refused, how pieces of words are put together."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transcription.engines import described, load
from transcription.recognizer import EngineError
from transcription.second_engines import Whisper
from transcription.sherpa_recognizer import SherpaStream

WITHOUT_EXTRAS = "import sys; sys.modules['{}'] = None\n"  # as if it were not installed


def refused(package: str, code: str) -> str:
    """What this says on standard output in a process without the package."""
    script = WITHOUT_EXTRAS.format(package) + code
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_its_package_sherpa_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens.txt").write_text("今 1\n")
    (tmp_path / "encoder.onnx").touch()
    code = f"""
from pathlib import Path
from transcription.engines import load
from transcription.recognizer import EngineError
try:
    load(Path({str(tmp_path)!r}))
except EngineError as error:
    print(error.reason, error)
"""
    assert refused("sherpa_onnx", code).startswith("engine_missing")


def test_without_its_package_whisper_is_refused(tmp_path: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).touch()
    code = f"""
from pathlib import Path
from transcription.second_engines import Whisper
from transcription.recognizer import EngineError
try:
    Whisper(Path({str(tmp_path)!r}))
except EngineError as error:
    print(error.reason)
"""
    assert refused("faster_whisper", code) == "engine_missing"


def test_a_whisper_model_without_a_file_is_refused_before_the_network_is_asked(tmp_path: Path) -> None:
    (tmp_path / "model.bin").touch()
    with pytest.raises(EngineError, match=r"config\.json, tokenizer\.json") as caught:
        Whisper(tmp_path)
    assert caught.value.reason == "model_broken"


@pytest.mark.parametrize("factory", ["no.such:thing", "transcription.words:nothing", ":", "words"])
def test_a_factory_that_is_not_there_is_said(factory: str) -> None:
    with pytest.raises(EngineError) as caught:
        load(None, factory)
    assert caught.value.reason == "engine_missing"
    assert described(None, factory).reason == ""


@dataclass
class _Result:
    tokens: list[str]
    timestamps: list[float]


@dataclass
class _Package:
    """The part of sherpa-onnx that a stream uses: it decodes nothing, and has heard what it was made with."""

    result: _Result
    made: list[str | None] = field(default_factory=list)
    fed: int = 0

    def create_stream(self, hotwords: str | None = None) -> _Package:
        self.made.append(hotwords)
        return self

    def accept_waveform(self, rate: int, samples: np.ndarray[Any, np.dtype[np.float32]]) -> None:
        assert rate == 16_000
        assert samples.dtype == np.float32
        self.fed += len(samples)

    def input_finished(self) -> None: ...

    def is_ready(self, stream: Any) -> bool:
        return False

    def is_endpoint(self, stream: Any) -> bool:
        return False

    def get_result(self, stream: Any) -> str:
        return " 今天 "

    def get_result_all(self, stream: Any) -> _Result:
        return self.result


def test_tokens_become_words_with_the_times_of_what_was_fed() -> None:
    package = _Package(_Result(["今", "天", "▁HE", "LLO", "▁WORLD", "好"], [0.1, 0.3, 0.5, 0.6, 0.8, 0.95]))
    stream = SherpaStream(package, has_hot_words=True)
    stream.begin("p1", ("一体化", "自来水"))
    assert stream.accept(bytes(32_000), 8_000) == []
    assert stream.partial() == "今天"
    (piece,) = stream.flush()
    assert [word.text for word in piece.words] == ["今", "天", "HELLO", "WORLD", "好"]
    assert [word.start_sample for word in piece.words] == [9_600, 12_800, 16_000, 20_800, 23_200]
    assert piece.end_sample == piece.words[-1].end_sample == 24_000
    assert package.made == ["一体化/自来水", "一体化/自来水"]
    stream.begin("p2", ())
    assert package.made[-1] is None
