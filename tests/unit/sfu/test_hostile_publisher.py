"""Whatever a publisher sends and a receiver says: nothing fails, and no number is given to two packets."""

from __future__ import annotations

import random
import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from conference.rtc import rtcp, rtp_header
from conference.rtc.layer_selector import BEST, MAX_TEMPORAL
from conference.rtc.munger import distance
from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.demand import Demand
from conference.sfu.stream import IncomingStream
from conference.sfu.subscription import Subscription
from tests.unit.sfu.layered import Simulcast, Transport

CODECS = {96: Codec(96, "VP8", 90000, 1), 98: Codec(98, "H264", 90000, 1, "packetization-mode=1")}
ACCEPTED = {**CODECS, 97: Codec(97, "rtx", 90000, 1, "apt=96"), 99: Codec(99, "rtx", 90000, 1, "apt=98")}
LAYERS = ("q", "f")
UNITS = (
    bytes.fromhex("6742c01ed900a0479b0110000003001000000303c0f162e480"),
    b"\x65\x88aaaa",
    b"\x41\x9aaaaa",
    b"\x7c\x85aa",
    b"\x18\x00\x00\x00\x00\x67",
)


class Publisher(Simulcast):
    """A camera of two layers whose packets are lost, doubled, moved, cut and made up, each now and then."""

    def __init__(self, dice: random.Random, *, malice: float) -> None:
        super().__init__(dice.getrandbits(30), LAYERS, picture_bits=dice.choice((7, 15)))
        self.dice = dice
        self.malice = malice
        self.late: list[tuple[str, bytes]] = []
        self.now = 1000.0
        for name in LAYERS:
            stream = self.streams[name] = IncomingStream(
                ssrc=self.encoders[name].ssrc, is_audio=False, codecs=CODECS, extension_ids={}, record_arrival=None,
                observe_level=None, send_rtcp=self._hear, counters=Counters(), layer=name,
            )  # fmt: skip
            self.publication.set_layer(name, stream)

    def send(self) -> None:
        dice = self.dice
        self.now += 1 / 30
        for name, encoder in self.encoders.items():
            for packet in encoder.encode(int(self.now * 90000), dice.choice((1, 1, 3))):
                if dice.random() < self.malice:
                    packet = self.spoil(packet)
                chance = dice.random()
                if chance < 0.1:
                    self.late.append((name, packet))
                elif chance < 0.95:
                    self.streams[name].receive(packet, self.now)
                if chance > 0.9:
                    self.streams[name].receive(packet, self.now, recovered=dice.random() < 0.5)
        while self.late and dice.random() < 0.3:
            name, packet = self.late.pop(dice.randrange(len(self.late)))
            self.streams[name].receive(packet, self.now, recovered=dice.random() < 0.5)
        for stream in self.streams.values():
            stream.tick(self.now, 0.05)
        self.publication.tick(self.now)

    def spoil(self, packet: bytes) -> bytes:
        dice, spoilt = self.dice, bytearray(packet)
        match dice.randrange(7):
            case 0:
                spoilt[dice.randrange(12, len(spoilt))] = dice.getrandbits(8)
            case 1:
                del spoilt[dice.randrange(12, len(spoilt)) :]
            case 2:
                spoilt[2:4] = dice.randbytes(2)
            case 3:
                spoilt[0] |= 0x20
                spoilt[-1] = dice.randrange(1, len(spoilt) - 12)
            case 4:
                spoilt[1] = 98
                spoilt[12:] = dice.choice(UNITS)
            case 5:
                spoilt[12:] = dice.randbytes(dice.randrange(20))
            case 6:
                spoilt[14:16] = struct.pack("!H", 0x8000 | dice.getrandbits(15))
        return bytes(spoilt)


def judge(transport: Transport) -> None:
    """By the index that SRTP makes of a number (RFC 3711, section 3.3.1): each is used for one packet."""
    seen: dict[int, bytes] = {}
    highest = -1
    for packet in transport.sent:
        header = rtp_header.parse(packet)
        if header.ssrc != 5:
            continue
        if highest < 0:
            highest = 0x10000 + header.sequence
        index = highest + distance(header.sequence, highest, 16)
        highest = max(highest, index)
        body = packet[header.payload_start :]
        assert seen.setdefault(index, body) == body, "one number for two packets"


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1 << 60), st.sampled_from([0.0, 0.01, 0.2]))
@example(408281417, 0.2)  # jumps that were left out went once round the numbers
@example(4430, 0.2)  # a keyframe that says to be of an upper temporal layer
def test_any_packets_are_forwarded_without_failing(seed: int, malice: float) -> None:
    dice = random.Random(seed)
    source = Publisher(dice, malice=malice)
    transports = [Transport(), Transport(), Transport()]
    receivers = []
    for transport in transports:
        receiver = Subscription(source.publication, transport, 5, 6)  # type: ignore[arg-type]
        receiver.enable(ACCEPTED, {}, 5)
        receivers.append(receiver)
    source.publication.add(receivers[0])
    demand = Demand()
    for number in range(dice.randrange(50, 250)):
        source.send()
        if dice.random() < 0.1:
            source.publication.add(dice.choice(receivers))
        if dice.random() < 0.1:
            target = dice.choice([*LAYERS, *LAYERS, None, BEST, "?"])
            limit = dice.choice([0, 1, 2, MAX_TEMPORAL])
            source.publication.retarget(dice.choice(receivers), target, limit, source.now)
        if dice.random() < 0.02:
            source.publication.remove(dice.choice(receivers))
        if dice.random() < 0.1:
            first = dice.getrandbits(16)
            for receiver in receivers:
                receiver.resend([(first + n) & 0xFFFF for n in range(100)], source.now)
        if dice.random() < 0.1:
            stream = source.streams[dice.choice(LAYERS)]
            report = rtcp.SenderReport(stream.ssrc, dice.getrandbits(64), dice.getrandbits(32), 0, 0, ())
            stream.on_sender_report(report, source.now)
        if number % 30 == 0:
            source.report(source.now)
            for receiver in receivers:
                receiver.sender_report(source.now)
        demand.layers(source.publication, source.now)
    for transport in transports:
        judge(transport)
