"""What the live room tells its participants: views and events, in the words of the room protocol.

Field names are the names on the wire. `version` counts the changes of a room's state: a client that applies
every event to its snapshot holds the same state as a fresh snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.agenda import AgendaItem
from conference.model.broadcast import CutKind
from conference.model.comment import CommentState, Level, Reason
from conference.model.consultation import Mode, Status
from conference.model.floor import Ending, EndReason, TurnState
from conference.model.identity import IdentityKind
from conference.model.media import OfferedTrack, PublicationInfo, Speaker
from conference.model.participant import Device, EntryMeans, LeaveReason, ParticipantKind
from conference.model.permissions import Role
from conference.model.program import Direction, DirectionMode, Layout, PersonKind, Phase, ProgramState
from conference.model.promotion import PromotionPhase
from conference.model.recording import RecordingState


@dataclass(frozen=True, slots=True)
class ConsultationView:
    id: str
    title: str
    status: Status
    mode: Mode
    recording: RecordingState = RecordingState.OFF


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """A participant as everyone in the room sees it. `hand` is the place in the queue, 1 = first."""

    id: str
    name: str
    role: Role
    venue: str | None
    kind: ParticipantKind
    device: Device | None
    joined_at_ms: int
    connected: bool
    microphone: bool
    camera: bool
    hard_muted: bool
    muted_by: str | None
    hand: int | None
    quality: int | None
    publications: tuple[PublicationInfo, ...]
    title: str | None
    sector: str | None
    in_hall: bool
    entered_by: EntryMeans


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Somebody in the waiting room, for those who may admit. `known`: an invitee, or the bearer of a token."""

    participant_id: str
    name: str
    role: Role
    title: str | None
    venue: str | None
    entered_by: EntryMeans
    in_hall: bool
    known: bool
    since_wall_ms: int


@dataclass(frozen=True, slots=True)
class HolderView:
    """Who holds the floor. Time left: duration_ms - spoken_ms - (program time - started_at_ms)."""

    participant_id: str
    name: str
    venue: str | None
    granted_at_ms: int | None
    started_at_ms: int | None
    duration_ms: int | None
    spoken_ms: int
    ending: Ending
    state: TurnState


@dataclass(frozen=True, slots=True)
class RequestView:
    """A raised hand; its place is that in the queue."""

    participant_id: str
    name: str
    role: Role
    venue: str | None
    requested_wall_ms: int


@dataclass(frozen=True, slots=True)
class FloorView:
    mode: Mode
    holder: HolderView | None
    queue: tuple[RequestView, ...]


@dataclass(frozen=True, slots=True)
class StatementView:
    """A written statement as in events: the same for everybody who sees it."""

    id: str
    participant_id: str
    name: str
    role: Role
    venue: str | None
    text: str
    at_ms: int | None
    at_wall_ms: int
    reply_to: str | None
    likes: int
    taken: bool
    private: bool


@dataclass(frozen=True, slots=True)
class OwnStatementView(StatementView):
    """The same for one receiver, who likes it or not: in snapshots and acks."""

    liked: bool


@dataclass(frozen=True, slots=True)
class SelfView:
    """What only the participant itself is told."""

    participant_id: str
    name: str
    role: Role
    venue: str | None
    resume_secret: str
    resumed: bool
    can: tuple[str, ...]
    in_hall: bool  # no loudspeaker here, and a microphone only with the floor


@dataclass(frozen=True, slots=True)
class IceServer:
    urls: tuple[str, ...]
    username: str
    credential: str


