"""What a publication asks of its publisher, says of its layers, and hands to taps while they come and go."""

from __future__ import annotations

import struct

from conference.rtc.layer_selector import MAX_TEMPORAL
from conference.rtc.rtp_header import parse
from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.stream import IncomingStream
from conference.sfu.tap import Tap
from conference.sfu.tap_frames import Decoder, Frame, Open, Packet
from tests.unit.sfu.layered import ORDER, SIZES, Simulcast, Transport, Viewer


class Sink:
    """Takes everything at once."""

    limit = 1 << 30
    pending = 0

    def __init__(self) -> None:
        self._decoder = Decoder()
        self.frames: list[Frame] = []

    def write(self, data: bytes) -> None:
        self.frames += self._decoder.feed(data)

    def close(self) -> None:
        """Nothing waits."""


class Stage:
    """A simulcast publisher whose layers can be silenced, and the time."""

    def __init__(self, order: tuple[str, ...] = ORDER) -> None:
        self.source = Simulcast(1, order)
        self.publication = self.source.publication
        self.silent: set[str] = set()
        self.now = 1000.0
        self.told: list[tuple[str, ...]] = []
        self.publication.on_layers = lambda _publication, layers: self.told.append(layers)

    def go(self, seconds: float) -> None:
        for _ in range(round(seconds * 30)):
            self.now += 1 / 30
            for name, encoder in self.source.encoders.items():
                if name in self.silent:
                    encoder.wants_key = True  # an encoder that is switched on again begins with one
                    continue
                for packet in encoder.encode(int(self.now * 90000), 2):
                    self.source.receive(name, packet, self.now)
            for stream in self.source.streams.values():
                stream.tick(self.now, 0.05)
            self.publication.tick(self.now)

    def tap(self) -> tuple[Tap, Sink]:
        sink = Sink()
        tap = Tap(sink, Counters(), program_time_ms=0, at_s=0.0, now=self.now)
        self.publication.add_tap(tap.open(self.publication), self.now)
        return tap, sink


def layers_of(sink: Sink, stage: Stage) -> list[str]:
    """The layers whose packets a tap was handed, one after the other, without repetitions."""
    by_ssrc = {encoder.ssrc: name for name, encoder in stage.source.encoders.items()}
    names: list[str] = []
    for frame in sink.frames:
        if isinstance(frame, Packet):
            name = by_ssrc[parse(frame.packet).ssrc]
            if not names or names[-1] != name:
                names.append(name)
    return names


def test_layers_are_measured() -> None:
    stage = Stage()
    stage.go(3.0)
    layers = stage.publication.layers(stage.now)
    assert [(one.name, (one.width, one.height)) for one in layers] == list(SIZES.items())
    assert all(28 <= one.fps <= 32 for one in layers)
    assert all(one.bitrate_bps > 5000 for one in layers)
    stage.silent = {"f"}
    stage.go(1.0)
    assert [one.name for one in stage.publication.layers(stage.now)] == ["q", "h"]


def test_a_receiver_falls_to_what_is_there_and_comes_back() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.go(2.0)
    assert subscription.layer == "f"
    stage.silent = {"f"}
    stage.go(2.0)
    assert subscription.layer == "h"
    stage.silent = {"h", "f"}
    stage.go(2.0)
    assert subscription.layer == "q"
    stage.silent = set()
    stage.go(2.0)
    assert subscription.layer == "f"
    Viewer(transport.sent).judge()


def test_a_publisher_that_falls_silent_altogether_keeps_its_layers() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.go(2.0)
    stage.silent = set(ORDER)
    stage.go(5.0)
    assert stage.publication.layers(stage.now) == ()
    assert subscription.layer == "f"
    assert stage.publication.active == ORDER


def test_what_nobody_needs_is_given_up_after_a_while_and_asked_for_at_once() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.go(8.0)
    assert stage.publication.needed_layers() == set(ORDER)
    assert stage.told == [], "all are needed, and sent anyhow"
    stage.publication.retarget(subscription, "h", MAX_TEMPORAL, stage.now)
    stage.go(4.5)
    assert stage.told == []
    stage.go(1.0)
    assert stage.told == [("q", "h")]
    stage.publication.retarget(subscription, None, MAX_TEMPORAL, stage.now)
    stage.go(6.0)
    assert stage.told[1:] == [()]
    stage.publication.retarget(subscription, "f", MAX_TEMPORAL, stage.now)
    stage.go(0.1)
    assert stage.told[2:] == [ORDER]


def test_what_is_wanted_again_soon_was_never_given_up() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    for layer in ("q", "f", "q", "f"):
        stage.publication.retarget(subscription, layer, MAX_TEMPORAL, stage.now)
        stage.go(3.0)
    assert stage.told == []


def test_a_new_connection_sends_all_until_it_is_told() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.publication.retarget(subscription, "q", MAX_TEMPORAL, stage.now)
    stage.go(6.0)
    stage.publication.set_order(ORDER)
    stage.go(6.0)
    assert stage.told == [("q",), ("q",)]


def test_a_tap_takes_the_best_layer_and_moves_at_keyframes() -> None:
    stage = Stage()
    stage.silent = {"h", "f"}
    stage.go(1.0)
    tap, sink = stage.tap()
    stage.go(1.0)
    stage.silent = set()
    stage.go(3.0)
    assert layers_of(sink, stage) == ["q", "h", "f"] or layers_of(sink, stage) == ["q", "f"]
    for before, after in zip(sink.frames, sink.frames[1:], strict=False):
        if isinstance(before, Open):
            assert isinstance(after, Packet)
            assert parse(after.packet).ssrc == before.ssrc
    stage.silent = {"f"}
    stage.go(2.0)
    assert layers_of(sink, stage)[-1] == "h"
    tap.close()


