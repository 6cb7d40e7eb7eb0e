"""The compositor: from a scene, decoded pictures and a time to one picture of the program. No I/O, no threads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from recording.program.scene import Scene

Key = tuple[str, str]  # participant id and source: "camera" or "screen"
Size = tuple[int, int]  # width and height in pixels


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The newest decoded picture of a track. `serial` changes when the picture does; `rotation` is how many
    degrees clockwise it must be turned to stand upright (0, 90, 180, 270: a phone's video-orientation)."""

    frame: VideoFrame
    serial: int
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be shown: a layout, the people in it (in order), and the tracks with the sizes they are drawn in."""

    layout: str  # title, break, end, speaker, strip, grid, side, screen
    people: tuple[str, ...]
    wanted: Mapping[Key, Size]


class Compositor:
    """Composes the program in `size`. `emblem` is a picture file that stands in place of the product's mark."""

    def __init__(self, size: Size = (1280, 720), emblem: Path | None = None) -> None:
        raise NotImplementedError

    @property
    def plan(self) -> Plan | None:
        """What the last composed picture shows: it follows `choose` on one output picture."""
        raise NotImplementedError

    def wanted(self) -> Mapping[Key, Size]:
        """The tracks to decode: those of the chosen plan, and those still shown until it is."""
        raise NotImplementedError

    def choose(
        self, scene: Scene, available: Collection[Key], levels: Mapping[str, float], now_s: float
    ) -> Plan:
        """The plan for this moment: cheap, to be called for every picture.

        `available`: video tracks that are open. `levels`: RMS of each participant's sound over the last 50 to
        200 ms in dBFS (0 is full scale, silence is -127; speech is about -30). `now_s` is monotonic.
        """
        raise NotImplementedError

    def compose(
        self,
        plan: Plan,
        scene: Scene,
        pictures: Mapping[Key, Picture | None],
        program_time_ms: float,
        wall_ms: float,
    ) -> npt.NDArray[np.uint8]:
        """One picture as I420, height * 3 // 2 rows of `width` bytes (BT.601, limited range), for
        `VideoFrame.from_numpy_buffer(picture, "yuv420p")`. The array is used again six pictures later."""
        raise NotImplementedError
