"""Chapters of the program: its agenda items, and within them who had the floor, what was put to the session, and the
films that were played."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.clip import Playing
from conference.model.floor import Turn
from conference.model.timeline import Step, began_ms, stretches


class ChapterKind(StrEnum):
    ITEM = "item"
    SPEECH = "speech"
    PROMOTION = "promotion"
    CLIP = "clip"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A stretch of program time with a name, in milliseconds. `title` of a speech is the speaker's name."""

    kind: ChapterKind
    title: str
    from_ms: int
    to_ms: int


def chapters(
    items: Iterable[AgendaItem],
    steps: Sequence[Step],
    turns: Iterable[Turn],
    end_ms: int,
    plays: Iterable[Playing] = (),
) -> list[Chapter]:
    """All of them up to `end_ms`, by their beginning: an item before what lies in it.

    Titles are those of the agenda now, so that a corrected name is the one that is kept.
    """
    known = {item.id: item for item in items}
    found: list[Chapter] = []
    for stretch in stretches(steps):
        item = known.get(stretch.item_id)
        promoted = item is not None and item.kind is AgendaKind.PROMOTION
        kind = ChapterKind.PROMOTION if promoted else ChapterKind.ITEM
        title = stretch.title if item is None else item.title
        found += _within(kind, title, stretch.from_ms, stretch.to_ms, end_ms)
    for turn in turns:
        if turn.first_started_at_ms is not None:  # nobody was heard otherwise
            found += _within(ChapterKind.SPEECH, turn.name, began_ms(turn), turn.ended_at_ms, end_ms)
    for play in plays:
        if play.began_ms is not None:  # nothing was seen otherwise, or before program time
            found += _within(ChapterKind.CLIP, play.name, play.began_ms, play.ended_ms, end_ms)
    order = list(ChapterKind)
    return sorted(found, key=lambda each: (each.from_ms, order.index(each.kind)))


def _within(kind: ChapterKind, title: str, from_ms: int, to_ms: int | None, end_ms: int) -> list[Chapter]:
    until_ms = end_ms if to_ms is None else min(to_ms, end_ms)
    return [Chapter(kind, title, from_ms, until_ms)] if until_ms > from_ms else []