@dataclass(frozen=True, slots=True)
class MediaView:
    """`epoch` names one life of the media process; `ice_servers` is for a TURN server, empty without one."""

    epoch: str
    ice_servers: tuple[IceServer, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole room for one participant: the first event, and the answer to room.sync."""

    version: int
    consultation: ConsultationView
    program_time_ms: int | None
    server_time_ms: int
    self: SelfView
    media: MediaView
    participants: tuple[ParticipantView, ...]
    speakers: tuple[Speaker, ...]
    agenda: tuple[AgendaItem, ...]
    floor: FloorView
    statements: tuple[OwnStatementView, ...]  # the newest, oldest first
    statement_count: int  # of those that the receiver may see
    waiting: tuple[WaitingView, ...] | None  # null without the right to admit


@dataclass(frozen=True, slots=True)
class RunningCutView:
    """The public sees a card and hears nothing since program time `since_ms`."""

    id: str
    since_ms: int
    since_wall_ms: int
    by: str


@dataclass(frozen=True, slots=True)
class WithdrawnView:
    """A stretch of program time that the public does not see, or saw again since `reinstated_wall_ms`."""

    id: str
    kind: CutKind
    from_ms: int
    to_ms: int | None
    by: str
    at_wall_ms: int
    reason: str
    reinstated_wall_ms: int | None


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """What goes to the public, where the consultation `is_public`. `withdrawn`: newest first, the running cut among
    them."""

    is_public: bool
    cut: RunningCutView | None
    delay_s: int
    withdrawn: tuple[WithdrawnView, ...]


@dataclass(frozen=True, slots=True)
class ProgramView:
    """The program: `layout` and `people` are what is shown, `chosen_…` what was directed.

    `load_level`: 0 as it should be, up to 5 as more is left out to keep up. `reason` of a trouble: disk_full,
    disk_failed, worker_ended, tap_lost or the code of the media process.
    """

    state: ProgramState
    reason: str | None
    layout: str | None
    people: tuple[str, ...]
    load_level: int
    fps: float
    mode: DirectionMode
    chosen_layout: Layout | None
    chosen_people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiskView:
    """Where recording and program are kept. `warn`: there is less left than the server was told to warn at."""

    free_bytes: int
    warn: bool


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment of the public for those who moderate. `program_time_ms`: what its author was watching; `identity`: what
    its author had shown by then."""

    id: str
    number: int
    nickname: str
    region: str | None
    text: str
    program_time_ms: int | None
    at_wall_ms: int
    state: CommentState
    level: Level
    reasons: tuple[Reason, ...]
    group_id: str
    likes: int
    reports: int
    decided_by: str | None
    reject_reason: str | None
    identity: IdentityKind | None


@dataclass(frozen=True, slots=True)
class CommentGroupView:
    """Comments that say nearly the same. `authors`: whose comments are neither rejected nor hidden nor withdrawn.

    `states`: how many comments are in each. `claimed_by`: the name of who works on it.
    """

    id: str
    representative: CommentView
    authors: int
    states: dict[CommentState, int]
    claimed_by: str | None
    first_wall_ms: int
    last_wall_ms: int


@dataclass(frozen=True, slots=True)
class CommentCounts:
    """How the queue stands. `per_second`: what came in of late; `oldest_wall_ms`: since when somebody waits;
    `last_number`: of the newest comment."""

    states: dict[CommentState, int]
    waiting_groups: int
    last_number: int
    oldest_wall_ms: int | None
    per_second: float


@dataclass(frozen=True, slots=True)
class PromotionCard:
    """What is proposed for the session, or was put to it, with the words of its comment. Times without `wall` are
    program time."""

    id: str
    comment_id: str
    group_id: str
    phase: PromotionPhase
    text: str
    nickname: str
    place: str | None
    authors: int
    proposed_by: str
    proposed_wall_ms: int
    decided_by: str | None
    item_id: str | None
    started_at_ms: int | None
    ended_at_ms: int | None
    answering: str | None


@dataclass(frozen=True, slots=True)
class DeskSelfView:
    name: str
    role: Role
    venue: str | None
    can: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeskSnapshot:
    """The whole room for a desk: somebody who leads or watches without being in it."""

    version: int
    consultation: ConsultationView
    program_time_ms: int | None
    server_time_ms: int
    self: DeskSelfView
    participants: tuple[ParticipantView, ...]
    speakers: tuple[Speaker, ...]
    agenda: tuple[AgendaItem, ...]
    floor: FloorView
    statements: tuple[OwnStatementView, ...]
    statement_count: int
    waiting: tuple[WaitingView, ...] | None
    broadcast: BroadcastView
    program: ProgramView | None  # null when none is made
    disk: DiskView | None  # null until it was looked at


@dataclass(frozen=True, slots=True)
class AwaitedConsultation:
    """What somebody in the waiting room is told of the meeting."""

    id: str
    title: str
    status: Status
    scheduled_at_ms: int | None
    organization: str | None


# ── to everyone in the room, versioned ──────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    version: int
    participant: ParticipantView


@dataclass(frozen=True, slots=True)
class ParticipantUpdated:
    version: int
    participant: ParticipantView


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    version: int
    participant_id: str
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class ConsultationUpdated:
    version: int
    consultation: ConsultationView


@dataclass(frozen=True, slots=True)
class AgendaUpdated:
    version: int
    agenda: tuple[AgendaItem, ...]


@dataclass(frozen=True, slots=True)
class FloorUpdated:
    version: int
    floor: FloorView


@dataclass(frozen=True, slots=True)
class StatementAdded:
    version: int
    statement: StatementView


@dataclass(frozen=True, slots=True)
class StatementUpdated:
    version: int
    statement: StatementView


# ── to everyone in the room, not part of the state that must be complete ────────────────────────


@dataclass(frozen=True, slots=True)
class SpeakersNow:
    """Loudest first."""

    speakers: tuple[Speaker, ...]


# ── to one session ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MediaOffered:
    """Acked by the client with its answer; a later generation makes this one void."""

    sdp: str
    generation: int
    tracks: tuple[OfferedTrack, ...]


@dataclass(frozen=True, slots=True)
class MediaReset:
    """The media process is new: build both peer connections again."""

    epoch: str


@dataclass(frozen=True, slots=True)
class SubscriptionNow:
    """Whether this client can show a track: "active", "waiting" or "unsupported_codec"."""

    publication_id: str
    state: str


@dataclass(frozen=True, slots=True)
class MutedBy:
    """Somebody closed or opened this participant's microphone."""

    by: str
    hard: bool
    muted: bool


@dataclass(frozen=True, slots=True)
class FloorGiven:
    """It is this participant's turn: the client opens its microphone, or asks for a tap."""

    duration_ms: int | None
    ending: Ending


@dataclass(frozen=True, slots=True)
class FloorWarning:
    left_ms: int


@dataclass(frozen=True, slots=True)
class FloorTaken:
    """This participant holds the floor no longer."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """A private statement, to those who may see it: not part of the state that everybody shares."""

    statement: StatementView


@dataclass(frozen=True, slots=True)
class NoteUpdated:
    statement: StatementView


@dataclass(frozen=True, slots=True)
class WaitingJoined:
    """Somebody waits at the door: to those who may admit, apart from the state that everybody shares."""

    person: WaitingView


@dataclass(frozen=True, slots=True)
class WaitingLeft:
    """Admitted, refused, or gone."""

    participant_id: str


@dataclass(frozen=True, slots=True)
class BroadcastUpdated:
    """To desks: what goes to the public now, whole; it has no version, the newest counts."""

    broadcast: BroadcastView


@dataclass(frozen=True, slots=True)
class ProgramUpdated:
    """To desks, in the same way."""

    program: ProgramView | None


@dataclass(frozen=True, slots=True)
class DiskUpdated:
    """To desks, in the same way."""

    disk: DiskView


@dataclass(frozen=True, slots=True)
class CommentsUpdated:
    """To desks that moderate, at most twice a second: how the queue stands, and the groups that changed, by id.

    `complete`: false when more groups changed than fit: ask comments.list again. `promotions`: the open ones and the
    current one; `moderators`: names of those at a desk, each once.
    """

    counts: CommentCounts
    groups: tuple[CommentGroupView, ...]
    gone: tuple[str, ...]
    complete: bool
    promotions: tuple[PromotionCard, ...]
    moderators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """First event of somebody who has to wait. Then room.snapshot, or session.removed."""

    name: str
    role: Role
    venue: str | None
    since_wall_ms: int
    participant_id: str
    resume_secret: str
    consultation: AwaitedConsultation


@dataclass(frozen=True, slots=True)
class SessionReplaced:
    """Another socket took this participant over."""


@dataclass(frozen=True, slots=True)
class SessionRemoved:
    """`reason`: "removed" from the room, "refused" in the waiting room, or the link was "revoked"."""

    by: str
    reason: str = "removed"


@dataclass(frozen=True, slots=True)
class SessionRefused:
    code: str
    message: str


RoomEvent = (
    ParticipantJoined
    | ParticipantUpdated
    | ParticipantLeft
    | ConsultationUpdated
    | AgendaUpdated
    | FloorUpdated
    | StatementAdded
    | StatementUpdated
    | SpeakersNow
)
SessionEvent = (
    Snapshot
    | DeskSnapshot
    | MediaOffered
    | MediaReset
    | SubscriptionNow
    | MutedBy
    | FloorGiven
    | FloorWarning
    | FloorTaken
    | NoteAdded
    | NoteUpdated
    | Waiting
    | WaitingJoined
    | WaitingLeft
    | BroadcastUpdated
    | ProgramUpdated
    | DiskUpdated
    | CommentsUpdated
    | SessionReplaced
    | SessionRemoved
    | SessionRefused
)


# ── what the recorder tells the services ────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file of the recording as it stands: where it lies below the directory of recordings, and what is in it.

    `started_at_ms` is program time, `created_at_ms` UTC. An ended one that is not whole was found after its writer
    had been killed.
    """

    consultation_id: str
    path: str
    participant_id: str
    source: str
    codec: str
    started_at_ms: int
    created_at_ms: int
    is_ended: bool = False
    is_whole: bool = False
    duration_ms: int = 0
    size_bytes: int = 0
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class RecorderReady:
    """A worker listens at `socket_path` for the tap of this room. It says so again whenever its tap has ended."""

    consultation_id: str
    socket_path: str


@dataclass(frozen=True, slots=True)
class RecorderTrouble:
    """Nothing is recorded until the next RecorderReady. `reason`: disk_full, disk_failed or worker_ended."""

    consultation_id: str
    reason: str


RecorderEvent = RecordedFile | RecorderReady | RecorderTrouble


# ── what the maker of programs is told, and what it tells the services ──────────────────────────


@dataclass(frozen=True, slots=True)
class ScenePerson:
    """Somebody, or a hall. `line` stands under the name; `venue` is the same for a hall and those who sit in it."""

    id: str
    name: str
    line: str
    venue: str | None
    kind: PersonKind
    is_main: bool
    camera: bool
    microphone: bool
    connected: bool


@dataclass(frozen=True, slots=True)
class ScenePromotion:
    """What the public's voice is before the meeting (上会), and who answers."""

    text: str
    nickname: str = ""
    place: str | None = None
    answering: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What the maker of the program is told: one whole state. Field names are those that it reads.

    Wall times are UTC milliseconds, `floor_ends_ms` is program time.
    """

    phase: Phase
    title: str
    organization: str
    item: str | None
    program_started_wall_ms: int | None
    starts_wall_ms: int | None
    resumes_wall_ms: int | None
    venues: tuple[str, ...]
    people: tuple[ScenePerson, ...]
    floor: str | None
    floor_ends_ms: int | None
    direction: Direction
    promotion: ScenePromotion | None = None


@dataclass(frozen=True, slots=True)
class ProgramReady:
    """A worker listens at `tap_path` for the tap and at `feed_path` for who carries the program back into the room.
    It says so again whenever one of them has ended."""

    consultation_id: str
    tap_path: str
    feed_path: str


@dataclass(frozen=True, slots=True)
class ProgramTrouble:
    """Nothing is made until the next ProgramReady. `reason`: disk_full, disk_failed or worker_ended."""

    consultation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProgramShown:
    """The picture changed: its layout, and the participants in it."""

    consultation_id: str
    layout: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProgramLoad:
    """How the worker keeps up: `core` is its share of one processor core."""

    consultation_id: str
    level: int
    fps: float
    core: float
    late_frames: int


ProgramEvent = ProgramReady | ProgramTrouble | ProgramShown | ProgramLoad
