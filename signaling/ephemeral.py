"""What may be forgotten: rates and the registry of rooms, in memory, or in the Redis of the settings."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conference.clock import Clock
from conference.services.ports import PresenceRegistry, RateLimits
from conference.storage.ephemeral.memory import MemoryPresence, MemoryRateLimits
from signaling.settings import Settings

if TYPE_CHECKING:
    from conference.storage.ephemeral.redis import RedisLink


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """Close it after everything that uses it."""

    rate_limits: RateLimits
    registry: PresenceRegistry
    link: RedisLink | None = None

    async def close(self) -> None:
        """Idempotent."""
        if self.link is not None:
            await self.link.close()


def open_ephemeral(settings: Settings, clock: Clock, port: int, keys: Callable[[], str] = str) -> Ephemeral:
    """Nothing is connected yet. `port`: ours for HTTP, which tells nodes on one machine apart; `keys`: the fingerprint
    of our keys."""
    node = settings.node_name or f"{socket.gethostname()}:{port}"
    rate_limits = MemoryRateLimits(clock)
    if settings.redis_url is None:
        return Ephemeral(rate_limits, MemoryPresence(node))

    from conference.storage.ephemeral.claims import RedisPresence  # most servers have no Redis
    from conference.storage.ephemeral.redis import RedisLink, RedisRateLimits

    link = RedisLink(settings.redis_url)
    return Ephemeral(
        RedisRateLimits(link, rate_limits),
        RedisPresence(link, node, url=settings.node_url, keys=keys),
        link,
    )
