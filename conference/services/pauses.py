"""Turns for others: while something long goes on in the event loop, and until something is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Pauses:
    """`at_once`: pieces of work between two turns of others."""

    at_once: int
    _done: int = 0

    async def after(self, pieces: int = 1) -> None:
        """So many pieces were done."""
        self._done += pieces
        if self._done >= self.at_once:
            self._done = 0
            await asyncio.sleep(0)


async def until(is_over: Callable[[], bool], every_s: float) -> None:
    """Look again and again: for what a tick of somebody else brings about."""
    while True:
        if is_over():
            return
        await asyncio.sleep(every_s)
