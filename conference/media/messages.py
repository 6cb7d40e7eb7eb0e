"""The messages between the web process and the media process: msgpack over one unix socket.

Requests carry an id and are answered by exactly one Reply or Failure; events carry none.
"""

from __future__ import annotations

import struct

import msgspec

from conference.model.media import PROGRAM_TARGET
from conference.model.media_report import MediaReport


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of all messages; the class name is the tag on the wire."""


# ── web to media ────────────────────────────────────────────────────────────────────────────────


class Join(Message, frozen=True):
    """`hall`: by which names the hall is known that it stands in; `deaf_to`: the hall whose sound it is not given."""

    room_id: str
    participant_id: str
    sound_open: bool
    hears: bool = True
    hall: tuple[str, ...] = ()
    deaf_to: tuple[str, ...] = ()


class Leave(Message, frozen=True):
    room_id: str
    participant_id: str


class Hint(msgspec.Struct, frozen=True):
    mid: str
    source: str
    label: str
    main: bool = False


class Publish(Message, frozen=True):
    room_id: str
    participant_id: str
    sdp: str
    hints: tuple[Hint, ...]


class Subscribe(Message, frozen=True):
    room_id: str
    participant_id: str
    fresh: bool


class Answer(Message, frozen=True):
    room_id: str
    participant_id: str
    generation: int
    sdp: str


class Pull(Message, frozen=True):
    room_id: str
    participant_id: str
    target_id: str
    sdp: str


class Trickle(Message, frozen=True):
    room_id: str
    participant_id: str
    fragment: str


class TryOut(Message, frozen=True):
    """Answer an offer of a connection that carries nothing, so that its client may see whether it comes about."""

    sdp: str


class SetSound(Message, frozen=True):
    room_id: str
    participant_id: str
    is_open: bool


class TrackWish(msgspec.Struct, frozen=True):
    publication_id: str
    width: int
    height: int
    priority: int


class Wish(Message, frozen=True):
    """The pictures that the participant shows now, instead of those before."""

    room_id: str
    participant_id: str
    wishes: tuple[TrackWish, ...]


class Focus(Message, frozen=True):
    """Whose sound is of who holds the floor, and of who chairs."""

    room_id: str
    floor_ids: tuple[str, ...]
    chair_ids: tuple[str, ...]


class Tap(Message, frozen=True):
    """Write everything of the room, or only its `sources` where some are named, to the unix socket at `path`, instead
    of where a former tap of this name did.

    Program time was `program_time_ms` when the monotonic clock, one for all processes, stood at `at_s`.
    """

    room_id: str
    path: str
    program_time_ms: int
    at_s: float
    name: str
    sources: tuple[str, ...] = ()


class Untap(Message, frozen=True):
    room_id: str
    name: str


class Feed(Message, frozen=True):
    """Read a participant's tracks, or the room's program, from the unix socket at `path`, instead of where a former
    feed of it did."""

    room_id: str
    path: str
    participant_id: str = PROGRAM_TARGET


class Unfeed(Message, frozen=True):
    room_id: str
    participant_id: str = PROGRAM_TARGET


class GetStatistics(Message, frozen=True):
    pass


class GetRoomReport(Message, frozen=True):
    """A page of what there is to say of the room: those who came after this participant, the first ones without."""

    room_id: str
    after: str = ""


# ── media to web: answers ───────────────────────────────────────────────────────────────────────


class Done(Message, frozen=True):
    pass


class Failure(Message, frozen=True):
    code: str
    message: str


class Publication(msgspec.Struct, frozen=True):
    id: str
    kind: str
    source: str
    label: str
    codec: str
    main: bool = False


class Published(Message, frozen=True):
    sdp: str
    publications: tuple[Publication, ...]


class Description(Message, frozen=True):
    sdp: str


class Statistics(Message, frozen=True):
    values: dict[str, float]


class RoomReport(Message, frozen=True):
    """`next`: the `after` of the next page, empty when there is none."""

    participants: tuple[MediaReport, ...]
    next: str


# ── media to web: events ────────────────────────────────────────────────────────────────────────


class Ready(Message, frozen=True):
    """First message of a media process: it listens."""

    epoch: str
    media_port: int


class Slot(msgspec.Struct, frozen=True):
    mid: str
    participant_id: str
    publication_id: str
    source: str


class Offer(Message, frozen=True):
    room_id: str
    participant_id: str
    generation: int
    sdp: str
    tracks: tuple[Slot, ...]


class Transport(Message, frozen=True):
    room_id: str
    participant_id: str
    direction: str
    state: str


class Publications(Message, frozen=True):
    room_id: str
    participant_id: str
    publications: tuple[Publication, ...]


class Speaking(msgspec.Struct, frozen=True):
    participant_id: str
    level_db: int


class Speakers(Message, frozen=True):
    room_id: str
    speakers: tuple[Speaking, ...]


class Quality(Message, frozen=True):
    room_id: str
    participant_id: str
    quality: int


class Subscription(Message, frozen=True):
    """A receiver's state for one track: "unsupported_codec", or "waiting" and "active" after that."""

    room_id: str
    participant_id: str
    publication_id: str
    state: str


class AllocatedTrack(msgspec.Struct, frozen=True):
    publication_id: str
    layer: str | None
    height: int
    reason: str


class Allocation(Message, frozen=True):
    """What of each picture the participant is sent, whole."""

    room_id: str
    participant_id: str
    tracks: tuple[AllocatedTrack, ...]
    sound_only: bool
    available_bps: int | None


class LayersNeeded(Message, frozen=True):
    """Which encodings of the participant's own track anybody receives."""

    room_id: str
    participant_id: str
    publication_id: str
    layers: tuple[str, ...]


class TapLost(Message, frozen=True):
    """The reader of the room's tap of this name is gone, or reads nothing any more; the tap has ended."""

    room_id: str
    name: str


class FeedLost(Message, frozen=True):
    """The writer of a feed is gone, or sent something that is no feed; it has ended."""

    room_id: str
    participant_id: str = PROGRAM_TARGET


Request = (
    Join
    | Leave
    | Publish
    | Subscribe
    | Answer
    | Pull
    | Trickle
    | TryOut
    | SetSound
    | Wish
    | Focus
    | Tap
    | Untap
    | Feed
    | Unfeed
    | GetStatistics
    | GetRoomReport
)
Result = Done | Failure | Published | Description | Statistics | RoomReport
Event = (
    Ready
    | Offer
    | Transport
    | Publications
    | Speakers
    | Quality
    | Subscription
    | Allocation
    | LayersNeeded
    | TapLost
    | FeedLost
)


class Envelope(msgspec.Struct, frozen=True):
    """`id` pairs a result with its request; 0 for events."""

    id: int
    body: Request | Result | Event


MAX_FRAME = 1 << 20
_LENGTH = struct.Struct("!I")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Envelope)


class FrameError(Exception):
    """The other side sent something that is not a message of this file."""


def encode(envelope: Envelope) -> bytes:
    """One length-prefixed frame."""
    body = _encoder.encode(envelope)
    if len(body) > MAX_FRAME:
        raise FrameError(f"frame of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Bytes in, envelopes out; keeps the incomplete tail."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Envelope]:
        """Raises FrameError for an oversized or malformed frame; the stream is then unusable."""
        self._buffer += data
        out: list[Envelope] = []
        while len(self._buffer) >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME:
                raise FrameError(f"frame of {length} bytes")
            if len(self._buffer) < 4 + length:
                break
            body = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            try:
                out.append(_decoder.decode(body))
            except msgspec.MsgspecError as error:
                raise FrameError(str(error)) from error
        return out
