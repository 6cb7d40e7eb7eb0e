"""What a pre-check measures of each of its nine items, in the words of the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PrecheckItem(StrEnum):
    """The nine items, in the order of the sheet."""

    CAMERA = "camera"
    LIGHT = "light"
    MICROPHONE = "microphone"
    LOUDSPEAKER = "loudspeaker"
    ECHO = "echo"
    NETWORK = "network"
    CLOCK = "clock"
    PROJECTION = "projection"
    NAMEPLATE = "nameplate"


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """`problem`: why it did not open, empty where it did. `still_ms`: the longest time without any change of the
    picture, of the `watched_ms`."""

    problem: str
    width: int
    height: int
    frames_per_s: float
    still_ms: int
    watched_ms: int


@dataclass(frozen=True, slots=True)
class LightFigures:
    """Brightness 0 to 255: mean, spread (standard deviation), and the share of pixels that are white."""

    seen: bool
    mean: float
    contrast: float
    bright_share: float


@dataclass(frozen=True, slots=True)
class MicrophoneFigures:
    """Without the browser's processing, in dB of full scale. `clipped_share`: of samples that lie in a flat top.
    Left and right are null where there is one channel."""

    problem: str
    speech_dbfs: float
    noise_dbfs: float
    clipped_share: float
    left_dbfs: float | None
    right_dbfs: float | None
    heard_ms: int


@dataclass(frozen=True, slots=True)
class LoudspeakerFigures:
    """A tone of several notes, as the room's microphone heard it. `above_noise_db` is the median over the notes."""

    played: bool
    notes_played: int
    notes_heard: int
    above_noise_db: float


@dataclass(frozen=True, slots=True)
class EchoFigures:
    """The level of the tone in the microphone, without and with echo cancellation; null where it was not heard."""

    played: bool
    direct_dbfs: float | None
    return_dbfs: float | None


@dataclass(frozen=True, slots=True)
class NetworkFigures:
    """`way`: udp, tcp, https, relay, none or unknown. Losses are shares of 1; null: it could not be measured.
    Speeds that reach the server's bound are at least so much."""

    way: str
    up_bps: float | None
    down_bps: float | None
    up_loss: float | None
    down_loss: float | None
    rtt_ms: float | None
    jitter_ms: float | None
    measured_ms: int


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """By how much the device is ahead of the server, and how far that may be wrong."""

    offset_ms: int
    uncertainty_ms: int


@dataclass(frozen=True, slots=True)
class ProjectionFigures:
    """Size of the screen, and what somebody says of the hall's: whole, cropped or unseen."""

    width: int
    height: int
    answer: str


@dataclass(frozen=True, slots=True)
class NameplateFigures:
    """The plate that was shown, and what somebody says of it: right or wrong, then what it should be."""

    shown: str
    answer: str
    wanted: str


Figures = (
    CameraFigures
    | LightFigures
    | MicrophoneFigures
    | LoudspeakerFigures
    | EchoFigures
    | NetworkFigures
    | ClockFigures
    | ProjectionFigures
    | NameplateFigures
)

FIGURES_OF: Final[dict[PrecheckItem, type[Figures]]] = {
    PrecheckItem.CAMERA: CameraFigures,
    PrecheckItem.LIGHT: LightFigures,
    PrecheckItem.MICROPHONE: MicrophoneFigures,
    PrecheckItem.LOUDSPEAKER: LoudspeakerFigures,
    PrecheckItem.ECHO: EchoFigures,
    PrecheckItem.NETWORK: NetworkFigures,
    PrecheckItem.CLOCK: ClockFigures,
    PrecheckItem.PROJECTION: ProjectionFigures,
    PrecheckItem.NAMEPLATE: NameplateFigures,
}
_ITEM_OF: Final = {figures: item for item, figures in FIGURES_OF.items()}


def item_of(figures: Figures) -> PrecheckItem:
    """To which item they belong."""
    return _ITEM_OF[type(figures)]
