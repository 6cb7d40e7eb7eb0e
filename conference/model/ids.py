"""Identifiers: opaque, URL-safe, unguessable where they are ours."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

ID_PATTERN: Final = r"^[A-Za-z0-9_-]{1,64}$"
PLAIN_PATTERN: Final = r"^[^\x00]*$"  # PostgreSQL stores no NUL
_ID = re.compile(ID_PATTERN)


def is_id(value: str) -> bool:
    """Whether `value` may stand as an id in a path, a row or a message."""
    return _ID.fullmatch(value) is not None


def new_id(prefix: str) -> str:
    """A fresh id such as `p_3vJ0…`; 96 random bits after the prefix."""
    return f"{prefix}_{secrets.token_urlsafe(12)}"


def new_secret() -> str:
    """A secret handed out once and stored only as a hash; 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """What is stored of a secret. A plain hash is enough for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def secret_matches(secret: str, stored_hash: str) -> bool:
    """Compare without telling by time how much was right."""
    return hmac.compare_digest(hash_secret(secret), stored_hash)
