"""Simulcast of H264: real encodings without temporal layers, switched at IDR pictures with their parameter sets."""

from __future__ import annotations

import asyncio
from functools import cache
from itertools import pairwise

import av
import numpy as np
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from conference.media.client import MediaClient
from conference.model.media import TrackWish
from tests.support.encoded import RATE
from tests.support.eventually import eventually
from tests.support.inset import encode
from tests.support.light_client import InboundStream, SimulcastSource, VideoSource
from tests.support.light_client.vp8 import payload_of
from tests.support.media_meeting import ROOM, Meeting
from tests.support.picture_code import draw, read_code

LAYERS = {"q": (1, (192, 108)), "h": (2, (320, 180)), "f": (3, (640, 360))}
FRAMES = 60
_FU_A, _IDR, _SPS = 28, 5, 7


@cache
def clip(number: int, size: tuple[int, int]) -> list[bytes]:
    """Access units of the coded picture; the first alone is an IDR picture."""
    width, height = size
    pictures = [np.ascontiguousarray(draw(number, at, width, height)) for at in range(FRAMES)]
    return encode("h264", pictures, RATE, gop=FRAMES)


def camera() -> SimulcastSource:
    """Each layer shows another number, by which a picture tells its layer."""
    return SimulcastSource(
        {
            name: VideoSource(fps=RATE, frames=clip(number, size), codec="H264")
            for name, (number, size) in LAYERS.items()
        }
    )


class Watching:
    """Puts access units together from packets that come in order, decodes them, and keeps their numbers."""

    def __init__(self) -> None:
        codec = av.CodecContext.create("h264", "r")
        assert isinstance(codec, VideoCodecContext)
        codec.thread_count = 1
        self._codec = codec
        self._unit = b""
        self._kinds: list[int] = []
        self.sequences: list[int] = []
        self.times: list[int] = []  # of each access unit
        self.shown: list[int | None] = []  # the number in each decoded picture
        self.kinds: list[list[int]] = []  # of the NAL units of each access unit
        self.errors = 0

    def receive(self, _stream: InboundStream, packet: bytes, _arrival_ns: int) -> None:
        """One decrypted packet."""
        self.sequences.append(int.from_bytes(packet[2:4], "big"))
        payload = payload_of(packet)
        if not payload:
            return
        if payload[0] & 0x1F == _FU_A:
            if payload[1] & 0x80:
                self._begin(bytes((payload[0] & 0x60 | payload[1] & 0x1F,)))
            self._unit += payload[2:]
        else:
            self._begin(payload)
        if packet[1] & 0x80:
            self._end(int.from_bytes(packet[4:8], "big"))

    def _begin(self, nal: bytes) -> None:
        self._unit += b"\0\0\0\1" + nal
        self._kinds.append(nal[0] & 0x1F)

    def _end(self, timestamp: int) -> None:
        if not self.kinds and _SPS not in self._kinds:  # we came to look in the midst of a picture
            self._unit, self._kinds = b"", []
            return
        self.times.append(timestamp)
        self.kinds.append(self._kinds)
        unit, self._unit, self._kinds = self._unit, b"", []
        try:
            pictures = self._codec.decode(av.Packet(unit))
        except FFmpegError:
            self.errors += 1
            return
        self.errors += sum(picture.is_corrupt for picture in pictures)
        codes = [read_code(picture.to_ndarray(format="rgb24")) for picture in pictures]
        self.shown += [code and code.participant for code in codes]

    async def shows(self, layer: str) -> None:
        """Wait for eight pictures of that layer in a row."""
        await eventually(
            lambda: self.shown[-8:] == [LAYERS[layer][0]] * 8, what=f"pictures of {layer}", timeout_s=20
        )


async def test_a_receiver_is_switched_between_layers_of_h264_without_a_hole(
    meeting: Meeting, media: MediaClient
) -> None:
    for number, size in LAYERS.values():
        clip(number, size)  # encoding takes a while, and a loop that stands loses packets
    source = camera()
    await media.join(ROOM, "member", sound_open=True)
    await meeting.receive("viewer")
    publishing = asyncio.create_task(meeting.publish_layers("member", source))
    await eventually(lambda: "viewer" in meeting.receivers, what="the receiver's connection")
    reader = Watching()
    meeting.receivers["viewer"].on_rtp = reader.receive
    await publishing
    await reader.shows("f")
    publication = next(track.publication_id for track in meeting.offers["viewer"][-1].tracks)
    for layer in ("q", "f", "h", "q", "h", "f"):
        height = LAYERS[layer][1][1]
        await media.wish(ROOM, "viewer", (TrackWish(publication, height * 16 // 9, height),))
        await reader.shows(layer)

    assert reader.errors == 0
    assert None not in reader.shown, "every picture can be read"
    assert all((after - before) & 0xFFFF == 1 for before, after in pairwise(reader.sequences))
    steps = [(after - before) & 0xFFFFFFFF for before, after in pairwise(reader.times)]
    assert all(0 < step <= 90_000 for step in steps), "time goes forward, and not by leaps"
    for at, (before, after) in enumerate(pairwise(reader.shown), start=1):
        if before != after:
            assert _IDR in reader.kinds[at]
            assert _SPS in reader.kinds[at], "another layer begins with its parameter sets"
