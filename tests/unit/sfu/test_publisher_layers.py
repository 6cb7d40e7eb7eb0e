"""How a publisher's packets find their layer: by RID while it is told, by SSRC for good, repairs by repaired RID."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

from conference.rtc import rtcp, sdp
from conference.rtc.transport_cc import TransportCc
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.publisher import Publisher

MID, RID, REPAIRED, TRANSPORT_CC = 1, 2, 3, 4
EXTENSIONS = {
    sdp.MID_URI: MID,
    sdp.RID_URI: RID,
    sdp.REPAIRED_RID_URI: REPAIRED,
    sdp.TRANSPORT_CC_URI: TRANSPORT_CC,
}
CODECS = (
    sdp.Codec(96, "VP8", 90000, 1, "", ("transport-cc",)),
    sdp.Codec(97, "rtx", 90000, 1, "apt=96"),
)
FIRST = b"\x90\x80\x80\x01\x10\x00\x00\x9d\x01\x2a\x40\x01\xb4\x00"


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


class Stage:
    def __init__(self, rids: tuple[str, ...] = ("q", "h", "f")) -> None:
        self.transport = Transport()
        self.counters = Counters()
        self.publisher = Publisher(self.transport, "session", self.counters, lambda *_: None)  # type: ignore[arg-type]
        self.publication = Publication("camera", "member", "video", "camera", "", is_open=True)
        self.describe(rids)
        self.number = 0

    def describe(
        self,
        rids: tuple[str, ...],
        ssrcs: tuple[int, ...] = (),
        repairs: dict[int, int] | None = None,
        codecs: tuple[sdp.Codec, ...] = CODECS,
    ) -> None:
        declared = tuple((ssrc, "clock") for ssrc in ssrcs)
        media = sdp.AcceptedMedia(
            "0", "video", codecs, EXTENSIONS, declared, repairs or {}, rids, True, "s", "t"
        )
        self.publisher.set_line(media, self.publication)

    def send(
        self,
        ssrc: int,
        now: float = 1.0,
        *,
        rid: bytes = b"",
        repaired: bytes = b"",
        payload: bytes = FIRST,
        sequence: int = -1,
    ) -> None:
        """With MID as long as there is a RID; each with a transport-wide number."""
        self.number += 1
        body = bytes((TRANSPORT_CC << 4 | 1,)) + self.number.to_bytes(2, "big")
        for number, value in ((MID, b"0" if rid or repaired else b""), (RID, rid), (REPAIRED, repaired)):
            if value:
                body += bytes((number << 4 | len(value) - 1,)) + value
        body += bytes(-len(body) % 4)
        kind = 97 if repaired or payload[:2] == b"\x00\x00" else 96
        own = self.number if sequence < 0 else sequence
        head = struct.pack("!BBHII", 0x90, kind, own, 3000 * self.number, ssrc)
        packet = head + struct.pack("!HH", 0xBEDE, len(body) // 4) + body + payload
        self.transport.on_rtp(packet, now)

    def layers(self) -> dict[str, int]:
        return {name: stream.ssrc for name, stream in self.publication.streams.items()}


def test_layers_are_bound_by_rid_and_stay_bound_without() -> None:
    stage = Stage()
    for ssrc, rid in ((11, b"q"), (12, b"h"), (13, b"f")):
        stage.send(ssrc, rid=rid)
    assert stage.layers() == {"q": 11, "h": 12, "f": 13}
    assert stage.publication.active == ("q", "h", "f")
    before = stage.publication.streams["h"].forwarded
    stage.send(12)
    assert stage.publication.streams["h"].forwarded == before + 1
    assert not stage.counters.drops


def test_an_ssrc_without_rid_and_a_rid_that_was_not_taken_belong_to_nothing() -> None:
    stage = Stage(("h", "f"))
    stage.send(21)
    stage.send(22, rid=b"q")
    assert stage.layers() == {}
    assert stage.counters.drops == {"unknown_layer": 2}


def test_repairs_find_their_layer_and_padding_before_it_is_acknowledged() -> None:
    stage = Stage()
    stage.send(33, repaired=b"f", payload=b"")
    stage.send(13, rid=b"f", sequence=100)
    stage.send(12, rid=b"h", sequence=100)
    stage.send(33, payload=struct.pack("!H", 101) + FIRST[:1] + b"\x00\x11", repaired=b"f")
    assert stage.publication.streams["f"].cache.find(101) is not None
    assert stage.publication.streams["h"].cache.find(101) is None
    stage.publisher.tick(1.1)
    told = [one for one in stage.transport.said if isinstance(one, TransportCc)]
    came = [number for one in told for number, at in one.arrivals() if at is not None]
    assert came == [1, 2, 3, 4]
    assert stage.counters.drops == {"rtx_early": 1}


def test_a_layer_that_begins_anew_takes_the_place_of_the_old_one() -> None:
    stage = Stage()
    stage.send(11, rid=b"q")
    stage.send(14, 1.1, rid=b"q")
    assert stage.layers() == {"q": 11}, "not that fast"
    stage.send(14, 1.6, rid=b"q")
    stage.send(13, 1.6, rid=b"f")
    assert stage.layers() == {"q": 14, "f": 13}
    assert stage.counters.drops == {"ssrc_changes_too_fast": 1}


def test_each_layer_is_reported_on() -> None:
    stage = Stage()
    for ssrc, rid in ((11, b"q"), (12, b"h"), (13, b"f")):
        stage.send(ssrc, rid=rid)
    stage.publisher.tick(2.0)
    reports = [one for one in stage.transport.said if isinstance(one, rtcp.ReceiverReport)]
    assert [block.ssrc for one in reports for block in one.blocks] == [11, 12, 13]


def test_other_layers_in_a_new_description_end_the_old_ones() -> None:
    stage = Stage()
    stage.send(11, rid=b"q")
    stage.send(13, rid=b"f")
    stage.describe(("h", "f"))
    assert stage.layers() == {}
    assert stage.publication.order == ("h", "f")
    stage.send(15, 3.0, rid=b"h")
    assert stage.layers() == {"h": 15}
    stage.publisher.drop_line("0")
    assert stage.layers() == {}


def test_what_was_told_once_holds_for_another_description() -> None:
    """Browsers tell a RID no more, whatever is negotiated afterwards."""
    stage = Stage()
    stage.send(11, rid=b"q")
    stage.send(13, rid=b"f")
    stage.describe(("q", "h", "f"), codecs=(sdp.Codec(96, "VP8", 90000),))
    assert stage.layers() == {}
    stage.send(11, 3.0)
    stage.send(13, 3.0)
    assert stage.layers() == {"q": 11, "f": 13}


def test_declared_ssrcs_are_layers_in_their_order() -> None:
    stage = Stage()
    stage.describe(("q", "h", "f"), (11, 21, 12, 22, 13, 23), {11: 21, 12: 22, 13: 23})
    for ssrc in (13, 11, 12):
        stage.send(ssrc)
    assert stage.layers() == {"q": 11, "h": 12, "f": 13}
    stage.send(22, payload=struct.pack("!H", 0) + FIRST[:1] + b"\x00\x11")
    assert stage.publication.streams["h"].cache.find(0) is not None


def test_sources_that_belong_to_nothing_are_forgotten_again_but_not_those_that_were_bound_since() -> None:
    stage = Stage()
    forgotten: list[int] = []
    stage.transport.keys = SimpleNamespace(forget_inbound=forgotten.append)
    stage.send(11)
    stage.send(11, rid=b"q")
    for ssrc in range(1000, 1500):
        stage.send(ssrc)
    assert forgotten == list(range(1000, 1468))
    assert stage.layers() == {"q": 11}
