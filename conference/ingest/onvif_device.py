"""A device asked by ONVIF for its streams. Only ever imported in an ingest process: the library is large, and what a
device answers is not to be trusted.

Nothing is fetched but from the device: the descriptions of the services come with the library, whose transport for
them reads files alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import resource
import time
from pathlib import Path
from typing import Any, Final

import onvif
from onvif.client import AsyncTransportProtocolErrorHandler, ONVIFService
from onvif.definition import SERVICES
from onvif.settings import DEFAULT_SETTINGS
from onvif.util import is_auth_error
from zeep.exceptions import Fault

from conference.ingest import messages
from conference.ingest.device_streams import (
    MOST_STREAMS,
    by_preference,
    codec_of,
    name_of,
    pulled_from,
    service_on,
)
from conference.ingest.reach import SourceError, reach
from conference.ingest_events import DeviceStream, IngestReason
from conference.model.camera_address import CameraAddress

_PATIENCE_S: Final = 12.0
_MORE_MEMORY: Final = 768 << 20  # of addresses, than before; an answer that needs more is none
_DESCRIPTIONS: Final = Path(onvif.__file__).parent / "wsdl"
_UNICAST: Final = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
_REFUSALS: Final = (401, 403)


def streams_of(order: messages.Device) -> messages.Streams | messages.Failed:
    """Within some twelve seconds."""
    logging.disable(logging.CRITICAL)  # the library quotes requests and answers
    until_s = time.monotonic() + _PATIENCE_S
    _bound_memory()
    try:
        reach(order.address)
        return messages.Streams(asyncio.run(_asked(order, until_s)))
    except SourceError as error:
        return messages.Failed(error.reason.value)


def _bound_memory() -> None:
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit, most = pages * resource.getpagesize() + _MORE_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if most < 0 else min(limit, most), most))


async def _asked(order: messages.Device, until_s: float) -> list[DeviceStream]:
    """Raises SourceError."""
    device = _Device(order)
    try:
        async with asyncio.timeout(until_s - time.monotonic()):
            return await device.streams()
    except TimeoutError:
        raise SourceError(IngestReason.UNREACHABLE, "no answer") from None
    finally:
        await device.close()


class _Transport(AsyncTransportProtocolErrorHandler):  # type: ignore[misc]  # the library is untyped
    """Remembers how the device took the last request: of a page in place of an answer nothing else tells it."""

    status = 0

    async def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> Any:
        response = await super().post_xml(address, envelope, headers)
        self.status = response.status_code
        return response

    @property
    def is_refused(self) -> bool:
        return self.status in _REFUSALS


class _Device:
    """One device and what was learnt of it: its clock, its services."""

    def __init__(self, order: messages.Device) -> None:
        self._door = CameraAddress.parsed(order.address)
        self._address = order.address
        self._user, self._password = order.user, order.password
        self._clock_gap: dt.timedelta | None = None
        self._services: list[ONVIFService] = []

    async def streams(self) -> list[DeviceStream]:
        """Raises SourceError."""
        management = await self._service("devicemgmt", self._address)
        self._clock_gap = await self._compare_clocks(management)
        if self._clock_gap is not None:
            management = await self._service("devicemgmt", self._address)
        media = await self._service("media", await self._media_address(management))
        found: list[DeviceStream] = []
        for profile in (await self._call(media, "GetProfiles") or [])[:MOST_STREAMS]:
            stream = await self._stream(media, profile)
            if stream is not None:
                found.append(stream)
        if not found:
            raise SourceError(IngestReason.NO_PICTURE)
        return by_preference(found)

    async def close(self) -> None:
        """Idempotent."""
        while self._services:
            await self._services.pop().close()

    async def _service(self, name: str, address: str) -> ONVIFService:
        known = SERVICES[name]
        made = ONVIFService(
            address,
            self._user or None,
            self._password,
            str(_DESCRIPTIONS / known["wsdl"]),
            no_cache=True,
            dt_diff=self._clock_gap,
            binding_name=f"{{{known['ns']}}}{known['binding']}",
        )
        self._services.append(made)
        made.transport = _Transport(session=made.transport.session, verify_ssl=False)
        # Our own descriptions may have what an answer may not.
        DEFAULT_SETTINGS.forbid_dtd, DEFAULT_SETTINGS.xml_huge_tree = False, True
        await made.setup()
        DEFAULT_SETTINGS.forbid_dtd, DEFAULT_SETTINGS.xml_huge_tree = True, False
        return made

    async def _compare_clocks(self, management: ONVIFService) -> dt.timedelta | None:
        """How far the device's clock is before ours: what it is told has to be of its own time. None where it does not
        say; not_found where it is no device at all."""
        try:
            said = await management.authless_GetSystemDateAndTime()
        except Fault as error:
            if error.code is None and not management.transport.is_refused:  # a page, and no words of SOAP
                raise SourceError(IngestReason.NOT_FOUND, "no SOAP") from None
            return None
        except Exception as error:  # noqa: BLE001 — the library raises whatever an answer leads it into
            if management.transport.is_refused:
                return None
            raise SourceError(IngestReason.NOT_FOUND, type(error).__name__) from None
        try:
            date, clock = said.UTCDateTime.Date, said.UTCDateTime.Time
            theirs = dt.datetime(
                date.Year,
                date.Month,
                date.Day,
                clock.Hour,
                clock.Minute,
                min(clock.Second, 59),
                tzinfo=dt.UTC,
            )
        except (AttributeError, TypeError, ValueError):
            return None
        return theirs - dt.datetime.now(dt.UTC)

    async def _media_address(self, management: ONVIFService) -> str:
        said: list[Any] = []
        try:
            capabilities = await self._call(management, "GetCapabilities", {"Category": ["Media"]})
            said.append(getattr(getattr(capabilities, "Media", None), "XAddr", None))
        except SourceError as error:
            if error.reason is not IngestReason.GARBAGE:
                raise
        if not any(said):
            services = await self._call(management, "GetServices", {"IncludeCapability": False})
            namespace = SERVICES["media"]["ns"]
            said = [
                getattr(each, "XAddr", None)
                for each in services or []
                if getattr(each, "Namespace", "") == namespace
            ]
        for each in said:
            address = service_on(each, self._door) if isinstance(each, str) else None
            if address is not None:
                return address
        raise SourceError(IngestReason.NO_PICTURE, "no media service")

    async def _stream(self, media: ONVIFService, profile: Any) -> DeviceStream | None:
        """None for a profile without a picture, or one of which the device gives no address."""
        encoder = getattr(profile, "VideoEncoderConfiguration", None)
        if encoder is None and getattr(profile, "VideoSourceConfiguration", None) is None:
            return None
        asked = {"StreamSetup": _UNICAST, "ProfileToken": getattr(profile, "token", None)}
        try:
            uri = getattr(await self._call(media, "GetStreamUri", asked), "Uri", None)
        except SourceError as error:
            if error.reason is IngestReason.PASSWORD_WRONG:
                raise
            return None
        address = pulled_from(uri, self._door) if isinstance(uri, str) else None
        if address is None:
            return None
        size, rate = getattr(encoder, "Resolution", None), getattr(encoder, "RateControl", None)
        return DeviceStream(
            name=name_of(getattr(profile, "Name", "")),
            codec=codec_of(getattr(encoder, "Encoding", "")),
            width=_count(getattr(size, "Width", 0)),
            height=_count(getattr(size, "Height", 0)),
            frames_per_second=float(_count(getattr(rate, "FrameRateLimit", 0))),
            address=address,
        )

    async def _call(self, service: ONVIFService, name: str, params: dict[str, Any] | None = None) -> Any:
        """Raises SourceError. Without a user nothing is signed."""
        call = getattr(service, name if self._user else f"authless_{name}")
        try:
            return await call(params)
        except Exception as error:  # noqa: BLE001 — the library raises whatever an answer leads it into
            if service.transport.is_refused or is_auth_error(error):
                raise SourceError(IngestReason.PASSWORD_WRONG) from None
            raise SourceError(IngestReason.GARBAGE, type(error).__name__) from None


def _count(said: object) -> int:
    return said if isinstance(said, int) and 0 < said < 1 << 16 else 0
