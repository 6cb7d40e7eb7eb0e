"""What keeps and prepares clips; what plays them is ports.Ingests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from pathlib import Path
from typing import Protocol

from conference.model.clip import Clip, ClipState, MadeClip, Playing


class ClipRepository(Protocol):
    """Rows of clips, without those that were deleted, and of each time that one was played."""

    async def get(self, clip_id: str) -> Clip | None: ...

    async def of(self, consultation_id: str) -> list[Clip]:
        """In the order of being added."""

    async def queued(self) -> list[Clip]:
        """Those that are to be prepared, of all consultations, the oldest first."""

    async def paths(self) -> set[str]:
        """Of all files that are wanted."""

    async def save(self, saved: Iterable[Clip]) -> None:
        """Insert, or write what became of it; its progress is not kept."""

    async def plays(self, consultation_id: str) -> list[Playing]:
        """Each time that a clip was played, in that order."""

    async def unended_plays(self) -> list[Playing]:
        """Those of all consultations that have no end yet."""

    async def save_play(self, playing: Playing) -> None:
        """Insert, or write how it goes on."""


class ClipStore(Protocol):
    """The files of clips. Methods that are awaited may raise storage_unavailable."""

    @property
    def max_bytes(self) -> int:
        """Of one file that is taken."""

    def path(self, path: str) -> Path:
        """Where a file lies whose path is below the directory of clips."""

    async def receive(self, path: str, content: AsyncIterator[bytes]) -> tuple[int, str]:
        """Write what comes: its size and SHA-256, when all of it is on the disk. Whatever ends it before, cancelling
        included, leaves nothing. too_large, disk_full."""

    async def remove(self, *paths: str) -> None:
        """Repeating it is harmless."""

    async def clear(self, consultation_id: str) -> None:
        """Everything of this consultation."""

    async def sweep(self, kept: Collection[str], before_ms: int | None = None) -> None:
        """Remove every file but these, and but those that were written after `before_ms`, UTC. Without it never called
        while one is received or prepared."""


class ClipRefusedError(Exception):
    """`reason`: one of model.clip.REFUSALS; worker_ended when another try may do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ClipMaker(Protocol):
    """Makes files that can be played, one at a time, in a process of its own that yields to everything else."""

    async def prepare(self, clip: Clip, told: Callable[[ClipState, int], None]) -> MadeClip:
        """What is played and its poster are there whole when it returns; `told` hears how far it is. Raises
        ClipRefusedError. Whatever ends it, cancelling included, leaves no half file."""
