"""What ingest processes are told and tell the services: they pull cameras and streams or play clips into rooms, or ask
devices for their streams."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class IngestKind(StrEnum):
    """What is pulled: a camera or stream that goes on by itself, or a file that is played, paused and ends."""

    CAMERA = "camera"  # its picture is a camera, its sound a microphone
    CLIP = "clip"  # its picture and its sound are those of a shared screen


class Transport(StrEnum):
    """How RTSP carries the media; other addresses say it themselves."""

    TCP = "tcp"
    UDP = "udp"


class IngestReason(StrEnum):
    """Why nothing comes. Each needs words of its own for who can do something about it."""

    ADDRESS_WRONG = "address_wrong"  # no address that can be pulled, or a host name that nobody knows
    UNREACHABLE = "unreachable"  # nothing answers there
    REFUSED = "refused"  # the host is there, and nothing listens on that port
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 — a reason
    NOT_FOUND = "not_found"  # the device knows no stream of that path
    CODEC_UNKNOWN = "codec_unknown"  # nothing in it that could be decoded
    NO_PICTURE = "no_picture"  # it answers, and sends neither picture nor sound
    STOPPED = "stopped"  # it was there and fell silent, or hung up
    GARBAGE = "garbage"  # what it sends cannot be read
    OVERLOAD = "overload"  # this machine does not keep up with transcoding it; it goes on meanwhile


UNSUITABLE: Final = frozenset(
    {IngestReason.ADDRESS_WRONG, IngestReason.PASSWORD_WRONG, IngestReason.NOT_FOUND}
)
"""Reasons that mostly need somebody to change the camera's entry; it is tried again all the same, more rarely."""


@dataclass(frozen=True, slots=True)
class IngestJob:
    """What one ingest process is to pull, and as whose tracks it goes into the room.

    `url`: rtsp, rtsps, rtmp, srt, http, https or, of a clip, the path of a file; credentials stand in it, so it is
    never logged, shown, or put on a command line.
    """

    ingest_id: str
    room_id: str
    participant_id: str
    url: str = field(repr=False)
    transport: Transport = Transport.TCP
    label: str = ""
    want_video: bool = True
    want_sound: bool = True
    kind: IngestKind = IngestKind.CAMERA
    from_ms: int = 0  # of a clip: where it begins
    is_paused: bool = False  # of a clip: it shows its first picture and waits


@dataclass(frozen=True, slots=True)
class IngestReady:
    """The process listens at `socket_path` for who carries its tracks into the room (`MediaPlane.feed`). It says so
    again whenever that connection has ended."""

    ingest_id: str
    socket_path: str


@dataclass(frozen=True, slots=True)
class IngestConnecting:
    """The source is being opened."""

    ingest_id: str


@dataclass(frozen=True, slots=True)
class IngestRunning:
    """Pictures or sound come. Told when they begin, when something changes, and every five seconds.

    Sizes in pixels, 0 without a picture; `codec` is the source's ("h264", "hevc", …, of its sound where there is no
    picture). `transcoding`: the picture has to be encoded anew for browsers. `cpu_share` is the process' share of one
    processor core.
    """

    ingest_id: str
    width: int
    height: int
    frames_per_second: float
    codec: str
    has_sound: bool
    transcoding: bool
    cpu_share: float


@dataclass(frozen=True, slots=True)
class IngestFailed:
    """Nothing comes, or with `overload` too little. `retry_in_s`: when it is tried again by itself; None when never."""

    ingest_id: str
    reason: IngestReason
    retry_in_s: float | None


@dataclass(frozen=True, slots=True)
class ClipAt:
    """What a clip does since `monotonic_s` (Clock.monotonic): "playing", "paused" or "ended", at this position."""

    ingest_id: str
    state: str
    position_ms: int
    monotonic_s: float


IngestEvent = IngestReady | IngestConnecting | IngestRunning | IngestFailed | ClipAt


@dataclass(frozen=True, slots=True)
class IngestLook:
    """What a look at a source found: one picture as JPEG (empty where it has none), and what it sends."""

    picture: bytes = field(repr=False)
    width: int
    height: int
    codec: str
    has_sound: bool
    transcoding: bool


@dataclass(frozen=True, slots=True)
class DeviceFound:
    """A camera or recorder that answered a search of the network. `address` is that of its device service (http or
    https), `host` the machine in it; `name` and `hardware` are what it calls itself, empty where it does not."""

    address: str
    host: str
    name: str
    hardware: str


@dataclass(frozen=True, slots=True)
class DeviceDoor:
    """Where a device is asked, and what opens it; neither is logged, shown, or put on a command line."""

    address: str
    user: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeviceStream:
    """One of a device's streams as it says itself: `codec` as FFmpeg calls it ("h264", "hevc", …), empty and 0 for what
    it does not say. `address` is rtsp without user and password."""

    name: str
    codec: str
    width: int
    height: int
    frames_per_second: float
    address: str
