"""Signs records with a key that is made from the installation's: anybody can verify, without asking us.

A record is verified for ever: of a key whose secret was dropped the public half stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from conference.services.ports import Keys, keys_of

_ALGORITHM: Final = "Ed25519"
_MAX_SIGNATURE_CHARS: Final = 1000
_PURPOSE: Final = b"yuanshang venue precheck"


class DocumentSigner:
    """Implements services.ports.RecordSigner: Ed25519, as a JWS whose content stands beside it (RFC 7515,
    appendix F)."""

    def __init__(self, keys: Keys | bytes) -> None:
        self._keys = keys_of(keys)
        self._made: dict[bytes, OKPKey] = {}

    def sign(self, document: str) -> str:
        whole = jws.serialize_compact(
            {"alg": _ALGORITHM}, document.encode(), self._key(self._keys.signing()), algorithms=[_ALGORITHM]
        )
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"

    def is_valid(self, document: str, signature: str) -> bool:
        return self._signed_with(document, signature) is not None

    def public_key(self, document: str, signature: str) -> dict[str, str]:
        known = self._signed_with(document, signature) or self._key(self._keys.signing())
        return _public(known)

    def _signed_with(self, document: str, signature: str) -> OKPKey | None:
        if len(signature) > _MAX_SIGNATURE_CHARS:
            return None
        found = next((each for each in self._known() if _is_by(each, document, signature)), None)
        if found is None and self._keys.refresh():
            found = next((each for each in self._known() if _is_by(each, document, signature)), None)
        return found

    def _known(self) -> Iterator[OKPKey]:
        """Also of keys that leaked: that a sheet is older than the leak is told by its line in the trace."""
        for secret in (*self._keys.accepted(), *self._keys.ended(), *self._keys.retired()):
            yield self._key(secret)
        for x in self._keys.former_records():
            yield OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})

    def _key(self, secret: bytes) -> OKPKey:
        key = self._made.get(secret)
        if key is None:
            key = self._made[secret] = _made_from(secret)
        return key


def record_key(secret: bytes) -> str:
    """The public half by which what was signed with this secret is verified: `x` of its JWK."""
    return _public(_made_from(secret))["x"]


def _made_from(secret: bytes) -> OKPKey:
    seed = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(secret)
    private = Ed25519PrivateKey.from_private_bytes(seed)
    return OKPKey.import_key(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _public(key: OKPKey) -> dict[str, str]:
    known = key.as_dict(private=False)
    return {name: str(known[name]) for name in ("kty", "crv", "x")}


def _is_by(key: OKPKey, document: str, signature: str) -> bool:
    try:
        jws.deserialize_compact(signature, key, algorithms=[_ALGORITHM], payload=document.encode())
    except (JoseError, ValueError):
        return False
    return True
