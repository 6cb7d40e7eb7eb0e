"""The disk of the data directory, for who watches it. Implements conference.services.ports.Disk."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path


class DirectoryDisk:
    """The file system that holds a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def free_bytes(self) -> int:
        usage = await asyncio.to_thread(shutil.disk_usage, self._directory)
        return usage.free
