"""The devices of the network: searched for, and asked for their streams.

Implements conference.services.ports.Devices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from conference.ingest import discovery, messages
from conference.ingest.processes import WORKER, asked_once
from conference.ingest_events import DeviceDoor, DeviceFound, DeviceStream, IngestReason

_STREAMS_S: Final = 15.0
_MOST_ASKED: Final = 2  # at once


class OnvifDevices:
    """By WS-Discovery and ONVIF. Has nothing to close: what it does ends with who awaits it."""

    def __init__(self, interfaces: Callable[[], Sequence[str]], *, module: str = WORKER) -> None:
        """`interfaces` gives the IPv4 addresses of this machine from which is searched."""
        self._interfaces = interfaces
        self._module = module
        self._asking = asyncio.Semaphore(_MOST_ASKED)

    async def find(self) -> list[DeviceFound]:
        return await discovery.search(self._interfaces())

    async def streams(self, door: DeviceDoor) -> list[DeviceStream] | IngestReason:
        line = messages.encode(messages.Device(door.address, door.user, door.password))
        try:
            async with self._asking, asyncio.timeout(_STREAMS_S):
                fact = await asked_once(self._module, line)
        except TimeoutError:
            return IngestReason.UNREACHABLE
        match fact:
            case messages.Streams(items):
                return items
            case messages.Failed(reason) if reason in set(IngestReason):
                return IngestReason(reason)
        return IngestReason.GARBAGE  # the process died of it
