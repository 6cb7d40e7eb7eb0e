"""Which layer of a source one receiver gets, and when it may change: apart from the munger, which only rewrites.

One layer each for now. Simulcast and downlink allocation set other targets; the rule for changing stays.
"""

from __future__ import annotations


class LayerSelector:
    """Current and wanted layer of one subscription; None is "nothing"."""

    __slots__ = ("current", "target")

    def __init__(self, target: str | None = "") -> None:
        self.current: str | None = None
        self.target = target

    def may_switch(self, layer: str, *, is_keyframe: bool) -> bool:
        """Whether this packet of `layer` is where the receiver can be moved to it."""
        return is_keyframe and layer == self.target and layer != self.current

    def switched(self, layer: str) -> None:
        self.current = layer

    def stop(self) -> None:
        """Nothing is forwarded until the next keyframe (the source paused or lost its reference)."""
        self.current = None
