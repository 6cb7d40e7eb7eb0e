"""What a rehearsal needs: its rows, and those that make something of a room while it runs."""

from __future__ import annotations

from typing import Protocol

from conference.model.rehearsal import Rehearsal


class RehearsalRepository(Protocol):
    """Rows of rehearsals that run, or whose files are being cleared away."""

    async def get(self, consultation_id: str) -> Rehearsal | None: ...

    async def all(self) -> list[Rehearsal]:
        """Of all consultations."""

    async def save(self, rehearsal: Rehearsal) -> None:
        """Insert or overwrite."""

    async def forget(self, consultation_id: str) -> None:
        """It is over, files and all."""

    async def erase(self, rehearsal: Rehearsal) -> dict[str, int]:
        """Delete every row that it made, and put back what it moved of others. How many were deleted, by table."""


class RoomWork(Protocol):
    """Makes something of a room while its program time runs: recordings, a program, a transcript."""

    async def hold(self, consultation_id: str) -> None:
        """End what is made of it, begin nothing and write down nothing more that is told of it, until it is released.
        When this returns no row of it is on its way. Repeating it is harmless."""

    async def still(self, consultation_id: str) -> None:
        """Of one that is held: until nothing writes into its files any more."""

    def release(self, consultation_id: str) -> None:
        """It may begin anew."""
