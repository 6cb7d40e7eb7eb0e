"""What a receiver is sent of real simulcast, as it shows more or less and as its link becomes narrow or wide."""

from __future__ import annotations

import random
from collections.abc import Iterable

from conference.sfu.adaptation import Adaptation, Report
from conference.sfu.allocator import Reason
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.subscription import Subscription
from conference.sfu.tap import Tap
from conference.sfu.wishes import Wish
from tests.unit.sfu.layered import Simulcast, Transport, Viewer
from tests.unit.sfu.test_layer_needs import Sink

SMALL, MIDDLE, LARGE = Wish(160, 90), Wish(640, 360), Wish(1280, 720)
PACKETS = {"q": 1, "h": 3, "f": 9}  # of each frame


class Receiver:
    """Shows the cameras of others; its link carries what the test says."""

    is_fixed = False

    def __init__(self) -> None:
        self.slots: list[Subscription] = []
        self.transports: list[Transport] = []
        self.available: int | None = None
        self.probed = 0

    def take(self, source: Simulcast) -> None:
        transport = Transport()
        self.transports.append(transport)
        self.slots.append(source.subscribe(transport))

    def subscriptions(self) -> Iterable[Subscription]:
        return self.slots

    def available_bps(self, now: float) -> int | None:
        return self.available

    def probe_for(self, bps: int) -> None:
        self.probed = bps


class Stage:
    """Cameras of 30 frames a second, receivers, and the room's clock."""

    def __init__(self, cameras: int = 1, receivers: int = 1) -> None:
        self.now = 1000.0
        self.dice = random.Random(5)
        self.reports: dict[str, list[Report]] = {}
        self.adaptation = Adaptation(lambda who, report: self.reports.setdefault(who, []).append(report))
        self.cameras = [Simulcast(number) for number in range(cameras)]
        for number, camera in enumerate(self.cameras):
            camera.publication.id = f"c{number}"
            camera.publication.participant_id = f"p{number}"
        self.receivers = [Receiver() for _ in range(receivers)]
        self.wishes: list[dict[str, Wish] | None] = [None] * receivers
        self.floor: set[str] = set()
        self.unsent: dict[str, set[str]] = {camera.publication.id: set() for camera in self.cameras}
        for receiver in self.receivers:
            for camera in self.cameras:
                receiver.take(camera)

    def forward(self, seconds: float) -> None:
        for frame in range(int(seconds * 30)):
            self.now += 1 / 30
            for camera in self.cameras:
                for name, encoder in camera.encoders.items():
                    if name in self.unsent[camera.publication.id]:
                        encoder.wants_key = True  # one that is switched on again begins with a keyframe
                        continue
                    for packet in encoder.encode(int(self.now * 90000), PACKETS[name]):
                        camera.receive(name, packet + bytes(600), self.now)
                camera.publication.tick(self.now)
                for stream in camera.streams.values():
                    stream.tick(self.now, 0.05)
            if frame % 3 == 0:
                for number, receiver in enumerate(self.receivers):
                    self.adaptation.adapt(f"r{number}", receiver, self.wishes[number], self.floor, self.now)

    def obey(self) -> None:
        """The publishers send from now on what they are told to."""
        for camera in self.cameras:
            camera.publication.on_layers = self._told

    def _told(self, publication: Publication, layers: tuple[str, ...]) -> None:
        self.unsent[publication.id] = set(publication.order) - set(layers)

    def layers(self, receiver: int = 0) -> list[str | None]:
        return [one.layer for one in self.receivers[receiver].slots]

    def said(self, receiver: int = 0) -> list[Reason]:
        given = self.reports[f"r{receiver}"][-1].given
        return [given[camera.publication.id].reason for camera in self.cameras]


def test_each_tile_gets_the_layer_of_its_size_and_what_is_not_shown_nothing() -> None:
    stage = Stage(cameras=3)
    stage.forward(2.0)
    assert stage.layers() == ["f", "f", "f"], "before the first wish"
    stage.wishes[0] = {"c0": LARGE, "c1": SMALL}
    stage.forward(1.0)
    assert stage.layers() == ["f", "q", None]
    assert stage.said() == [Reason.SIZE, Reason.SIZE, Reason.HIDDEN]
    stage.wishes[0] = {"c1": LARGE, "c2": MIDDLE}
    stage.forward(1.0)
    assert stage.layers() == [None, "f", "h"]
    assert stage.receivers[0].probed == 0
    told = len(stage.reports["r0"])
    stage.forward(2.0)
    assert len(stage.reports["r0"]) == told, "nothing changed"
    stage.wishes[0] = {"c1": LARGE, "c2": MIDDLE}
    stage.forward(0.2)
    assert len(stage.reports["r0"]) == told + 1, "each wish is answered"
    for transport in stage.receivers[0].transports:
        Viewer(transport.sent).judge(dense=False)


def test_a_narrow_link_lowers_what_its_receiver_gets_and_nobody_elses() -> None:
    stage = Stage(cameras=2, receivers=2)
    stage.wishes = [{"c0": LARGE, "c1": SMALL}, {"c0": LARGE, "c1": SMALL}]
    stage.forward(10.0)
    wide = Viewer(stage.receivers[1].transports[0].sent)
    stage.receivers[0].available = 700_000
    stage.forward(10.0)
    assert stage.layers(0) == ["h", "q"]
    assert stage.said(0) == [Reason.BANDWIDTH, Reason.SIZE]
    assert stage.layers(1) == ["f", "q"]
    assert stage.said(1) == [Reason.SIZE, Reason.SIZE]
    assert len(Viewer(stage.receivers[1].transports[0].sent).frames()) > len(wide.frames()) + 290
    assert stage.receivers[0].probed > 1_200_000
    assert not stage.reports["r0"][-1].sound_only
    stage.receivers[0].available = 30_000
    stage.forward(1.0)
    assert stage.layers(0) == [None, None]
    assert stage.reports["r0"][-1].sound_only
    stage.receivers[0].available = 5_000_000
    stage.forward(4.0)
    assert stage.layers(0) == ["f", "q"]
    assert stage.said(0) == [Reason.SIZE, Reason.SIZE]


