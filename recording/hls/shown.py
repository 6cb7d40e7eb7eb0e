"""What of a program somebody may see now: which segments and which parts, real or as a card. Pure.

Whatever overlaps a withdrawn stretch is a card as a whole, with the number, time line and duration of what it
stands for; whatever ends later than `until_ms` is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from recording.hls.store import OpenSegment, PartRow, ProgramStore, Slot

Span: TypeAlias = "tuple[int, int | None]"  # program time; no end: it goes on

_CARD_SLOTS: Final = 3  # in the replay, where nobody wants to look at a card for minutes


@dataclass(frozen=True, slots=True)
class View:
    """`until_ms`: nothing that ends later in program time; None: no such limit. `ended`: the consultation is over."""

    until_ms: int | None = None
    withdrawn: tuple[Span, ...] = ()
    ended: bool = False

    def shows(self, end_ms: int) -> bool:
        """Whether what ends then may be named."""
        return self.until_ms is None or end_ms <= self.until_ms

    def hides(self, from_ms: int, to_ms: int) -> bool:
        """Whether any of it is withdrawn."""
        return any(begin < to_ms and (end is None or end > from_ms) for begin, end in self.withdrawn)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part that may be fetched; `start_ms` is program time."""

    index: int
    offset: int
    size: int
    start_ms: int
    duration_ms: int
    is_independent: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A segment as somebody may see it. `file` is None when it is a card, or missing in this rendition.

    `discontinuities`: how many there were up to here. `is_whole`: not still being written or held back.
    """

    number: int
    life: int
    program_time_ms: int
    duration_ms: int
    file: str | None
    is_card: bool
    is_whole: bool
    discontinuities: int
    pieces: tuple[Piece, ...] = ()

    @property
    def end_ms(self) -> int:
        return self.program_time_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Edge:
    """How far a rendition has come: the last whole segment, and how many parts of the next there are."""

    number: int
    parts: int

    def has(self, number: int, part: int | None) -> bool:
        """Whether a playlist holds this segment, or this part of it, or later ones."""
        return self.number >= number or (
            part is not None and (self.number + 1, self.parts) >= (number, part + 1)
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A rendition of a store in a view."""

    store: ProgramStore
    rendition: str
    view: View

    @property
    def count(self) -> int:
        """How many slots are named: the last one has this rendition."""
        slots = self.store.slots
        count = self.store.until(self.view.until_ms)
        while count and not self._is_told(slots[count - 1]):
            count -= 1
        return count

    def _is_told(self, slot: Slot) -> bool:
        segment = slot.segments.get(self.rendition)
        return segment is not None and self.view.shows(segment.end_ms)

    @property
    def edge(self) -> Edge | None:
        """None before there is a segment."""
        count = self.count
        if not count:
            return None
        begun = self.begun(count)
        return Edge(self.store.slots[count - 1].number, len(begun.pieces) if begun is not None else 0)

    @property
    def next_end_ms(self) -> int | None:
        """When the next part ends that is written and may not be seen yet; None: there is none."""
        slots = self.store.slots
        for slot in slots[self.count : self.count + 2]:
            segment = slot.segments.get(self.rendition)
            if segment is not None:
                return self._first_hidden(
                    segment.parts or ((0, 0, segment.duration_ms, True),), segment.program_time_ms
                )
        open_ = self.store.open.get(self.rendition)
        return self._first_hidden(open_.parts, open_.program_time_ms) if open_ is not None else None

    def _first_hidden(self, parts: Sequence[PartRow], start_ms: int) -> int | None:
        for _, _, duration_ms, _ in parts:
            start_ms += duration_ms
            if not self.view.shows(start_ms):
                return start_ms
        return None

    def window(self, count: int, length: int) -> list[Entry]:
        """The last slots up to `count`, unbroken in their numbers."""
        slots = self.store.slots
        first = max(0, count - length)
        for at in range(count - 1, first, -1):
            if slots[at - 1].number + 1 != slots[at].number:
                first = at
                break
        return [self.entry(slots[at]) for at in range(first, count)]

    def replay(self) -> Iterator[Entry]:
        """Everything; of each withdrawn stretch the beginning."""
        for slot in replayed(self.store, self.view):
            yield self.entry(slot)

    def begun(self, count: int) -> Entry | None:
        """The segment behind the `count` named ones, as far as it may be seen."""
        slots = self.store.slots
        number = slots[count - 1].number + 1
        slot = slots[count] if count < len(slots) and slots[count].number == number else None
        if slot is not None and self.rendition in slot.segments:
            return self._held_back(slot)
        open_ = self.store.open.get(self.rendition)
        if open_ is None or open_.number != number:
            return None
        return self._written(open_, slots[count - 1])

    def entry(self, slot: Slot) -> Entry:
        """A slot that is named. `is_card` says that it is withdrawn."""
        segment = slot.segments.get(self.rendition)
        start_ms = segment.program_time_ms if segment is not None else slot.program_time_ms
        duration_ms = segment.duration_ms if segment is not None else slot.duration_ms
        is_card = self.view.hides(slot.program_time_ms, max(slot.end_ms, start_ms + duration_ms))
        pieces = self._pieces(segment.parts, start_ms) if segment is not None else ()
        has_init = (slot.life, self.rendition) in self.store.inits
        return Entry(
            number=slot.number,
            life=slot.life,
            program_time_ms=start_ms,
            duration_ms=duration_ms,
            file=segment.file if segment is not None and has_init and not is_card else None,
            is_card=is_card,
            is_whole=True,
            discontinuities=slot.discontinuities,
            pieces=pieces,
        )

    def by_number(self, life: int, number: int) -> Entry | None:
        """What may be seen of this number, whole or begun; None: nothing, or nothing yet."""
        slot = self.store.slot(number)
        if slot is not None and self.rendition in slot.segments:
            whole = slot.life == life and self.view.shows(slot.segments[self.rendition].end_ms)
            found = self.entry(slot) if whole else self._held_back(slot)
        else:
            open_ = self.store.open.get(self.rendition)
            if open_ is None or open_.number != number:
                return None
            before = self.store.slots[-1] if self.store.slots else None
            found = self._written(open_, before)
        return found if found is not None and found.life == life else None

    def _held_back(self, slot: Slot) -> Entry | None:
        """A slot that is only partly there yet."""
        whole = self.entry(slot)
        pieces = tuple(each for each in whole.pieces if self.view.shows(each.start_ms + each.duration_ms))
        if not pieces:
            return None
        return Entry(
            number=whole.number,
            life=whole.life,
            program_time_ms=whole.program_time_ms,
            duration_ms=sum(each.duration_ms for each in pieces),
            file=whole.file,
            is_card=whole.is_card,
            is_whole=False,
            discontinuities=whole.discontinuities,
            pieces=pieces,
        )

    def _written(self, open_: OpenSegment, before: Slot | None) -> Entry | None:
        start_ms = open_.program_time_ms
        pieces = tuple(
            each
            for each in self._pieces(open_.parts, start_ms)
            if self.view.shows(each.start_ms + each.duration_ms)
        )
        if not pieces:
            return None
        follows = before is None or before.life == open_.life
        is_card = self.view.hides(start_ms, start_ms + open_.duration_ms)
        has_init = (open_.life, self.rendition) in self.store.inits
        return Entry(
            number=open_.number,
            life=open_.life,
            program_time_ms=start_ms,
            duration_ms=sum(each.duration_ms for each in pieces),
            file=f"{open_.life}/{self.rendition}/{open_.number:08d}.m4s"
            if has_init and not is_card
            else None,
            is_card=is_card,
            is_whole=False,
            discontinuities=(before.discontinuities if before is not None else 0) + (not follows),
            pieces=pieces,
        )

    @staticmethod
    def _pieces(parts: Sequence[PartRow], start_ms: int) -> tuple[Piece, ...]:
        pieces = []
        for index, (offset, size, duration_ms, is_independent) in enumerate(parts):
            pieces.append(Piece(index, offset, size, start_ms, duration_ms, is_independent))
            start_ms += duration_ms
        return tuple(pieces)


def replayed(store: ProgramStore, view: View) -> Iterator[Slot]:
    """The slots of the replay, the same for every rendition."""
    hidden = 0
    for slot in store.slots[: store.until(view.until_ms)]:
        hidden = hidden + 1 if view.hides(slot.program_time_ms, slot.end_ms) else 0
        if hidden <= _CARD_SLOTS:
            yield slot


def replay_spans(store: ProgramStore, view: View) -> tuple[tuple[int, int], ...]:
    """The unbroken stretches of program time that the replay holds, in order: a player plays them in a row."""
    spans: list[tuple[int, int]] = []
    for slot in replayed(store, view):
        if spans and spans[-1][1] == slot.program_time_ms:
            spans[-1] = (spans[-1][0], slot.end_ms)
        else:
            spans.append((slot.program_time_ms, slot.end_ms))
    return tuple(spans)


def is_complete(store: ProgramStore, view: View) -> bool:
    """Whether nothing will ever come after what may be seen now."""
    return view.ended and not store.is_running and view.until_ms is None
