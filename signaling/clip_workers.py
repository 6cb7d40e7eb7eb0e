"""The maker of clips: one process for each file, killed when nobody waits for it any more or it stands still."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from conference.model.clip import REFUSALS, Clip, ClipState, MadeClip
from conference.services.ports import ClipRefusedError

_WORKER: Final = "conference.ingest.clip_transcoder"
_MEMORY_BYTES: Final = 4 << 30  # of addresses: what is really used is a tenth of it
_STANDSTILL_S: Final = 1_800.0  # without a percent more: three hours of film have one in some minutes


class ClipWorkers:
    """Implements services.ports.ClipMaker on the directory of clips."""

    def __init__(
        self,
        directory: Path,
        *,
        reserve_bytes: int,
        memory_bytes: int = _MEMORY_BYTES,
        standstill_s: float = _STANDSTILL_S,
    ) -> None:
        """Nothing is made that leaves fewer than `reserve_bytes` free: they are for meetings."""
        self._directory = directory
        self._reserve_bytes = reserve_bytes
        self._memory_bytes = memory_bytes
        self._standstill_s = standstill_s

    async def prepare(self, clip: Clip, told: Callable[[ClipState, int], None]) -> MadeClip:
        out, poster = self._directory / clip.path, self._directory / clip.poster_path
        request = {
            "source": str(self._directory / clip.original_path),
            "out": str(out),
            "poster": str(poster),
            "reserve_bytes": self._reserve_bytes,
            "memory_bytes": self._memory_bytes,
        }
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        last: dict[str, Any] = {}
        try:
            with suppress(ConnectionError):  # it died before it could be asked
                worker.stdin.write(json.dumps(request).encode() + b"\n")
                await worker.stdin.drain()
            while line := await self._line(worker.stdout):
                last = json.loads(line)
                for state in (ClipState.CHECKING, ClipState.TRANSCODING):
                    if state in last:
                        told(state, last[state])
            if worker.stdout.at_eof():
                await worker.wait()
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
            if "done" not in last:
                await asyncio.to_thread(_clean, out, poster)
        if "done" in last:
            return MadeClip(**last["done"])
        reason = last.get("refused", "worker_ended")
        raise ClipRefusedError(reason if reason in REFUSALS else "broken")

    async def _line(self, stdout: asyncio.StreamReader) -> bytes:
        """The next one; none at the end, or when it stands still for so long that it hangs."""
        try:
            async with asyncio.timeout(self._standstill_s):
                return await stdout.readline()
        except TimeoutError:
            return b""


def _clean(*paths: Path) -> None:
    for path in paths:
        path.with_name(path.name + ".part").unlink(missing_ok=True)
