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
    """A room that another node holds, and how many are connected there. `url`: how other nodes reach that node, None
    where it does not say."""

    node: str
    present: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class NodeState:
    """Another node as it was a few seconds ago: how many rooms it holds, how many are connected in them, and whether
    it takes no new ones (`is_draining`). `keys` is the fingerprint of its keys, empty where it does not say."""

    name: str
    url: str | None
    rooms: int
    present: int
    is_draining: bool
    keys: str = ""
