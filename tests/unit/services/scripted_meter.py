"""A meter of files that says what it is told to say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping


class ScriptedMeter:
    """Implements services.ports.StorageMeter."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.asked = 0
        self.error: OSError | None = None
        self.stuck = False

    async def measure(self) -> Mapping[str, int]:
        self.asked += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.sizes
