"""Personal links and operators' links: codes that are made again from a key, so that they can be shown any time."""

from __future__ import annotations

import base64
import hashlib
import hmac
from enum import StrEnum
from typing import Final

from conference.model.ids import hash_secret

_CODE_BYTES: Final = 15  # 24 characters of base32 without padding


class LinkKind(StrEnum):
    """Whose link it is."""

    INVITEE = "invitee"
    VENUE = "venue"


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

    def address(self, kind: LinkKind, owner_id: str, revision: int) -> str:
        """`/j/CODE`, behind the public address where there is one."""
        return f"{self._base}/j/{self.code(kind, owner_id, revision)}"
