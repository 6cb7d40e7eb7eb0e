"""Requests of a client: the body of each, checked at the door."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from conference.model.consultation import Mode
from conference.model.floor import Ending
from conference.model.ids import ID_PATTERN
from conference.model.media import Source, TrackHint
from conference.model.participant import Device
from conference.services.presence import Resume

MAX_SDP_CHARS: Final = 256 * 1024
MAX_NAME_CHARS: Final = 40
MAX_DURATION_MS: Final = 12 * 3600 * 1000

Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Duration = Annotated[int, Field(ge=1, le=MAX_DURATION_MS)]
Version = Annotated[int, Field(ge=0)]
Sdp = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SDP_CHARS)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_CHARS)]


class Request(BaseModel):
    """Base of all: no coercion between types; unknown fields are left alone for newer clients."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Empty(Request):
    """room.sync, room.leave, floor.request, media.restart."""


class Track(Request):
    """What an m-line of a publish offer carries."""

    mid: Annotated[str, StringConstraints(min_length=1, max_length=32)]
    source: Annotated[Source, Field(strict=False)]
    label: Annotated[str, StringConstraints(max_length=100)] = ""


class MediaPublish(Request):
    """media.publish"""

    sdp: Sdp
    tracks: Annotated[list[Track], Field(max_length=64)] = []

    def hints(self) -> tuple[TrackHint, ...]:
        return tuple(TrackHint(each.mid, each.source, each.label) for each in self.tracks)


class MediaAnswer(Request):
    """The ack of media.offer."""

    sdp: Sdp


class ParticipantUpdate(Request):
    """participant.update: only one's own choices."""

    name: Name | None = None
    microphone: bool | None = None
    camera: bool | None = None


class ParticipantMute(Request):
    """participant.mute: one, or all but the caller."""

    participant_id: Id | None = None
    all: Literal[True] | None = None
    muted: bool
    hard: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> ParticipantMute:
        if (self.participant_id is None) == (self.all is None):
            raise ValueError("either participant_id or all")
        return self


class ParticipantRemove(Request):
    """participant.remove"""

    participant_id: Id


class FloorWithdraw(Request):
    """floor.withdraw: one's own hand, or another's with the right."""

    participant_id: Id | None = None


class FloorGrant(Request):
    """floor.grant. `version`: that of the room as the caller saw it."""

    participant_id: Id
    duration_ms: Duration | None = None
    ending: Annotated[Ending, Field(strict=False)] = Ending.SOFT
    version: Version | None = None


class FloorExtend(Request):
    """floor.extend"""

    ms: Duration
    version: Version | None = None


class FloorEnd(Request):
    """floor.end"""

    version: Version | None = None


class FloorOrder(Request):
    """floor.order: these first; those not named keep their order behind."""

    participant_ids: Annotated[list[Id], Field(max_length=5000)]
    version: Version | None = None


class FloorMode(Request):
    """floor.mode"""

    mode: Annotated[Mode, Field(strict=False)]
    version: Version | None = None


REQUESTS: Final[dict[str, type[Request]]] = {
    "room.sync": Empty,
    "room.leave": Empty,
    "media.publish": MediaPublish,
    "media.restart": Empty,
    "participant.update": ParticipantUpdate,
    "participant.mute": ParticipantMute,
    "participant.remove": ParticipantRemove,
    "floor.request": Empty,
    "floor.withdraw": FloorWithdraw,
    "floor.grant": FloorGrant,
    "floor.extend": FloorExtend,
    "floor.end": FloorEnd,
    "floor.order": FloorOrder,
    "floor.mode": FloorMode,
}


class Credentials(BaseModel):
    """`auth` of the connection. Lenient where it does not matter: a name or a device that cannot be used is
    as if it was not given."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    token: str | None = None
    resume: Resume | None = None
    name: str | None = None
    kind: Device | None = None

    @model_validator(mode="before")
    @classmethod
    def _lenient(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return {}
        token, name, kind = value.get("token"), value.get("name"), value.get("kind")
        return {
            "token": token if isinstance(token, str) else None,
            "resume": _resume(value.get("resume")),
            "name": name.strip()[:MAX_NAME_CHARS] if isinstance(name, str) else None,
            "kind": kind if kind in {each.value for each in Device} else None,
        }


def _resume(value: Any) -> Resume | None:
    if not isinstance(value, dict):
        return None
    participant_id, secret = value.get("participant_id"), value.get("secret")
    if not isinstance(participant_id, str) or not isinstance(secret, str) or len(secret) > 200:
        return None
    return Resume(participant_id, secret)
