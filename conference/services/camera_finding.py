"""Finding cameras, so that nobody needs to know their addresses: which there are, and which streams one has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from conference.ingest_events import DeviceDoor, DeviceFound, DeviceStream, IngestReason
from conference.model.device_address import device_address
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, require
from conference.services.cameras import require_venue
from conference.services.ports import Devices, Storage
from conference.services.preparing import preparable
from conference.services.trace import Bearer

_AT_ONCE: Final = 2


class CameraFinding:
    """Changes nothing, so nothing of it stands in the trace. camera_busy while others search or ask."""

    def __init__(self, storage: Storage, devices: Devices) -> None:
        self._storage = storage
        self._devices = devices
        self._running = 0

    async def find(self, consultation_id: str, by: Bearer, venue_id: str) -> list[DeviceFound]:
        """The devices in the networks of this server."""
        await self._require(consultation_id, by, venue_id)
        with self._turn():
            return await self._devices.find()

    async def streams(
        self, consultation_id: str, by: Bearer, venue_id: str, address: str, user: str, password: str
    ) -> list[DeviceStream] | IngestReason:
        """Of the device at this address, the one to be taken first; or why there are none. User and password may stand
        in the address instead."""
        await self._require(consultation_id, by, venue_id)
        try:
            place = device_address(address)
        except ConferenceError:
            return IngestReason.ADDRESS_WRONG
        place = place.with_credentials(user or place.user, password or place.password)
        bare = place.with_credentials(None, None)
        with self._turn():
            return await self._devices.streams(DeviceDoor(bare.url(), place.user or "", place.password or ""))

    async def _require(self, consultation_id: str, by: Bearer, venue_id: str) -> None:
        require(by.role, Action.VENUE_EDIT)
        async with self._storage.reading() as unit:
            await preparable(unit, consultation_id)
            await require_venue(unit, consultation_id, venue_id)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._running >= _AT_ONCE:
            raise ConferenceError("camera_busy")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
