"""Loudness after ITU-R BS.1770: how loud a piece of sound is, and how a track is brought to the wanted loudness.

Blocks are weighted by their spectrum instead of by filters: the mean square is what counts, and it is the same
(Parseval). Loudness in LUFS, gains as factors.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

RATE: Final = 48_000
BLOCK_SAMPLES: Final = RATE // 10
TARGET_LUFS: Final = -16.0
SILENCE_LUFS: Final = -127.0
_WINDOW: Final = 4  # blocks: 400 ms
_ABSOLUTE_GATE_LUFS: Final = -52.0  # a microphone's own noise and the hall's air stay below
_RELATIVE_GATE_LU: Final = 10.0
_MEMORY_BLOCKS: Final = 100  # 10 s of what passed the gate
_SURE_BLOCKS: Final = 8  # so much must have been heard before the gain moves
_MOST_UP_DB: Final = 22.0
_MOST_DOWN_DB: Final = -18.0
_UP_DB: Final = 0.4  # a block: 4 dB a second
_DOWN_DB: Final = 1.5

Sound = npt.NDArray[np.float32]  # samples by 2 channels


def _response(
    numerator: tuple[float, ...], denominator: tuple[float, ...], z: npt.NDArray[np.complex128]
) -> npt.NDArray[np.float64]:
    above = sum(value * z**-power for power, value in enumerate(numerator))
    below = sum(value * z**-power for power, value in enumerate(denominator))
    return np.asarray(np.abs(above / below) ** 2, np.float64)


def _weights(samples: int) -> npt.NDArray[np.float64]:
    """What each bin of the spectrum counts: the two filters of BS.1770 at 48 kHz, and both halves of the spectrum."""
    z = np.exp(2j * np.pi * np.arange(samples // 2 + 1) / samples)
    shelf = _response(
        (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585), z
    )
    high_pass = _response((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621), z)
    both = np.full(samples // 2 + 1, 2.0)
    both[0] = both[-1] = 1.0
    return np.asarray(shelf * high_pass * both / samples**2, np.float64)


_BLOCK_WEIGHTS: Final = _weights(BLOCK_SAMPLES)


def power(block: Sound) -> float:
    """The weighted mean square of BLOCK_SAMPLES samples, channels added up."""
    spectrum = np.fft.rfft(block, axis=0)
    return float((_BLOCK_WEIGHTS @ (spectrum.real**2 + spectrum.imag**2)).sum())


def lufs(mean_square: float) -> float:
    """SILENCE_LUFS at the least."""
    return max(SILENCE_LUFS, -0.691 + 10 * np.log10(mean_square)) if mean_square > 0 else SILENCE_LUFS


def factor(db: float) -> float:
    """Of an amplitude."""
    return float(10 ** (db / 20))


def integrated(sound: Sound) -> float:
    """The loudness of a whole programme, gated as BS.1770 says."""
    powers = [
        power(sound[at : at + BLOCK_SAMPLES])
        for at in range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
    ]
    windows = [sum(powers[at : at + _WINDOW]) / _WINDOW for at in range(len(powers) - _WINDOW + 1)]
    heard = [each for each in windows if lufs(each) > -70]
    if not heard:
        return SILENCE_LUFS
    gate = lufs(sum(heard) / len(heard)) - 10
    heard = [each for each in heard if lufs(each) > gate]
    return lufs(sum(heard) / len(heard))


class Leveller:
    """Brings one microphone slowly to the target. What does not pass the gate moves nothing: silence stays silent."""

    def __init__(self, target_lufs: float = TARGET_LUFS, *, most_up_db: float = _MOST_UP_DB) -> None:
        self._target = target_lufs
        self._most_up_db = most_up_db
        self._recent: deque[float] = deque(maxlen=_WINDOW)
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
