"""Reading the trace, and deleting personal text from beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.clock import Clock
from conference.model.audit import AuditEntry, AuditLine
from conference.model.errors import NotFoundError
from conference.model.permissions import Action, require
from conference.services.ports import Storage
from conference.services.trace import Bearer

SHOWN_FIELDS: Final = frozenset({"by_name", "name"})  # what somebody wrote is read where it was written


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A line with the names in it that were not deleted, by field."""

    line: AuditLine
    names: dict[str, str]


class Trace:
    """The chain of one consultation, page by page."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def forget(self, chain: str, number: int, by: Bearer) -> None:
        """Delete the personal texts of a line, as the law may ask; that is a line itself. Nothing left: no line."""
        require(by.role, Action.AUDIT_FORGET)
        async with self._storage.transaction() as unit:
            if not 1 <= number <= (await unit.audit.head(chain)).number:
                raise NotFoundError(f"line {number}")
            if not await unit.audit.texts(chain, number, number):
                return
            await unit.audit.forget(chain, number)
            entry = AuditEntry(
                chain, self._clock.wall_ms(), None, by.actor, "audit.forgotten", None, {"number": number}
            )
            await unit.audit.append(entry)

    async def page(
        self,
        chain: str,
        *,
        after: int,
        limit: int,
        action: str | None,
        actor: str | None,
        newest: bool = False,
        before: int | None = None,
    ) -> tuple[list[TraceLine], bool]:
        """At most `limit` lines with a number above `after` and below `before`, and whether there are more."""
        async with self._storage.reading() as unit:
            lines = await unit.audit.lines(
                chain, after, limit + 1, action=action, actor=actor, newest=newest, before=before
            )
            page = lines[:limit]
            ends = sorted((page[0].number, page[-1].number)) if page else []
            texts = await unit.audit.texts(chain, *ends) if ends else []
        names: dict[int, dict[str, str]] = {}
        for text in texts:
            if text.field in SHOWN_FIELDS:
                names.setdefault(text.number, {})[text.field] = text.text
        return [TraceLine(line, names.get(line.number, {})) for line in page], len(lines) > limit
