"""A maker of clips that does what the test says, on a real directory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from conference.model.clip import Clip, ClipState, MadeClip
from conference.services.ports import ClipRefusedError

MADE = MadeClip(60_000, 1280, 720, True, True)


class ScriptedClipMaker:
    """Implements services.ports.ClipMaker. `reasons`: why the next ones fail, one after the other."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.prepared: list[str] = []
        self.reasons: list[str] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.given_up = 0

    async def prepare(self, clip: Clip, told: Callable[[ClipState, int], None]) -> MadeClip:
        self.prepared.append(clip.id)
        told(ClipState.TRANSCODING, 42)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.reasons:
            raise ClipRefusedError(self.reasons.pop(0))
        for path in (clip.path, clip.poster_path):
            (self.directory / path).write_text("whole")
        return MADE


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    """A body as it comes."""
    for each in content:
        yield each
