"""How a track is brought to the wanted loudness. Loudness in LUFS, gains as factors."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from conference.loudness import (
    BLOCK_SAMPLES,
    RATE,
    SILENCE_LUFS,
    WINDOW,
    Sound,
    factor,
    integrated,
    lufs,
    power,
)

__all__ = ["RATE", "SILENCE_LUFS", "TARGET_LUFS", "Leveller", "Sound", "factor", "integrated"]

TARGET_LUFS: Final = -16.0
_ABSOLUTE_GATE_LUFS: Final = -52.0  # a microphone's own noise and the hall's air stay below
_RELATIVE_GATE_LU: Final = 10.0
_MEMORY_BLOCKS: Final = 100  # 10 s of what passed the gate
_SURE_BLOCKS: Final = 8  # so much must have been heard before the gain moves
_MOST_UP_DB: Final = 22.0
_MOST_DOWN_DB: Final = -18.0
_UP_DB: Final = 0.4  # a block: 4 dB a second
_DOWN_DB: Final = 1.5


class Leveller:
    """Brings one microphone slowly to the target. What does not pass the gate moves nothing: silence stays silent."""

    def __init__(self, target_lufs: float = TARGET_LUFS, *, most_up_db: float = _MOST_UP_DB) -> None:
        self._target = target_lufs
        self._most_up_db = most_up_db
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._heard: deque[float] = deque(maxlen=_MEMORY_BLOCKS)
        self._gain_db = 0.0
        self.is_heard = False  # whether the last 400 ms passed the gate
        self._rest: Sound = np.zeros((0, 2), np.float32)

    @property
    def gain(self) -> float:
        """The factor for now."""
        return factor(self._gain_db)

    @property
    def gain_db(self) -> float:
        return self._gain_db

    def push(self, samples: Sound) -> None:
        """The track's sound as it came, in pieces of any length."""
        held = np.concatenate((self._rest, samples))
        at = 0
        while len(held) - at >= BLOCK_SAMPLES:
            self._block(power(held[at : at + BLOCK_SAMPLES]))
            at += BLOCK_SAMPLES
        self._rest = held[at:]

    def _block(self, mean_square: float) -> None:
        self._recent.append(mean_square)
        window = sum(self._recent) / len(self._recent)
        gate = _ABSOLUTE_GATE_LUFS
        if self._heard:
            gate = max(gate, lufs(sum(self._heard) / len(self._heard)) - _RELATIVE_GATE_LU)
        self.is_heard = lufs(window) > gate
        if not self.is_heard:
            # Who speaks much more softly from now on must not stay under the gate of who spoke before.
            if self._heard and lufs(window) > _ABSOLUTE_GATE_LUFS:
                self._heard.popleft()
            return
        self._heard.append(window)
        if len(self._heard) < _SURE_BLOCKS:
            return
        wanted = self._target - lufs(sum(self._heard) / len(self._heard))
        wanted = min(self._most_up_db, max(_MOST_DOWN_DB, wanted))
        self._gain_db += min(_UP_DB, max(-_DOWN_DB, wanted - self._gain_db))
