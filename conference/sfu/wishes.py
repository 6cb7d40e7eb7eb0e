"""What a receiver shows: which pictures, how large, and how dear each is to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """A tile: its size in device pixels; of two pictures that do not both fit, the greater `priority` goes first."""

    width: int
    height: int
    priority: int = 0
