"""What layers cost: measured while they come, remembered when they stop, expected before."""

from __future__ import annotations

import pytest

from conference.sfu.demand import Demand
from tests.unit.sfu.layered import Simulcast

PACKETS = {"q": 1, "h": 3, "f": 9}


class Camera:
    """Thirty frames a second of those layers that are switched on; looked at with each third."""

    def __init__(self) -> None:
        self.source = Simulcast(1)
        self.demand = Demand()
        self.now = 1000.0
        self.on = {"q", "h", "f"}

    def forward(self, seconds: float) -> None:
        for frame in range(int(seconds * 30)):
            self.now += 1 / 30
            for name in self.on:
                for packet in self.source.encoders[name].encode(int(self.now * 90000), PACKETS[name]):
                    self.source.receive(name, packet + bytes(500), self.now)
            self.source.publication.tick(self.now)
            if frame % 3 == 0:
                self.demand.layers(self.source.publication, self.now)


def test_nothing_came_yet_and_each_layer_is_expected_to_cost_what_is_usual() -> None:
    camera = Camera()
    layers = camera.demand.layers(camera.source.publication, camera.now)
    assert [(each.name, each.height, each.is_active) for each in layers] == [
        ("q", 180, False),
        ("h", 360, False),
        ("f", 720, False),
    ]
    assert [each.bitrate_bps for each in layers] == [150_000, 500_000, 1_500_000]


def test_what_comes_is_measured_with_its_temporal_layers() -> None:
    camera = Camera()
    camera.forward(10.0)
    layers = camera.demand.layers(camera.source.publication, camera.now)
    for each in layers:
        assert each.is_active
        assert each.bitrate_bps == pytest.approx(8 * 30 * PACKETS[each.name] * 530, rel=0.1)
        assert len(each.temporal) == 3


def test_a_layer_that_stops_costs_what_it_did() -> None:
    camera = Camera()
    camera.forward(5.0)
    before = camera.demand.layers(camera.source.publication, camera.now)[2].bitrate_bps
    camera.on = {"q", "h"}
    camera.forward(10.0)
    largest = camera.demand.layers(camera.source.publication, camera.now)[2]
    assert not largest.is_active
    assert largest.bitrate_bps == pytest.approx(before, rel=0.2)


def test_a_sender_that_counts_anew_costs_no_less_than_nothing() -> None:
    camera = Camera()
    camera.forward(3.0)
    for encoder in camera.source.encoders.values():
        encoder.sequence = (encoder.sequence + 30_000) & 0xFFFF
    for _ in range(30):
        camera.forward(0.1)
        assert all(
            each.bitrate_bps > 0 for each in camera.demand.layers(camera.source.publication, camera.now)
        )
