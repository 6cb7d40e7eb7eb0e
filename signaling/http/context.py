"""What the HTTP handlers work with, put into the application by signaling.app."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from aiohttp import web

from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, require
from conference.services.agendas import Agendas
from conference.services.attendance import Attendance
from conference.services.audit import Trace
from conference.services.consultations import Consultations
from conference.services.floors import Floors
from conference.services.life_cycle import LifeCycle
from conference.services.ports import MediaPlane, RateLimits, Storage
from conference.services.rooms import Rooms
from conference.services.statements import Statements
from conference.services.streams import Streams
from signaling.archive import ArchiveBuilder
from signaling.auth.access import Access, Grant
from signaling.metrics import Metrics
from signaling.network import TrustedProxies
from signaling.realtime.token_bucket import TokenBuckets

_STREAMS_PER_S, _STREAM_BURST = 50.0, 500.0  # WHIP and WHEP sessions opened, per address


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The use cases behind the HTTP doors."""

    access: Access
    consultations: Consultations
    life_cycle: LifeCycle
    rooms: Rooms
    streams: Streams
    agendas: Agendas
    floors: Floors
    statements: Statements
    attendance: Attendance
    trace: Trace
    archives: ArchiveBuilder
    storage: Storage
    media: MediaPlane
    metrics: Metrics
    proxies: TrustedProxies
    rate_limits: RateLimits
    stream_buckets: TokenBuckets = field(default_factory=lambda: TokenBuckets(_STREAMS_PER_S, _STREAM_BURST))

    def client_address(self, request: web.BaseRequest) -> str:
        """Where the request comes from, seen through trusted proxies only."""
        return self.proxies.client(request)

    def limit_streams(self, request: web.BaseRequest) -> None:
        """Raise rate_limited when this address opens too many streams."""
        if not self.stream_buckets.take(self.client_address(request), time.monotonic()):
            raise ConferenceError("rate_limited")

    async def authorise(
        self, request: web.BaseRequest, consultation_id: str, action: Action, *, allow_expired: bool = False
    ) -> tuple[Grant, Consultation]:
        """The caller's grant for this consultation and action, and the consultation."""
        grant = await self.access.check(bearer_token(request), allow_expired=allow_expired)
        consultation = await self.consultations.get(consultation_id)
        grant.require_consultation(consultation_id)
        require(grant.role, action)
        return grant, consultation


CONTEXT: web.AppKey[HttpContext] = web.AppKey("context", HttpContext)


def bearer_token(request: web.BaseRequest) -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
