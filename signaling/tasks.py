"""Background tasks of the server: owned by one TaskGroup, logged when they fail, cancelled at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger(__name__)

_PAUSE_AFTER_FAILURE_S = 1.0


class Background:
    """A failing task is logged and takes nothing else down."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run once."""
        task = self._group.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: work.close())  # cancelled before its first step, it was never begun
        return task

    def every(self, interval_s: float, *actions: Callable[[], Awaitable[None]]) -> None:
        """Call these one after the other, with a pause of `interval_s` between rounds."""
        self.spawn(self._repeat(interval_s, actions))

    def keep(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run for ever: begin again after a failure."""

        async def again() -> None:
            while True:
                await self._guarded(run())
                await asyncio.sleep(_PAUSE_AFTER_FAILURE_S)

        self.spawn(again())

    def cancel(self) -> None:
        """End all of them; the group then waits for their ends."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _repeat(self, interval_s: float, actions: tuple[Callable[[], Awaitable[None]], ...]) -> None:
        while True:
            await asyncio.sleep(interval_s)
            for action in actions:
                await self._guarded(action())

    @staticmethod
    async def _guarded(work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            log.error("background.failed", exc_info=error)
