"""What of a program can be shown, and what of it the public may see. All times are program time in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Span: TypeAlias = "tuple[int, int]"  # from, to


@dataclass(frozen=True, slots=True)
class Still:
    """One picture of the program. `file` is relative to the consultation's directory: `life/stills/00000012.jpg`."""

    program_time_ms: int
    file: str


@dataclass(frozen=True, slots=True)
class Footage:
    """What was made of a program so far. `spans` are the unbroken stretches that its playlist holds, in order:
    between them the program was not made, and a player goes straight on."""

    renditions: tuple[str, ...] = ()
    spans: tuple[Span, ...] = ()
    stills: tuple[Still, ...] = ()


@dataclass(frozen=True, slots=True)
class OnAir:
    """How far the public is behind, and what is kept from it. A withdrawn stretch without an end is the cut-off
    that holds now; `is_cut` says so."""

    delay_ms: int = 0
    is_cut: bool = False
    withdrawn: tuple[tuple[int, int | None], ...] = ()

    def hides(self, at_ms: int) -> bool:
        """Whether this moment was withdrawn from public view."""
        return any(first <= at_ms and (last is None or at_ms < last) for first, last in self.withdrawn)

    def hides_some(self, from_ms: int, to_ms: int) -> bool:
        """Whether any part of this stretch was."""
        return any(first < to_ms and (last is None or last > from_ms) for first, last in self.withdrawn)

    def open_from_ms(self, at_ms: int) -> int | None:
        """The first moment from this one on that was not withdrawn; None: there is none."""
        for first, last in sorted(self.withdrawn):
            if first <= at_ms and last is None:
                return None
            if last is not None and first <= at_ms < last:
                at_ms = last
        return at_ms

    def reached_ms(self, at_ms: int) -> int:
        """What the public sees stands here while it is cut off: at the beginning of the cut."""
        open_from = [first for first, last in self.withdrawn if last is None]
        return min(at_ms, *open_from) if open_from else at_ms
