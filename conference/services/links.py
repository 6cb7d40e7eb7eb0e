"""Personal links and operators' links: codes that are made again from a key, so that they can be shown any time.

A link is shown as it was given out for as long as the key that it was made with is accepted: nobody who has one is to
get another because a key was rotated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from conference.model.department import Department
from conference.model.ids import hash_secret
from conference.model.invitee import Invitee
from conference.model.keyed import LinkRow
from conference.model.venue import Venue
from conference.services.ports import Keys, keys_of

_CODE_BYTES: Final = 15  # 24 characters of base32 without padding

_Owner = TypeVar("_Owner", Invitee, Venue, Department)


class LinkKind(StrEnum):
    """Whose link it is."""

    INVITEE = "invitee"
    VENUE = "venue"
    DEPARTMENT = "department"
    SCREEN = "screen"  # a venue's big screen


class Linked(Protocol):
    """Whoever has a link: an invitee, a venue or a department."""

    @property
    def id(self) -> str: ...

    @property
    def link_revision(self) -> int: ...

    @property
    def link_hash(self) -> str: ...


class Links:
    """Codes of links and where they lead. `keys` are the installation's; without `public_url` links are paths."""

    def __init__(self, keys: Keys | bytes, public_url: str | None = None) -> None:
        self._keys = keys_of(keys)
        self._base = (public_url or "").rstrip("/")

    def code(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """24 characters of base32, lower case, by the key that signs. Another revision has another code."""
        return _code(self._keys.signing(), kind, owner_id, revision)

    def code_of(self, kind: LinkKind, owner: Linked) -> str:
        """The code as it was given out, while it opens anything."""
        made_with = self._key_of(kind, owner) or self._keys.signing()
        return _code(made_with, kind, owner.id, owner.link_revision)

    def is_screen(self, venue: Venue, code: str) -> bool:
        """Whether it opens the venue's big screen. `code` may be anything."""
        opening = [
            _code(each, LinkKind.SCREEN, venue.id, venue.link_revision) for each in self._keys.accepted()
        ]
        return any(hmac.compare_digest(right.encode(), code.encode()) for right in opening)

    def is_void(self, kind: LinkKind, owner: Linked) -> bool:
        """Whether what is stored is the hash of a code by a key that is accepted no longer."""
        refused = (*self._keys.ended(), *self._keys.retired())
        return any(_hash(each, kind, owner.id, owner.link_revision) == owner.link_hash for each in refused)

    def mended(self, row: LinkRow, *, is_sealed: bool = False) -> LinkRow | None:
        """A link that is void as it has to be stored; None for one that is not. Who came by the link of a key whose
        time is over stays; one of a key that leaked gets another revision, which voids what it opened, too. What
        `is_sealed` has nothing open, and its revision is in its package."""
        kind = LinkKind(row.kind)
        if _made_with(self._keys.ended(), kind, row):
            return replace(row, hash=self.hash(kind, row.id, row.revision))
        if _made_with(self._keys.retired(), kind, row):
            revision = row.revision if is_sealed else row.revision + 1
            return replace(row, revision=revision, hash=self.hash(kind, row.id, revision))
        return None

    def hash(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """What is stored of the code."""
        return hash_secret(self.code(kind, owner_id, revision))

    def renewed(self, kind: LinkKind, owner: _Owner) -> _Owner:
        """The invitee, venue or department with another link: the old one opens nothing once this is saved."""
        revision = owner.link_revision + 1
        return replace(owner, link_revision=revision, link_hash=self.hash(kind, owner.id, revision))

    def address(self, kind: LinkKind, owner: Linked) -> str:
        """`/j/CODE`, for departments `/d/CODE`, behind the public address where there is one."""
        door = "d" if kind is LinkKind.DEPARTMENT else "j"
        return f"{self._base}/{door}/{self.code_of(kind, owner)}"

    def screen_code(self, venue: Venue) -> str:
        """That of the venue's big screen, by the key of its operator's link: both are given out together."""
        made_with = self._key_of(LinkKind.VENUE, venue) or self._keys.signing()
        return _code(made_with, LinkKind.SCREEN, venue.id, venue.link_revision)

    def screen_secret(self, text: str) -> str:
        """What proves that a big screen was let in before. `text` says which, where and by what token."""
        return _screen_secret(self._keys.signing(), text)

    def is_screen_secret(self, text: str, secret: str) -> bool:
        """Also by a key whose time is over: coming back is no entering."""
        known = (*self._keys.accepted(), *self._keys.ended())
        return any(
            hmac.compare_digest(_screen_secret(each, text).encode(), secret.encode()) for each in known
        )

    def _key_of(self, kind: LinkKind, owner: Linked) -> bytes | None:
        """The accepted key that the link was made with."""
        for each in self._keys.accepted():
            if _hash(each, kind, owner.id, owner.link_revision) == owner.link_hash:
                return each
        return None

    @property
    def base(self) -> str:
        """The public address of the server without a slash behind it, or nothing."""
        return self._base

    @property
    def is_public(self) -> bool:
        """Whether they begin with the address of the server, so that they can be sent."""
        return bool(self._base)


def _code(key: bytes, kind: LinkKind, owner_id: str, revision: int) -> str:
    digest = hmac.digest(key, f"link|{kind}|{owner_id}|{revision}".encode(), hashlib.sha256)[:_CODE_BYTES]
    return base64.b32encode(digest).decode().lower()


def _hash(key: bytes, kind: LinkKind, owner_id: str, revision: int) -> str:
    return hash_secret(_code(key, kind, owner_id, revision))


def _made_with(keys: Sequence[bytes], kind: LinkKind, row: LinkRow) -> bool:
    return any(_hash(each, kind, row.id, row.revision) == row.hash for each in keys)


def _screen_secret(key: bytes, text: str) -> str:
    return hmac.digest(key, f"screen|{text}".encode(), hashlib.sha256).hex()