def test_when_a_link_collapses_the_large_layer_is_not_sent_on_until_the_small_one_begins() -> None:
    stage = Stage()
    stage.wishes[0] = {"c0": LARGE}
    stage.forward(10.0)

    def sent_without_keyframes(frames: int) -> int:
        transport = stage.receivers[0].transports[0]
        before = len(transport.sent)
        for _ in range(frames):
            stage.forward(0.034)
            for encoder in stage.cameras[0].encoders.values():
                encoder.wants_key = False
        return len(transport.sent) - before

    stage.receivers[0].available = 1_300_000
    assert sent_without_keyframes(30) > 100, "a little too much: on with it, though at fewer frames"
    stage.receivers[0].available = 300_000
    assert sent_without_keyframes(1) <= PACKETS["f"]
    assert sent_without_keyframes(30) == 0
    stage.forward(1.0)
    assert stage.layers() == ["h"]


def test_a_thin_receiver_gets_the_small_layer_though_nothing_but_the_large_one_was_sent() -> None:
    """The recording takes the large layer alone, and to be paused is no reason for small ones never to come."""
    stage = Stage()
    stage.obey()
    sink = Sink()
    tap = Tap(sink, Counters(), program_time_ms=0, at_s=0.0, now=stage.now)
    publication = stage.cameras[0].publication
    publication.add_tap(tap.open(publication), stage.now)
    stage.wishes[0] = {}
    stage.forward(12.0)
    assert stage.unsent["c0"] == {"q", "h"}
    stage.receivers[0].available = 250_000
    stage.wishes[0] = {"c0": MIDDLE}
    stage.forward(5.0)
    assert stage.layers() == ["q"]
    stage.receivers[0].available = 3_000_000
    stage.forward(6.0)
    assert stage.layers() == ["h"]
    stage.wishes[0] = {}
    stage.forward(7.0)
    assert stage.unsent["c0"] == {"q", "h"}


def test_who_holds_the_floor_is_seen_before_others() -> None:
    stage = Stage(cameras=3)
    stage.wishes[0] = {"c0": MIDDLE, "c1": MIDDLE, "c2": SMALL}
    stage.floor = {"p2"}
    stage.forward(3.0)
    stage.receivers[0].available = 200_000
    stage.forward(10.0)
    assert stage.layers() == [None, None, "q"]


def test_a_receiver_of_a_players_offer_is_never_paused() -> None:
    stage = Stage()
    stage.receivers[0].is_fixed = True
    stage.receivers[0].available = 20_000
    stage.forward(12.0)
    assert stage.layers() == ["q"]
    assert not stage.reports, "it has nobody to tell"


def test_a_player_in_a_small_frame_is_sent_the_small_picture_and_never_paused() -> None:
    stage = Stage()
    stage.receivers[0].is_fixed = True
    stage.forward(5)
    assert stage.receivers[0].slots[0].layer == "f"
    stage.wishes[0] = {"c0": SMALL}
    stage.forward(5)
    assert stage.receivers[0].slots[0].layer == "q"
    stage.wishes[0] = {}
    stage.forward(5)
    assert stage.receivers[0].slots[0].layer == "f"


def test_a_publication_that_nobody_sends_yet_is_waited_for() -> None:
    stage = Stage(cameras=0)
    stage.receivers[0].slots.append(
        Subscription(Publication("c9", "p9", "video", "camera", "", is_open=True), Transport(), 5, None)  # type: ignore[arg-type]
    )
    stage.wishes[0] = {"c9": LARGE}
    stage.receivers[0].available = 300_000
    stage.forward(1.0)
    assert stage.layers() == [None]


class Screen:
    """A page that stands still, of one encoding: little to send but keyframes, which are large."""

    def __init__(self, available_bps: int) -> None:
        self.source = Simulcast(1, ("",))
        self.source.publication.source = "screen"
        self.receiver = Receiver()
        self.receiver.take(self.source)
        self.receiver.available = available_bps
        self.adaptation = Adaptation(lambda _who, _report: None)
        self.wishes = {self.source.publication.id: LARGE}
        self.now = 1000.0
        self.keyframes: list[float] = []

    def show(self, seconds: float) -> None:
        encoder = self.source.encoders[""]
        for _ in range(int(seconds * 10)):
            self.now += 0.1
            is_key = encoder.wants_key
            if is_key:
                self.keyframes.append(self.now)
            for packet in encoder.encode(int(self.now * 90000), 200 if is_key else 1):
                self.source.receive("", packet + bytes(1000 if is_key else 100), self.now)
            self.source.publication.tick(self.now)
            for stream in self.source.streams.values():
                stream.tick(self.now, 0.05)
            self.adaptation.adapt("r", self.receiver, self.wishes, set(), self.now)


def test_a_screen_whose_keyframes_do_not_fit_is_tried_more_rarely_each_time_and_at_once_on_a_wider_link() -> (
    None
):
    screen = Screen(60_000)
    screen.show(120)
    assert len(screen.keyframes) <= 7
    screen.show(screen.keyframes[-1] + 25 - screen.now)
    rest = screen.keyframes[-1]
    screen.receiver.available = 2_000_000
    screen.show(3)
    assert screen.keyframes[-1] > rest
    assert screen.receiver.slots[0].layer == ""
