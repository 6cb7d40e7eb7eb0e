"""The agenda: ordered items, at most one of them current, with their planned and real times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id

MAX_TITLE_CHARS: Final = 200


class AgendaKind(StrEnum):
    REPORT = "report"
    SPEECH = "speech"
    DISCUSSION = "discussion"
    RESPONSE = "response"
    SUMMARY = "summary"
    PROMOTION = "promotion"
    BREAK = "break"  # 休会


class ItemState(StrEnum):
    PENDING = "pending"
    CURRENT = "current"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class AgendaDraft:
    """An item as it is written down. `id` names the item that is already there."""

    title: str
    kind: AgendaKind
    id: str | None = None
    planned_minutes: int | None = None
    planned_start_wall_ms: int | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class AgendaItem:
    """Real times are program time; None for what happened before going live.

    The last four belong to a comment that was put to the session (上会): its words, whole, and who wrote them.
    """

    id: str
    title: str
    kind: AgendaKind
    planned_minutes: int | None = None
    planned_start_wall_ms: int | None = None
    speaker: str | None = None
    state: ItemState = ItemState.PENDING
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    comment_id: str | None = None
    words: str | None = None
    nickname: str | None = None
    place: str | None = None

    def started(self, now_ms: int | None) -> AgendaItem:
        """Current from now on; one that was done is taken up again and keeps its first start."""
        first = now_ms if self.started_at_ms is None else self.started_at_ms
        return replace(self, state=ItemState.CURRENT, started_at_ms=first, ended_at_ms=None)

    def ended(self, now_ms: int | None) -> AgendaItem:
        return replace(self, state=ItemState.DONE, ended_at_ms=now_ms)


@dataclass(frozen=True, slots=True)
class Agenda:
    """Each change is a new value."""

    items: tuple[AgendaItem, ...] = ()

    @property
    def current(self) -> AgendaItem | None:
        return next((each for each in self.items if each.state is ItemState.CURRENT), None)

    def edited(self, drafts: Sequence[AgendaDraft]) -> Agenda:
        """Written anew: items named by their id keep state and times; those that began may not be left out."""
        existing = {each.id: each for each in self.items}
        named = [draft.id for draft in drafts if draft.id is not None]
        if len(set(named)) != len(named):
            raise ConferenceError("bad_request", "an agenda item twice")
        unknown = [each for each in named if each not in existing]
        if unknown:
            raise NotFoundError(f"agenda item {unknown[0]}")
        if any(each.state is not ItemState.PENDING and each.id not in named for each in self.items):
            raise ConferenceError("agenda_item_begun")
        return Agenda(tuple(_written(draft, existing.get(draft.id or "")) for draft in drafts))

    def interrupted(self, item: AgendaItem, now_ms: int | None) -> Agenda:
        """With this item behind the current one, and current itself."""
        current = self.current
        begin = len(self.items) if current is None else self.items.index(current) + 1
        return Agenda((*self.items[:begin], item, *self.items[begin:])).started(item.id, now_ms)

    def resumed(self, item_id: str | None, now_ms: int | None) -> Agenda:
        """The current item is over, and the one that it interrupted goes on, if it is still there."""
        over = self.ended(now_ms)
        if any(each.id == item_id for each in over.items):
            return over.started(item_id or "", now_ms)
        return over

    def started(self, item_id: str, now_ms: int | None) -> Agenda:
        """This item is current; the one before is done."""
        if all(each.id != item_id for each in self.items):
            raise NotFoundError(f"agenda item {item_id}")
        if self.current is not None and self.current.id == item_id:
            return self
        return Agenda(
            tuple(each.started(now_ms) if each.id == item_id else _over(each, now_ms) for each in self.items)
        )

    def advanced(self, now_ms: int | None) -> Agenda:
        """On to the next pending item; after the last one nothing is current."""
        current = self.current
        begin = 0 if current is None else self.items.index(current) + 1
        following = next((each for each in self.items[begin:] if each.state is ItemState.PENDING), None)
        if following is not None:
            return self.started(following.id, now_ms)
        return self.ended(now_ms)

    def ended(self, now_ms: int | None) -> Agenda:
        """Nothing is current."""
        if self.current is None:
            raise ConferenceError("invalid_state", "no current agenda item")
        return self.closed(now_ms)

    def closed(self, now_ms: int | None) -> Agenda:
        """The same, whether or not something was current."""
        return Agenda(tuple(_over(each, now_ms) for each in self.items))

    def went_live(self) -> Agenda:
        """Program time begins: the current item starts with it."""
        return Agenda(
            tuple(
                replace(each, started_at_ms=0) if each.state is ItemState.CURRENT else each
                for each in self.items
            )
        )


def _over(item: AgendaItem, now_ms: int | None) -> AgendaItem:
    return item.ended(now_ms) if item.state is ItemState.CURRENT else item


def _written(draft: AgendaDraft, existing: AgendaItem | None) -> AgendaItem:
    item = existing or AgendaItem(new_id("a"), draft.title, draft.kind)
    return replace(
        item,
        title=draft.title,
        kind=draft.kind,
        planned_minutes=draft.planned_minutes,
        planned_start_wall_ms=draft.planned_start_wall_ms,
        speaker=draft.speaker,
    )


def promotion_item(comment_id: str, words: str, nickname: str, place: str | None) -> AgendaItem:
    """An item about what somebody of the public said."""
    title = words if len(words) <= MAX_TITLE_CHARS else words[: MAX_TITLE_CHARS - 1] + "…"
    return AgendaItem(
        new_id("a"),
        title,
        AgendaKind.PROMOTION,
        comment_id=comment_id,
        words=words,
        nickname=nickname,
        place=place,
    )
