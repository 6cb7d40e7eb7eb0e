"""What the public pages ask for: how far behind the public is, and what there is to show."""

from __future__ import annotations

from typing import Protocol

from conference.model.consultation import Consultation
from conference.model.footage import Footage


class Broadcast(Protocol):
    """How the public sees a consultation now. All times are milliseconds."""

    @property
    def consultation(self) -> Consultation: ...

    @property
    def program_time_ms(self) -> int | None:
        """Now; None before it went live, and standing still after its end."""

    @property
    def delay_ms(self) -> int: ...

    @property
    def is_cut(self) -> bool: ...

    @property
    def withdrawn(self) -> tuple[tuple[int, int | None], ...]:
        """Stretches of program time from, to; without an end: until now and on."""


class Airing(Protocol):
    """The broadcast of each consultation."""

    async def view(self, consultation_id: str) -> Broadcast:
        """As of now, or consultation_not_found."""


class FootageShelf(Protocol):
    """The programs that were made, those of ended consultations included."""

    async def footage(self, consultation_id: str) -> Footage:
        """What is on the disk; empty for a consultation without a program."""
