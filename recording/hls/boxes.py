"""Boxes of ISO base media files (ISO 14496-12), written and walked over. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = struct.Struct("!I4s")
_LARGE = struct.Struct("!Q")


@dataclass(frozen=True, slots=True)
class Box:
    """Where a box lies: `start` and `end` of the whole, `body` where its content begins."""

    kind: bytes
    start: int
    body: int
    end: int


def box(kind: bytes, *content: bytes) -> bytes:
    """One box. Raises ValueError beyond 4 GB."""
    size = 8 + sum(map(len, content))
    if size > 0xFFFFFFFF:
        raise ValueError("box too large")
    return b"".join((_HEAD.pack(size, kind), *content))


def full_box(kind: bytes, version: int, flags: int, *content: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *content)


def walk(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes that are whole, one after the other; ends before the first that is not. Never raises."""
    end = len(data) if end is None else min(end, len(data))
    at = start
    while end - at >= 8:
        size, kind = _HEAD.unpack_from(data, at)
        body = at + 8
        if size == 1 and end - at >= 16:
            (size,) = _LARGE.unpack_from(data, body)
            body += 8
        if size < body - at or at + size > end:
            return
        yield Box(kind, at, body, at + size)
        at += size


def find(
    data: bytes | memoryview, path: tuple[bytes, ...], start: int = 0, end: int | None = None
) -> Box | None:
    """The first box at the end of `path`, each within the one before."""
    found: Box | None = None
    for kind in path:
        found = next((each for each in walk(data, start, end) if each.kind == kind), None)
        if found is None:
            return None
        start, end = found.body, found.end
    return found
