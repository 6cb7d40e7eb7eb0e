"""Reading the trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.model.audit import AuditLine
from conference.services.ports import Storage

SHOWN_FIELDS: Final = frozenset({"by_name", "name"})  # what somebody wrote is read where it was written


@dataclass(frozen=True, slots=True)
class TraceLine:
    """A line with the names in it that were not deleted, by field."""

    line: AuditLine
    names: dict[str, str]


class Trace:
    """The chain of one consultation, page by page."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

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
