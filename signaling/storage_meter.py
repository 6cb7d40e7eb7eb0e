"""The meter of what consultations take on the disk: one short process each time, so that nothing here waits for it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_WORKER: Final = "recording.usage"


class DirectoryMeter:
    """Implements services.ports.StorageMeter on directories with a folder for each consultation."""

    def __init__(self, *directories: Path) -> None:
        self._directories = directories

    async def measure(self) -> Mapping[str, int]:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _WORKER,
            *map(str, self._directories),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, _ = await worker.communicate()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        if worker.returncode != 0:
            raise OSError(f"measuring ended with {worker.returncode}")
        found: dict[str, int] = json.loads(said)
        return found
