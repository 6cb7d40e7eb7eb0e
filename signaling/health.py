"""Whether a node can do its work: what /readyz says and what the service manager is told."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from conference.services.ports import MediaError, MediaPlane, Storage

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 2.0


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
