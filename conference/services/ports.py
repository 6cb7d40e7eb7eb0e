"""What the services need of the outside: storage, media, clients. signaling.app chooses implementations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from conference.events import DeskSnapshot, RecordedFile, RecorderEvent, RoomEvent, SessionEvent, Snapshot
from conference.model.agenda import Agenda
from conference.model.attendance import Stay
from conference.model.audit import AuditEntry, AuditHead, AuditLine, AuditText
from conference.model.briefing import BriefingFile
from conference.model.claim import Elsewhere, Hold
from conference.model.consultation import Consultation, ProgramGap, Status
from conference.model.errors import ConferenceError
from conference.model.floor import SpokenTime, Turn
from conference.model.invitee import Invitee
from conference.model.invitee_list import ImportRow, InviteeImport
from conference.model.limit import Limit
from conference.model.media import MediaEvent, PublicationInfo, TrackHint
from conference.model.organization import FailedLogins, Organization, StaffSession, User
from conference.model.participant import Participant
from conference.model.readiness import Prepared
from conference.model.recording import Recording
from conference.model.statement import Statement, StatementBoard
from conference.model.venue import Venue


class MediaError(ConferenceError):
    """The media plane refused. `code` is stable: sdp_invalid, too_many_tracks, room_full, not_found,
    stale, tap_unreachable, media_unavailable, port_in_use."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code, message)


