"""What is read off a room for its inspector: tracks, layers, ways, and in pages of bounded size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conference.media import messages, room_report
from conference.model.media_report import Path
from conference.rtc.dtls import DtlsCertificate
from conference.sfu.adaptation import Report
from conference.sfu.counters import Counters
from conference.sfu.room import Room
from conference.sfu.subscriber import Subscriber
from conference.sfu.surroundings import Surroundings
from conference.sfu.transport import TransportState
from conference.sfu.wishes import Wish
from tests.unit.sfu.layered import CODECS, Simulcast, Transport


@dataclass
class Way:
    """A path, as far as a report looks at it."""

    address: tuple[str, int] = ("192.0.2.7", 5)
    protocol: str = "udp"
    is_shared: bool = False
    batch: Any = None
    name: int = 0


class ConnectedTransport(Transport):
    state = TransportState.CONNECTED
    on_rtcp = on_rtp = on_state = on_path = None

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.path = way


class Nobody:
    """Hears of what is allocated, and does nothing about it."""

    def allocation_changed(self, room_id: str, participant_id: str, report: Report) -> None: ...


class Hall:
    """A room in which everybody has a camera of three layers; nobody is asked whether they may."""

    def __init__(self, people: int = 2) -> None:
        self.now = 1000.0
        around = Surroundings(DtlsCertificate(), None, Counters(), (), Nobody(), 500, 8)  # type: ignore[arg-type]
        self.room = Room("room", around)
        self.cameras: dict[str, Simulcast] = {}
        for number in range(people):
            who = f"p{number}"
            self.room.join(who, sound_open=True)
            camera = self.cameras[who] = Simulcast(number)
            camera.publication.id, camera.publication.participant_id = f"c{number}", who
            self.room.participants[who].publications[camera.publication.id] = camera.publication

    def receive(self, who: str, way: Way) -> Subscriber:
        transport: Any = ConnectedTransport(way)
        subscriber = Subscriber(transport, lambda: None, Counters())  # type: ignore[arg-type, return-value]
        self.room.participants[who].subscriber = subscriber
        for other, camera in self.cameras.items():
            if other != who:
                subscriber.want(camera.publication)
        for subscription in subscriber.subscriptions():
            subscription.enable(CODECS, {})
            subscription.publication.add(subscription)
        return subscriber

    def forward(self, seconds: float) -> None:
        for frame in range(int(seconds * 30)):
            self.now += 1 / 30
            for camera in self.cameras.values():
                for name, encoder in camera.encoders.items():
                    for packet in encoder.encode(int(self.now * 90000), 2):
                        camera.receive(name, packet + bytes(400), self.now)
                camera.publication.tick(self.now)
                for stream in camera.streams.values():
                    stream.tick(self.now, 0.05)
            if frame % 3 == 0:
                for participant in self.room.participants.values():
                    if participant.subscriber is not None:
                        self.room._adaptation.adapt(
                            participant.id, participant.subscriber, participant.wishes, (), self.now
                        )

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        after = ""
        while True:
            page, after = room_report.read_page(self.room, after, self.now)
            found.update((one.participant_id, one) for one in page)
            if not after:
                return found


def test_sender_and_receiver_are_told_with_layers_way_and_reason() -> None:
    hall = Hall()
    hall.receive("p0", Way(("127.0.0.1", 9)))
    hall.room.wish("p0", {"c1": Wish(320, 180)})
    hall.forward(4.0)
    told = hall.read()
    (sent,) = told["p1"].sends
    assert [(one.name, one.width, one.height) for one in sent.layers] == [
        ("q", 320, 180),
        ("h", 640, 360),
        ("f", 1280, 720),
    ]
    assert all(one.fps > 20 and one.bitrate_bps > 100_000 for one in sent.layers)
    assert sent.needed == ("q",)
    assert sent.silent_ms is not None
    assert sent.silent_ms < 100
    (received,) = told["p0"].receives
    assert (received.participant_id, received.layer, received.height, received.shown_height) == (
        "p1",
        "q",
        180,
        180,
    )
    assert (received.best_height, received.reason) == (720, "size")
    assert told["p0"].downlink.path is Path.LOOPBACK
    assert (told["p1"].uplink, told["p1"].downlink) == (None, None)


def test_hidden_pictures_are_only_counted() -> None:
    hall = Hall(4)
    hall.receive("p0", Way())
    hall.room.wish("p0", {"c2": Wish(320, 180)})
    hall.forward(2.0)
    told = hall.read()["p0"]
    assert [one.publication_id for one in told.receives] == ["c2"]
    assert told.hidden == 2


def test_who_is_offered_nothing_has_no_connection_to_judge() -> None:
    hall = Hall(1)
    hall.receive("p0", Way())
    assert hall.read()["p0"].downlink is None


def test_ways_have_names() -> None:
    hall = Hall(5)
    ways = {
        "p0": Way(),
        "p1": Way(protocol="tcp"),
        "p2": Way(protocol="tcp", is_shared=True),
        "p3": Way(("::1", 9)),
    }
    for who, way in ways.items():
        hall.receive(who, way)
    told = hall.read()
    assert [told[who].downlink.path for who in ways] == [
        Path.UDP,
        Path.TCP,
        Path.HTTPS_PORT,
        Path.LOOPBACK,
    ]


def test_a_large_room_is_told_in_pages_that_are_messages() -> None:
    hall = Hall(40)
    for who in hall.room.participants:
        hall.receive(who, Way())
    pages = []
    after = ""
    while True:
        page, after = room_report.read_page(hall.room, after, hall.now)
        pages.append(page)
        if not after:
            break
    assert len(pages) > 2
    assert [one.participant_id for page in pages for one in page] == [f"p{n}" for n in range(40)]
    reply = messages.Envelope(7, messages.RoomReport(pages[0], "p11"))
    assert messages.Decoder().feed(messages.encode(reply)) == [reply]
    assert room_report.read_page(hall.room, "who left", hall.now)[0][0].participant_id == "p0"
