"""Sound cut out of recorded files in processes of their own; what was asked for lately is remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import structlog

from conference.export_job import TrackFile
from conference.model.errors import ConferenceError
from signaling.worker_process import WorkerQueue, run_worker

log = structlog.get_logger(__name__)

_WORKER: Final = "recording.exports.cut"
_AT_ONCE: Final = 2
_MAX_WAITING: Final = 16
_PATIENCE_S: Final = 20.0
_KEPT_BYTES: Final = 16 << 20

_Key = tuple[tuple[str, ...], int, int]


class SoundCuts:
    """Implements services.ports.SoundCutter on the recordings of this server."""

    def __init__(self, recordings: Path, worker: str = _WORKER, patience_s: float = _PATIENCE_S) -> None:
        """`worker`: the module that is run."""
        self._recordings = recordings
        self._worker = worker
        self._patience_s = patience_s
        self._queue = WorkerQueue(_AT_ONCE, _MAX_WAITING)
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._kept_bytes = 0

    async def cut(self, files: Sequence[TrackFile], from_ms: int, to_ms: int, *, keep: bool) -> bytes:
        key = (tuple(each.path for each in files), from_ms, to_ms)
        if keep and key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        request = {"recordings": str(self._recordings), "files": files, "from_ms": from_ms, "to_ms": to_ms}
        async with self._queue.place():
            try:
                finished = await run_worker(
                    self._worker, msgspec.json.encode(request), patience_s=self._patience_s
                )
            except TimeoutError:
                log.warning("sound.too_slow")
                raise ConferenceError("rate_limited", "too slow") from None
        if finished.code != 0:
            log.warning("sound.failed", exit_code=finished.code)
            raise ConferenceError("nothing_recorded", f"exit code {finished.code}")
        if keep:
            self._remember(key, finished.output)
        return finished.output

    def _remember(self, key: _Key, data: bytes) -> None:
        before = self._kept.pop(key, b"")
        self._kept[key] = data
        self._kept_bytes += len(data) - len(before)
        while self._kept_bytes > _KEPT_BYTES:
            _, gone = self._kept.popitem(last=False)
            self._kept_bytes -= len(gone)
