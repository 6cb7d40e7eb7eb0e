"""Access: from a token to a grant, or a typed refusal."""

from __future__ import annotations

from dataclasses import dataclass

from conference.clock import Clock
from conference.model.errors import ConferenceError
from conference.model.participant import Device, EntryMeans
from conference.model.permissions import Role
from conference.services.entrances import Issued, Pass
from conference.services.entry import Entry, Resume
from conference.services.logins import SESSION_MS, StaffMember
from conference.services.ports import Storage
from conference.services.trace import Bearer
from conference.services.warrants import Warrant, void_among
from signaling.auth.tokens import Claims, TokenKey

_GUEST_TTL_S = 24 * 3600  # the link gives another one any time


@dataclass(frozen=True, slots=True)
class Grant:
    """A token that was checked: signed by us, not revoked. It may have expired, see `expired`."""

    claims: Claims
    expired: bool

    @classmethod
    def of_staff(cls, member: StaffMember, consultation_id: str) -> Grant:
        """What somebody who is logged in may do in a consultation, without a token for it."""
        user = member.user
        claims = Claims(
            consultation_id=consultation_id,
            role=user.role,
            name=user.name,
            venue=None,
            token_id=user.id,
            expires_at_s=member.expires_at_ms // 1000,
            via=EntryMeans.STAFF,
            user_id=user.id,
        )
        return cls(claims, expired=False)

    @property
    def role(self) -> Role:
        return self.claims.role

    @property
    def token_id(self) -> str:
        return self.claims.token_id

    @property
    def consultation_id(self) -> str:
        return self.claims.consultation_id

    @property
    def bearer(self) -> Bearer:
        return Bearer(self.role, self.token_id, self.claims.name, self.claims.user_id)

    @property
    def warrant(self) -> Warrant:
        """What must stay true for what this grant opens."""
        claims = self.claims
        return Warrant(
            token_id=claims.token_id,
            role=claims.role,
            via=claims.via,
            invitee_id=claims.invitee_id,
            venue_id=claims.venue_id,
            link_revision=claims.link_revision,
            user_id=claims.user_id,
            key_id=claims.key_id,
        )

    def require_consultation(self, consultation_id: str) -> None:
        """A token never opens another consultation."""
        if consultation_id != self.claims.consultation_id:
            raise ConferenceError("token_other_consultation")

    def entry(
        self,
        *,
        name: str | None = None,
        device: Device | None = None,
        resume: Resume | None = None,
        take_over: bool = False,
    ) -> Entry:
        """What the holder of this grant shows at the door of the room.

        Links and codes are bound to a name: another one may be chosen with other tokens only.
        """
        is_bound = self.claims.via in (EntryMeans.INVITE, EntryMeans.CODE)
        return Entry(
            consultation_id=self.claims.consultation_id,
            role=self.claims.role,
            name=self.claims.name if is_bound or not name else name,
            venue=self.claims.venue,
            token_id=self.claims.token_id,
            token_expired=self.expired,
            device=device,
            resume=resume,
            entered_by=self.claims.via,
            invitee_id=self.claims.invitee_id,
            venue_id=self.claims.venue_id,
            in_hall=self.claims.in_hall,
            warrant=self.warrant,
            take_over=take_over,
        )


class Access:
    """Checks tokens."""

    def __init__(self, key: TokenKey, storage: Storage, clock: Clock) -> None:
        self._key = key
        self._storage = storage
        self._clock = clock

    def for_staff(self, member: StaffMember, consultation_id: str) -> tuple[str, Claims]:
        """A token for somebody who is logged in, and what it says."""
        user = member.user
        token = self._key.issue(
            consultation_id,
            user.role,
            user.name,
            ttl_s=SESSION_MS // 1000,
            via=EntryMeans.STAFF,
            user_id=user.id,
        )
        return token, self._key.read(token)

    def for_guest(self, given: Pass) -> Issued:
        """A token for somebody who comes by a link or a code."""
        token = self._key.issue(
            given.consultation_id,
            given.role,
            given.name,
            venue=given.venue,
            ttl_s=_GUEST_TTL_S,
            via=given.via,
            invitee_id=given.invitee_id,
            venue_id=given.venue_id,
            link_revision=given.link_revision,
            in_hall=given.in_hall,
        )
        claims = self._key.read(token)
        return Issued(token, claims.token_id, given.consultation_id, claims.expires_at_s * 1000)

    async def check(self, token: str | None, *, allow_expired: bool = False) -> Grant:
        """The grant of a token, or ConferenceError token_*. An expired one is good for coming back only."""
        if not token:
            raise ConferenceError("token_missing")
        claims = self._key.read(token)
        expired = claims.key_ended or self._clock.wall_ms() >= claims.expires_at_s * 1000
        if expired and not allow_expired:
            raise ConferenceError("token_expired")
        grant = Grant(claims, expired)
        async with self._storage.reading() as unit:
            if await void_among(unit, [grant.warrant]):
                raise ConferenceError("token_revoked")
        return grant
