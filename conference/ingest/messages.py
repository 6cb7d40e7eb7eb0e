"""The lines between an ingest process and its supervisor: JSON, one object a line, `is` names the kind.

The job, which has the credentials of a camera in it, comes on standard input; facts go to standard output.
"""

from __future__ import annotations

import msgspec

from conference.ingest_events import DeviceStream

MAX_LINE = 4 << 20  # a picture as base64


class Line(msgspec.Struct, frozen=True, tag=True, tag_field="is"):
    """Base of all lines; the class name is the tag."""


# ── to the process ──────────────────────────────────────────────────────────────────────────────


class Job(Line, frozen=True):
    """The first line: as conference.ingest_events.IngestJob. Without a `socket_path` it is to look once and end."""

    url: str
    transport: str
    kind: str
    label: str
    participant_id: str
    want_video: bool
    want_sound: bool
    socket_path: str = ""
    from_ms: int = 0
    is_paused: bool = False


class Device(Line, frozen=True):
    """As conference.ingest_events.DeviceDoor, in place of a job: it is to be asked for its streams once, and that is
    all."""

    address: str
    user: str
    password: str


class Play(Line, frozen=True):
    pass


class Pause(Line, frozen=True):
    pass


class Seek(Line, frozen=True):
    position_ms: int


Order = Job | Device | Play | Pause | Seek


# ── from the process ────────────────────────────────────────────────────────────────────────────


class Ready(Line, frozen=True):
    """It listens for the media process; again whenever that connection has ended."""


class Connecting(Line, frozen=True):
    pass


class Running(Line, frozen=True):
    """As conference.ingest_events.IngestRunning."""

    width: int
    height: int
    frames_per_second: float
    codec: str
    has_sound: bool
    transcoding: bool
    cpu_share: float


class Failed(Line, frozen=True):
    """As conference.ingest_events.IngestFailed; of a look or a device it is the last line."""

    reason: str
    retry_in_s: float | None = None


class At(Line, frozen=True):
    """As conference.ingest_events.ClipAt."""

    state: str
    position_ms: int
    monotonic_s: float


class Alive(Line, frozen=True):
    """Nothing is new; said every two seconds, so that silence is a sign."""


class Look(Line, frozen=True):
    """As conference.ingest_events.IngestLook; the last line."""

    picture: bytes
    width: int
    height: int
    codec: str
    has_sound: bool
    transcoding: bool


class Streams(Line, frozen=True):
    """What a device has, the one to be taken first; the last line."""

    items: list[DeviceStream]


Fact = Ready | Connecting | Running | Failed | At | Alive | Look | Streams

_encoder = msgspec.json.Encoder()
_orders = msgspec.json.Decoder(Order)
_facts = msgspec.json.Decoder(Fact)


def encode(line: Order | Fact) -> bytes:
    """One line with its end."""
    return _encoder.encode(line) + b"\n"


def read_order(line: bytes) -> Order:
    """Raises msgspec.MsgspecError."""
    order: Order = _orders.decode(line)
    return order


def read_fact(line: bytes) -> Fact:
    """Raises msgspec.MsgspecError."""
    fact: Fact = _facts.decode(line)
    return fact
