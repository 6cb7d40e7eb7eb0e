"""Whether a node can do its work: what /readyz says and what the service manager is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from conference.services.key_care import KeyCare
from conference.services.ports import MediaError, MediaPlane, Storage
from signaling.key_ring import KeyRing

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class KeyHealth:
    """Whether the keys can be followed, and are those of the other nodes."""

    ring: KeyRing
    care: KeyCare

    @property
    def health(self) -> str:
        """`differ`: from those of another node; `lost`: their file cannot be read any more; else `ok`."""
        if self.care.differing:
            return "differ"
        return "lost" if self.ring.is_lost else "ok"


async def media_answers(media: MediaPlane) -> bool:
    """The media process says its figures in time."""
    try:
        await asyncio.wait_for(media.statistics(), _PATIENCE_S)
    except (MediaError, TimeoutError):
        return False
    return True


async def database_answers(storage: Storage) -> bool:
    """A row can be read in time."""
    try:
        await asyncio.wait_for(storage.ping(), _PATIENCE_S)
    except Exception as error:  # noqa: BLE001 whatever is wrong with it, it is not ready
        log.warning("ready.database_failed", error=type(error).__name__)
        return False
    return True
