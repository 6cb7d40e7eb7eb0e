"""What hears recordings again after the end, and rows of how far that is."""

from __future__ import annotations

from typing import Protocol

from conference.model.second_pass import SecondPass
from conference.worker_events import Passage, Reheard, TranscriberModel


class SecondListener(Protocol):
    """Hears passages in a process of its own, which yields to everything else on the machine. Nothing here raises."""

    async def model(self) -> TranscriberModel:
        """What hears, or why nothing does: as the process found it, else by its files, as they are now."""

    async def hear(self, passage: Passage) -> Reheard:
        """Begins the process where none runs, and begins it again when it dies, a few times. May take minutes."""

    async def rest(self) -> None:
        """Nothing is to be heard for now: the process ends."""


class SecondPassRepository(Protocol):
    """Rows of second passes: the newest of each consultation."""

    async def get(self, consultation_id: str) -> SecondPass | None: ...

    async def locked(self, consultation_id: str) -> SecondPass | None:
        """The same; nobody else can change it before this transaction ends."""

    async def open_ones(self, node: str | None = None) -> list[SecondPass]:
        """Those that are to be gone on with, on this node or on all, the oldest first."""

    async def save(self, saved: SecondPass) -> None:
        """Insert or overwrite."""