def test_a_tap_that_needs_small_pictures_gets_the_layer_that_fits() -> None:
    stage = Stage()
    stage.go(2.0)
    tap, sink = stage.tap()
    stage.go(1.0)
    tap.want_height(1, 200, stage.now)
    stage.go(1.0)
    assert layers_of(sink, stage) == ["f", "h"]
    assert stage.publication.needed_layers() == {"h"}
    tap.want_height(1, 1080, stage.now)
    stage.go(1.0)
    assert layers_of(sink, stage) == ["f", "h", "f"]
    tap.want_height(1, 100, stage.now)
    stage.go(1.0)
    tap.want_height(1, None, stage.now)
    stage.go(1.0)
    assert layers_of(sink, stage)[3:] == ["q", "f"]
    stage.publication.drop_tap(tap)
    count = len(sink.frames)
    stage.go(1.0)
    assert len(sink.frames) == count
    assert all(stream.taps == () and not stream.pending for stream in stage.source.streams.values())


def test_a_tap_needs_its_layer_alone_and_those_below_while_it_does_not_come() -> None:
    stage = Stage()
    stage.tap()
    stage.go(6.0)
    assert stage.told == [("f",)]
    stage.silent = {"q", "h"}
    stage.go(3.0)
    assert stage.told == [("f",)]
    stage.silent = {
        "f"
    }  # the link up carries no more, or the device is too hot: the client sends a smaller one
    stage.go(1.0)
    assert stage.told[1:] == [ORDER]
    stage.silent = set()
    stage.go(6.0)
    assert stage.told[2:] == [("f",)]
    stage.silent = set(ORDER)  # nothing at all comes: whatever there is will do
    stage.go(4.0)
    assert stage.told[3:] == [ORDER]


def test_a_receiver_and_a_tap_need_what_each_needs() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.tap()
    stage.publication.retarget(subscription, "q", MAX_TEMPORAL, stage.now)
    stage.go(6.0)
    assert stage.told == [("q", "f")]
    stage.publication.retarget(subscription, "h", MAX_TEMPORAL, stage.now)
    stage.go(0.2)
    assert stage.told[1:] == [ORDER]


def test_for_a_receiver_that_is_short_of_everything_the_smallest_layer_comes() -> None:
    stage, transport = Stage(), Transport()
    subscription = stage.source.subscribe(transport)
    stage.tap()
    stage.publication.retarget(subscription, None, MAX_TEMPORAL, stage.now)
    stage.go(6.0)
    assert stage.told == [("f",)], "it shows nothing"
    stage.publication.retarget(subscription, None, MAX_TEMPORAL, stage.now, is_short=True)
    stage.go(0.2)
    assert stage.told[1:] == [("q", "f")]
    stage.publication.retarget(subscription, None, MAX_TEMPORAL, stage.now)
    stage.go(6.0)
    assert stage.told[2:] == [("f",)]


def test_a_tap_that_said_first_how_high_its_pictures_are_gets_the_layer_that_fits_once_sizes_are_known() -> (
    None
):
    stage = Stage()
    tap, sink = stage.tap()
    tap.want_height(1, 200, stage.now)
    stage.source.subscribe(Transport())
    stage.go(4.0)
    assert layers_of(sink, stage)[-1] == "h"


def test_an_encoder_that_names_its_largest_layer_first_is_understood_by_its_pictures() -> None:
    stage, transport = Stage(("f", "h", "q")), Transport()
    subscription = stage.source.subscribe(transport)
    _, sink = stage.tap()
    stage.go(4.0)
    assert stage.publication.order == ORDER
    assert subscription.layer == "f"
    assert layers_of(sink, stage)[-1] == "f"
    stage.publication.retarget(subscription, "q", MAX_TEMPORAL, stage.now)
    stage.go(1.0)
    assert subscription.layer == "q"
    stage.silent = {"f"}
    stage.go(1.0)
    assert stage.publication.active == ("q", "h")
    Viewer(transport.sent).judge()


def test_a_layer_of_h264_begins_with_its_parameter_sets() -> None:
    """A keyframe whose first packet is lost is none: the decoder has the parameters of the other layer."""
    codec = Codec(98, "H264", 90000, 1, "packetization-mode=1;profile-level-id=42e01f")
    source, transport = Simulcast(1, ("h", "f")), Transport()
    streams = {}
    for ssrc, name in ((1, "h"), (2, "f")):
        streams[name] = IncomingStream(
            ssrc=ssrc, is_audio=False, codecs={98: codec}, extension_ids={}, record_arrival=None, observe_level=None,
            send_rtcp=lambda _pli: None, counters=Counters(), layer=name,
        )  # fmt: skip
        source.publication.set_layer(name, streams[name])
    subscription = source.subscribe(transport)
    subscription.enable({98: codec}, {})

    def send(name: str, sequence: int, payload: bytes) -> None:
        packet = struct.pack("!BBHII", 0x80, 98, sequence, 3000 * sequence, streams[name].ssrc) + payload
        streams[name].receive(packet, sequence / 30)

    sps = bytes.fromhex("6742c01ed900a0479b0110000003001000000303c0f162e480")
    slice_of_idr, delta = b"\x65\x88" + bytes(20), b"\x41\x9a" + bytes(20)
    send("f", 5, slice_of_idr)
    send("f", 6, delta)
    assert transport.sent == []
    send("f", 8, sps)
    send("f", 9, slice_of_idr)
    assert len(transport.sent) == 2
    assert (streams["f"].width, streams["f"].height) == (630, 128)
