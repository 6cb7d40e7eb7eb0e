"""The document worker as the web process sees it: a process for each document, few at once."""

from __future__ import annotations

from typing import Any, Final

import structlog

from conference.model.errors import ConferenceError
from signaling.documents.messages import (
    ANSWER,
    Answer,
    CheckTemplate,
    Document,
    FillTemplate,
    Made,
    Refused,
    Request,
    WriteDocument,
    encode,
)
from signaling.documents.sample import sample_words
from signaling.worker_process import WorkerQueue, run_worker

log = structlog.get_logger(__name__)

_WORKER: Final = "signaling.documents.worker"
_AT_ONCE: Final = 2
_MAX_WAITING: Final = 12
_PATIENCE_S: Final = 30.0


class DocumentWorkers:
    """Makes DOCX files, and implements services.ports.TemplateChecker. Everything may raise rate_limited."""

    def __init__(self, worker: str = _WORKER, patience_s: float = _PATIENCE_S) -> None:
        """`worker`: the module that is run."""
        self._worker = worker
        self._patience_s = patience_s
        self._queue = WorkerQueue(_AT_ONCE, _MAX_WAITING)

    async def write(self, document: Document) -> bytes:
        """In the built-in layout. document_failed when it cannot be made, or not in time."""
        answer = await self._ask(WriteDocument(document))
        if not isinstance(answer, Made):
            raise ConferenceError("document_failed", "refused")
        return answer.data

    async def fill(self, template: bytes, words: dict[str, Any]) -> bytes:
        """By a body's template; template_refused when it does not take these words, document_failed."""
        answer = await self._ask(FillTemplate(template, words))
        if isinstance(answer, Refused):
            raise _refused(answer)
        return answer.data

    async def check(self, content: bytes) -> None:
        """Try it with a sample; template_refused."""
        try:
            answer = await self._ask(CheckTemplate(content, sample_words()))
        except ConferenceError as error:
            if error.code != "document_failed":
                raise
            raise _refused(Refused("too_slow")) from error  # or too large for its memory
        if isinstance(answer, Refused):
            raise _refused(answer)

    async def _ask(self, request: Request) -> Answer:
        kind = type(request).__name__
        async with self._queue.place():
            try:
                finished = await run_worker(self._worker, encode(request), patience_s=self._patience_s)
            except TimeoutError:
                log.warning("documents.too_slow", request=kind)
                raise ConferenceError("document_failed", "too slow") from None
        if finished.code != 0:
            log.warning("documents.worker_failed", request=kind, exit_code=finished.code)
            raise ConferenceError("document_failed", f"exit code {finished.code}")
        answer: Answer = ANSWER.decode(finished.output)
        return answer


def _refused(answer: Refused) -> ConferenceError:
    return ConferenceError("template_refused", answer.reason, reason=answer.reason, said=answer.said)
