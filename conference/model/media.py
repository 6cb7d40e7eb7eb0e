"""What the rules know of media: sources, publications and the state of a participant's connections.

Values only. The media process has richer objects of its own; these cross the process border.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RECORDING_TAP: Final = "recording"  # the tap that every publication is kept by, where no other is named
TRANSCRIPTION_TAP: Final = "transcription"  # of which speech is recognised
MAX_WISHES: Final = 200  # tracks that one participant may ask for: as many as there are slots
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
    main: bool = False  # of several cameras, the one that stands for the participant


@dataclass(frozen=True, slots=True)
class PublicationInfo:
    """A track that a participant sends into the room."""

    id: str
    kind: Kind
    source: Source
    label: str = ""
    codec: str = ""  # "opus", "VP8", "H264"; empty until the first packet
    main: bool = False  # the camera that is meant where a single one is: the one named so, else the first


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


@dataclass(frozen=True, slots=True)
class TrackWish:
    """A picture that a participant shows now: how large, in device pixels, and how dear (greater goes first)."""

    publication_id: str
    width: int
    height: int
    priority: int = 0


class AllocationReason(StrEnum):
    """Why a picture comes as it does."""

    SIZE = "size"  # as large as it is shown, or the largest that there is
    BANDWIDTH = "bandwidth"  # smaller, of fewer frames, or not at all: the way to the receiver is too narrow
    HIDDEN = "hidden"  # not at all: the receiver does not show it


@dataclass(frozen=True, slots=True)
class AllocatedTrack:
    """What of a picture a participant is sent. `layer`: null is nothing, "" a track of one encoding; `height` in
    pixels, 0 while unknown."""

    publication_id: str
    layer: str | None
    height: int
    reason: AllocationReason


@dataclass(frozen=True, slots=True)
class TrackReport:
    """How a track was played at a receiver since its last report: milliseconds in which the picture stood, or in
    which sound was made up for lost packets."""

    publication_id: str
    freeze_ms: int
    concealed_ms: int
    frames_per_second: float


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
class AllocationChanged:
    """What of each picture a participant is sent, whole. `sound_only`: of the pictures that it shows, none fits."""

    room_id: str
    participant_id: str
    tracks: tuple[AllocatedTrack, ...]
    sound_only: bool
    available_bps: int | None  # to this participant; None while unknown


@dataclass(frozen=True, slots=True)
class LayersNeeded:
    """Which encodings of a participant's own track anybody receives, rising; none: it may pause."""

    room_id: str
    participant_id: str
    publication_id: str
    layers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TapLost:
    """The reader of the room's tap of this name is gone, or so far behind that it was given up: the tap has ended."""

    room_id: str
    name: str = RECORDING_TAP


@dataclass(frozen=True, slots=True)
class FeedLost:
    """Who sent the participant's tracks, or the room's program, is gone, or sent nonsense: the feed has ended."""

    room_id: str
    participant_id: str = PROGRAM_TARGET


@dataclass(frozen=True, slots=True)
class MediaRestarted:
    """The media process is a new one: its rooms are empty again and their clients must connect anew."""

    epoch: str
    room_ids: frozenset[str] = frozenset()


MediaEvent = (
    SubscriberOffer
    | TransportChanged
    | PublicationsChanged
    | SpeakersChanged
    | QualityChanged
    | SubscriptionChanged
    | AllocationChanged
    | LayersNeeded
    | TapLost
    | FeedLost
    | MediaRestarted
)
