"""What the live room tells its participants: views and events, in the words of the room protocol.

Field names are the names on the wire. `version` counts the changes of a room's state: a client that applies
every event to its snapshot holds the same state as a fresh snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.consultation import Mode, Status
from conference.model.media import OfferedTrack, PublicationInfo, Speaker
from conference.model.participant import Device, LeaveReason, ParticipantKind
from conference.model.permissions import Role


@dataclass(frozen=True, slots=True)
class ConsultationView:
    id: str
    title: str
    status: Status
    mode: Mode


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
class SessionReplaced:
    """Another socket took this participant over."""


@dataclass(frozen=True, slots=True)
class SessionRemoved:
    by: str


@dataclass(frozen=True, slots=True)
class SessionRefused:
    code: str
    message: str


RoomEvent = ParticipantJoined | ParticipantUpdated | ParticipantLeft | ConsultationUpdated | SpeakersNow
SessionEvent = (
    Snapshot
    | MediaOffered
    | MediaReset
    | SubscriptionNow
    | MutedBy
    | SessionReplaced
    | SessionRemoved
    | SessionRefused
)
