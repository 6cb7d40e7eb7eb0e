"""An engine of the second pass that says prepared sentences: Chinese text without a model.

Name it as `tests.support.scripted_second_engine:engine`, with a folder for the model whose `script.json` may say:

- `said`: sentences with the milliseconds of sound that stand for them; the nearest wins, so that the same passage
  always reads the same. Blanks part words, which get times by their characters.
- `load_s`, `s_each`: so long does loading take, and each passage.
- `dies_of`: a text that kills the process, each time. `dies_once_of`: the first time only.

Each passage it was given stands in `heard.jsonl` in the same folder: how long, how loud, which terms; and who heard it.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from transcription.second_engines import Said, SaidWord

FACTORY = "tests.support.scripted_second_engine:engine"
_LOUD = 0.01


def write_second_script(folder: Path, *said: tuple[str, int], **more: Any) -> Path:
    """A folder to give for a model."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [{"text": text, "ms": ms} for text, ms in said]
    (folder / "script.json").write_text(json.dumps({"said": listed, **more}, ensure_ascii=False))
    return folder


def heard(folder: Path) -> list[dict[str, Any]]:
    """What it was given, in order."""
    path = folder / "heard.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def engine(folder: Path | None) -> ScriptedSecondEngine:
    """What second_engines.load calls."""
    assert folder is not None
    return ScriptedSecondEngine(folder)


class ScriptedSecondEngine:
    """The script."""

    engine = "scripted-second"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._script = json.loads((folder / "script.json").read_text())
        print("an engine that chats on standard output")
        time.sleep(self._script.get("load_s", 0))

    def hear(self, samples: np.ndarray[Any, np.dtype[np.float32]], terms: Sequence[str]) -> Said:
        ms = len(samples) // 16
        loud = np.nonzero(np.abs(samples) > _LOUD)[0] // 16
        text = min(self._script["said"], key=lambda each: abs(each["ms"] - ms))["text"]
        told = {
            "ms": ms,
            "loud": [int(loud[0]), int(loud[-1])] if len(loud) else [],
            "terms": list(terms),
            "pid": os.getpid(),
            "nice": os.nice(0),
            "scheduler": os.sched_getscheduler(0),
        }
        with (self._folder / "heard.jsonl").open("a") as file:
            file.write(json.dumps(told, ensure_ascii=False) + "\n")
        self._die_of(text)
        time.sleep(self._script.get("s_each", 0))
        words = text.split()
        total, before, found = max(sum(map(len, words)), 1), 0, []
        for word in words:
            start_ms = ms * before // total
            before += len(word)
            found.append(SaidWord(word, start_ms, ms * before // total, 0.8))
        return Said("".join(words), tuple(found))

    def _die_of(self, text: str) -> None:
        died = self._folder / "died"
        if text == self._script.get("dies_of") or (
            text == self._script.get("dies_once_of") and not died.exists()
        ):
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
