"""Signs records with a key that is made from that of the data directory: anybody can verify, without asking us."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

_ALGORITHM: Final = "Ed25519"
_MAX_SIGNATURE_CHARS: Final = 1000


class DocumentSigner:
    """Implements services.ports.RecordSigner: Ed25519, as a JWS whose content stands beside it (RFC 7515,
    appendix F)."""

    def __init__(self, secret: bytes, purpose: bytes = b"yuanshang venue precheck") -> None:
        seed = HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret)
        pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        self._key = OKPKey.import_key(pem)

    def sign(self, document: str) -> str:
        whole = jws.serialize_compact(
            {"alg": _ALGORITHM}, document.encode(), self._key, algorithms=[_ALGORITHM]
        )
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"

    def is_valid(self, document: str, signature: str) -> bool:
        if len(signature) > _MAX_SIGNATURE_CHARS:
            return False
        try:
            jws.deserialize_compact(signature, self._key, algorithms=[_ALGORITHM], payload=document.encode())
        except (JoseError, ValueError):
            return False
        return True

    def public_key(self) -> dict[str, str]:
        known = self._key.as_dict(private=False)
        return {name: str(known[name]) for name in ("kty", "crv", "x")}
