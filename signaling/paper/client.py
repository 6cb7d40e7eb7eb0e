"""The paper worker as the web process sees it: a process for each paper, few at once."""

from __future__ import annotations

import json
from typing import Any, Final

import structlog

from conference.model.errors import ConferenceError
from signaling.worker_process import WorkerQueue, run_worker

log = structlog.get_logger(__name__)

_WORKER: Final = "signaling.paper.worker"
_AT_ONCE: Final = 2
_MAX_WAITING: Final = 12
_PATIENCE_S: Final = 30.0
_PDF: Final = b"%PDF-"


class PaperWorkers:
    """Typesets. Everything may raise rate_limited."""

    def __init__(self, worker: str = _WORKER, patience_s: float = _PATIENCE_S) -> None:
        """`worker`: the module that is run."""
        self._worker = worker
        self._patience_s = patience_s
        self._queue = WorkerQueue(_AT_ONCE, _MAX_WAITING)

    async def typeset(self, template: str, data: dict[str, Any]) -> bytes:
        """The PDF; paper_failed when it cannot be made, or not in time."""
        request = json.dumps({"template": template, "data": data}, ensure_ascii=False).encode()
        async with self._queue.place():
            try:
                finished = await run_worker(self._worker, request, patience_s=self._patience_s)
            except TimeoutError:
                log.warning("paper.too_slow", template=template)
                raise ConferenceError("paper_failed", "too slow") from None
        if finished.code != 0 or not finished.output.startswith(_PDF):
            log.warning("paper.failed", template=template, exit_code=finished.code)
            raise ConferenceError("paper_failed", f"exit code {finished.code}")
        return finished.output
