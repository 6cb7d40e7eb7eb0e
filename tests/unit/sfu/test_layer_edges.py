"""Where numbers could be given twice, or lost: late keyframes, strays, numberings that begin anew, long mutes."""

from __future__ import annotations

import random
import socket
import struct
from itertools import pairwise
from types import SimpleNamespace

import pylibsrtp
import pytest

from conference.net.batch import SendBatch
from conference.rtc import rtp_header, srtp
from conference.rtc.bandwidth import SendHistory
from conference.rtc.layer_selector import BEST, MAX_TEMPORAL
from conference.rtc.sdp import VIDEO_ORIENTATION_URI, Codec
from conference.sfu import router
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.stream import IncomingStream
from conference.sfu.subscription import Subscription, SubscriptionState
from tests.unit.sfu.layered import CODECS, Simulcast, Transport, Viewer

NOW = 1000.0


class Meeting:
    """One layer with two receivers, of whom the second comes later."""

    def __init__(self, seed: int) -> None:
        self.source = Simulcast(seed, ("f",))
        self.dice = random.Random(seed)
        self.first, self.second = Transport(), Transport()
        self.one = self.source.subscribe(self.first)
        self.two: Subscription | None = None
        self.now = NOW

    def send(self, packets: list[bytes]) -> None:
        for packet in packets:
            self.source.receive("f", packet, self.now)

    def encode(self) -> list[bytes]:
        self.now += 1 / 30
        return self.source.encoders["f"].encode(int(self.now * 90000), self.dice.choice((1, 2, 3)))

    def play(self, frames: int) -> None:
        for _ in range(frames):
            self.send(self.encode())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("limit", [0, MAX_TEMPORAL])
def test_a_keyframe_that_comes_late_starts_one_receiver_and_disturbs_no_other(seed: int, limit: int) -> None:
    meeting = Meeting(seed)
    meeting.play(1)
    meeting.source.publication.retarget(meeting.one, BEST, limit, NOW)
    meeting.play(20)
    two = meeting.source.subscribe(meeting.second)
    meeting.source.publication.retarget(two, BEST, limit, NOW)
    meeting.source.encoders["f"].wants_key = True
    key = meeting.encode()
    meeting.send(key[1:])
    between = [meeting.encode() for _ in range(meeting.dice.randrange(6))]
    for packets in between:
        meeting.send(packets)
    meeting.send(key[:1])
    meeting.play(20)
    for subscription, transport in ((meeting.one, meeting.first), (two, meeting.second)):
        assert subscription.state is SubscriptionState.ACTIVE
        for _ in range(3):
            subscription.resend(Viewer(transport.sent).missing(), meeting.now + 1)
        frames = Viewer(transport.sent).judge()
        assert frames[-1][0].frame >= meeting.source.encoders["f"].frame - 4


OPUS = {111: Codec(111, "opus", 48000, 2)}


def numbers(packets: list[bytes]) -> list[int]:
    return [rtp_header.parse(packet).sequence for packet in packets]


def steps(packets: list[bytes]) -> set[int]:
    found = numbers(packets)
    return {(b - a) & 0xFFFF for a, b in pairwise(found)}


def microphone(transport: Transport) -> tuple[Publication, IncomingStream]:
    publication = Publication("voice", "member", "audio", "microphone", "", is_open=True)
    stream = IncomingStream(
        ssrc=9, is_audio=True, codecs=OPUS, extension_ids={}, record_arrival=None,
        observe_level=None, send_rtcp=lambda _: None, counters=Counters(),
    )  # fmt: skip
    publication.set_stream(stream)
    subscription = Subscription(publication, transport, 7, None)  # type: ignore[arg-type]
    subscription.enable(OPUS, {})
    publication.add(subscription)
    return publication, stream


def voice(number: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, number & 0xFFFF, number * 960 & 0xFFFFFFFF, 9) + b"voice"


@pytest.mark.parametrize("muted", [100, 33_000, 40_000, 65_000, 66_000])
def test_a_voice_goes_on_by_one_after_a_mute_of_any_length(muted: int) -> None:
    transport = Transport()
    publication, stream = microphone(transport)
    for number in range(50):
        stream.receive(voice(number), NOW + number / 50)
    publication.set_open(False)
    for number in range(50, muted):
        stream.receive(voice(number), NOW + number / 50)
    publication.set_open(True)
    for number in range(muted, muted + 50):
        stream.receive(voice(number), NOW + number / 50)
    assert steps(transport.sent) == {1}
    assert len(transport.sent) == 100


