"""Reading the ledger of answers: what is to be done first, and everything about one case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from conference.clock import Clock
from conference.model.audit import Value
from conference.model.comment import Comment
from conference.model.due import is_due_soon
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.model.response import Response, ResponseState
from conference.services.case_views import CaseCard, card, counts, urgency
from conference.services.cases import texts_of
from conference.services.ledger import Ledger, Ledgers
from conference.services.pauses import Pauses
from conference.services.ports import CommentReader, Storage
from conference.services.trace import Bearer

DUE_SOON: Final = "due_soon"
OVERDUE: Final = "overdue"
FILTERS: Final = frozenset({*(state.value for state in ResponseState), DUE_SOON, OVERDUE})
_HISTORY: Final = 200
_GROUP: Final = 400  # comments of a group that are looked at
_AT_ONCE: Final = 100  # cases between two turns of others


@dataclass(frozen=True, slots=True)
class WantedCases:
    """What of the ledger is asked for. `states`: of FILTERS, any of them; `after`: the id of a case."""

    states: tuple[str, ...] = ()
    department_id: str | None = None
    text: str = ""
    limit: int = 50
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """`next` is the `after` of the next page; `counts`: of all cases, whatever is asked for."""

    items: tuple[CaseCard, ...]
    next: str | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of the trace about a case. `by`: a name, as long as it is kept; `detail`: what the line says, with the
    texts that are kept beside it."""

    at_wall_ms: int
    action: str
    by: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """`similar`: what others of its group wrote; `history`: newest first."""

    response: CaseCard
    similar: tuple[str, ...]
    history: tuple[HistoryLine, ...]


class CaseQueries:
    """For those who may read the ledger. `zone`: of the people who read dates."""

    def __init__(
        self, storage: Storage, clock: Clock, reader: CommentReader, ledgers: Ledgers, zone: tzinfo
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._reader = reader
        self._ledgers = ledgers
        self._zone = zone

    async def page(self, consultation_id: str, by: Bearer, wanted: WantedCases) -> CasePage:
        """What the secretariat has to do first, then by due date."""
        require(by.role, Action.RESPONSE_READ)
        if not FILTERS.issuperset(wanted.states):
            raise ConferenceError("bad_request", "state")
        ledger, wall_ms = await self._ledgers.get(consultation_id), self._clock.wall_ms()
        everything = sorted(ledger.responses.values(), key=urgency)
        found = await self._found(ledger, everything, wanted, wall_ms)
        ids = [each.id for each in found]
        begin = ids.index(wanted.after) + 1 if wanted.after in ids else 0
        page = found[begin : begin + wanted.limit]
        return CasePage(
            tuple(card(ledger, each, wall_ms, self._zone) for each in page),
            page[-1].id if len(found) > begin + len(page) else None,
            counts(everything, wall_ms, self._zone),
        )

    async def _found(
        self, ledger: Ledger, everything: Iterable[Response], wanted: WantedCases, wall_ms: int
    ) -> list[Response]:
        searched, pauses = self._reader.fold(wanted.text), Pauses(_AT_ONCE)
        found: list[Response] = []
        for each in everything:
            await pauses.after()
            if (
                self._is_in(each, wanted.states, wall_ms)
                and wanted.department_id in (None, each.department_id)
                and (not searched or searched in self._words(ledger.comment(each), each))
            ):
                found.append(each)
        return found

    def _is_in(self, response: Response, states: Iterable[str], wall_ms: int) -> bool:
        wanted = set(states)
        if not wanted or response.state.value in wanted:
            return True
        if OVERDUE in wanted and response.is_overdue(wall_ms):
            return True
        return DUE_SOON in wanted and is_due_soon(response, wall_ms, self._zone)

    def _words(self, comment: Comment, response: Response) -> str:
        answer = "" if response.answer is None else response.answer.text
        label = response.label(self._zone)
        return self._reader.fold(f"{label} {comment.nickname} {comment.text} {answer}")

    async def get(self, consultation_id: str, by: Bearer, response_id: str) -> CaseDetail:
        """A case with what is like it and what was done."""
        require(by.role, Action.RESPONSE_READ)
        ledger, wall_ms = await self._ledgers.get(consultation_id), self._clock.wall_ms()
        response = ledger.responses.get(response_id)
        if response is None:
            raise NotFoundError(f"response {response_id}")
        comment = ledger.comment(response)
        async with self._storage.reading() as unit:
            group = await unit.comments.in_group(consultation_id, comment.group_id, _GROUP)
            lines = await unit.audit.lines(consultation_id, limit=_HISTORY, subject=response_id, newest=True)
            texts = await unit.audit.texts_of(consultation_id, [each.number for each in lines])
        said: dict[int, dict[str, str]] = {}
        for text in texts:
            said.setdefault(text.number, {})[text.field] = text.text
        return CaseDetail(
            card(ledger, response, wall_ms, self._zone),
            tuple(texts_of(group, comment, only_shown=False)),
            tuple(
                HistoryLine(
                    each.at_ms,
                    each.action,
                    said.get(each.number, {}).get("by_name"),
                    _detail(json.loads(each.content), said.get(each.number, {})),
                )
                for each in lines
            ),
        )


def _detail(content: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Value]:
    """What a line says; a personal text that was deleted is None."""
    return {
        name: texts.get(name) if isinstance(value, dict) and "salted_sha256" in value else value
        for name, value in content.items()
        if not name.startswith("by_")
    }
