"""Passwords: hashed and compared in threads, few at a time, so that a storm of logins starves nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from conference.model.errors import ConferenceError

_AT_ONCE: Final = 2
_MAX_WAITING: Final = 200

Result = TypeVar("Result")


class Passwords:
    """argon2id with 19 MiB, two passes and one lane: one login takes one core for some 30 ms."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._waiting = 0
        self._dummy: str | None = None

    async def hash(self, password: str) -> str:
        """What is stored of a password; rate_limited when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. Without a stored one the same work is done, and the answer is no."""
        if stored is None and self._dummy is None:
            self._dummy = await self.hash("nobody's")
        compared = stored or self._dummy or ""
        return await self._run(lambda: self._verify(compared, password)) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], Result]) -> Result:
        if self._waiting >= _MAX_WAITING:
            raise ConferenceError("rate_limited", "logins")
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1
