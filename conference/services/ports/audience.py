"""What of the public is counted: rows of how many watched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from conference.model.viewers import ViewerMinute, ViewerTotals


class ViewerRepository(Protocol):
    """Rows of how many watched, by minutes."""

    async def add(self, added: Iterable[ViewerMinute]) -> None:
        """Insert; to a minute that is there arrivals are added, and the larger number of viewers stays."""

    async def last(self, consultation_id: str) -> ViewerMinute | None:
        """The newest minute."""

    async def totals(self, consultation_id: str) -> ViewerTotals:
        """Of all minutes."""
