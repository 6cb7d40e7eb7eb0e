"""Transport-wide numbers towards one receiver: on every packet of every kind, without a hole, and remembered."""

from __future__ import annotations

from conference.rtc import rtcp, rtp_header
from conference.rtc.bandwidth import MEDIA, PROBE, RETRANSMISSION
from conference.rtc.sdp import Codec
from conference.rtc.transport_cc import TransportCc, TransportCcRecorder
from conference.sfu.counters import Counters
from conference.sfu.downlink import Downlink
from conference.sfu.publication import Publication
from conference.sfu.stream import IncomingStream
from conference.sfu.subscription import Subscription
from tests.unit.sfu.layered import CODECS, Simulcast, Transport, Viewer

NUMBER_ID, LEVEL_ID = 5, 1
LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO = {**CODECS, 97: Codec(97, "rtx", 90000, 1, "apt=96")}
OPUS = {111: Codec(111, "opus", 48000, 2)}


class Receiver:
    """One transport with a camera of three layers and a microphone on it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.transport = Transport()
        self.downlink = Downlink()
        self.history = self.downlink.estimator.history
        self.source = Simulcast(1)
        self.picture = self.subscribe(self.source.publication, 5, 6, VIDEO)
        voice = Publication("voice", "member", "audio", "microphone", "", is_open=True)
        self.microphone = IncomingStream(
            ssrc=9, is_audio=True, codecs=OPUS, extension_ids={LEVEL_URI: LEVEL_ID}, record_arrival=None,
            observe_level=None, send_rtcp=lambda _: None, counters=Counters(),
        )  # fmt: skip
        voice.set_stream(self.microphone)
        self.voice = self.subscribe(voice, 7, None, OPUS)
        self.downlink.is_numbered = True

    def subscribe(
        self, publication: Publication, ssrc: int, rtx: int | None, codecs: dict[int, Codec]
    ) -> Subscription:
        one = Subscription(publication, self.transport, ssrc, rtx, self.history)  # type: ignore[arg-type]
        one.enable(codecs, {LEVEL_URI: LEVEL_ID}, NUMBER_ID)
        publication.add(one)
        return one

    def forward(self, frames: int) -> None:
        for number in range(frames):
            self.now += 0.02
            for name, encoder in self.source.encoders.items():
                for packet in encoder.encode(int(self.now * 90000), 3):
                    self.source.receive(name, packet, self.now)
            header = bytes((0x90, 111, 0, number & 0xFF, 0, 0, number >> 8, number & 0xFF, 0, 0, 0, 9))
            self.microphone.receive(
                header + bytes((0xBE, 0xDE, 0, 1, LEVEL_ID << 4, 40, 0, 0)) + b"voice", self.now
            )


def number_of(packet: bytes) -> int:
    return int.from_bytes(rtp_header.extensions(packet, rtp_header.parse(packet))[NUMBER_ID], "big")


def kinds(receiver: Receiver) -> list[int]:
    return [mark[2] for mark in receiver.history.marks[: receiver.history.next] if mark is not None]


def test_sound_and_picture_share_one_numbering_and_keep_their_other_extensions() -> None:
    receiver = Receiver()
    receiver.forward(40)
    sent = receiver.transport.sent
    assert [number_of(packet) for packet in sent] == list(range(len(sent)))
    assert [mark[1] for mark in receiver.history.marks[: len(sent)] if mark] == [len(one) for one in sent]
    voices = [one for one in sent if one[1] & 0x7F == 111]
    assert len(voices) == 40
    for one in voices:
        header = rtp_header.parse(one)
        assert rtp_header.extensions(one, header)[LEVEL_ID] == bytes((40,))
        assert one[header.payload_start :] == b"voice"
    Viewer([one for one in sent if one[1] & 0x7F == 96]).judge()


def test_retransmissions_have_numbers_of_their_own() -> None:
    receiver = Receiver()
    receiver.forward(10)
    lost = [one for one in receiver.transport.sent if one[1] & 0x7F == 96][-3]
    count = len(receiver.transport.sent)
    assert receiver.picture.resend([rtp_header.parse(lost).sequence], receiver.now) == 1
    again = receiver.transport.sent[-1]
    assert number_of(again) == count
    original = rtp_header.unwrap_rtx(again, rtp_header.parse(again), 96, 5)
    assert original is not None
    assert original[2:4] == lost[2:4]
    assert (
        original[rtp_header.parse(original).payload_start :] == lost[rtp_header.parse(lost).payload_start :]
    )
    assert kinds(receiver)[-1] == RETRANSMISSION


def test_without_an_agreement_packets_stay_as_they_were() -> None:
    receiver = Receiver()
    plain = Transport()
    other = Subscription(receiver.source.publication, plain, 15, 16)  # type: ignore[arg-type]
    other.enable(VIDEO, {})
    receiver.source.publication.add(other)
    receiver.forward(10)
    assert plain.sent
    assert all(not packet[0] & 0x10 for packet in plain.sent)
    assert not other.may_pad


def test_padding_is_a_retransmission_of_nothing_and_ends_when_enough_is_known() -> None:
    receiver = Receiver()
    receiver.forward(5)
    recorder = TransportCcRecorder()
    told = 0
    receiver.downlink.probe_for(900_000)
    for tick in range(200):
        receiver.forward(1)
        receiver.downlink.pace([receiver.voice, receiver.picture], receiver.now)
        sent = receiver.transport.sent
        for packet in sent[told:]:
            recorder.record(number_of(packet), receiver.now + 0.02)
        told = len(sent)
        if tick % 3 == 2:
            for compound in recorder.build(1, 2):
                for feedback in rtcp.walk(compound):
                    receiver.downlink.take(feedback, receiver.now + 0.02)  # type: ignore[arg-type]
    padding = [one for one in receiver.transport.sent if one[1] & 0x7F == 97]
    assert padding
    assert receiver.downlink.padding_bytes == sum(map(len, padding))
    for one in padding:
        header = rtp_header.parse(one)
        assert header.ssrc == 6
        assert header.payload_start == header.payload_end, "nothing but padding"
    assert [number_of(one) for one in receiver.transport.sent] == list(range(told))
    available = receiver.downlink.available_bps(receiver.now)
    assert available is not None
    assert available >= 900_000
    assert set(kinds(receiver)) <= {MEDIA, PROBE}
    count = len(padding)
    receiver.forward(1)
    receiver.downlink.pace([receiver.picture], receiver.now)
    assert sum(1 for one in receiver.transport.sent if one[1] & 0x7F == 97) == count


def test_a_receiver_that_numbers_nothing_may_tell_a_rate() -> None:
    downlink = Downlink()
    assert downlink.available_bps(1.0) is None
    downlink.take(rtcp.Remb(1, 500_000, (5,)), 0.9)
    downlink.take(rtcp.Remb(1, 400_000, (5,)), 1.0)
    assert downlink.available_bps(2.0) == 400_000
    assert downlink.available_bps(20.0) is None


class Link:
    """A receiver that tells a rate as browsers do: half above what comes at most, and less where a queue grows."""

    def __init__(self, capacity_bps: float) -> None:
        self.capacity_bps = capacity_bps
        self.told_bps = 300_000.0
        self.now = 0.0
        self.sent: list[int] = []  # by the second
        self.downlink = Downlink()

    def play(self, seconds: int, steps: tuple[int, ...]) -> None:
        """What of these rates fits is sent."""
        for _ in range(seconds):
            self.now += 1.0
            limit = self.downlink.available_bps(self.now)
            sent = max((step for step in steps if limit is None or 1.2 * step <= limit), default=steps[0])
            self.sent.append(sent)
            self.downlink.sent_bps = sent
            if sent > self.capacity_bps:
                self.told_bps = 0.85 * self.capacity_bps
            else:
                self.told_bps = max(self.told_bps, min(1.08 * self.told_bps, 1.5 * sent))
            self.downlink.take(rtcp.Remb(1, int(self.told_bps), (5,)), self.now)


def test_a_receiver_that_tells_a_rate_gets_more_than_it_gets() -> None:
    link = Link(5_000_000)
    link.play(1, (150_000,))
    link.play(20, (150_000, 500_000, 1_500_000))
    assert link.sent[-1] == 1_500_000


def test_a_receiver_that_tells_a_rate_is_tried_ever_more_rarely_where_more_does_not_pass() -> None:
    link = Link(400_000)
    link.play(300, (150_000, 500_000, 1_500_000))
    too_much = [second for second, sent in enumerate(link.sent) if sent > link.capacity_bps]
    assert len([second for second in too_much if second < 60]) < 12
    assert len([second for second in too_much if second >= 150]) <= 4
    assert link.sent[too_much[-1] + 1] == 150_000


def test_a_flood_of_feedback_is_not_read() -> None:
    downlink = Downlink()
    history = downlink.estimator.history
    history.add((0.0, 1000, MEDIA))
    nothing = TransportCc(1, 2, 1, 0, 0, (0,) * 8192, ())
    for _ in range(100):
        downlink.take(nothing, 1.0)
    said = TransportCc(1, 2, 0, 0, 1, (1,) + (0,) * 8191, (4,))
    downlink.take(said, 1.0)
    assert downlink.estimator.feedbacks == 0
    downlink.take(said, 1.5)
    assert downlink.estimator.feedbacks == 1
