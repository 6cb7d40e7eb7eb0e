"""Addresses of devices as people say them."""

from __future__ import annotations

import pytest

from conference.model.device_address import device_address
from conference.model.errors import ConferenceError


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (" 192.168.1.64 ", "http://192.168.1.64/onvif/device_service"),
        ("192.168.1.64:8000", "http://192.168.1.64:8000/onvif/device_service"),
        ("kamera-1.lan", "http://kamera-1.lan/onvif/device_service"),
        ("[2001:db8::7]:8000", "http://[2001:db8::7]:8000/onvif/device_service"),
        ("http://192.168.1.64", "http://192.168.1.64/onvif/device_service"),
        ("https://192.168.1.64:8443/", "https://192.168.1.64:8443/onvif/device_service"),
        ("http://192.168.1.64/onvif/other?x=1", "http://192.168.1.64/onvif/other?x=1"),
    ],
)
def test_an_ip_address_is_enough(said: str, address: str) -> None:
    assert device_address(said).url() == address


@pytest.mark.parametrize(
    "said",
    ["", "192.168.1", "192.168.1.64:0", "a b", "rtsp://192.168.1.64/x", "file:///etc/passwd", "一号机", "/x"],
)
def test_what_is_none(said: str) -> None:
    with pytest.raises(ConferenceError) as caught:
        device_address(said)
    assert caught.value.code == "camera_address_wrong"