@pytest.mark.parametrize("back", [1100, 1500, 2047, 20_000, 32_000])
@pytest.mark.parametrize("order", [("",), ("f",)])
def test_a_sender_that_counts_anew_loses_two_packets_and_no_more(back: int, order: tuple[str, ...]) -> None:
    source, transport = Simulcast(3, order), Transport()
    source.subscribe(transport)
    encoder = source.encoders[order[0]]
    now = NOW
    for _ in range(3000):
        now += 1 / 30
        for packet in encoder.encode(int(now * 90000), 1):
            source.receive(order[0], packet, now)
    sent = len(transport.sent)
    encoder.sequence = (encoder.sequence - back) & 0xFFFF
    for number in range(3000):
        now += 1 / 30
        encoder.wants_key |= number == 2
        for packet in encoder.encode(int(now * 90000), 1):
            source.receive(order[0], packet, now)
    assert steps(transport.sent) == {1}
    assert len(transport.sent) >= sent + 2998


@pytest.mark.parametrize("order", [("",), ("f",)])
def test_a_stray_keyframe_of_another_numbering_starts_nobody(order: tuple[str, ...]) -> None:
    source, transport = Simulcast(4, order), Transport()
    encoder = source.encoders[order[0]]
    now = NOW
    for _ in range(20):
        now += 1 / 30
        for packet in encoder.encode(int(now * 90000), 1):
            source.receive(order[0], packet, now)
    subscription = source.subscribe(transport)
    encoder.wants_key = True
    stray = bytearray(encoder.encode(int(now * 90000), 1)[0])
    encoder.sequence = (encoder.sequence - 1) & 0xFFFF
    stray[2:4] = ((encoder.sequence - 20_000) & 0xFFFF).to_bytes(2, "big")
    source.receive(order[0], bytes(stray), now)
    assert subscription.layer is None
    for number in range(20):
        now += 1 / 30
        encoder.wants_key |= number == 3
        for packet in encoder.encode(int(now * 90000), 1):
            source.receive(order[0], packet, now)
    assert subscription.state is SubscriptionState.ACTIVE
    assert steps(transport.sent) == {1}


@pytest.mark.parametrize("size", [1400, 1888, 2032])
def test_no_packet_grows_beyond_its_slot(size: int) -> None:
    """A slot is as large as the largest datagram that comes in; receivers are sent more than came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        batch = SendBatch(sock)
        policy = pylibsrtp.Policy(
            key=bytes(44), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
        )  # fmt: skip
        session = pylibsrtp.Session(policy)
        source = Simulcast(5, ("",), picture_bits=7)
        encoder = source.encoders[""]
        stream = source.bind("")
        stream.receive(encoder.encode(0, 1)[0], NOW)
        group = router.Group(router.Shape(96, transport_cc_id=5), batch, stream.lane(MAX_TEMPORAL))
        member = SimpleNamespace(
            sequence_offset=0, timestamp_offset=0, ssrc=5, name=0, protect_errors=0, picture_offset=0, tl0_offset=0,
            handle=session._srtp[0], history=SendHistory(),
        )  # fmt: skip
        group.members.append(member)  # type: ignore[arg-type]
        stream.groups = [group]
        packet = encoder.encode(3000, 1)[0]
        stream.receive(packet + bytes(size - len(packet)), NOW)
        assert batch.lengths[1] <= srtp.MAX_PACKET
        assert batch.count == (1 if size == 1400 else 0)


def test_pictures_of_a_phone_that_is_held_upright_are_as_high_as_they_are_shown() -> None:
    source = Simulcast(6, ("f",))
    encoder = source.encoders["f"]
    stream = IncomingStream(
        ssrc=encoder.ssrc, is_audio=False, codecs=CODECS, extension_ids={VIDEO_ORIENTATION_URI: 4}, record_arrival=None,
        observe_level=None, send_rtcp=lambda _: None, counters=Counters(), layer="f",
    )  # fmt: skip
    source.publication.set_layer("f", stream)
    source.publication.add(Subscription(source.publication, Transport(), 5, None))  # type: ignore[arg-type]
    for number, (orientation, size) in enumerate(((None, (1280, 720)), (1, (720, 1280)), (0, (1280, 720)))):
        packet = encoder.encode(3000 * number, 1)[0]
        if orientation is not None:
            packet = b"\x90" + packet[1:12] + bytes((0xBE, 0xDE, 0, 1, 0x40, orientation, 0, 0)) + packet[12:]
        stream.receive(packet, NOW)
        stream.tick(NOW + number, 0.1)
        one = source.publication.layers(NOW)[0]
        assert (one.width, one.height) == size
