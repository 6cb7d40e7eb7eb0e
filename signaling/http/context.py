"""What the HTTP handlers work with, put into the application by signaling.composition."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from aiohttp import web

from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.limit import Limit
from conference.model.permissions import Action, require
from conference.services.accounts import Accounts
from conference.services.agendas import Agendas
from conference.services.attendance import Attendance
from conference.services.audit import Trace
from conference.services.audit_across import AuditAcross
from conference.services.body_words import BodyWords
from conference.services.broadcasts import Broadcasts
from conference.services.camera_finding import CameraFinding
from conference.services.cameras import Cameras
from conference.services.case_queries import CaseQueries
from conference.services.catching_up import CatchingUp
from conference.services.clips import Clips
from conference.services.comment_desk import CommentDesk
from conference.services.comments import Comments
from conference.services.consultations import Consultations
from conference.services.department_door import DepartmentDoor
from conference.services.departments import Departments
from conference.services.editing import Editing
from conference.services.entrances import Entrances
from conference.services.entry_codes import EntryCodes
from conference.services.exports import Exports
from conference.services.files import Files
from conference.services.floors import Floors
from conference.services.identities import Identities
from conference.services.insight import Insight
from conference.services.invitee_imports import InviteeImports
from conference.services.invitees import Invitees
from conference.services.life_cycle import LifeCycle
from conference.services.logins import STAFF_PREFIX, Logins, StaffMember
from conference.services.minutes import MinutesDesk
from conference.services.overview import Overview
from conference.services.own_speeches import OwnSpeeches
from conference.services.ports import MediaPlane, RateLimits, Storage
from conference.services.prechecks import Prechecks
from conference.services.promotions import Promotions
from conference.services.public_captions import PublicCaptions
from conference.services.public_responses import PublicResponses
from conference.services.public_views import PublicViews
from conference.services.recordings import Recordings
from conference.services.rehearsals import Rehearsals
from conference.services.rehearsed_comments import RehearsedComments
from conference.services.responses import Responses
from conference.services.revocations import Revocations
from conference.services.rooms import Rooms
from conference.services.rule_book import RuleBook
from conference.services.screen_links import ScreenLinks
from conference.services.second_passes import SecondPasses
from conference.services.staff import Staff
from conference.services.statements import Statements
from conference.services.streams import Streams
from conference.services.talkback import VenueTalk
from conference.services.terms import Terms
from conference.services.track_sounds import TrackSounds
from conference.services.transcript_editing import TranscriptEditing
from conference.services.transcription import Transcription
from conference.services.transcripts import Transcripts
from conference.services.venue_board import VenueBoard
from conference.services.venues import Venues
from conference.services.viewers import Viewers
from recording.hls.card_segments import Cards
from recording.hls.store import ProgramStores
from signaling.archive import ArchiveBuilder
from signaling.auth.access import Access, Grant
from signaling.documents.client import DocumentWorkers
from signaling.health import KeyHealth
from signaling.http.crowd import Crowd
from signaling.metrics import Metrics
from signaling.network import TrustedProxies
from signaling.paper.client import PaperWorkers
from signaling.realtime.token_bucket import TokenBuckets
from signaling.shared_watch import SharedWatch
from signaling.tables.client import TableWorkers
from signaling.tls.certificate import Certificate

_UPLOADS_AT_ONCE = 4
_STREAMS_PER_S, _STREAM_BURST = 50.0, 500.0  # WHIP and WHEP sessions opened, per address


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The use cases behind the HTTP doors."""

    access: Access
    venues: Venues
    cameras: Cameras
    camera_finding: CameraFinding
    venue_talk: VenueTalk
    venue_board: VenueBoard
    prechecks: Prechecks
    invitees: Invitees
    entrances: Entrances
    entry_codes: EntryCodes
    tables: TableWorkers
    imports: InviteeImports
    logins: Logins
    staff: Staff
    overview: Overview
    rule_book: RuleBook
    body_words: BodyWords
    audit_across: AuditAcross
    editing: Editing
    files: Files
    clips: Clips
    recordings: Recordings
    exports: Exports
    transcription: Transcription
    catching_up: CatchingUp
    second_passes: SecondPasses
    broadcasts: Broadcasts
    public_views: PublicViews
    public_captions: PublicCaptions
    comments: Comments
    comment_desk: CommentDesk
    promotions: Promotions
    departments: Departments
    department_door: DepartmentDoor
    case_queries: CaseQueries
    responses: Responses
    public_responses: PublicResponses
    viewers: Viewers
    accounts: Accounts
    papers: PaperWorkers
    time_zone: str
    public_url: str | None
    identities: Identities
    stores: ProgramStores
    cards: Cards
    crowd: Crowd
    revocations: Revocations
    consultations: Consultations
    life_cycle: LifeCycle
    rehearsals: Rehearsals
    rehearsed_comments: RehearsedComments
    rooms: Rooms
    streams: Streams
    screen_links: ScreenLinks
    insight: Insight
    agendas: Agendas
    floors: Floors
    statements: Statements
    attendance: Attendance
    trace: Trace
    transcripts: Transcripts
    terms: Terms
    minutes: MinutesDesk
    documents: DocumentWorkers
    sounds: TrackSounds
    own_speeches: OwnSpeeches
    transcript_editing: TranscriptEditing
    archives: ArchiveBuilder
    storage: Storage
    media: MediaPlane
    metrics: Metrics
    proxies: TrustedProxies
    rate_limits: RateLimits
    key_health: KeyHealth
    stream_buckets: TokenBuckets = field(default_factory=lambda: TokenBuckets(_STREAMS_PER_S, _STREAM_BURST))

    certificate: Certificate | None = None
    shared_watch: SharedWatch | None = None

    uploads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_UPLOADS_AT_ONCE))

    def client_address(self, request: web.BaseRequest) -> str:
        """Where the request comes from, seen through trusted proxies only."""
        return self.proxies.client(request)

    def limit_streams(self, request: web.BaseRequest) -> None:
        """Raise rate_limited when this address opens too many streams."""
        if not self.stream_buckets.take(self.client_address(request), time.monotonic()):
            raise ConferenceError("rate_limited")

    async def limit(self, limit: Limit, request: web.BaseRequest) -> None:
        """Count this request of its address; rate_limited when there were too many."""
        wait_s = await self.rate_limits.hit(limit, self.client_address(request))
        if wait_s > 0:
            raise ConferenceError("rate_limited", limit.name, retry_after_s=math.ceil(wait_s))

    async def staff_of(self, request: web.BaseRequest) -> StaffMember:
        """Who is logged in; forbidden for tokens that open a consultation only."""
        token = bearer_token(request)
        if token is None or token.startswith(STAFF_PREFIX):
            return await self.logins.member(token)
        await self.access.check(token)
        raise ForbiddenError("for staff only")

    async def authorise(
        self, request: web.BaseRequest, consultation_id: str, action: Action, *, allow_expired: bool = False
    ) -> tuple[Grant, Consultation]:
        """The caller's grant for this consultation and action, and the consultation.

        Staff who logged in come as they are, to the consultations that they may see.
        """
        token = bearer_token(request)
        if token is not None and token.startswith(STAFF_PREFIX):
            member = await self.logins.member(token)
            consultation = await self.consultations.get(consultation_id)
            if not await self.staff.may_see(member, consultation):
                raise ConferenceError("consultation_not_found", consultation_id)
            grant = Grant.of_staff(member, consultation_id)
        else:
            grant = await self.access.check(token, allow_expired=allow_expired)
            consultation = await self.consultations.get(consultation_id)
            grant.require_consultation(consultation_id)
        require(grant.role, action)
        return grant, consultation


CONTEXT: web.AppKey[HttpContext] = web.AppKey("context", HttpContext)


def bearer_token(request: web.BaseRequest) -> str | None:
    """The token of the Authorization header, if there is one."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