class MediaPlane(Protocol):
    """The media process as the services see it. Every method may raise MediaError."""

    @property
    def epoch(self) -> str:
        """Names one life of the media process; a client that holds another epoch connects anew."""

    def listen(self, receive: Callable[[MediaEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    async def join(self, room_id: str, participant_id: str, *, sound_open: bool, hears: bool = True) -> None:
        """Make the participant known (and the room, when it is the first). Repeating it is harmless.

        Without `hears` it is offered no sound of others, from its next subscription on.
        """

    async def leave(self, room_id: str, participant_id: str) -> None:
        """Close both transports and drop all publications. Unknown ids are ignored."""

    async def publish(
        self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...] = ()
    ) -> tuple[str, tuple[PublicationInfo, ...]]:
        """Take a client's offer for its publish connection; returns the answer and what is published now.

        An offer of another peer connection (other session id in the origin line) replaces the transport;
        new ICE credentials on the same one are an ICE restart.
        """

    async def subscribe(self, room_id: str, participant_id: str, *, fresh: bool = False) -> None:
        """Begin to send SubscriberOffer events to the participant; `fresh` drops the old transport first."""

    async def answer(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        """Take the client's answer to the SubscriberOffer of that generation. An old one is `stale`."""

    async def pull(self, room_id: str, participant_id: str, target_id: str, sdp: str) -> str:
        """WHEP: `participant_id` receives `target_id`'s microphone and camera by its own offer."""

    async def trickle(self, room_id: str, participant_id: str, fragment: str) -> str | None:
        """WHIP and WHEP PATCH (RFC 8840 fragment): None when nothing is to be said, or, after an ICE restart,
        the server's fragment."""

    async def set_sound(self, room_id: str, participant_id: str, *, is_open: bool) -> None:
        """Open or close the gate for all sound of a participant. Closed: forwarded to nobody."""

    async def tap(self, room_id: str, path: str, *, program_time_ms: int, at_monotonic_s: float) -> None:
        """Write every publication of the room to who listens on the unix socket at `path`, until `untap` or TapLost.

        Program time was `program_time_ms` when Clock.monotonic stood at `at_monotonic_s`. The room need not have
        participants; another tap of it is ended first, without TapLost. Refused with `tap_unreachable`.
        """

    async def untap(self, room_id: str) -> None:
        """End the tap: what is queued goes out, then the reader sees the end. Without a tap nothing happens."""

    async def statistics(self) -> Mapping[str, float]:
        """Counters and gauges by Prometheus name, for /metrics; labels as in `name{reason="…"}`."""


# ── storage ─────────────────────────────────────────────────────────────────────────────────────


class ConsultationRepository(Protocol):
    """Rows of consultations and of their gaps."""

    async def get(self, consultation_id: str) -> Consultation | None: ...

    async def live(self) -> list[Consultation]:
        """Those whose program time runs."""

    async def add(self, consultation: Consultation) -> None:
        """Raises ConferenceError consultation_exists when the id is taken."""

    async def save(self, consultation: Consultation) -> None: ...

    async def delete(self, consultation_id: str) -> None:
        """With everything that belongs to it."""

    async def raise_high_water(self, program_times_ms: Mapping[str, int]) -> None:
        """Note how far program time has come, by consultation id; never lowers it."""

    async def add_gap(self, gap: ProgramGap) -> None: ...

    async def gaps(self, consultation_id: str) -> list[ProgramGap]: ...


class ParticipantRepository(Protocol):
    """Rows of participants, those who left included."""

    async def get(self, participant_id: str) -> Participant | None: ...

    async def of(self, consultation_id: str) -> list[Participant]:
        """Everyone who was ever in it, in the order of joining."""

    async def same_person(
        self,
        consultation_id: str,
        *,
        invitee_id: str | None,
        operated_id: str | None,
        token_id: str,
        user_id: str | None = None,
    ) -> list[Participant]:
        """The clients (no encoders) that this invitee was, else those of this venue's link, else of this
        account, else of this token, those who left included, in the order of joining."""

    async def present(self) -> list[Participant]:
        """Everyone who has not left, in all consultations, in the order of joining."""

    async def save(self, participants: Iterable[Participant]) -> None:
        """Insert or overwrite."""

    async def touch(self, participant_ids: Iterable[str], now_ms: int) -> None:
        """They are connected at `now_ms`."""


class RevocationRepository(Protocol):
    """Token ids (`jti`) that open nothing any more."""

    async def contains(self, token_id: str) -> bool: ...

    async def among(self, token_ids: Collection[str]) -> set[str]:
        """Those of them that are revoked."""

    async def add(self, token_id: str, now_ms: int) -> None:
        """Repeating it is harmless."""


class AuditRepository(Protocol):
    """The trace: one chain of lines per consultation, and one for staff matters."""

    async def append(self, entry: AuditEntry) -> AuditLine:
        """Add the next line of the entry's chain, and lock the chain until the transaction ends.

        Write the rows first and the line last, so that nobody waits with the chain in his hand.
        """

    async def append_all(self, entries: Sequence[AuditEntry]) -> None:
        """The same for many entries of one chain, in their order."""

    async def head(self, chain: str) -> AuditHead:
        """Number and hash of the last line; number 0 when there is none."""

    async def reached_ms(self, chain: str) -> int | None:
        """The latest program time that a line bears."""

    async def lines(
        self,
        chain: str,
        after: int = 0,
        limit: int = 100,
        *,
        action: str | None = None,
        actor: str | None = None,
        subject: str | None = None,
        newest: bool = False,
        before: int | None = None,
    ) -> list[AuditLine]:
        """Lines with a number above `after` and below `before`, in order, or the newest first.

        `actor` is an id or a kind of actor.
        """

    async def texts(self, chain: str, first: int, last: int) -> list[AuditText]:
        """The personal texts that are still there of the lines `first` to `last`."""

    async def forget(self, chain: str, number: int) -> None:
        """Delete the personal texts of a line. The chain stays verifiable."""


class AgendaRepository(Protocol):
    """Rows of agenda items."""

    async def get(self, consultation_id: str) -> Agenda: ...

    async def save(self, consultation_id: str, agenda: Agenda) -> None:
        """The whole agenda instead of what was there."""


class FloorRepository(Protocol):
    """Rows of turns: every holding of the floor."""

    async def open_turn(self, consultation_id: str) -> Turn | None:
        """Who holds the floor."""

    async def open_turns(self) -> list[Turn]:
        """The same of all consultations."""

    async def turns(self, consultation_id: str) -> list[Turn]:
        """All of them, in the order of being granted."""

    async def spoken(self, consultation_id: str) -> list[SpokenTime]:
        """Sums by participant and agenda item, without what runs since a turn's `started_at_ms`."""

    async def save(self, turn: Turn) -> None:
        """Insert or overwrite."""


class StatementRepository(Protocol):
    """Rows of written statements and their likes."""

    async def board(self, consultation_id: str) -> StatementBoard: ...

    async def add(self, statement: Statement) -> None: ...

    async def take(self, statement_id: str, taken: bool) -> None: ...

    async def like(self, statement_id: str, participant_id: str, liked: bool) -> None:
        """Repeating it is harmless."""


class StayRepository(Protocol):
    """Rows of attendance."""

    async def of(self, consultation_id: str) -> list[Stay]:
        """In the order of their beginning."""

    async def open(self) -> list[Stay]:
        """Those that have not ended, of all consultations."""

    async def save(self, stay: Stay) -> None:
        """Insert it, or write its end."""


class VenueRepository(Protocol):
    """Rows of venues. Removed ones are found by `get` and `among` alone."""

    async def get(self, venue_id: str) -> Venue | None: ...

    async def by_link(self, link_hash: str) -> Venue | None: ...

    async def by_code(self, entry_code: str) -> Venue | None: ...

    async def of(self, consultation_id: str) -> list[Venue]:
        """By position."""

    async def among(self, venue_ids: Iterable[str]) -> list[Venue]:
        """In any order."""

    async def next_position(self, consultation_id: str) -> int:
        """Behind all, removed ones included."""

    async def save(self, saved: Iterable[Venue]) -> None:
        """Insert or overwrite."""


class InviteeRepository(Protocol):
    """Rows of invitees. Removed ones are found by `get` and `among` alone."""

    async def get(self, invitee_id: str) -> Invitee | None: ...

    async def by_link(self, link_hash: str) -> Invitee | None: ...

    async def of(self, consultation_id: str) -> list[Invitee]:
        """By position."""

    async def among(self, invitee_ids: Iterable[str]) -> list[Invitee]:
        """In any order."""

    async def next_position(self, consultation_id: str) -> int:
        """Behind all, removed ones included."""

    async def save(self, saved: Iterable[Invitee]) -> None:
        """Insert or overwrite."""


class InviteeImportRepository(Protocol):
    """Rows of lists of invitees that were read and not taken over yet."""

    async def get(self, consultation_id: str) -> InviteeImport | None: ...

    async def save(self, kept: InviteeImport, good: Collection[int]) -> None:
        """Insert or overwrite; `good` are the numbers of the rows that can be taken over now."""

    async def delete(self, consultation_id: str) -> None: ...


class OrganizationRepository(Protocol):
    """Rows of organizations."""

    async def get(self, organization_id: str) -> Organization | None: ...

    async def named(self, name: str) -> Organization | None: ...

    async def all(self) -> list[Organization]:
        """In the order of their making."""

    async def add(self, organization: Organization) -> None:
        """Raises ConferenceError organization_exists when the name is taken."""

    async def save(self, organization: Organization) -> None:
        """The same."""


class UserRepository(Protocol):
    """Rows of staff accounts."""

    async def get(self, user_id: str) -> User | None: ...

    async def by_login(self, login: str) -> User | None: ...

    async def of(self, organization_ids: Iterable[str]) -> list[User]:
        """In the order of their making, disabled ones included."""

    async def add(self, user: User) -> None:
        """Raises ConferenceError login_taken."""

    async def save(self, user: User) -> None: ...

    async def set_password(self, user_id: str, password_hash: str) -> None: ...

    async def set_failures(self, user_id: str, failures: FailedLogins) -> None: ...


class StaffSessionRepository(Protocol):
    """Rows of who is logged in."""

    async def get(self, token_hash: str) -> StaffSession | None: ...

    async def add(self, session: StaffSession) -> None: ...

    async def delete(self, token_hash: str) -> None: ...

    async def delete_of(self, user_id: str, *, keep: str | None = None) -> None:
        """All of a user but the one with the hash `keep`."""

    async def delete_expired(self, now_ms: int) -> None: ...


class BriefingFileRepository(Protocol):
    """Rows of background material; those that were removed are not found."""

    async def get(self, file_id: str) -> BriefingFile | None: ...

    async def of(self, consultation_id: str) -> list[BriefingFile]:
        """In the order of being added."""

    async def add(self, file: BriefingFile) -> None: ...

    async def save(self, file: BriefingFile) -> None: ...

    async def hashes(self) -> set[str]:
        """The contents that any row names."""


class RecordingRepository(Protocol):
    """Rows of recorded files; those that were deleted are found by `at` alone."""

    async def get(self, recording_id: str) -> Recording | None: ...

    async def of(
        self, consultation_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Recording]:
        """By the beginning, behind the one with the id `after`."""

    async def at(self, consultation_id: str, paths: Iterable[str]) -> list[Recording]:
        """Those whose files lie there."""

    async def unfinished(self) -> set[str]:
        """Ids of the consultations that have files whose end is not known."""

    async def save(self, saved: Iterable[Recording]) -> None:
        """Insert, or write the end and the deletion."""


class PreparationRows(Protocol):
    """What is prepared, counted; and the list of consultations."""

    async def prepared(self, consultation_id: str) -> Prepared: ...

    async def consultations(
        self,
        organization_ids: Collection[str],
        *,
        status: Status | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Consultation]:
        """Those of these organizations and of none: newest schedule first, behind the one with the id `after`."""


class ArchiveRows(Protocol):
    """Everything that belongs to a consultation but the trace, as plain values and without secrets."""

    def tables(self) -> list[str]:
        """Parents before children."""

    def rows(self, table: str, consultation_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """In a lasting order."""


class UnitOfWork(Protocol):
    """The repositories inside one transaction."""

    @property
    def consultations(self) -> ConsultationRepository: ...

    @property
    def participants(self) -> ParticipantRepository: ...

    @property
    def revocations(self) -> RevocationRepository: ...

    @property
    def audit(self) -> AuditRepository: ...

    @property
    def archive_rows(self) -> ArchiveRows: ...

    @property
    def agenda(self) -> AgendaRepository: ...

    @property
    def floor(self) -> FloorRepository: ...

    @property
    def statements(self) -> StatementRepository: ...

    @property
    def stays(self) -> StayRepository: ...

    @property
    def venues(self) -> VenueRepository: ...

    @property
    def invitees(self) -> InviteeRepository: ...

    @property
    def invitee_imports(self) -> InviteeImportRepository: ...

    @property
    def organizations(self) -> OrganizationRepository: ...

    @property
    def users(self) -> UserRepository: ...

    @property
    def staff_sessions(self) -> StaffSessionRepository: ...

    @property
    def preparation(self) -> PreparationRows: ...

    @property
    def files(self) -> BriefingFileRepository: ...

    @property
    def recordings(self) -> RecordingRepository: ...


class Storage(Protocol):
    """Rows that survive a restart."""

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """Everything inside is durable when the block ends, or nothing is (the block raised)."""

    def reading(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """One consistent view; writing through it is an error."""

    async def ping(self) -> None:
        """Raises when the database does not answer."""


# ── what may be forgotten ───────────────────────────────────────────────────────────────────────


class RateLimits(Protocol):
    """Counts hits by limit and key over sliding windows."""

    async def hit(self, limit: Limit, key: str) -> float:
        """Count one more and return 0.0; or, when the limit is reached, count nothing and return the seconds
        until one more is allowed."""

    async def remaining(self, limit: Limit, key: str) -> int:
        """How many more are allowed now."""

    async def reset(self, limit: Limit, key: str) -> None:
        """Forget the hits of this key."""


class PresenceRegistry(Protocol):
    """Which node holds which room. A node holds a room for as long as it renews its claim."""

    @property
    def node(self) -> str:
        """Our own name."""

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may hold rooms."""

    @property
    def is_up(self) -> bool:
        """Whether the others can be heard. While they cannot, what was last heard holds."""

    def elsewhere(self) -> Mapping[str, Elsewhere]:
        """The rooms that other nodes hold, as last heard, by room id."""

    async def claim(self, room_id: str, *, only_ours: bool = False) -> Hold:
        """Hold the room, or keep holding it, unless another node does.

        `only_ours`: keep it alone; a room that nobody is known to hold is not taken either.
        """

    async def release(self, room_id: str) -> None:
        """Hold the room no longer. One that is not ours stays where it is."""

    async def renew(self, present: Mapping[str, int]) -> set[str]:
        """Keep holding these rooms, with how many are connected in each; returns those lost to another node."""


class TableReader(Protocol):
    """Reads tables that strangers send, where they can do no harm."""

    async def read_invitees(self, data: bytes) -> list[ImportRow]:
        """The rows of a list of invitees; import_unreadable, import_no_name_column, import_too_many_rows,
        import_empty, rate_limited."""


class Recorder(Protocol):
    """Writes the publications of rooms into files, in processes of their own, which it starts again when they die."""

    def listen(self, receive: Callable[[RecorderEvent], None]) -> None:
        """Call `receive` with every event, in order, on the event loop. One listener."""

    def begin(self, consultation_id: str) -> None:
        """Start a worker and keep it running; RecorderReady says where it waits. Repeating it is harmless."""

    def end(self, consultation_id: str) -> None:
        """Finish the files, each of which is told of, and stop. Returns at once; unknown ids are ignored."""

    async def settle(self, consultation_id: str) -> tuple[RecordedFile, ...]:
        """See to what killed workers left: every file there is but those that are open now."""

    def path(self, relative: str) -> Path:
        """Where the file of a RecordedFile lies."""

    async def remove(self, relative: str) -> None:
        """Delete it; repeating it is harmless. May raise storage_unavailable."""


class FileStore(Protocol):
    """Contents of files, by their SHA-256. Each method may raise storage_unavailable."""

    def path(self, sha256: str) -> Path:
        """Where the content lies, or would."""

    async def keep(self, sha256: str, content: bytes) -> None:
        """Durable when it returns."""

    async def discard(self, sha256: str) -> None:
        """Repeating it is harmless."""

    async def sweep(self, kept: Collection[str], before_ms: int) -> None:
        """Discard everything but these that was written before `before_ms`, UTC."""


# ── the way out to the clients ──────────────────────────────────────────────────────────────────


class Publisher(Protocol):
    """Carries events to the sessions of a room. Calls return at once and keep their order per session."""

    def enter(self, session_id: str, room_id: str, snapshot: Snapshot | DeskSnapshot) -> None:
        """Send the snapshot, and from now on every event of the room."""

    def exit(self, session_id: str) -> None:
        """No more events of the room; the session itself stays."""

    def publish(self, room_id: str, event: RoomEvent) -> None:
        """To every session that entered the room."""

    def send(self, session_id: str, event: SessionEvent) -> None:
        """To one session; unknown ones are ignored."""

    def close(self, session_id: str) -> None:
        """Exit, deliver what was sent, then disconnect."""
