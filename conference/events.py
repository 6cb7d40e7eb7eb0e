"""What the live room tells its participants: views and events, in the words of the room protocol.

Field names are the names on the wire. `version` counts the changes of a room's state: a client that applies
every event to its snapshot holds the same state as a fresh snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from conference.desk_views import (
    BroadcastView,
    CameraView,
    CommentCounts,
    CommentGroupView,
    DiskView,
    ProgramView,
    PromotionCard,
    StorageView,
)
from conference.model.agenda import AgendaItem
from conference.model.clip import ClipState, PlayState
from conference.model.consultation import Mode, Status
from conference.model.floor import Ending, EndReason, TurnState
from conference.model.media import AllocatedTrack, OfferedTrack, PublicationInfo, Speaker
from conference.model.participant import Device, EntryMeans, LeaveReason, ParticipantKind
from conference.model.permissions import Role
from conference.model.recording import RecordingState
from conference.model.transcript import CaptionState, SpeakerLabel
from conference.precheck_views import PrecheckUpdated
from conference.transcript_views import SecondPassView, TranscriptChanged, TranscriptEditing
from conference.venue_views import VenueHealthChanged


@dataclass(frozen=True, slots=True)
class ConsultationView:
    id: str
    title: str
    status: Status
    mode: Mode
    recording: RecordingState = RecordingState.OFF
    captions: CaptionState = CaptionState.OFF
    program_captions: bool = False  # whether they stand in the program's picture, too


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
class CaptionFinal:
    """What somebody said, whole: to everybody, and the last ones in snapshots. `participant_id`: whose microphone."""

    segment_id: str
    participant_id: str
    speaker: SpeakerLabel
    text: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class VenueMessageView:
    """What desk and operators of a venue write to each other. `from_venue`: an operator wrote it, else the desk."""

    id: str
    venue_id: str
    venue: str
    from_venue: bool
    author_id: str
    name: str
    text: str
    at_ms: int | None
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class PlayingView:
    """The clip in the room. `position_ms` of it was shown at `at_wall_ms` (UTC), at program time `at_ms` where there is
    one; while it plays, time goes on from there. `participant_id` is whose screen and sound of a screen it is."""

    id: str
    clip_id: str
    participant_id: str
    name: str
    venue_id: str | None
    started_by: str
    state: PlayState
    position_ms: int
    duration_ms: int
    at_ms: int | None
    at_wall_ms: int


@dataclass(frozen=True, slots=True)
class ClipView:
    """A prepared clip, or one on its way to be. `progress` is in percent of what its state says."""

    id: str
    venue_id: str | None
    name: str
    size_bytes: int
    added_at_ms: int
    added_by: str
    state: ClipState
    reason: str | None
    progress: int
    duration_ms: int
    width: int
    height: int
    has_picture: bool
    has_sound: bool
    cue_ms: int


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
    """`epoch` names one life of the media process; `ice_servers` are relays, none without one. Their credentials open
    connections for an hour: `room.sync` brings new ones."""

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
    recent_captions: tuple[CaptionFinal, ...]  # the last three
    venue_messages: tuple[VenueMessageView, ...] | None  # the newest; null for who is not concerned
    cameras: tuple[CameraView, ...]  # of the receiver's venue, for its operator; else none
    clip: PlayingView | None  # the one that is played into the room


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
    storage: StorageView | None  # null where its body has no limit
    relay: str  # ok, starting, absent, failed, or off where there is to be none
    recent_captions: tuple[CaptionFinal, ...]
    venue_messages: tuple[VenueMessageView, ...] | None
    cameras: tuple[CameraView, ...]
    clip: PlayingView | None


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


@dataclass(frozen=True, slots=True)
class CaptionsUpdated:
    """How captions fare: the `captions` of the consultation."""

    version: int
    state: CaptionState


@dataclass(frozen=True, slots=True)
class ClipUpdated:
    """The clip in the room began, was moved, stands, goes on, or is gone (null)."""

    version: int
    clip: PlayingView | None


# ── to everyone in the room, not part of the state that must be complete ────────────────────────


@dataclass(frozen=True, slots=True)
class SpeakersNow:
    """Loudest first."""

    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class CaptionPartial:
    """What is being said: stands in the place of the last one of this microphone until its `caption.final` comes. An
    empty text ends it. One that is lost harms nothing."""

    participant_id: str
    speaker: SpeakerLabel
    text: str
    from_ms: int


@dataclass(frozen=True, slots=True)
class CaptionCorrected:
    """The text of a final was corrected. Empty: it is not shown any more."""

    segment_id: str
    text: str


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
class AllocationNow:
    """What of each picture this client is sent, whole: the newest counts. `sound_only`: of those shown, none fits."""

    tracks: tuple[AllocatedTrack, ...]
    sound_only: bool
    available_bps: int | None


@dataclass(frozen=True, slots=True)
class LayersNow:
    """Which encodings (RIDs) of this client's own track anybody receives; the others may pause."""

    publication_id: str
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MutedBy:
    """Somebody closed or opened this participant's microphone."""

    by: str
    hard: bool
    muted: bool


@dataclass(frozen=True, slots=True)
class VenueTakenOver:
    """Another operator works this venue from now on: the client sends nothing any more."""

    by: str


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
class VenueMessaged:
    """To desks and to the operators of that venue, apart from the state that everybody shares: the next of
    `venue_messages`."""

    message: VenueMessageView


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
class CameraUpdated:
    """To desks and to the operators of its venue, apart from the state that everybody shares: this one of `cameras`, or
    another one, is so now."""

    camera: CameraView


@dataclass(frozen=True, slots=True)
class CameraRemoved:
    """To the same: it is one of `cameras` no longer."""

    camera_id: str


@dataclass(frozen=True, slots=True)
class ClipsUpdated:
    """To desks, and to the operators of a venue with its own alone: all clips. Without a version, at most twice a
    second; the newest counts."""

    clips: tuple[ClipView, ...]


@dataclass(frozen=True, slots=True)
class DiskUpdated:
    """To desks, in the same way."""

    disk: DiskView


@dataclass(frozen=True, slots=True)
class StorageUpdated:
    """To desks, in the same way; null where its body has no limit."""

    storage: StorageView | None


@dataclass(frozen=True, slots=True)
class RelayUpdated:
    """To desks, in the same way: whether those whose network lets only HTTPS pass get media. ok, starting, absent (not
    installed), failed, or off where there is to be none."""

    relay: str


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
    | CaptionsUpdated
    | CaptionPartial
    | CaptionFinal
    | CaptionCorrected
    | ClipUpdated
)
SessionEvent = (
    Snapshot
    | DeskSnapshot
    | MediaOffered
    | MediaReset
    | SubscriptionNow
    | AllocationNow
    | LayersNow
    | MutedBy
    | VenueTakenOver
    | FloorGiven
    | FloorWarning
    | FloorTaken
    | NoteAdded
    | NoteUpdated
    | VenueMessaged
    | PrecheckUpdated
    | VenueHealthChanged
    | Waiting
    | WaitingJoined
    | WaitingLeft
    | BroadcastUpdated
    | ProgramUpdated
    | CameraUpdated
    | CameraRemoved
    | ClipsUpdated
    | DiskUpdated
    | StorageUpdated
    | RelayUpdated
    | CommentsUpdated
    | TranscriptChanged
    | TranscriptEditing
    | SecondPassView
    | SessionReplaced
    | SessionRemoved
    | SessionRefused
)
