"""Of what a device says, the addresses that can be pulled, and which one is to be taken."""

from __future__ import annotations

import pytest

from conference.ingest.device_streams import by_preference, codec_of, name_of, pulled_from, service_on
from conference.ingest_events import DeviceStream
from conference.model.device_address import device_address

DOOR = device_address("203.0.113.9:8000")


def stream(codec: str, width: int, height: int, name: str = "") -> DeviceStream:
    return DeviceStream(name, codec, width, height, 25.0, f"rtsp://h/{name}{codec}{height}")


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("rtsp://203.0.113.9:554/a/b?channel=1&subtype=0", "rtsp://203.0.113.9:554/a/b?channel=1&subtype=0"),
        ("rtsp://admin:geheim@192.168.1.64/live", "rtsp://203.0.113.9/live"),
        ("RTSP://192.168.1.64:8554/live", "rtsp://203.0.113.9:8554/live"),
        ("rtsps://192.168.1.64/live", "rtsps://203.0.113.9/live"),
        ("http://192.168.1.64/live", None),
        ("file:///etc/passwd", None),
        ("rtsp:///live", None),
        ("rtsp://a b/live", None),
        ("", None),
    ],
)
def test_a_stream_comes_from_the_machine_that_was_asked(said: str, address: str | None) -> None:
    assert pulled_from(said, DOOR) == address


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("http://203.0.113.9:8000/onvif/media", "http://203.0.113.9:8000/onvif/media"),
        ("http://203.0.113.9:8899/onvif/media", "http://203.0.113.9:8899/onvif/media"),
        ("https://192.168.1.64:443/onvif/media", "http://203.0.113.9:8000/onvif/media"),
        ("ftp://192.168.1.64/x", None),
    ],
)
def test_nobody_else_is_asked(said: str, address: str | None) -> None:
    assert service_on(said, DOOR) == address


def test_h264_that_browsers_take_comes_first() -> None:
    wished = [
        stream("h264", 1920, 1080),
        stream("h264", 1280, 720),
        stream("h264", 704, 576),
        stream("h264", 2560, 1440),
        stream("h264", 3840, 2160),
        stream("hevc", 1920, 1080),
        stream("mjpeg", 640, 480),
        stream("hevc", 3840, 2160),
        stream("", 0, 0),
    ]
    assert by_preference(sorted(wished, key=lambda each: each.codec)) == wished
    assert by_preference(reversed(wished)) == wished
    upright = stream("h264", 1080, 1920)
    assert by_preference([stream("hevc", 640, 360), upright])[0] == upright


def test_one_address_is_one_stream_and_there_are_not_too_many() -> None:
    same = stream("h264", 1920, 1080)
    assert by_preference([same, same]) == [same]
    assert len(by_preference(stream("h264", 16, 16, str(n)) for n in range(99))) == 32


def test_what_devices_call_things() -> None:
    assert [codec_of(each) for each in ("H264", "H265", "JPEG", "MPEG4", None, "x" * 40, "<b>")] == [
        "h264", "hevc", "mjpeg", "mpeg4", "", "", "",
    ]  # fmt: skip
    assert name_of("主\x00码\n流" + "x" * 99)[:3] == "主码 "
    assert len(name_of("x" * 99)) == 60
    assert name_of(None) == ""
