"""A consultation as it stood at a moment of program time, told from its rows and its trace.

The public is behind by the delay: what it reads beside the picture is what was true when the picture was made.
Rows say what is true now only; the marks of the trace say since when.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.audit import AuditLine
from conference.model.floor import Turn
from conference.model.participant import Participant

STEPS: Final = frozenset({"agenda.started", "agenda.ended"})
EDITED: Final = "agenda.edited"


@dataclass(frozen=True, slots=True)
class Step:
    """From `at_ms` on this item was the current one; None: none was."""

    at_ms: int
    item_id: str | None
    title: str


@dataclass(frozen=True, slots=True)
class Draft:
    """From `at_ms` on the agenda was written so: titles by the items' ids, in order."""

    at_ms: int
    titles: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Marks:
    """What the trace says of the agenda, in order. What was before going live stands at 0."""

    steps: tuple[Step, ...] = ()
    drafts: tuple[Draft, ...] = ()

    def followed_by(self, lines: Iterable[AuditLine]) -> Marks:
        """With these lines behind; other actions are passed over."""
        steps, drafts = list(self.steps), list(self.drafts)
        for line in lines:
            at_ms = line.program_time_ms or 0
            content = json.loads(line.content)
            if line.action == EDITED:
                titles = tuple((str(each["id"]), _title(each)) for each in content["items"])
                drafts.append(Draft(at_ms, titles))
            elif line.action in STEPS:
                steps.append(
                    Step(
                        at_ms,
                        line.subject if line.action == "agenda.started" else None,
                        _title(content),
                    )
                )
        return Marks(tuple(steps), tuple(drafts))


@dataclass(frozen=True, slots=True)
class Stretch:
    """An item was the current one from `from_ms` to `to_ms`, or still is."""

    item_id: str
    title: str
    from_ms: int
    to_ms: int | None


def stretches(steps: Sequence[Step]) -> list[Stretch]:
    """What was current when; a moment that took no time, before going live above all, is left out."""
    found: list[Stretch] = []
    ends: list[int | None] = [step.at_ms for step in steps[1:]]
    for step, to_ms in zip(steps, [*ends, None], strict=False):
        if step.item_id is not None and to_ms != step.at_ms:
            found.append(Stretch(step.item_id, step.title, step.at_ms, to_ms))
    return found


def agenda_at(items: Sequence[AgendaItem], marks: Marks, at_ms: int | None) -> list[AgendaItem]:
    """The agenda at that moment, None: before going live. `items` are what it is now.

    An edit that the moment has not come to is left out: titles are the old ones, and what it added is missing.
    """
    if at_ms is None:
        began = Marks(drafts=marks.drafts)
        return [_waiting(item) for item in _written(items, began, 0)]
    seen = [step for step in marks.steps if step.at_ms <= at_ms]
    passed = stretches(seen)
    current = passed[-1].item_id if passed and passed[-1].to_ms is None else None
    return [_stood(item, passed, current) for item in _written(items, marks, at_ms)]


def _written(items: Sequence[AgendaItem], marks: Marks, at_ms: int) -> list[AgendaItem]:
    if not any(draft.at_ms > at_ms for draft in marks.drafts):
        return list(items)
    known = [draft for draft in marks.drafts if draft.at_ms <= at_ms]
    if not known:
        return []
    now = {item.id: item for item in items}
    return [
        _titled(now.get(item_id) or AgendaItem(item_id, title, AgendaKind.DISCUSSION), title)
        for item_id, title in known[-1].titles
    ]


def _title(said: dict[str, Any]) -> str:
    """Empty for the words of a comment: a line holds only their hash, and they never change."""
    title = said.get("title", "")
    return title if isinstance(title, str) else ""


def _titled(item: AgendaItem, title: str) -> AgendaItem:
    return replace(item, title=title) if title else item


def _waiting(item: AgendaItem) -> AgendaItem:
    return replace(item, state=ItemState.PENDING, started_at_ms=None, ended_at_ms=None)


def _stood(item: AgendaItem, passed: Sequence[Stretch], current: str | None) -> AgendaItem:
    own = [each for each in passed if each.item_id == item.id]
    if not own:
        return _waiting(item)
    state = ItemState.CURRENT if item.id == current else ItemState.DONE
    return replace(item, state=state, started_at_ms=own[0].from_ms, ended_at_ms=own[-1].to_ms)


def speaker_at(turns: Iterable[Turn], at_ms: int) -> Turn | None:
    """Who held the floor at that moment."""
    held = [turn for turn in turns if began_ms(turn) <= at_ms and _holds(turn, at_ms)]
    return held[-1] if held else None


def began_ms(turn: Turn) -> int:
    """Since when the floor was its holder's; what was granted before going live began with it."""
    return turn.granted_at_ms or 0


def _holds(turn: Turn, at_ms: int) -> bool:
    if turn.is_open:
        return True
    return turn.ended_at_ms is not None and at_ms < turn.ended_at_ms


def plate_line(participant: Participant) -> str:
    """The second line of the name plate: sector or title, and the venue, unless that is who speaks."""
    p = participant
    return " · ".join(part for part in (p.sector or p.title, p.venue) if part and part != p.name)
