"""Tokens: JWTs that open one consultation in one role."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conference.model.errors import ConferenceError
from conference.model.ids import ID_PATTERN, new_id
from conference.model.keyset import key_id
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.services.links import Links
from conference.services.ports import Keys, keys_of
from signaling.auth.sealer import AddressSealer, SubjectVault
from signaling.auth.signer import DocumentSigner

_ALGORITHM: Final = "HS256"
_MAX_TOKEN_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `expires_at_s` is in seconds since the epoch.

    `via` is the door that the token was given out at; the ids name what stands behind it: an invitee's or a
    venue's link in that revision, or a user.
    """

    consultation_id: str
    role: Role
    name: str
    venue: str | None
    token_id: str
    expires_at_s: int
    via: EntryMeans = EntryMeans.TOKEN
    invitee_id: str | None = None
    venue_id: str | None = None
    link_revision: int | None = None
    in_hall: bool = False
    user_id: str | None = None
    key_id: str | None = None
    key_ended: bool = False
    """The overlap of the key that signed it is over: good for coming back only, as if it had expired."""


class _Payload(BaseModel):
    model_config = ConfigDict(extra="ignore")

    cid: str = Field(pattern=ID_PATTERN)
    role: Role
    name: str = Field(min_length=1, max_length=200)
    venue: str | None = Field(None, max_length=200)
    jti: str = Field(pattern=ID_PATTERN)
    exp: int
    via: EntryMeans = EntryMeans.TOKEN
    inv: str | None = Field(None, pattern=ID_PATTERN)
    ven: str | None = Field(None, pattern=ID_PATTERN)
    rev: int | None = None
    hall: bool = False
    uid: str | None = Field(None, pattern=ID_PATTERN)


class TokenKey:
    """Signs and reads tokens with the keys of the installation."""

    def __init__(self, keys: Keys | bytes) -> None:
        self._keys = keys_of(keys)

    @property
    def keys(self) -> Keys:
        return self._keys

    def links(self, public_url: str | None) -> Links:
        """Links whose codes are made from the same keys."""
        return Links(self._keys, public_url)

    def sealer(self) -> AddressSealer:
        """Encrypts with keys made from the same."""
        return AddressSealer(self._keys)

    def camera_sealer(self) -> AddressSealer:
        """Encrypts addresses of cameras, with other keys made from the same."""
        return AddressSealer(self._keys, b"yuanshang camera address")

    def record_signer(self) -> DocumentSigner:
        """Signs pre-checks of venues, with keys made from the same."""
        return DocumentSigner(self._keys)

    def vault(self) -> SubjectVault:
        """Keeps who viewers are, with keys made from the same."""
        return SubjectVault(self._keys)

    def issue(
        self,
        consultation_id: str,
        role: Role,
        name: str,
        *,
        venue: str | None = None,
        ttl_s: int,
        via: EntryMeans = EntryMeans.TOKEN,
        invitee_id: str | None = None,
        venue_id: str | None = None,
        link_revision: int | None = None,
        in_hall: bool = False,
        user_id: str | None = None,
    ) -> str:
        """A new token that expires after `ttl_s` seconds."""
        now_s = int(time.time())
        claims = {
            "cid": consultation_id,
            "role": role.value,
            "name": name,
            "iat": now_s,
            "exp": now_s + ttl_s,
            "jti": new_id("t"),
            "venue": venue,
            "via": None if via is EntryMeans.TOKEN else via.value,
            "inv": invitee_id,
            "ven": venue_id,
            "rev": link_revision,
            "hall": in_hall or None,
            "uid": user_id,
        }
        said = {key: value for key, value in claims.items() if value is not None}
        secret = self._keys.signing()
        header = {"alg": _ALGORITHM, "kid": key_id(secret)}
        return jwt.encode(header, said, OctKey.import_key(secret), algorithms=[_ALGORITHM])

    def read(self, token: str) -> Claims:
        """The claims of a token with a right signature, expired or not; token_invalid otherwise."""
        if len(token) > _MAX_TOKEN_CHARS:
            raise ConferenceError("token_invalid", "too long")
        try:
            payload, secret = self._verified(token)
        except (JoseError, ValidationError, ValueError) as error:
            raise ConferenceError("token_invalid", type(error).__name__) from error
        return Claims(
            consultation_id=payload.cid,
            role=payload.role,
            name=payload.name,
            venue=payload.venue,
            token_id=payload.jti,
            expires_at_s=payload.exp,
            via=payload.via,
            invitee_id=payload.inv,
            venue_id=payload.ven,
            link_revision=payload.rev,
            in_hall=payload.hall,
            user_id=payload.uid,
            key_id=key_id(secret),
            key_ended=secret in self._keys.ended(),
        )

    def _verified(self, token: str) -> tuple[_Payload, bytes]:
        """What it says, and the key that signed it. JoseError, ValueError, ValidationError."""
        named = jws.extract_compact(token.encode()).headers().get("kid")
        known = self._named(named)
        if not known and self._keys.refresh():  # another process signs with a newer one
            known = self._named(named)
        for secret in known:
            try:
                claims = jwt.decode(token, OctKey.import_key(secret), algorithms=[_ALGORITHM]).claims
            except BadSignatureError:
                continue
            return _Payload.model_validate(claims), secret
        raise ValueError("by none of our keys")

    def _named(self, named: object) -> list[bytes]:
        """The key of that name, unless it is retired. Tokens from before keys had names have none: any may have
        signed those."""
        read = (*self._keys.accepted(), *self._keys.ended())
        return [each for each in read if named is None or key_id(each) == named]
