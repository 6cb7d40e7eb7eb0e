"""How well somebody sees or hears one track, as a number from 0 (nothing) to 100 (as it was sent).

A product of shares, so that the worst counts and nothing makes up for anything else; docs/inspector.md has the formula
with its reasons. What the client measured goes before what the network lost: lost packets may have come again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

GOOD: Final = 80  # and more
FAIR: Final = 50  # and more; less is weak

_NEAR_MS: Final = 150  # one notices no delay (ITU-T G.114 for one way; here there and back, which is kinder)
_FAR_MS: Final = 800  # and talks at the same time as others
_FAR_SHARE: Final = 0.5
_FREEZE_WEIGHT: Final = 10.0  # of a picture that stands a tenth of the time, half is left
_CONCEALED_WEIGHT: Final = 20.0  # of sound of which a twentieth is made up, half is left
_REPAIRED: Final = (
    0.02  # lost packets of a picture that come again in time, and of sound that FEC brings back
)
_LOSS_WEIGHT: Final = 8.0
_FRAMES_SHARE: Final = {
    0: 0.6,
    1: 0.85,
}  # by the highest temporal layer: a quarter of the pictures, half of them
_LEAST_HEIGHT_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Received:
    """One track at one receiver. Shares are 0 to 1; `freeze` and `concealed` are of the client's last report and None
    without one; `height` of `wanted_height` pixels, 0 where unknown; `is_paused`: shown there, and nothing is sent."""

    is_sound: bool
    loss: float
    rtt_ms: int | None
    freeze: float | None = None
    concealed: float | None = None
    height: int = 0
    wanted_height: int = 0
    temporal: int = 2
    is_paused: bool = False


def score(track: Received) -> int:
    """0 to 100; more loss, delay, standing still or making up, and a smaller picture, never give more."""
    if track.is_paused:
        return 0
    share = _delay_share(track.rtt_ms or 0)
    if track.is_sound:
        share *= _hurt(track.concealed, _CONCEALED_WEIGHT, track.loss)
    else:
        share *= _hurt(track.freeze, _FREEZE_WEIGHT, track.loss)
        share *= _size_share(track.height, track.wanted_height) * _FRAMES_SHARE.get(track.temporal, 1.0)
    return round(100 * min(1.0, max(0.0, share)))


def _hurt(measured: float | None, weight: float, loss: float) -> float:
    if measured is not None:
        return 1.0 / (1.0 + weight * max(0.0, measured))
    return 1.0 / (1.0 + _LOSS_WEIGHT * max(0.0, loss - _REPAIRED))


def _delay_share(rtt_ms: int) -> float:
    over = min(1.0, max(0.0, (rtt_ms - _NEAR_MS) / (_FAR_MS - _NEAR_MS)))
    return 1.0 - (1.0 - _FAR_SHARE) * over


def _size_share(height: int, wanted: int) -> float:
    """Half the height is a quarter of the pixels, but looks like more than half."""
    if not height or not wanted or height >= wanted:
        return 1.0
    return max(_LEAST_HEIGHT_SHARE, math.sqrt(height / wanted))
