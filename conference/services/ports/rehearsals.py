"""What a rehearsal needs: its rows, and those that make something of a room while it runs."""

from __future__ import annotations

from typing import Protocol

from conference.model.agenda import Agenda
from conference.model.consultation import Consultation
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

    async def there(self, consultation_id: str) -> dict[str, tuple[str, ...]]:
        """Ids of what goes on in its room already, by table: what is made from now on is told from it by them."""

    async def keep(self, rehearsal: Rehearsal, kept: Consultation, agenda: Agenda) -> dict[str, int]:
        """Give what it made to that consultation, with copies of the people and of the agenda as it went. How many
        rows, by table. Files are named where they will lie."""

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

    def look_at(self, consultation_id: str) -> None:
        """Files of a rehearsal lie under this consultation now: write down what is not yet."""
