"""Sound that is kept from receivers, in a room of more open microphones than are forwarded."""

from __future__ import annotations

import itertools

from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.stream import IncomingStream
from conference.sfu.subscription import Subscription
from tests.unit.sfu.layered import Transport

OPUS = {111: Codec(111, "opus", 48000, 2)}


class Microphone:
    """Sends a packet each 20 ms."""

    def __init__(self) -> None:
        self.publication = Publication("mic", "member", "audio", "microphone", "", is_open=True)
        self.stream = IncomingStream(
            ssrc=7, is_audio=True, codecs=OPUS, extension_ids={}, record_arrival=None, observe_level=None,
            send_rtcp=lambda _: None, counters=Counters(),
        )  # fmt: skip
        self.publication.set_stream(self.stream)
        self.number = 0

    def subscribe(self) -> Transport:
        transport = Transport()
        subscription = Subscription(self.publication, transport, 5, None)  # type: ignore[arg-type]
        subscription.enable(OPUS, {})
        self.publication.add(subscription)
        return transport

    def speak(self, packets: int = 5) -> None:
        for _ in range(packets):
            self.number += 1
            head = (0x80, 111, self.number >> 8, self.number & 0xFF)
            packet = bytes(head) + (self.number * 960).to_bytes(4, "big") + (7).to_bytes(4, "big") + b"sound"
            self.stream.receive(packet, 100.0 + self.number / 50)


def test_nobody_gets_what_is_not_audible_and_everybody_goes_on_with_the_next_packet() -> None:
    microphone = Microphone()
    early = microphone.subscribe()
    microphone.speak()
    microphone.publication.set_audible(False)
    late = microphone.subscribe()
    microphone.speak()
    assert (len(early.sent), len(late.sent)) == (5, 0)
    microphone.publication.set_audible(True)
    microphone.speak()
    assert (len(early.sent), len(late.sent)) == (10, 5)
    numbers = [int.from_bytes(packet[2:4], "big") for packet in early.sent]
    assert [(b - a) & 0xFFFF for a, b in itertools.pairwise(numbers)] == [1] * 9


def test_a_new_stream_stays_silent_too() -> None:
    microphone = Microphone()
    transport = microphone.subscribe()
    microphone.publication.set_audible(False)
    microphone.publication.set_stream(None)
    microphone.publication.set_stream(microphone.stream)
    microphone.speak()
    assert not transport.sent
