"""Sound of somebody who says scripted sentences: how long the voice lasts says which one it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from tests.support.media import SAMPLE_RATE, cached, opus_packets, speech, write_wav
from tests.support.scripted_recognizer import write_script

SHORT: Final = ("各位 委员 上午 好", 1_200)
MIDDLE: Final = ("群众 反映 水压 不 稳定 的 问题 比较 多", 2_600)
LONG: Final = ("我 建议 把 老旧 管网 改造 列入 明年 的 重点 项目", 4_200)
Sentence = tuple[str, int]


def text_of(sentence: Sentence) -> str:
    """As the transcript has it."""
    return sentence[0].replace(" ", "") + "。"


def script(folder: Path, **more: float) -> Path:
    """A folder to give the server for a speech model."""
    return write_script(folder, SHORT, MIDDLE, LONG, **more)


def spoken(*parts: Sentence | float) -> list[bytes]:
    """Opus packets of sentences, and of silence in seconds. A source sends them again and again."""
    return opus_packets(spoken_wav(*parts))


def spoken_wav(*parts: Sentence | float) -> Path:
    """The same as a file, for a browser's microphone, which plays it again and again, too."""

    def make(path: Path) -> None:
        voice = speech("滋滋滋滋" * 12, words_per_minute=220).astype(np.float32)
        loud = np.flatnonzero(np.abs(voice) > 500)
        voice = voice[loud[0] :]
        voice *= 16_000 / float(np.abs(voice).max())
        sounds = []
        for part in parts:
            if isinstance(part, tuple):
                sounds.append(voice[: part[1] * SAMPLE_RATE // 1000].astype(np.int16))
            else:
                sounds.append(np.zeros(round(part * SAMPLE_RATE), np.int16))
        write_wav(path, np.concatenate(sounds))

    return cached("spoken", ".wav", parts, make)
