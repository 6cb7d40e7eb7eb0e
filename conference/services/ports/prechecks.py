"""Rows of pre-checks, and what signs them."""

from __future__ import annotations

from typing import Protocol

from conference.model.precheck import Precheck


class PrecheckRepository(Protocol):
    """Rows of pre-checks. They are written once."""

    async def get(self, precheck_id: str) -> Precheck | None: ...

    async def of_venue(self, venue_id: str, *, below: int | None = None, limit: int = 100) -> list[Precheck]:
        """The newest first; those whose number is below one."""

    async def newest(self, consultation_id: str) -> list[Precheck]:
        """The last one of each venue, the newest first."""

    async def next_number(self, venue_id: str) -> int:
        """From 1; nobody else gets it before this transaction ends."""

    async def add(self, precheck: Precheck) -> None: ...


class RecordSigner(Protocol):
    """Signs records with a key of the server."""

    def sign(self, document: str) -> str: ...

    def is_valid(self, document: str, signature: str) -> bool:
        """Whether the signature is ours and of this very document."""

    def public_key(self, document: str, signature: str) -> dict[str, str]:
        """By which others can see for themselves: the JWK of the key that signed it, or that signs now."""
