"""What the media process tells of a room: who sends and receives what, and how well it gets through.

Values only; they cross the process border as they are. Loss is a share of 1, rates are bit/s of plain RTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from conference.model.media import Kind, Source


class Path(StrEnum):
    """The way that one connection takes."""

    NONE = "none"  # none found yet
    UDP = "udp"
    TCP = "tcp"  # ICE-TCP at the media port
    HTTPS_PORT = "https_port"  # ICE-TCP at the port of the pages
    LOOPBACK = (
        "loopback"  # from this machine: the relay in TLS where there is one, else somebody who sits at it
    )
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class LayerReport:
    """An encoding that is sent now. Pixels are 0 before the first keyframe."""

    name: str
    width: int
    height: int
    fps: float
    bitrate_bps: int


@dataclass(frozen=True, slots=True)
class SentTrack:
    """A track that somebody sends. `silent_ms`: since its last packet, None before the first; `needed`: the layers that
    anybody is to get; `is_open`: the gate of a sound."""

    id: str
    kind: Kind
    source: Source
    codec: str
    bitrate_bps: int
    silent_ms: int | None
    is_open: bool
    order: tuple[str, ...]
    needed: tuple[str, ...]
    layers: tuple[LayerReport, ...]


@dataclass(frozen=True, slots=True)
class ReceivedTrack:
    """A track that somebody is to get and that is not hidden there.

    `layer`: None is nothing; `best_height`: of the largest layer that is sent; `reason`: "size" or "bandwidth", empty
    for sound; `temporal`: the highest temporal layer, 2 is all of them.
    """

    publication_id: str
    participant_id: str
    kind: Kind
    source: str  # of Source, or "program"
    state: str
    layer: str | None
    height: int
    shown_height: int
    best_height: int
    temporal: int
    reason: str
    bitrate_bps: int
    loss: float


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """One of the two connections. `loss`: of its last second."""

    state: str
    path: Path
    loss: float


@dataclass(frozen=True, slots=True)
class MediaReport:
    """One participant. `rtt_ms`, `estimate_bps` and `delivered_bps` are None before they are known; `link`: how the
    estimator finds the way to the participant, "normal", "full" or "silent"; `hidden`: pictures that it does not
    show."""

    participant_id: str
    uplink: ConnectionReport | None = None
    downlink: ConnectionReport | None = None
    rtt_ms: int | None = None
    estimate_bps: int | None = None
    delivered_bps: int | None = None
    link: str = "normal"
    sound_only: bool = False
    hidden: int = 0
    sends: tuple[SentTrack, ...] = field(default=())
    receives: tuple[ReceivedTrack, ...] = field(default=())
