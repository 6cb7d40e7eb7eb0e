"""Events on the wire: the name of each and its JSON."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter

from conference.events import (
    ConsultationUpdated,
    MediaOffered,
    MediaReset,
    MutedBy,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    ParticipantView,
    RoomEvent,
    SessionEvent,
    SessionRefused,
    SessionRemoved,
    SessionReplaced,
    Snapshot,
    SpeakersNow,
    SubscriptionNow,
)

EVENT_NAMES: Final[dict[type, str]] = {
    Snapshot: "room.snapshot",
    ParticipantJoined: "participant.joined",
    ParticipantUpdated: "participant.updated",
    ParticipantLeft: "participant.left",
    ConsultationUpdated: "consultation.updated",
    SpeakersNow: "speakers.changed",
    MediaOffered: "media.offer",
    MediaReset: "media.restart",
    SubscriptionNow: "subscription.changed",
    MutedBy: "participant.mute",
    SessionReplaced: "session.replaced",
    SessionRemoved: "session.removed",
    SessionRefused: "session.refused",
}

ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {each: TypeAdapter(each) for each in EVENT_NAMES}
_PARTICIPANT: Final = TypeAdapter(ParticipantView)


def render(event: RoomEvent | SessionEvent) -> tuple[str, dict[str, Any]]:
    """Name and body of an event."""
    return EVENT_NAMES[type(event)], ADAPTERS[type(event)].dump_python(event, mode="json")


def render_participant(view: ParticipantView) -> dict[str, Any]:
    """A participant as in events and snapshots."""
    body: dict[str, Any] = _PARTICIPANT.dump_python(view, mode="json")
    return body
