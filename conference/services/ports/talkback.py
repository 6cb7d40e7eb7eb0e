"""Rows of what desk and venues write to each other."""

from __future__ import annotations

from typing import Protocol

from conference.model.venue_message import VenueMessage


class VenueMessageRepository(Protocol):
    """Rows of messages."""

    async def of(self, consultation_id: str) -> list[VenueMessage]:
        """Oldest first."""

    async def add(self, message: VenueMessage) -> None: ...
