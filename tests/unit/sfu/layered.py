"""A simulcast publisher in memory, VP8 with three temporal layers, and a receiver that judges what it is sent."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from typing import Any

from conference.rtc import rtcp, rtp_header
from conference.rtc.codecs import vp8
from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.stream import IncomingStream
from conference.sfu.subscription import Subscription

CODECS = {96: Codec(96, "VP8", 90000, 1)}
PATTERN = (0, 2, 1, 2)
ORDER = ("q", "h", "f")
SIZES = {"q": (320, 180), "h": (640, 360), "f": (1280, 720)}
_BODY = struct.Struct("!BII")  # layer, number of the frame, of the one that it needs (itself: none)
_NAMES = {name: number for number, name in enumerate(ORDER)} | {"": 9}


class Encoder:
    """One layer. Frames need the last one of a lower temporal layer, or of their own below the highest."""

    def __init__(self, layer: str, seed: int, *, picture_bits: int = 15) -> None:
        dice = random.Random(f"{layer}{seed}")
        self.layer = layer
        self.ssrc = dice.getrandbits(32)
        self.sequence = dice.getrandbits(16)
        self.offset = dice.getrandbits(32)  # of its time stamps
        self.picture_id = dice.getrandbits(15)
        self.tl0picidx = dice.getrandbits(8)
        self.picture_bits = picture_bits
        self.frame = 0
        self.place = 0
        self.wants_key = True
        self._needed = [0, 0]
        self._synced = 0
        self.timestamp = 0

    def encode(self, at_ticks: int, packets: int) -> list[bytes]:
        """The packets of the next frame."""
        key, self.wants_key = self.wants_key, False
        if key:
            self.place = 0
        temporal = PATTERN[self.place % 4]
        cycle = self.place // 4
        self.place += 1
        self.frame += 1
        self.picture_id = (self.picture_id + 1) & 0x7FFF
        self.timestamp = (at_ticks + self.offset) & 0xFFFFFFFF
        needs = self.frame
        sync = False
        if temporal == 0:
            self.tl0picidx = (self.tl0picidx + 1) & 0xFF
            needs = self.frame if key else self._needed[0]
            self._needed = [self.frame, 0]
        elif temporal == 1:
            sync = cycle % 2 == 0
            needs = self._needed[0]
            self._needed[1] = self.frame
        else:
            sync = self._needed[1] == 0
            needs = self._needed[1] or self._needed[0]
        out = []
        for index in range(packets):
            first = 0x80 | (0x10 if index == 0 else 0) | (0x20 if temporal == 2 else 0)
            if self.picture_bits == 15:
                picture = struct.pack("!H", 0x8000 | self.picture_id)
            else:
                picture = bytes((self.picture_id & 0x7F,))
            head = bytes((first, 0xE0)) + picture + bytes((self.tl0picidx, temporal << 6 | sync << 5))
            tag = b""
            if index == 0:
                tag = (
                    (b"\x10\x00\x00\x9d\x01\x2a" + struct.pack("<HH", *SIZES.get(self.layer, (640, 360))))
                    if key
                    else b"\x11\x00\x00"
                )
            marker = 0x80 if index == packets - 1 else 0
            self.sequence = (self.sequence + 1) & 0xFFFF
            out.append(
                struct.pack("!BBHII", 0x80, 96 | marker, self.sequence, self.timestamp, self.ssrc)
                + head + tag + _BODY.pack(_NAMES[self.layer], self.frame, needs)
            )  # fmt: skip
        return out


class Transport:
    """What a subscription needs of one, without a network: packets leave one by one."""

    def __init__(self) -> None:
        self.keys: Any = self
        self.path: Any = self
        self.outbound = None
        self.batch = None
        self.name = 0
        self.sent: list[bytes] = []

    def send_rtp(self, packet: bytes) -> None:
        self.sent.append(packet)


class Simulcast:
    """A publication with its encoders; keyframes come with the frame after they were asked for, in all layers."""

    def __init__(self, seed: int, order: tuple[str, ...] = ORDER, *, picture_bits: int = 15) -> None:
        self.publication = Publication("camera", "member", "video", "camera", "", is_open=True)
        self.publication.set_order(order)
        self.encoders = {name: Encoder(name, seed, picture_bits=picture_bits) for name in order}
        self.streams: dict[str, IncomingStream] = {}
        self.plis = 0

    def bind(self, name: str) -> IncomingStream:
        stream = self.streams[name] = IncomingStream(
            ssrc=self.encoders[name].ssrc, is_audio=False, codecs=CODECS, extension_ids={}, record_arrival=None,
            observe_level=None, send_rtcp=self._hear, counters=Counters(), cname="clock", layer=name,
        )  # fmt: skip
        self.publication.set_layer(name, stream)
        return stream

    def _hear(self, compound: bytes) -> None:
        if any(isinstance(one, rtcp.Pli) for one in rtcp.walk(compound)):
            self.plis += 1
            for encoder in self.encoders.values():
                encoder.wants_key = True

    def receive(self, name: str, packet: bytes, now: float) -> None:
        self.streams.get(name) or self.bind(name)
        self.streams[name].receive(packet, now)

    def report(self, now: float) -> None:
        for name, stream in self.streams.items():
            ntp = int((now + 3_900_000_000) * (1 << 32))
            rtp_ts = (int(now * 90000) + self.encoders[name].offset) & 0xFFFFFFFF
            stream.on_sender_report(rtcp.SenderReport(stream.ssrc, ntp, rtp_ts, 0, 0, ()), now)

    def subscribe(self, transport: Transport, *, rtx: bool = False) -> Subscription:
        accepted = dict(CODECS)
        if rtx:
            accepted[97] = Codec(97, "rtx", 90000, 1, "apt=96")
        subscription = Subscription(self.publication, transport, 5, 6 if rtx else None)  # type: ignore[arg-type]
        subscription.enable(accepted, {})
        self.publication.add(subscription)
        return subscription


@dataclass(frozen=True)
class Sent:
    """One packet as the receiver reads it; `layer` is empty in a packet without payload."""

    sequence: int
    timestamp: int
    marker: bool
    starts: bool
    key: bool
    picture_id: int
    tl0picidx: int
    temporal: int
    sync: bool
    layer: str
    frame: int
    needs: int


def read(packet: bytes) -> Sent:
    header = rtp_header.parse(packet)
    payload = packet[header.payload_start : header.payload_end]
    if not payload:
        return Sent(
            header.sequence, header.timestamp, header.marker, False, False, -1, -1, -1, False, "", 0, 0
        )
    descriptor = vp8.parse(payload)
    number, frame, needs = _BODY.unpack(payload[-_BODY.size :])
    assert descriptor.picture_id is not None
    assert descriptor.tl0picidx is not None
    assert descriptor.temporal_id is not None
    layer = next(name for name, known in _NAMES.items() if known == number) or "-"
    return Sent(
        header.sequence, header.timestamp, header.marker, descriptor.starts_frame, vp8.is_keyframe(payload),
        descriptor.picture_id, descriptor.tl0picidx, descriptor.temporal_id, descriptor.layer_sync, layer, frame, needs,
    )  # fmt: skip


class Viewer:
    """Puts packets in order by number and judges them as a decoder would."""

    def __init__(self, packets: list[bytes]) -> None:
        self.packets: dict[int, bytes] = {}
        self.last = -1
        for packet in packets:
            header = rtp_header.parse(packet)
            if self.last < 0:
                self.last = 0x10000 + header.sequence
            number = self.last + ((header.sequence - self.last + 0x8000) & 0xFFFF) - 0x8000
            known = self.packets.get(number)
            assert known is None or known == packet, "one number for two packets"
            self.packets[number] = packet
            self.last = max(self.last, number)

    def missing(self) -> list[int]:
        numbers = sorted(self.packets)
        if not numbers:
            return []
        return [
            number & 0xFFFF for number in range(numbers[0], numbers[-1] + 1) if number not in self.packets
        ]

    def frames(self) -> list[list[Sent]]:
        """Whole pictures in order, but for the last, which may still come; empty packets are passed over."""
        frames: list[list[Sent]] = []
        for number in sorted(self.packets):
            one = read(self.packets[number])
            if one.picture_id < 0:
                continue
            if one.starts:
                frames.append([])
            assert frames, "begins amid a picture"
            frames[-1].append(one)
        return frames

    def judge(self, *, dense: bool = True) -> list[list[Sent]]:
        """Whether a decoder could show every picture. `dense`: picture ids without a hole."""
        assert not self.missing()
        frames = self.frames()
        before: Sent | None = None
        shown: set[int] = set()
        for at, frame in enumerate(frames):
            first = frame[0]
            assert (
                len({(one.picture_id, one.tl0picidx, one.timestamp, one.layer, one.frame) for one in frame})
                == 1
            )
            if (
                at < len(frames) - 1
            ):  # what was under way when the receiver left for another layer is passed over
                assert frame[-1].marker or frames[at + 1][0].key, "a picture without its end"
            if before is None:
                assert first.key
            else:
                assert 0 < (first.timestamp - before.timestamp) & 0xFFFFFFFF < 1 << 31, "time goes back"
                ahead = (first.picture_id - before.picture_id) & 0x7FFF
                assert ahead == 1 if dense else 1 <= ahead < 100
                assert (first.tl0picidx - before.tl0picidx) & 0xFF == (1 if first.temporal == 0 else 0)
                assert first.key or first.layer == before.layer, "another layer without a keyframe"
            if first.key:
                shown.clear()
            assert first.key or first.needs in shown, "needs a picture that was not sent"
            shown.add(first.frame)
            before = first
        return frames
