"""Encrypts who viewers are and from where they write, with keys that are made from that of the data directory."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from conference.model.errors import NotFoundError

_NONCE_BYTES = 12


class AddressSealer:
    """Implements services.ports.Sealer."""

    def __init__(self, secret: bytes, purpose: bytes = b"yuanshang comment address") -> None:
        self._cipher = AESGCM(_derived(secret, purpose))

    def seal(self, text: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode(), None)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str) -> str:
        try:
            raw = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except (ValueError, InvalidTag) as error:
            raise NotFoundError("sealed with another key") from error


class SubjectVault(AddressSealer):
    """Implements services.ports.IdentityVault."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(secret, b"yuanshang viewer identity")
        self._key = _derived(secret, b"yuanshang viewer fingerprint")

    def fingerprint(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret)
