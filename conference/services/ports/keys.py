"""The secrets that links, tokens and seals are made with, and the rows that stand on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from conference.model.keyed import LinkRow, Resealed, SealedKind, SealedRow
from conference.model.keyset import KeySet


class Keys(Protocol):
    """The keys of the installation as they are now: another process may rotate them at any time."""

    def signing(self) -> bytes:
        """What everything new is made with."""

    def accepted(self) -> Sequence[bytes]:
        """What opens a door: the signing one first, then those of the overlap, the newest first."""

    def ended(self) -> Sequence[bytes]:
        """Those whose overlap is over: they open no door, but read what was sealed."""

    def retired(self) -> Sequence[bytes]:
        """Those that leaked, as long as something may be sealed with them."""

    def is_retired(self, key_id: str) -> bool:
        """Also when its secret was dropped since."""

    def former_records(self) -> Sequence[str]:
        """Public halves, by which signed records are verified, of keys whose secret was dropped."""

    def refresh(self) -> bool:
        """Something was made with a key that is not known: look whether there is another one by now, and say so."""


class FixedKey:
    """Implements Keys: one that stays."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def signing(self) -> bytes:
        return self._secret

    def accepted(self) -> Sequence[bytes]:
        return (self._secret,)

    def ended(self) -> Sequence[bytes]:
        return ()

    def retired(self) -> Sequence[bytes]:
        return ()

    def is_retired(self, key_id: str) -> bool:
        return False

    def former_records(self) -> Sequence[str]:
        return ()

    def refresh(self) -> bool:
        return False


def keys_of(given: Keys | bytes) -> Keys:
    """One secret stands for itself."""
    return FixedKey(given) if isinstance(given, bytes) else given


class KeyStore(Protocol):
    """Where the keys of the installation are kept."""

    @property
    def key_set(self) -> KeySet:
        """As they were a few seconds ago."""

    async def forget(self, ids: frozenset[str]) -> None:
        """Drop these secrets for good."""


class KeyedRepository(Protocol):
    """Rows that stand on a key."""

    async def sealed(self, kind: SealedKind, after_id: str, limit: int) -> list[SealedRow]:
        """Those that hold something, by id."""

    async def reseal(self, kind: SealedKind, changes: Sequence[Resealed]) -> int:
        """Write them where the value is still the one before; returns how many."""

    async def consultations(self) -> dict[str, bool]:
        """All, by id, and whether they are sealed: their rows are as their package has them."""

    async def links(self, consultation_id: str) -> list[LinkRow]:
        """Of its invitees, venues and departments that were not removed."""

    async def relink(self, before: LinkRow, after: LinkRow) -> bool:
        """Write it where it is still the one before."""

    async def needed_until(self) -> int | None:
        """UTC ms until when links that were given out are still wanted: planned ends, and what departments have."""
