"""What a device says of its streams, as it is of use: addresses that can be pulled, the best one first. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from conference.ingest_events import DeviceStream
from conference.model.camera_address import CameraAddress
from conference.model.errors import ConferenceError
from conference.model.folding import tidied

MOST_STREAMS: Final = 32
LONGEST_NAME: Final = 60
_FULL_HD: Final = 1088  # lines; some say 1080, some the coded ones
_CODECS: Final = {"h265": "hevc", "jpeg": "mjpeg"}
_SCHEMES: Final = ("rtsp", "rtsps")


def pulled_from(uri: str, door: CameraAddress) -> str | None:
    """A stream's address without user and password, on the machine that was asked: one behind address translation, or
    with settings of another network, names a machine that nobody reaches. None where it is no address of a stream."""
    try:
        address = CameraAddress.parsed(uri)
    except ConferenceError:
        return None
    if address.scheme not in _SCHEMES:
        return None
    return replace(address, host=door.host).with_credentials(None, None).url()


def service_on(uri: str, door: CameraAddress) -> str | None:
    """The address of another service of the device, on the machine that was asked; with its port, too, where the device
    thinks it is elsewhere."""
    try:
        address = CameraAddress.parsed(uri)
    except ConferenceError:
        return None
    if address.scheme not in ("http", "https"):
        return None
    if address.host.lower() != door.host.lower():
        address = replace(address, scheme=door.scheme, host=door.host, port=door.port)
    return address.with_credentials(None, None).url()


def codec_of(encoding: object) -> str:
    """As FFmpeg calls it."""
    said = encoding.lower() if isinstance(encoding, str) else ""
    known = _CODECS.get(said, said)
    return known if known.isalnum() and len(known) < 16 else ""


def name_of(said: object) -> str:
    """What a device calls something, fit to be shown."""
    return tidied(said)[:LONGEST_NAME].strip() if isinstance(said, str) else ""


def by_preference(streams: Iterable[DeviceStream]) -> list[DeviceStream]:
    """H264 of up to 1920×1080 goes to browsers as it is: the largest of those first. Then larger H264, the smallest
    first; then what has to be transcoded, those of which nothing is said last. One address comes once."""
    once: dict[str, DeviceStream] = {}
    for each in streams:
        once.setdefault(each.address, each)
    return sorted(once.values(), key=_rank)[:MOST_STREAMS]


def _rank(stream: DeviceStream) -> tuple[int, int]:
    pixels = stream.width * stream.height
    if not stream.codec:
        return 3, -pixels
    if min(stream.width, stream.height) > _FULL_HD:
        return (1 if stream.codec == "h264" else 2), pixels
    return (0 if stream.codec == "h264" else 2), -pixels
