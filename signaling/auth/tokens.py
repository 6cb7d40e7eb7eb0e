"""Tokens: JWTs that open one consultation in one role."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conference.model.errors import ConferenceError
from conference.model.ids import ID_PATTERN, new_id
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.services.links import Links
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
    """Signs and reads tokens with the key of the data directory."""

    def __init__(self, key: bytes) -> None:
        self._key = OctKey.import_key(key)
        self._secret = key

    def links(self, public_url: str | None) -> Links:
        """Links whose codes are made from the same key."""
        return Links(self._secret, public_url)

    def sealer(self) -> AddressSealer:
        """Encrypts with a key made from the same."""
        return AddressSealer(self._secret)

    def camera_sealer(self) -> AddressSealer:
        """Encrypts addresses of cameras, with another key made from the same."""
        return AddressSealer(self._secret, b"yuanshang camera address")

    def record_signer(self) -> DocumentSigner:
        """Signs pre-checks of venues, with a key made from the same."""
        return DocumentSigner(self._secret)

    def vault(self) -> SubjectVault:
        """Keeps who viewers are, with keys made from the same."""
        return SubjectVault(self._secret)

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
        return jwt.encode({"alg": _ALGORITHM}, said, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str) -> Claims:
        """The claims of a token with a right signature, expired or not; token_invalid otherwise."""
        if len(token) > _MAX_TOKEN_CHARS:
            raise ConferenceError("token_invalid", "too long")
        try:
            payload = _Payload.model_validate(jwt.decode(token, self._key, algorithms=[_ALGORITHM]).claims)
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
        )
