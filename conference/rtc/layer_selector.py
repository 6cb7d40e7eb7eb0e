"""Which layer of a source one receiver gets, and when it may change: apart from the munger, which only rewrites."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

BEST: Final = "*"
"""As a target: the best layer there is. No RID can have this name (RFC 8851, section 10)."""

MAX_TEMPORAL: Final = 3
"""As a limit: every temporal layer (the descriptor of VP8 has two bits for them)."""


def choose(target: str | None, order: Sequence[str], active: Collection[str]) -> str | None:
    """The best active layer up to the target, else the lowest active; None when there is none or none is wanted.

    `order` names all layers of the source from the smallest to the largest. A target that is not among them is met
    by the best.
    """
    if target is None:
        return None
    there = [name for name in order if name in active]
    if not there:
        return None
    if target not in order:
        return there[-1]
    allowed = [name for name in order[: order.index(target) + 1] if name in active]
    return allowed[-1] if allowed else there[0]


class LayerSelector:
    """Current and wanted layer of one subscription; None is "nothing". `is_short`: because nothing that comes fits."""

    __slots__ = ("current", "is_short", "max_temporal", "target")

    def __init__(self, target: str | None = BEST) -> None:
        self.current: str | None = None
        self.target = target
        self.is_short = False
        self.max_temporal = MAX_TEMPORAL

    def may_switch(self, layer: str, *, is_keyframe: bool) -> bool:
        """Whether this packet of `layer` is where the receiver can be moved to it."""
        return is_keyframe and self.target is not None and layer != self.current

    def switched(self, layer: str) -> None:
        self.current = layer

    def stop(self) -> None:
        """Nothing is forwarded until the next keyframe (the source paused or lost its reference)."""
        self.current = None
