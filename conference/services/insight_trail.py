"""The last minutes of one room as JSON lines, packed, and bounded in time and in bytes."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

MOST_BYTES: Final = 4 << 20  # packed; a room of 300 fills it in less than its time, and loses the oldest
_LEVEL: Final = 1


class Trail:
    """Owned by Insight. Steps are packed in a thread, where zlib holds no lock."""

    def __init__(self, kept_s: float) -> None:
        self._kept_s = kept_s
        self._steps: deque[tuple[float, bytes]] = deque()
        self._octets = 0

    @property
    def octets(self) -> int:
        """Packed bytes in memory."""
        return self._octets

    async def keep(self, at_s: float, lines: Sequence[object]) -> None:
        """One step; the oldest go when they are too old or too many."""
        if not lines:
            return
        packed = await asyncio.to_thread(_pack, lines)
        self._steps.append((at_s, packed))
        self._octets += len(packed)
        self.prune(at_s)

    def prune(self, now_s: float) -> bool:
        """Forget what is too old; whether anything is left."""
        steps = self._steps
        while steps and (now_s - steps[0][0] > self._kept_s or self._octets > MOST_BYTES):
            self._octets -= len(steps.popleft()[1])
        return bool(steps)

    def steps(self) -> tuple[bytes, ...]:
        """Packed, the oldest first."""
        return tuple(packed for _, packed in self._steps)


def _pack(lines: Sequence[object]) -> bytes:
    encode = msgspec.json.Encoder().encode
    return zlib.compress(b"".join(encode(line) + b"\n" for line in lines), _LEVEL)


def unpack(step: bytes) -> bytes:
    """The lines of a step."""
    return zlib.decompress(step)
