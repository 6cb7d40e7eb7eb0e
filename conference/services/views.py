"""How floor and statements are shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from conference.desk_views import BroadcastView, RunningCutView, WithdrawnView
from conference.events import (
    ClipView,
    FloorView,
    HolderView,
    OwnStatementView,
    PlayingView,
    RequestView,
    StatementView,
    VenueMessageView,
    WaitingView,
)
from conference.model.broadcast import Cut, CutKind, running
from conference.model.clip import Clip, Playing
from conference.model.consultation import Consultation, Mode
from conference.model.floor import Turn
from conference.model.participant import EntryMeans, Participant
from conference.model.permissions import Role
from conference.model.statement import Statement, StatementBoard
from conference.model.venue_message import VenueMessage

NEWEST: Final = 100  # statements in a snapshot


def floor_view(mode: Mode, turn: Turn | None, queue: Iterable[Participant]) -> FloorView:
    """The floor as everybody sees it."""
    requests = (RequestView(p.id, p.name, p.role, p.venue, p.hand_raised_ms or 0) for p in queue)
    return FloorView(mode, None if turn is None else holder_view(turn), tuple(requests))


def holder_view(turn: Turn) -> HolderView:
    return HolderView(
        participant_id=turn.participant_id,
        name=turn.name,
        venue=turn.venue,
        granted_at_ms=turn.granted_at_ms,
        started_at_ms=turn.started_at_ms,
        duration_ms=turn.duration_ms,
        spoken_ms=turn.spoken_ms,
        ending=turn.ending,
        state=turn.state,
    )


def waiting_view(participant: Participant) -> WaitingView:
    """Somebody before the door, for those who may admit."""
    p = participant
    return WaitingView(
        participant_id=p.id,
        name=p.name,
        role=p.role,
        title=p.title,
        venue=p.venue,
        entered_by=p.entered_by,
        in_hall=p.in_hall,
        known=p.invitee_id is not None or p.entered_by is not EntryMeans.CODE,
        since_wall_ms=p.waiting_since_ms or 0,
    )


def broadcast_view(consultation: Consultation, cuts: Sequence[Cut]) -> BroadcastView:
    """What goes to the public, as desks see it."""
    cut = running(cuts, CutKind.CUT)
    withdrawn = (
        WithdrawnView(
            each.id,
            each.kind,
            each.from_ms,
            each.to_ms,
            each.by_name,
            each.at_wall_ms,
            each.reason,
            each.reinstated_wall_ms,
        )
        for each in reversed(cuts)
    )
    running_cut = None if cut is None else RunningCutView(cut.id, cut.from_ms, cut.at_wall_ms, cut.by_name)
    return BroadcastView(consultation.is_public, running_cut, consultation.public_delay_s, tuple(withdrawn))


def statement_view(board: StatementBoard, statement: Statement) -> StatementView:
    """A statement for everybody who may see it."""
    s = statement
    return StatementView(
        id=s.id,
        participant_id=s.participant_id,
        name=s.name,
        role=s.role,
        venue=s.venue,
        text=s.text,
        at_ms=s.at_ms,
        at_wall_ms=s.at_wall_ms,
        reply_to=s.reply_to,
        likes=board.likes(s.id),
        taken=s.taken,
        private=s.private,
    )


def venue_message_view(message: VenueMessage) -> VenueMessageView:
    """A message between desk and venue, for those who may read it."""
    m = message
    return VenueMessageView(
        m.id, m.venue_id, m.venue, m.from_venue, m.author_id, m.name, m.text, m.at_ms, m.at_wall_ms
    )


def own_statement_view(
    board: StatementBoard, statement: Statement, participant_id: str | None
) -> OwnStatementView:
    """A statement for one participant, or for a desk."""
    view = statement_view(board, statement)
    values = {name: getattr(view, name) for name in StatementView.__slots__}
    return OwnStatementView(**values, liked=board.is_liked(statement.id, participant_id))


def newest_statements(
    board: StatementBoard, participant_id: str | None, role: Role
) -> tuple[tuple[OwnStatementView, ...], int]:
    """The end of the list as somebody sees it, oldest first, and how long the list is."""
    visible = board.visible(participant_id, role)
    newest = visible[-NEWEST:]
    return tuple(own_statement_view(board, each, participant_id) for each in newest), len(visible)


def clip_view(clip: Clip) -> ClipView:
    """A prepared clip, for those who may see it."""
    return ClipView(
        id=clip.id,
        venue_id=clip.venue_id,
        name=clip.name,
        size_bytes=clip.size_bytes,
        added_at_ms=clip.added_at_ms,
        added_by=clip.added_by,
        state=clip.state,
        reason=clip.reason,
        progress=clip.progress,
        duration_ms=clip.duration_ms,
        width=clip.width,
        height=clip.height,
        has_picture=clip.has_picture,
        has_sound=clip.has_sound,
        cue_ms=clip.cue_ms,
    )


def playing_view(playing: Playing, venue_id: str | None) -> PlayingView:
    """The clip in the room, as everybody sees it."""
    return PlayingView(
        id=playing.id,
        clip_id=playing.clip_id,
        participant_id=playing.participant_id,
        name=playing.name,
        venue_id=venue_id,
        started_by=playing.started_by,
        state=playing.state,
        position_ms=playing.position_ms,
        duration_ms=playing.duration_ms,
        at_ms=playing.at_ms,
        at_wall_ms=playing.at_wall_ms,
    )
