"""Which node holds a room: of the nodes that share a database, one at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """What came of claiming a room. `is_new`: we did not hold it a moment ago."""

    node: str
    is_ours: bool
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A room that another node holds, and how many are connected there."""

    node: str
    present: int
