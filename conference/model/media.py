"""What the rules know of media: sources, publications and the state of a participant's connections.

Values only. The media process has richer objects of its own; these cross the process border.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RECORDING_TAP: Final = "recording"  # the tap that every publication is kept by, where no other is named
TRANSCRIPTION_TAP: Final = "transcription"  # of which speech is recognised
PROGRAM_TARGET: Final = (
    "program"  # in the place of a participant's id: whose microphone and camera is the program
)


class Kind(StrEnum):
    """The kind of a track, as in SDP's media field."""

    AUDIO = "audio"
    VIDEO = "video"


class Source(StrEnum):
    """Where a track comes from."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"
    SCREEN_SOUND = "screen_sound"


class Direction(StrEnum):
    """Which of a participant's two peer connections."""

    PUBLISH = "publish"
    SUBSCRIBE = "subscribe"


class TransportState(StrEnum):
    """State of one peer connection as the server sees it."""

    NEW = "new"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"  # no consent for some seconds: may still come back
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TrackHint:
    """What a client says about one m-line of its offer. Without hints the first video is the camera."""

    mid: str
    source: Source
    label: str = ""


@dataclass(frozen=True, slots=True)
class PublicationInfo:
    """A track that a participant sends into the room."""

    id: str
    kind: Kind
    source: Source
    label: str = ""
    codec: str = ""  # "opus", "VP8", "H264"; empty until the first packet


@dataclass(frozen=True, slots=True)
class OfferedTrack:
    """One slot of an offer to a subscriber: whose track the m-line carries now."""

    mid: str
    participant_id: str
    publication_id: str
    source: Source


@dataclass(frozen=True, slots=True)
class Speaker:
    """A participant who is heard now. `level_db` is -127 (silent) to 0 (loudest), RFC 6464."""

    participant_id: str
    level_db: int


# ── What the media plane reports ────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SubscriberOffer:
    """Send this offer to the participant; hand the answer back with the same generation."""

    room_id: str
    participant_id: str
    generation: int
    sdp: str
    tracks: tuple[OfferedTrack, ...]


@dataclass(frozen=True, slots=True)
class TransportChanged:
    room_id: str
    participant_id: str
    direction: Direction
    state: TransportState


@dataclass(frozen=True, slots=True)
class PublicationsChanged:
    """The full list of what a participant publishes now."""

    room_id: str
    participant_id: str
    publications: tuple[PublicationInfo, ...]


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Loudest first. Empty when nobody speaks."""

    room_id: str
    speakers: tuple[Speaker, ...]


@dataclass(frozen=True, slots=True)
class QualityChanged:
    """Connection quality of a participant: 0 lost, 1 weak, 2 fair, 3 good."""

    room_id: str
    participant_id: str
    quality: int


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """Whether a receiver can decode a track: "unsupported_codec", or "waiting" and "active" again after that."""

    room_id: str
    participant_id: str
    publication_id: str
    state: str


@dataclass(frozen=True, slots=True)
class TapLost:
    """The reader of the room's tap of this name is gone, or so far behind that it was given up: the tap has ended."""

    room_id: str
    name: str = RECORDING_TAP


@dataclass(frozen=True, slots=True)
class FeedLost:
    """Who sent the room's program is gone, or sent nonsense: the feed has ended."""

    room_id: str


@dataclass(frozen=True, slots=True)
class MediaRestarted:
    """The media process is a new one: every room is empty again and every client must connect anew."""

    epoch: str


MediaEvent = (
    SubscriberOffer
    | TransportChanged
    | PublicationsChanged
    | SpeakersChanged
    | QualityChanged
    | SubscriptionChanged
    | TapLost
    | FeedLost
    | MediaRestarted
)
