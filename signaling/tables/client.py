"""The table worker as the web process sees it: a process for each request, few at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import structlog

from conference.model.errors import ERROR_TEXTS, ConferenceError
from conference.model.invitee_list import ImportRow, TooManyRowsError
from signaling.tables.messages import (
    ANSWER,
    Answer,
    Code,
    Codes,
    DrawCodes,
    File,
    Format,
    Invitees,
    ReadInvitees,
    ReadTerms,
    Refused,
    Request,
    Sheet,
    TermRow,
    TermRows,
    WriteBook,
    encode,
)
from signaling.worker_process import WorkerQueue, run_worker

log = structlog.get_logger(__name__)

_WORKER: Final = "signaling.tables.worker"
_AT_ONCE: Final = 2
_MAX_WAITING: Final = 12
_PATIENCE_S: Final = 30.0
_KEPT_CODES: Final = 4_096


class TableRefusedError(ConferenceError):
    """The file cannot be used; the sentence says why when there is more to say than the code does."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code, refused.text)
        self._sentence = refused.text

    @property
    def text(self) -> str:
        return self._sentence or ERROR_TEXTS[self.code]


class TableWorkers:
    """Implements services.ports.TableReader, and writes what leaves. Everything may raise rate_limited."""

    def __init__(self, time_zone: str, patience_s: float = _PATIENCE_S) -> None:
        self._time_zone = time_zone
        self._patience_s = patience_s
        self._queue = WorkerQueue(_AT_ONCE, _MAX_WAITING)
        self._codes: OrderedDict[str, Code] = OrderedDict()

    async def read_invitees(self, data: bytes) -> list[ImportRow]:
        """The rows of a list; import_unreadable, import_no_name_column, import_too_many_rows, import_empty."""
        answer = await self._ask(ReadInvitees(data), failure="import_unreadable")
        match answer:
            case Invitees(rows):
                return rows
            case Refused(code="import_too_many_rows", rows=rows):
                raise TooManyRowsError(rows)
            case Refused():
                raise TableRefusedError(answer)
        raise ConferenceError("internal", "the table worker answered something else")

    async def read_terms(self, data: bytes) -> list[TermRow]:
        """The rows of a list of terms, those with a fault among them; import_unreadable, import_too_many_rows,
        import_empty."""
        answer = await self._ask(ReadTerms(data), failure="import_unreadable")
        if isinstance(answer, Refused):
            raise TableRefusedError(answer)
        if not isinstance(answer, TermRows):
            raise ConferenceError("internal", "the table worker answered something else")
        return answer.rows

    async def write(self, file_format: Format, sheets: Sequence[Sheet]) -> bytes:
        """The sheets as one file."""
        answer = await self._ask(WriteBook(file_format, self._time_zone, tuple(sheets)))
        if not isinstance(answer, File):
            raise ConferenceError("internal", "the table worker wrote nothing")
        return answer.data

    async def draw(self, texts: Sequence[str]) -> list[Code]:
        """A QR code for each text, in their order. Those drawn lately are remembered."""
        missing = tuple(dict.fromkeys(text for text in texts if text not in self._codes))
        drawn = dict(self._codes)
        if missing:
            answer = await self._ask(DrawCodes(missing))
            if not isinstance(answer, Codes):
                raise ConferenceError("internal", "the table worker drew nothing")
            drawn.update(zip(missing, answer.codes, strict=True))
            self._codes.update(zip(missing, answer.codes, strict=True))
            while len(self._codes) > _KEPT_CODES:
                self._codes.popitem(last=False)
        return [drawn[text] for text in texts]

    async def _ask(self, request: Request, failure: str = "internal") -> Answer:
        async with self._queue.place():
            try:
                finished = await run_worker(_WORKER, encode(request), patience_s=self._patience_s)
            except TimeoutError:
                log.warning("tables.too_slow", request=type(request).__name__)
                raise ConferenceError(failure, "too slow") from None
        if finished.code != 0:
            log.warning("tables.worker_failed", request=type(request).__name__, exit_code=finished.code)
            raise ConferenceError(failure, f"exit code {finished.code}")
        answer: Answer = ANSWER.decode(finished.output)
        return answer
