"""Redis: one link for everything that nodes share, and rate limits counted there.

Redis holds nothing that a meeting cannot do without. While it does not answer, everybody does with what this
process knows; the registry's heartbeat finds out when it is back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import ceil
from typing import Any, Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from conference.model.limit import Limit
from conference.storage.ephemeral.memory import MemoryRateLimits

log = structlog.get_logger(__name__)

PREFIX: Final = "{yuanshang}:"  # in braces: all keys in one slot, should Redis be a cluster
PATIENCE_S: Final = 1.0

Result = TypeVar("Result")

# Redis' own clock counts, so that nodes need not agree about the time. Newest hit first.
_HIT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local amount, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], amount - 1)
if oldest and now - oldest < window then
  return math.max(1, math.min(window, oldest + window - now))
end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, amount - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return 0
"""
_COUNT: Final = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local count = 0
for _, each in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if now - each < tonumber(ARGV[1]) then count = count + 1 end
end
return count
"""


class RedisGoneError(Exception):
    """Redis does not answer at the moment."""


class RedisLink:
    """The connections to Redis, and whether it answers. Close it once nobody uses it."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        self._client: Any = Redis.from_url(
            url,
            socket_timeout=patience_s,
            socket_connect_timeout=patience_s,
            # A connection of before Redis was started anew is tried once more; silence is not waited for twice.
            retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
        )
        self._is_up = True

    @property
    def is_up(self) -> bool:
        """Whether the last call was answered."""
        return self._is_up

    async def run(self, call: Callable[[Any], Awaitable[Result]], *, probe: bool = False) -> Result:
        """The answer to a call on the client, or RedisGoneError: at once while Redis is gone, unless this is to
        find out whether it is back."""
        if not self._is_up and not probe:
            raise RedisGoneError
        try:
            result = await call(self._client)
        except (RedisError, OSError) as error:
            if self._is_up:
                self._is_up = False
                log.warning("redis.lost", error=type(error).__name__)
            raise RedisGoneError from error
        if not self._is_up:
            self._is_up = True
            log.info("redis.back")
        return result

    async def close(self) -> None:
        """Idempotent."""
        await self._client.aclose()


class RedisRateLimits:
    """Implements services.ports.RateLimits for all nodes together; each for itself while Redis is gone."""

    def __init__(self, link: RedisLink, alone: MemoryRateLimits) -> None:
        self._link = link
        self._alone = alone

    async def hit(self, limit: Limit, key: str) -> float:
        window_us = ceil(limit.per_s * 1e6)
        try:
            wait_us = await self._link.run(
                lambda redis: redis.eval(_HIT, 1, _name(limit, key), limit.amount, window_us)
            )
        except RedisGoneError:
            return await self._alone.hit(limit, key)
        return int(wait_us) / 1e6

    async def remaining(self, limit: Limit, key: str) -> int:
        window_us = ceil(limit.per_s * 1e6)
        try:
            count = await self._link.run(lambda redis: redis.eval(_COUNT, 1, _name(limit, key), window_us))
        except RedisGoneError:
            return await self._alone.remaining(limit, key)
        return max(0, limit.amount - int(count))

    async def reset(self, limit: Limit, key: str) -> None:
        await self._alone.reset(limit, key)
        try:
            await self._link.run(lambda redis: redis.delete(_name(limit, key)))
        except RedisGoneError:
            return


def _name(limit: Limit, key: str) -> str:
    return f"{PREFIX}limit:{limit.name}:{key}"
