"""Packets of our own making: what goes in comes out of our own depacketizer, and no packet is too large."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from conference.rtc.depacketizer import H264Depacketizer
from conference.rtc.jitter_buffer import JitterBuffer
from conference.rtc.packetizer import MTU, Packetizer, h264_payloads
from tests.support.inset import encode, inset


@given(st.lists(st.binary(min_size=2, max_size=4_000), min_size=1, max_size=12), st.integers(100, 1_500))
@settings(deadline=None)
def test_units_come_out_as_they_went_in(units: list[bytes], most: int) -> None:
    units = [bytes((unit[0] & 0x60 | 1,)) + unit[1:] for unit in units]
    payloads = h264_payloads(units, most)
    assert all(len(each) <= most for each in payloads)
    found: list[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            at = 1
            while at < len(payload):
                size = int.from_bytes(payload[at : at + 2], "big")
                found.append(payload[at + 2 : at + 2 + size])
                at += 2 + size
        elif kind == 28:
            if payload[1] & 0x80:
                found.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)))
            found[-1] += payload[2:]
        else:
            found.append(payload)
    assert found == units


def test_coded_pictures_come_out_of_the_depacketizer() -> None:
    pictures = encode("h264", [inset(1, number) for number in range(20)], 25, gop=10)
    packetizer = Packetizer(96, 7, sequence=0xFFF0)
    buffer, depacketizer = JitterBuffer(), H264Depacketizer()
    found = []
    for number, data in enumerate(pictures):
        units = [unit for unit in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if unit]
        for packet in packetizer.picture(units, number * 3_600 + 0xFFFFF000):
            assert len(packet) <= MTU
            buffer.push(packet, number / 25)
            for item in buffer.pop(number / 25):
                found += depacketizer.push(item)
    assert len(found) == 20
    assert [each.is_keyframe for each in found] == [number % 10 == 0 for number in range(20)]
    assert not any(each.follows_loss for each in found[1:])
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(found)} == {3_600}
