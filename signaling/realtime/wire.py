"""Events on the wire: the name of each and its JSON."""

from __future__ import annotations

from typing import Any, Final, get_args

from pydantic import TypeAdapter

from conference.desk_views import (
    BroadcastView,
    CommentCounts,
    CommentGroupView,
    CommentView,
    ProgramView,
    PromotionCard,
)
from conference.events import (
    AgendaUpdated,
    AllocationNow,
    BroadcastUpdated,
    CameraRemoved,
    CameraUpdated,
    CaptionCorrected,
    CaptionFinal,
    CaptionPartial,
    CaptionsUpdated,
    ClipsUpdated,
    ClipUpdated,
    CommentsUpdated,
    ConsultationUpdated,
    DeskSnapshot,
    DiskUpdated,
    FloorGiven,
    FloorTaken,
    FloorUpdated,
    FloorView,
    FloorWarning,
    LayersNow,
    MediaOffered,
    MediaReset,
    MutedBy,
    NoteAdded,
    NoteUpdated,
    OwnStatementView,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    ParticipantView,
    PlayingView,
    ProgramUpdated,
    RelayUpdated,
    RoomEvent,
    SessionEvent,
    SessionRefused,
    SessionRemoved,
    SessionReplaced,
    Snapshot,
    SpeakersNow,
    StatementAdded,
    StatementUpdated,
    StorageUpdated,
    SubscriptionNow,
    VenueMessaged,
    VenueMessageView,
    VenueTakenOver,
    Waiting,
    WaitingJoined,
    WaitingLeft,
)
from conference.model.agenda import AgendaItem
from conference.precheck_views import PrecheckUpdated
from conference.transcript_views import SecondPassView, TranscriptChanged, TranscriptEditing
from conference.venue_views import VenueHealthChanged

EVENT_NAMES: Final[dict[type, str]] = {
    Snapshot: "room.snapshot",
    DeskSnapshot: "desk.snapshot",
    ParticipantJoined: "participant.joined",
    ParticipantUpdated: "participant.updated",
    ParticipantLeft: "participant.left",
    ConsultationUpdated: "consultation.updated",
    AgendaUpdated: "agenda.updated",
    FloorUpdated: "floor.updated",
    StatementAdded: "statement.added",
    StatementUpdated: "statement.updated",
    SpeakersNow: "speakers.changed",
    CaptionsUpdated: "captions.updated",
    ClipUpdated: "clip.updated",
    ClipsUpdated: "clips.updated",
    CaptionPartial: "caption.partial",
    CaptionFinal: "caption.final",
    CaptionCorrected: "caption.corrected",
    MediaOffered: "media.offer",
    MediaReset: "media.restart",
    SubscriptionNow: "subscription.changed",
    AllocationNow: "media.allocation",
    LayersNow: "media.layers",
    MutedBy: "participant.mute",
    VenueTakenOver: "venue.taken_over",
    FloorGiven: "floor.turn",
    FloorWarning: "floor.warning",
    FloorTaken: "floor.ended",
    NoteAdded: "statement.added",  # a private one, to those who may see it
    NoteUpdated: "statement.updated",
    VenueMessaged: "venue.message",
    PrecheckUpdated: "precheck.updated",
    VenueHealthChanged: "venue.health",
    Waiting: "room.waiting",
    WaitingJoined: "waiting.joined",
    WaitingLeft: "waiting.left",
    BroadcastUpdated: "broadcast.updated",
    ProgramUpdated: "program.updated",
    CameraUpdated: "camera.updated",
    CameraRemoved: "camera.removed",
    DiskUpdated: "disk.updated",
    StorageUpdated: "storage.updated",
    RelayUpdated: "relay.updated",
    CommentsUpdated: "comments.updated",
    TranscriptChanged: "transcript.changed",
    TranscriptEditing: "transcript.editing",
    SecondPassView: "transcript.second_pass",
    SessionReplaced: "session.replaced",
    SessionRemoved: "session.removed",
    SessionRefused: "session.refused",
}

ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {each: TypeAdapter(each) for each in EVENT_NAMES}
_View = (
    ParticipantView
    | FloorView
    | OwnStatementView
    | AgendaItem
    | BroadcastView
    | ProgramView
    | PlayingView
    | CommentView
    | CommentGroupView
    | CommentCounts
    | PromotionCard
    | VenueMessageView
)
_VIEWS: Final[dict[type, TypeAdapter[Any]]] = {each: TypeAdapter(each) for each in get_args(_View)}


def render(event: RoomEvent | SessionEvent) -> tuple[str, dict[str, Any]]:
    """Name and body of an event."""
    return EVENT_NAMES[type(event)], ADAPTERS[type(event)].dump_python(event, mode="json")


def render_view(view: _View) -> dict[str, Any]:
    """A part of the state, as in events and snapshots."""
    body: dict[str, Any] = _VIEWS[type(view)].dump_python(view, mode="json")
    return body
