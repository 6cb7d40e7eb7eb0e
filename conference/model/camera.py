"""Cameras (摄像机) of venues that the server itself fetches, and how each fares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MAX_CAMERAS: Final = 8
"""Of one venue."""


class CameraTransport(StrEnum):
    """How RTSP brings its packets. Other addresses have one way only."""

    TCP = "tcp"  # within the RTSP connection: passes every network that lets the connection through
    UDP = "udp"


class CameraState(StrEnum):
    """How a camera fares now."""

    OFF = "off"  # switched off at the desk
    IDLE = "idle"  # nobody needs it: it begins when somebody is in the room
    CONNECTING = "connecting"
    RUNNING = "running"
    FAILED = "failed"  # tried again by itself; `reason` says what is wrong


class CameraFault(StrEnum):
    """Why there is no picture, as far as it can be told from here."""

    ADDRESS_WRONG = "address_wrong"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    PASSWORD_WRONG = "password_wrong"  # noqa: S105 - the name of a fault
    NOT_FOUND = "not_found"
    CODEC_UNKNOWN = "codec_unknown"
    NO_PICTURE = "no_picture"
    STOPPED = "stopped"
    GARBAGE = "garbage"
    OVERLOAD = "overload"
    NOT_SEATED = "not_seated"  # the room is full, or media is away
    UNREADABLE = "unreadable"  # the address was encrypted with another server's key


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera of a venue. Times are UTC ms.

    `address` is what may be shown (see camera_address); the whole of it, with user, password and keys, is in
    `sealed_address`, encrypted. `with_sound`: whether its microphone is wanted, too; a hall that is heard through
    its operator's machine would be heard twice. One camera of each venue `is_main`: the picture that stands for it.
    """

    id: str
    consultation_id: str
    venue_id: str
    position: int
    label: str
    address: str
    sealed_address: str
    has_password: bool
    transport: CameraTransport
    with_sound: bool
    is_main: bool
    enabled: bool
    created_at_ms: int
    removed_at_ms: int | None = None

    def retired(self, now_ms: int) -> Camera:
        """Taken away: nothing stays that would open it."""
        return replace(
            self, sealed_address="", has_password=False, is_main=False, enabled=False, removed_at_ms=now_ms
        )


@dataclass(frozen=True, slots=True)
class CameraPicture:
    """What a camera brings. `transcoding`: its picture has to be made anew for browsers, which costs `cpu_share` of a
    processor core."""

    width: int
    height: int
    frames_per_second: float
    codec: str
    has_sound: bool
    transcoding: bool
    cpu_share: float = 0.0
