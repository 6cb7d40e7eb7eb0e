"""A speech engine that says prepared sentences for whatever sound it is given: Chinese text without a Chinese model.

Name it as `tests.support.scripted_recognizer:recognizer`. With a folder for a model, `script.json` in it may say:

- `said`: sentences, blanks between words. The first utterance of a participant gets the first, and so on, again and
  again. One that is an object `{"text": …, "ms": …}` is chosen by how long the voice was, the nearest wins: that tells
  the same for the same sound, also after a crash or from the recording.
- `load_s`: so long does it take to be there. `slowness`: seconds that a second of sound takes.

Words are spread over the voice by their characters. Silence says nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from transcription.recognizer import SAMPLE_RATE, SAMPLES_PER_MS, Capabilities, HeardWord, Piece

FACTORY = "tests.support.scripted_recognizer:recognizer"
SENTENCES = (
    "各位 委员 各位 代表 大家 上午 好",
    "现在 开始 本次 远程 协商 会议",
    "今天 的 议题 是 城乡 供水 一体化 建设",
    "请 水利局 的 同志 先 介绍 一下 情况",
    "目前 全县 已经 有 百分之八十 的 村 通 了 自来水",
    "我 建议 把 老旧 管网 改造 列入 明年 的 重点 项目",
    "群众 反映 水压 不 稳定 的 问题 比较 多",
    "这个 问题 我们 会 在 月底 以前 答复",
    "感谢 各位 的 意见 和 建议",
    "下面 请 网友 提问",
)
_PARTIAL_CHARACTERS_S = 5  # so fast are they shown
_LOUD = 200
_BLOCK = 20 * SAMPLES_PER_MS


@dataclass(frozen=True)
class Sentence:
    """`ms`: how long the voice is that says it; None where the number of the utterance decides."""

    words: tuple[str, ...]
    ms: int | None = None


def write_script(folder: Path, *said: str | tuple[str, int], **more: Any) -> Path:
    """A folder to give for a model: sentences, or sentences with the milliseconds of voice that stand for them."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [each if isinstance(each, str) else {"text": each[0], "ms": each[1]} for each in said]
    (folder / "script.json").write_text(json.dumps({"said": listed, **more}, ensure_ascii=False))
    return folder


def recognizer(folder: Path | None) -> ScriptedRecognizer:
    """What engines.load calls."""
    path = None if folder is None else folder / "script.json"
    return ScriptedRecognizer(json.loads(path.read_text()) if path is not None and path.exists() else {})


class ScriptedRecognizer:
    """The script, and how far each participant is in it."""

    caps = Capabilities()
    engine = "scripted"

    def __init__(self, script: dict[str, Any]) -> None:
        time.sleep(script.get("load_s", 0))
        self.slowness = float(script.get("slowness", 0))
        self._sentences = [_sentence(each) for each in script.get("said", SENTENCES)]
        self._said: Counter[str] = Counter()
        self._lock = threading.Lock()

    def open(self) -> ScriptedStream:
        return ScriptedStream(self)

    def next(self, speaker: str) -> int:
        """The number of this utterance."""
        with self._lock:
            self._said[speaker] += 1
            return self._said[speaker] - 1

    def sentence(self, number: int, ms: float) -> Sentence:
        """What is said in this utterance."""
        timed = [each for each in self._sentences if each.ms is not None]
        if timed:
            return min(timed, key=lambda each: abs((each.ms or 0) - ms))
        return self._sentences[number % len(self._sentences)]


class ScriptedStream:
    """Waits for the end of the utterance, as the voice gate tells it."""

    def __init__(self, recognizer: ScriptedRecognizer) -> None:
        self._recognizer = recognizer
        self._speaker = ""
        self._number: int | None = None  # once there was a voice
        self._first: int | None = None
        self._last = 0
        self._end = 0

    def begin(self, speaker: str, terms: Sequence[str]) -> None:
        self._speaker = speaker
        self._number = self._first = None

    def accept(self, pcm16: bytes, start_sample: int) -> list[Piece]:
        samples = np.frombuffer(pcm16, np.int16).astype(np.float32)
        for at in range(0, len(samples), _BLOCK):
            if np.sqrt(np.mean(samples[at : at + _BLOCK] ** 2)) > _LOUD:
                if self._first is None:
                    self._first = start_sample + at
                self._last = start_sample + at + _BLOCK
        self._end = start_sample + len(samples)
        time.sleep(self._recognizer.slowness * len(samples) / SAMPLE_RATE)
        return []

    def partial(self) -> str:
        if self._first is None:
            return ""
        ms = (self._last - self._first) / SAMPLES_PER_MS
        characters = int(ms / 1000 * _PARTIAL_CHARACTERS_S)
        return "".join(self._sentence(ms).words)[:characters]

    def flush(self) -> list[Piece]:
        if self._first is None:
            return [Piece((), self._end)]
        first, last = self._first, self._last
        words = self._sentence((last - first) / SAMPLES_PER_MS).words
        total, before, heard = sum(map(len, words)), 0, []
        for word in words:
            start = first + (last - first) * before // total
            before += len(word)
            heard.append(HeardWord(word, start, first + (last - first) * before // total))
        self._first = self._number = None
        return [Piece(tuple(heard), self._end)]

    def close(self) -> None:
        pass

    def _sentence(self, ms: float) -> Sentence:
        if self._number is None:
            self._number = self._recognizer.next(self._speaker)
        return self._recognizer.sentence(self._number, ms)


def _sentence(said: str | dict[str, Any]) -> Sentence:
    if isinstance(said, str):
        return Sentence(tuple(said.split()))
    return Sentence(tuple(said["text"].split()), int(said["ms"]))
