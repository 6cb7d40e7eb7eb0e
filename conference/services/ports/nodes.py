"""What nodes share, and may forget: rates, and which of them holds which room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from conference.model.claim import Elsewhere, Hold, NodeState
from conference.model.limit import Limit


class RateLimits(Protocol):
    """Counts hits by limit and key over sliding windows."""

    async def hit(self, limit: Limit, key: str) -> float:
        """Count one more and return 0.0; or, when the limit is reached, count nothing and return the seconds
        until one more is allowed."""

    async def remaining(self, limit: Limit, key: str) -> int:
        """How many more are allowed now."""

    async def reset(self, limit: Limit, key: str) -> None:
        """Forget the hits of this key."""


class PresenceRegistry(Protocol):
    """Which node holds which room. A node holds a room for as long as it renews its claim."""

    @property
    def node(self) -> str:
        """Our own name."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may hold rooms."""

    @property
    def is_up(self) -> bool:
        """Whether the others can be heard. While they cannot, what was last heard holds."""

    def elsewhere(self) -> Mapping[str, Elsewhere]:
        """The rooms that other nodes hold, as last heard, by room id."""

    def nodes(self) -> tuple[NodeState, ...]:
        """The other nodes that live, as last heard, by name."""

    async def claim(self, room_id: str, *, only_ours: bool = False) -> Hold:
        """Hold the room, or keep holding it, unless another node does.

        `only_ours`: keep it alone; a room that nobody is known to hold is not taken either.
        """

    async def release(self, room_id: str) -> None:
        """Hold the room no longer. One that is not ours stays where it is."""

    async def renew(self, present: Mapping[str, int], *, is_draining: bool = False) -> set[str]:
        """Keep holding these rooms, with how many are connected in each; returns those lost to another node.

        `is_draining`: the others shall know that we take no new ones."""
