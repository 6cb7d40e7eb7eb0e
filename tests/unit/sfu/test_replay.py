"""Who comes between two keyframes of a camera: all pictures since the last one, once, in order, and to them alone."""

from __future__ import annotations

import itertools
import random
import struct
from typing import Any

import pytest

from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.feed import Feed
from conference.sfu.publication import Publication
from conference.sfu.subscription import Subscription
from conference.sfu.tap_frames import UNASKED_KEYFRAMES, Gap, Open, Packet
from tests.unit.sfu.layered import Transport

FMTP = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"
CODECS = {98: Codec(98, "H264", 90000, 1, FMTP), 99: Codec(99, "rtx", 90000, 1, "apt=98")}
STEP_S = 1 / 25


class Camera:
    """A fed camera: five packets a picture, a keyframe every `gop` pictures, none when asked."""

    def __init__(self, gop: int = 100, *, is_asked: bool = False) -> None:
        self.now = 100.0
        self.publication = Publication("p", "camera", "video", "camera", "", is_open=True)
        self.feed = Feed(lambda _opened, _now: self.publication, Counters(), lambda _track: None)
        parameters = {"profile-level-id": "42e01f", "packetization-mode": "1"}
        if not is_asked:
            parameters[UNASKED_KEYFRAMES] = "1"
        self.feed.take(Open(1, "x", "x", "video", "camera", "h264", 90000, 7, "c", parameters), self.now)
        self.gop = gop
        self.number = 0
        self.sequence = random.Random(3).getrandbits(16)

    def shoot(self, pictures: int = 1) -> None:
        """So many more pictures, with the ticks between them."""
        for _ in range(pictures):
            is_key = self.number % self.gop == 0
            for part in range(5):
                self.sequence = self.sequence + 1 & 0xFFFF
                marker = 0x80 if part == 4 else 0
                head = struct.pack(
                    "!BBHII", 0x80, 96 | marker, self.sequence, self.number * 3600 & 0xFFFFFFFF, 7
                )
                body = bytes((0x65 if is_key and part == 0 else 0x41, part)) + struct.pack("!I", self.number)
                self.feed.take(Packet(1, 0, head + body), self.now)
            self.number += 1
            for _ in range(2):
                self.now += STEP_S / 2
                self.feed.tick(self.now)


class Viewer:
    """A receiver, and what arrived at it."""

    def __init__(self, camera: Camera) -> None:
        self.transport = Transport()
        transport: Any = self.transport
        self.subscription = Subscription(camera.publication, transport, 1111, 2222)
        self.subscription.enable(CODECS, {})
        camera.publication.add(self.subscription)

    @property
    def packets(self) -> list[bytes]:
        return self.transport.sent

    @property
    def pictures(self) -> list[int]:
        """Numbers of the pictures that came whole."""
        found = [int.from_bytes(packet[-4:], "big") for packet in self.packets]
        return [number for number, group in itertools.groupby(found) if len(list(group)) == 5]

    def check(self) -> None:
        """Numbered without a hole or a repetition, time never going back."""
        numbers = [packet[2] << 8 | packet[3] for packet in self.packets]
        assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(numbers))
        times = [int.from_bytes(packet[4:8], "big") for packet in self.packets]
        assert all((b - a) & 0xFFFFFFFF < 1 << 31 for a, b in itertools.pairwise(times))


def test_who_comes_late_catches_up_within_seconds_and_others_notice_nothing() -> None:
    camera = Camera()
    first = Viewer(camera)
    camera.shoot(60)
    late = Viewer(camera)
    before = len(first.packets)
    camera.shoot(25)
    assert late.pictures[:60] == list(range(60))
    camera.shoot(5)
    assert late.pictures == list(range(90))
    assert first.pictures == list(range(90))
    assert len(first.packets) - before == 30 * 5
    camera.shoot(60)
    assert late.pictures == list(range(150))
    for viewer in (first, late):
        viewer.check()
    stamps = [int.from_bytes(packet[4:8], "big") for packet in late.packets[::5]]
    steps = [(b - a) & 0xFFFFFFFF for a, b in itertools.pairwise(stamps)]
    assert set(steps[:50]) == {90}, "close together while it catches up"
    assert steps[-1] == 3600


def test_what_was_lost_on_the_way_is_sent_again_as_it_was() -> None:
    camera = Camera()
    camera.shoot(30)
    late = Viewer(camera)
    camera.shoot(4)
    lost = late.packets[7]
    count = len(late.packets)
    assert late.subscription.resend([lost[2] << 8 | lost[3]], camera.now) == 1
    again = late.packets[count]
    assert again[1] & 0x7F == 99
    assert again[4:8] == lost[4:8]
    assert again[12:14] == lost[2:4]
    assert again[14:] == lost[12:]


def test_a_keyframe_on_the_way_ends_it_at_once() -> None:
    camera = Camera(gop=62)
    camera.shoot(60)
    late = Viewer(camera)
    camera.shoot(10)
    late.check()
    assert late.pictures[-8:] == list(range(62, 70))


def test_who_goes_or_looks_away_meanwhile_is_sent_nothing_more() -> None:
    camera = Camera()
    camera.shoot(80)
    gone, hidden = Viewer(camera), Viewer(camera)
    camera.shoot(1)
    camera.publication.remove(gone.subscription)
    camera.publication.retarget(hidden.subscription, None, 3, camera.now)
    counts = [len(gone.packets), len(hidden.packets)]
    assert all(counts)
    camera.shoot(5)
    assert [len(gone.packets), len(hidden.packets)] == counts
    camera.publication.retarget(hidden.subscription, "*", 3, camera.now)
    camera.shoot(50)
    assert hidden.pictures[-1] == 135
    hidden.check()


@pytest.mark.parametrize("trouble", ["gap", "closed", "long"])
def test_where_pictures_are_missing_the_next_keyframe_is_waited_for(trouble: str) -> None:
    camera = Camera(gop=300 if trouble == "long" else 100)
    camera.shoot(250 if trouble == "long" else 50)
    late = Viewer(camera)
    if trouble != "long":
        camera.shoot(1)
        seen = len(late.packets)
        if trouble == "gap":
            camera.sequence += 3
            camera.feed.take(Gap(1, 3), camera.now)
        else:
            camera.feed.close()
            assert camera.publication.stream is None
            return
        camera.shoot(20)
        assert len(late.packets) == seen
    else:
        camera.shoot(5)
        assert not late.packets, "they are not all there any more"
    camera.shoot(100)
    assert late.pictures[-1] == camera.number - 1
    late.check()


def test_a_source_that_makes_keyframes_when_asked_needs_none_of_it() -> None:
    camera = Camera(is_asked=True)
    camera.shoot(50)
    late = Viewer(camera)
    camera.shoot(20)
    assert not late.packets
