"""Addresses of devices as people say them: a bare IP address is enough. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conference.model.camera_address import CameraAddress
from conference.model.errors import ConferenceError

_SERVICE: Final = "/onvif/device_service"


def device_address(text: str) -> CameraAddress:
    """Where a device is asked: of `192.168.1.64` or `192.168.1.64:8000` the place that ONVIF names. Raises
    camera_address_wrong."""
    text = text.strip()
    if "://" not in text:
        text = f"http://{text}"
    address = CameraAddress.parsed(text)
    if address.scheme not in ("http", "https"):
        raise ConferenceError("camera_address_wrong", f"scheme {address.scheme}")
    return address if address.path.strip("/") else replace(address, path=_SERVICE, query=None)
