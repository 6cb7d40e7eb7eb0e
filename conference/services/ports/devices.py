"""What knows the cameras of the network."""

from __future__ import annotations

from typing import Protocol

from conference.ingest_events import DeviceDoor, DeviceFound, DeviceStream, IngestReason


class Devices(Protocol):
    """Searches and asks; changes nothing, neither here nor there."""

    async def find(self) -> list[DeviceFound]:
        """Those that answer within some three seconds."""

    async def streams(self, door: DeviceDoor) -> list[DeviceStream] | IngestReason:
        """What it has, the one to be taken first, or why nothing is had from it; within 15 s."""
