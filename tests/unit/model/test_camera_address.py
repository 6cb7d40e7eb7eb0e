"""Which addresses of cameras are taken, and what of them is ever shown."""

import pytest

from conference.model.camera_address import CameraAddress
from conference.model.errors import ConferenceError

parsed = CameraAddress.parsed


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "rtsp://admin:geheim@192.168.1.64:554/Streaming/Channels/101",
            "rtsp://192.168.1.64:554/Streaming/Channels/101",
        ),
        (
            "RTSP://a:b@h/cam/realmonitor?channel=1&subtype=0",
            "rtsp://h/cam/realmonitor?channel=1&subtype=0",
        ),
        ("rtsp://a:b@h/cam?channel=1&token=geheim", "rtsp://h/cam?channel=1&token=***"),
        ("rtsp://h/live?geheim", "rtsp://h/live?***"),
        ("rtmp://h/live/geheim", "rtmp://h/live/***"),
        ("srt://h:9000?streamid=geheim&passphrase=geheim&mode=caller&latency=120",
         "srt://h:9000?streamid=***&passphrase=***&mode=caller&latency=120"),
        ("https://h:8443/hls/geheim0123456789012345678/index.m3u8", "https://h:8443/hls/***/index.m3u8"),
        ("rtsp://a:ge@heim#1@[fe80::1]:8554/x", "rtsp://[fe80::1]:8554/x"),
        ("  http://kamera.dorf.local/x.flv\n", "http://kamera.dorf.local/x.flv"),
        ("rtsp://h/live?channel=geheim0123456789", "rtsp://h/live?channel=***"),
    ],
)  # fmt: skip
def test_what_opens_it_is_not_shown_and_comes_back(address: str, shown: str) -> None:
    kept = parsed(address)
    assert kept.shown() == shown
    for secret in ("geheim", "admin", "ge@heim"):
        assert secret not in kept.shown()
        assert secret not in kept.place
    assert parsed(kept.url()) == kept, "what is fetched is what was written"
    form = parsed(kept.shown()).completed(kept).with_credentials(kept.user, kept.password)
    assert form == kept, "a form that is sent back as it was changes nothing"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "192.168.1.64",
        "/etc/passwd",
        "file:///etc/passwd",
        "rtsp:///etc/passwd",
        "concat:a|b",
        "rtsp://",
        "rtsp://a:b@/x",
        "rtsp://-h/x",
        "rtsp://h:0/x",
        "rtsp://h:65536/x",
        "rtsp://h:x/x",
        "rtsp://256.1.1.1/x",
        "rtsp://[::g]/x",
        "rtsp://h/a b",
        "rtsp://h/a\x00b",
        "rtsp://h/a\r\nDESCRIBE",
        "rtsp://h/a%0d%0aDESCRIBE",
        "rtsp://a:%00@h/x",
        "udp://239.0.0.1:1234",
        "srt://h?mode=caller",
        "ftp://h/x",
        "rtsp://h/" + "x" * 500,
        "javascript://h/x",
    ],
)
def test_what_is_no_camera_is_refused(address: str) -> None:
    with pytest.raises(ConferenceError) as caught:
        parsed(address)
    assert caught.value.code == "camera_address_wrong"
    assert "passwd" not in caught.value.detail
    assert "DESCRIBE" not in caught.value.detail, "what was written goes into no log"


@pytest.mark.parametrize("other", ["rtsp://anders/live?token=***", "rtsp://h:555/live?token=***"])
def test_what_is_hidden_goes_to_no_other_machine(other: str) -> None:
    with pytest.raises(ConferenceError):
        parsed(other).completed(parsed("rtsp://h/live?token=geheim"))


def test_the_same_machine_is_known_by_whatever_spelling() -> None:
    kept = parsed("rtsp://Kamera/live?token=geheim")
    assert parsed("rtsp://kamera:554/live?token=***").completed(kept).query == "token=geheim"
    assert not parsed("rtsp://kamera").is_same_machine(parsed("http://kamera"))


@pytest.mark.parametrize("form", ["rtsp://h/***/b", "rtsp://h/x?other=***", "rtsp://h/x?a=1&***"])
def test_what_was_never_hidden_cannot_be_filled_in(form: str) -> None:
    with pytest.raises(ConferenceError):
        parsed(form).completed(parsed("rtsp://h/x?token=geheim"))


def test_a_password_may_hold_anything_that_can_be_typed() -> None:
    address = parsed("rtsp://h/x").with_credentials("admin", "p@ss:/?#[]密 %")
    assert parsed(address.url()) == address
    with pytest.raises(ConferenceError):
        address.with_credentials("admin", "a\nb")
    with pytest.raises(ConferenceError):
        address.with_credentials("a" * 101, None)
