"""A tap of the program, written by hand: what was asked of it, and what its pictures show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from conference.rtc.packetizer import Packetizer
from conference.sfu import tap_frames
from recording.program.compositor import Key, Picture, Size
from recording.program.inputs import Inputs
from recording.program.mixer import Mixer
from recording.program.pictures import Decoding
from tests.support.eventually import eventually_sync
from tests.support.inset import inset_clip, read_inset
from tests.support.tap_feeder import rtp

CAMERA: Key = ("p1", "camera")
START_US = 1_000_000_000
CLIP = inset_clip(1, "vp8", 25, 200, gop=12)


class Tap:
    """A tap written by hand."""

    def __init__(self) -> None:
        self.mixer = Mixer()
        self.decoding = Decoding()
        self.asked: list[int] = []
        self.heights: list[tuple[int, int]] = []  # that were asked for, with their tracks
        self.accepts = True
        self.inputs = Inputs(self.mixer, self.decoding, self.asked.append, self._ask_height)
        self.inputs.take(tap_frames.Clock(START_US, 0))
        self._packetizers: dict[int, Packetizer] = {}
        self._rates: dict[int, int] = {}
        self._codecs: dict[int, str] = {}

    def open(
        self,
        track: int = 1,
        codec: str = "vp8",
        *,
        who: str = "p1",
        source: str = "",
        parameters: dict[str, str] | None = None,
    ) -> None:
        is_sound = codec == "opus"
        kind = "audio" if is_sound else "video"
        rate = 48_000 if is_sound else 90_000
        self._packetizers[track], self._rates[track], self._codecs[track] = Packetizer(96, track), rate, codec
        self.inputs.take(
            tap_frames.Open(
                track, f"pub_{track}", who, kind, source or ("microphone" if is_sound else "camera"),
                codec, rate, track, f"c-{who}", parameters or {},
            )
        )  # fmt: skip

    def _ask_height(self, track: int, height_px: int) -> bool:
        self.heights.append((track, height_px))
        return self.accepts

    def want(self, *keys: Key, at_us: int = START_US, size: Size | None = None) -> None:
        """`size` is the one in which they are drawn."""
        self.inputs.want(dict.fromkeys(keys or (CAMERA,), size), at_us)

    def send(
        self,
        data: bytes,
        at_s: float,
        *,
        track: int = 1,
        timestamp: int | None = None,
        mangle: Callable[[list[bytes]], list[bytes]] = lambda packets: packets,
    ) -> None:
        stamp = round(at_s * self._rates[track]) if timestamp is None else timestamp
        at_us = START_US + round(at_s * 1e6)
        for packet in mangle(rtp(self._codecs[track], self._packetizers[track], data, stamp)):
            self.inputs.take(tap_frames.Packet(track, at_us, packet))

    def settle(self) -> None:
        """Until the decoding thread has nothing to do."""
        eventually_sync(
            lambda: all(each.backlog == 0 for each in self.inputs._pictures.values()), every_s=0.002
        )
        self.decoding.close()
        self.decoding = Decoding()
        for each in self.inputs._pictures.values():
            each._decoding = self.decoding
        self.inputs._decoding = self.decoding

    def picture(self, at_s: float, key: Key = CAMERA) -> Picture | None:
        return self.inputs.pictures([key], START_US + round(at_s * 1e6))[key]

    def code(self, at_s: float) -> int | None:
        """The number that the picture shown at this time bears."""
        picture = self.picture(at_s)
        if picture is None:
            return None
        grey = picture.frame.to_ndarray(format="gray")
        read = read_inset(np.asarray(grey, np.uint8))
        return None if read is None else read.frame
