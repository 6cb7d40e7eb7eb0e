"""What a decoder makes of a receiver's packets: whatever is left out, the pictures that come are the publisher's."""

from __future__ import annotations

import random
import struct

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.codeccontext import VideoCodecContext

from conference.rtc import rtp_header
from conference.rtc.codecs import vp8
from tests.support.media import TEMPORAL, vp8_clip
from tests.unit.sfu.layered import Encoder, Simulcast, Transport, Viewer

FRAMES = 120
CLIPS = {"q": (1, (192, 108), 120_000), "h": (2, (320, 180), 250_000)}
Picture = npt.NDArray[np.generic]


class RealEncoder(Encoder):
    """Real frames in a loop; a keyframe that is asked for begins the loop anew."""

    def __init__(self, layer: str, seed: int) -> None:
        super().__init__(layer, seed)
        number, size, rate = CLIPS[layer]
        self.clip = vp8_clip(number, size, 30, FRAMES, rate, layered=True)
        self.sent: dict[int, int] = {}  # by time stamp: which frame of the clip

    def encode(self, at_ticks: int, packets: int) -> list[bytes]:
        if self.wants_key or self.place == FRAMES:
            self.wants_key, self.place = False, 0
        temporal = TEMPORAL[self.place % 4]
        data = self.clip[self.place]
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        self.tl0picidx = (self.tl0picidx + (temporal == 0)) & 0xFF
        self.timestamp = (at_ticks + self.offset) & 0xFFFFFFFF
        self.sent[self.timestamp] = self.place
        syncs = temporal == 1 or self.place % 4 == 1
        self.place += 1
        out = []
        size = len(data) // packets + 1
        for start in range(0, len(data), size):
            self.sequence = (self.sequence + 1) & 0xFFFF
            marker = 0x80 if start + size >= len(data) else 0
            out.append(
                struct.pack("!BBHII", 0x80, 96 | marker, self.sequence, self.timestamp, self.ssrc)
                + struct.pack("!BBHBB", 0x80 | (0x10 if start == 0 else 0), 0xE0, 0x8000 | self.picture_id,
                              self.tl0picidx, temporal << 6 | syncs << 5)
                + data[start : start + size]
            )  # fmt: skip
        return out


def decoded(frames: list[bytes]) -> list[Picture]:
    decoder = av.CodecContext.create("vp8", "r")
    assert isinstance(decoder, VideoCodecContext)
    return [
        picture.to_ndarray(format="rgb24") for frame in frames for picture in decoder.decode(av.Packet(frame))
    ]


@pytest.mark.parametrize("seed", range(4))
def test_every_picture_is_the_one_that_was_sent(seed: int) -> None:
    dice = random.Random(seed)
    source, transport = Simulcast(seed, tuple(CLIPS)), Transport()
    encoders = {name: RealEncoder(name, seed) for name in CLIPS}
    source.encoders.update(encoders)
    whole = {name: decoded(encoder.clip) for name, encoder in encoders.items()}
    subscription = source.subscribe(transport)
    expected: list[Picture] = []
    for number in range(400):
        now = 1000.0 + number / 30
        if number % 25 == 24:
            source.publication.retarget(subscription, dice.choice(["q", "h"]), dice.choice([0, 1, 3]), now)
        for name, encoder in encoders.items():
            for packet in encoder.encode(int(now * 90000), dice.choice((1, 3))):
                before = len(transport.sent)
                source.receive(name, packet, now)
                if len(transport.sent) > before and packet[1] & 0x80:
                    expected.append(whole[name][encoder.sent[encoder.timestamp]])
        for stream in source.streams.values():
            stream.tick(now, 0.05)
        source.publication.tick(now)
    viewer = Viewer(transport.sent)
    assert not viewer.missing()
    frames: list[bytes] = []
    for number in sorted(viewer.packets):
        header = rtp_header.parse(viewer.packets[number])
        payload = viewer.packets[number][header.payload_start : header.payload_end]
        frames += [b""] if vp8.is_start_of_frame(payload) else []
        frames[-1] += payload[vp8.parse(payload).size :]
    pictures = decoded(frames)
    assert len(pictures) == len(expected) > 120
    assert {picture.shape for picture in pictures} == {(108, 192, 3), (180, 320, 3)}
    for picture, original in zip(pictures, expected, strict=True):
        assert np.array_equal(picture, original)
