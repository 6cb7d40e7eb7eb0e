"""Personal links and operators' links: codes that are made again from a key, so that they can be shown any time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from enum import StrEnum
from typing import Final, TypeVar

from conference.model.department import Department
from conference.model.ids import hash_secret
from conference.model.invitee import Invitee
from conference.model.venue import Venue

_CODE_BYTES: Final = 15  # 24 characters of base32 without padding

_Owner = TypeVar("_Owner", Invitee, Venue, Department)


class LinkKind(StrEnum):
    """Whose link it is."""

    INVITEE = "invitee"
    VENUE = "venue"
    DEPARTMENT = "department"
    SCREEN = "screen"  # a venue's big screen


class Links:
    """Codes of links and where they lead. `key` is the server's; without `public_url` links are paths."""

    def __init__(self, key: bytes, public_url: str | None = None) -> None:
        self._key = key
        self._base = (public_url or "").rstrip("/")

    def code(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """24 characters of base32, lower case. Another revision has another code."""
        text = f"link|{kind}|{owner_id}|{revision}".encode()
        digest = hmac.digest(self._key, text, hashlib.sha256)[:_CODE_BYTES]
        return base64.b32encode(digest).decode().lower()

    def hash(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """What is stored of the code."""
        return hash_secret(self.code(kind, owner_id, revision))

    def renewed(self, kind: LinkKind, owner: _Owner) -> _Owner:
        """The invitee, venue or department with another link: the old one opens nothing once this is saved."""
        revision = owner.link_revision + 1
        return replace(owner, link_revision=revision, link_hash=self.hash(kind, owner.id, revision))

    def address(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """`/j/CODE`, for departments `/d/CODE`, behind the public address where there is one."""
        door = "d" if kind is LinkKind.DEPARTMENT else "j"
        return f"{self._base}/{door}/{self.code(kind, owner_id, revision)}"

    def screen_secret(self, text: str) -> str:
        """What proves that a big screen was let in before. `text` says which, where and by what token."""
        return hmac.digest(self._key, f"screen|{text}".encode(), hashlib.sha256).hex()

    @property
    def base(self) -> str:
        """The public address of the server without a slash behind it, or nothing."""
        return self._base

    @property
    def is_public(self) -> bool:
        """Whether they begin with the address of the server, so that they can be sent."""
        return bool(self._base)
