"""Loudness after ITU-R BS.1770: how loud a piece of sound is.

Blocks are weighted by their spectrum instead of by filters: the mean square is what counts, and it is the same
(Parseval). Loudness in LUFS, gains as factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

RATE: Final = 48_000
BLOCK_SAMPLES: Final = RATE // 10
SILENCE_LUFS: Final = -127.0
WINDOW: Final = 4  # blocks: 400 ms

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
    return gated(
        [
            power(sound[at : at + BLOCK_SAMPLES])
            for at in range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES)
        ]
    )


def gated(powers: Sequence[float]) -> float:
    """The same from the powers of all its blocks, in their order."""
    windows = [sum(powers[at : at + WINDOW]) / WINDOW for at in range(len(powers) - WINDOW + 1)]
    heard = [each for each in windows if lufs(each) > -70]
    if not heard:
        return SILENCE_LUFS
    gate = lufs(sum(heard) / len(heard)) - 10
    heard = [each for each in heard if lufs(each) > gate]
    return lufs(sum(heard) / len(heard))
