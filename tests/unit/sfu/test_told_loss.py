"""What a speaker is told of losses, so that its encoder protects the voice as far as the worst listener needs it."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc import rtcp, sdp
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.publisher import Publisher
from conference.sfu.told_loss import MOST, told_loss

BLOCK = rtcp.ReportBlock(7, 0, 3, 1000, 5, 0, 0)
SPEAKERS_SSRC, CAMERAS_SSRC = 7, 8


class Transport:
    """Takes what the publisher says, and has no keys."""

    def __init__(self) -> None:
        self.keys: Any = None
        self.said: list[rtcp.Packet] = []
        self.on_rtp: Any = None
        self.on_rtcp: Any = None
        self.on_state: Any = None
        self.state = None

    def send_rtcp(self, compound: bytes) -> None:
        self.said += rtcp.walk(compound)

    def tick(self, now: float) -> None:
        """Nothing depends on time."""


def test_nobody_who_listens_changes_nothing() -> None:
    assert told_loss(BLOCK, []) == BLOCK
    assert told_loss(BLOCK, [0.0, 0.0]) == BLOCK


def test_the_worst_listener_counts_beside_the_own_way() -> None:
    assert told_loss(BLOCK, [0.0, 0.125]).fraction_lost == 32
    own = rtcp.ReportBlock(7, 16, 3, 1000, 5, 0, 0)
    assert told_loss(own, [0.125]).fraction_lost == 46


@given(st.integers(0, 255), st.lists(st.floats(0, 1)))
def test_it_is_never_less_than_the_own_loss_and_no_listener_makes_it_more_than_the_most(
    own: int, onward: list[float]
) -> None:
    block = rtcp.ReportBlock(7, own, 3, 1000, 5, 1, 2)
    told = told_loss(block, onward)
    assert own <= told.fraction_lost <= max(own, MOST)
    assert (told.lost, told.highest_seq, told.jitter) == (block.lost, block.highest_seq, block.jitter)


def test_a_microphone_is_told_of_its_listeners_and_a_camera_is_not() -> None:
    transport = Transport()
    publisher = Publisher(transport, "session", Counters(), lambda *_: None)  # type: ignore[arg-type]
    opus = (sdp.Codec(111, "opus", 48000, 2, "", ()),)
    vp8 = (sdp.Codec(96, "VP8", 90000, 1, "", ()),)
    for mid, kind, source, codecs, ssrc in (
        ("0", "audio", "microphone", opus, SPEAKERS_SSRC),
        ("1", "video", "camera", vp8, CAMERAS_SSRC),
    ):
        publication = Publication(source, "member", kind, source, "", is_open=True)
        media = sdp.AcceptedMedia(mid, kind, codecs, {}, ((ssrc, "clock"),), {}, (), True, "s", "t")
        publisher.set_line(media, publication)
        packet = struct.pack("!BBHII", 0x80, codecs[0].payload_type, 1, 0, ssrc) + bytes(20)
        transport.on_rtp(packet, 1.0)
        publication.subscriptions.append(SimpleNamespace(fraction_lost=0.125))  # type: ignore[arg-type]
        publication.tick = lambda now: None  # type: ignore[method-assign]
    publisher.tick(5.0)
    blocks = [block for one in transport.said if isinstance(one, rtcp.ReceiverReport) for block in one.blocks]
    assert {block.ssrc: block.fraction_lost for block in blocks} == {SPEAKERS_SSRC: 32, CAMERAS_SSRC: 0}
    assert publisher.worst_loss() == 0
