"""Encrypts who viewers are, from where they write and how cameras are reached, with keys made from the installation's.

What is sealed names no key: whatever is known is tried, and a wrong one is found out by the seal itself (AES-GCM).
"""

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
from conference.services.ports import Keys, keys_of

_NONCE_BYTES = 12


class AddressSealer:
    """Implements services.ports.Sealer."""

    def __init__(self, keys: Keys | bytes, purpose: bytes = b"yuanshang comment address") -> None:
        self._keys = keys_of(keys)
        self._purpose = purpose
        self._ciphers: dict[bytes, AESGCM] = {}

    def seal(self, text: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher(self._keys.signing()).encrypt(nonce, text.encode(), None)
        return base64.urlsafe_b64encode(sealed).decode()

    def open(self, sealed: str) -> str:
        opened = self._opened(sealed)
        if opened is None and self._keys.refresh():  # another process has a newer key
            opened = self._opened(sealed)
        if opened is None:
            raise NotFoundError("sealed with another key")
        return opened

    def renewed(self, sealed: str) -> str | None:
        if self._opened_with(self._keys.signing(), sealed) is not None:
            return None
        opened = self._opened(sealed)
        return None if opened is None else self.seal(opened)

    def _opened(self, sealed: str) -> str | None:
        for secret in (*self._keys.accepted(), *self._keys.ended(), *self._keys.retired()):
            opened = self._opened_with(secret, sealed)
            if opened is not None:
                return opened
        return None

    def _opened_with(self, secret: bytes, sealed: str) -> str | None:
        try:
            raw = base64.urlsafe_b64decode(sealed)
            return self._cipher(secret).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], None).decode()
        except (ValueError, InvalidTag):
            return None

    def _cipher(self, secret: bytes) -> AESGCM:
        cipher = self._ciphers.get(secret)
        if cipher is None:
            cipher = self._ciphers[secret] = AESGCM(_derived(secret, self._purpose))
        return cipher


class SubjectVault(AddressSealer):
    """Implements services.ports.IdentityVault."""

    def __init__(self, keys: Keys | bytes) -> None:
        super().__init__(keys, b"yuanshang viewer identity")

    def fingerprint(self, text: str) -> str:
        return _fingerprint(self._keys.signing(), text)

    def is_fingerprint(self, text: str, fingerprint: str) -> bool:
        known = (*self._keys.accepted(), *self._keys.ended())
        return any(hmac.compare_digest(_fingerprint(each, text), fingerprint) for each in known)


def _fingerprint(secret: bytes, text: str) -> str:
    key = _derived(secret, b"yuanshang viewer fingerprint")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret)
