"""What there is of a consultation's program, in memory: read from its journal, kept up by what its worker tells.

A *slot* is one number of the one row over all lives: the same span of program time in every rendition.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from recording.hls.journal import JournalMore, JournalPlace, is_being_written, read_more

_LOOK_S: Final = 1.0  # at the journals that other nodes write
_WITH_PARTS: Final = 110  # slots whose parts are remembered: a minute's delay and a live playlist

PartRow: TypeAlias = (
    "tuple[int, int, int, bool]"  # offset, size, duration in ms, whether a player can begin there
)


class Life(msgspec.Struct, frozen=True):
    """One start of the worker, at `program_time_ms`. Media time of its segments is program time."""

    life: int
    program_time_ms: int


class Init(msgspec.Struct, frozen=True):
    """What a player must have before the segments of a rendition in a life.

    `file` is that of the first life with these bytes: a player that has it need not load it again, and FFmpeg, which
    complains of a second one, does not see any.
    """

    life: int
    rendition: str
    file: str
    codecs: str
    bandwidth: int
    width: int | None = None
    height: int | None = None
    sha256: str | None = None


class Segment(msgspec.Struct, frozen=True):
    """A segment that is on the disk and never changes. `parts` only while it is new."""

    life: int
    rendition: str
    number: int
    file: str
    duration_ms: int
    program_time_ms: int
    size: int
    parts: tuple[PartRow, ...] = ()

    @property
    def end_ms(self) -> int:
        return self.program_time_ms + self.duration_ms


class Part(msgspec.Struct, frozen=True):
    """The newest piece of a segment that is still being written."""

    life: int
    rendition: str
    number: int
    offset: int
    size: int
    duration_ms: int
    independent: bool
    program_time_ms: int


class Still(msgspec.Struct, frozen=True):
    """A picture of the program (JPEG)."""

    file: str
    program_time_ms: int


class Slot:
    """One number. `discontinuities`: how many began up to here, this one's own included."""

    __slots__ = ("discontinuities", "duration_ms", "life", "number", "program_time_ms", "segments")

    def __init__(self, first: Segment, before: Slot | None) -> None:
        self.number = first.number
        self.life = first.life
        self.program_time_ms = first.program_time_ms
        self.duration_ms = first.duration_ms
        self.segments: dict[str, Segment] = {}
        follows = before is None or (before.life == first.life and before.number + 1 == first.number)
        self.discontinuities: int = (before.discontinuities if before is not None else 0) + (not follows)

    @property
    def end_ms(self) -> int:
        return self.program_time_ms + self.duration_ms


class OpenSegment:
    """The segment of a rendition that is being written: what of it can be read already."""

    __slots__ = ("life", "number", "parts", "program_time_ms")

    def __init__(self, first: Part) -> None:
        self.life, self.number, self.program_time_ms = first.life, first.number, first.program_time_ms
        self.parts: list[PartRow] = []

    @property
    def duration_ms(self) -> int:
        return sum(duration_ms for _, _, duration_ms, _ in self.parts)


class ProgramStore:
    """One consultation. Facts may come twice; whatever was listed first stays."""

    def __init__(self, directory: Path) -> None:
        """`directory`: the consultation's own; `file` of every fact is below it."""
        self.directory = directory
        self.lives: dict[int, Life] = {}
        self.inits: dict[tuple[int, str], Init] = {}
        self.slots: list[Slot] = []
        self.open: dict[str, OpenSegment] = {}
        self.stills: list[Still] = []
        self.segment_ms = 0  # the longest so far
        self.part_ms = 0
        self.is_running = False  # a worker writes
        self.version = 0  # one more with every change of what a playlist may say
        self._shown_ms = 0
        self._changed: dict[str, asyncio.Future[None]] = {}

    # ── facts in ────────────────────────────────────────────────────────────────────────────────

    def take(self, fact: Mapping[str, Any]) -> None:
        """One fact, from the journal or from the worker. Unknown and malformed ones are passed over."""
        reader = _READERS.get(fact.get("fact", ""))
        if reader is None:
            return
        try:
            reader(self, fact)
        except msgspec.ValidationError:
            return

    def stop(self) -> None:
        """No worker writes: the journal was read, or the worker is gone."""
        self.is_running = False
        self._tell(*self._changed)

    def _take_life(self, fact: Mapping[str, Any]) -> None:
        life = msgspec.convert(fact, Life)
        self.lives.setdefault(life.life, life)
        self.is_running = True

    def _take_init(self, fact: Mapping[str, Any]) -> None:
        init = msgspec.convert(fact, Init)
        for known in self.inits.values():
            if (known.rendition, known.sha256) == (init.rendition, init.sha256 or "unknown"):
                init = msgspec.structs.replace(init, file=known.file)
                break
        self.inits.setdefault((init.life, init.rendition), init)
        self.version += 1

    def lives_with(self, init: Init) -> list[int]:
        """Those whose segments a player reads with this file."""
        return [each.life for each in self.inits.values() if each.file == init.file]

    def _take_part(self, fact: Mapping[str, Any]) -> None:
        part = msgspec.convert(fact, Part)
        self.is_running = True
        slot = self.slot(part.number)
        if slot is not None and part.rendition in slot.segments:
            return
        open_ = self.open.get(part.rendition)
        if part.offset == 0:
            if open_ is not None and (open_.life, open_.number) == (part.life, part.number):
                return  # told again
            open_ = self.open[part.rendition] = OpenSegment(part)
        elif (
            open_ is None
            or (open_.life, open_.number) != (part.life, part.number)
            or open_.parts[-1][0] + open_.parts[-1][1] != part.offset
        ):
            return  # its beginning was never heard of: the segment will be
        open_.parts.append((part.offset, part.size, part.duration_ms, part.independent))
        self.part_ms = max(self.part_ms, part.duration_ms)
        self._tell(part.rendition)

    def _take_segment(self, fact: Mapping[str, Any]) -> None:
        segment = msgspec.convert(fact, Segment)
        slot = self.slot(segment.number)
        if slot is None:
            before = self.slots[-1] if self.slots else None
            if before is not None and segment.number < before.number:
                return
            slot = Slot(segment, before)
            self.slots.append(slot)
            self._forget_parts()
        if segment.rendition in slot.segments or segment.life != slot.life:
            return
        slot.segments[segment.rendition] = segment
        open_ = self.open.get(segment.rendition)
        if open_ is not None and open_.number <= segment.number:
            del self.open[segment.rendition]
        self.segment_ms = max(self.segment_ms, segment.duration_ms)
        self.part_ms = max(self.part_ms, *(each[2] for each in segment.parts), 0)
        self._tell(segment.rendition)

    def _take_still(self, fact: Mapping[str, Any]) -> None:
        still = msgspec.convert(fact, Still)
        if not self.stills or self.stills[-1].program_time_ms < still.program_time_ms:
            self.stills.append(still)

    def _take_end(self, _fact: Mapping[str, Any]) -> None:
        self.stop()

    def _forget_parts(self) -> None:
        if len(self.slots) > _WITH_PARTS:
            old = self.slots[-_WITH_PARTS - 1].segments
            for name, segment in old.items():
                old[name] = msgspec.structs.replace(segment, parts=())

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    @property
    def renditions(self) -> tuple[Init, ...]:
        """Those of the newest life, the best first."""
        newest = max((life for life, _ in self.inits), default=0)
        found = [init for (life, _), init in self.inits.items() if life == newest]
        return tuple(sorted(found, key=lambda each: -each.bandwidth))

    def knows(self, rendition: str) -> bool:
        """Whether any life had it."""
        return any(name == rendition for _, name in self.inits)

    def slot(self, number: int) -> Slot | None:
        """By its number."""
        at = bisect_left(self.slots, number, key=lambda each: each.number)
        return self.slots[at] if at < len(self.slots) and self.slots[at].number == number else None

    def still(self, file: str) -> Still | None:
        """By its name."""
        return next((each for each in reversed(self.stills) if each.file == file), None)

    def until(self, end_ms: int | None) -> int:
        """How many slots end at `end_ms` of program time or before; None: all."""
        if end_ms is None:
            return len(self.slots)
        return bisect_right(self.slots, end_ms, key=lambda each: each.end_ms)

    def shown_until(self, until_ms: int | None) -> int | None:
        """`until_ms`, or how far it has been before: a longer delay takes back nothing that was named."""
        if until_ms is None:
            return None
        self._shown_ms = max(self._shown_ms, until_ms)
        return self._shown_ms

    def changed(self, rendition: str) -> asyncio.Future[None]:
        """Done when there is more of this rendition, or no more of any. Shared: never cancel it."""
        future = self._changed.get(rendition)
        if future is None:
            future = self._changed[rendition] = asyncio.get_running_loop().create_future()
        return future

    def noticed(self) -> None:
        """Facts were taken, or it was heard whether a worker writes: whoever waits goes on."""
        self._tell(*tuple(self._changed))

    def _tell(self, *renditions: str) -> None:
        self.version += 1
        for rendition in renditions:
            future = self._changed.pop(rendition, None)
            if future is not None and not future.done():
                future.set_result(None)


_READERS: Final = {
    "life": ProgramStore._take_life,
    "init": ProgramStore._take_init,
    "part": ProgramStore._take_part,
    "segment": ProgramStore._take_segment,
    "still": ProgramStore._take_still,
    "gone": ProgramStore._take_end,
    "ended": ProgramStore._take_end,
}
_ENDS: Final = ("gone", "ended")


@dataclass(slots=True)
class _Read:
    """How far a journal was read, and when (monotonic)."""

    journal: JournalPlace
    at_s: float


class ProgramStores:
    """The programs of a node, below one directory; those asked for last are in memory."""

    def __init__(self, directory: Path, *, kept: int = 64, is_shared: bool = False) -> None:
        """`kept`: how many consultations stay in memory. `is_shared`: other nodes write here, too: what no worker of
        ours keeps up is looked at again when somebody asks, once a second."""
        self._is_shared = is_shared
        self._read: dict[str, _Read] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._directory = directory
        self._kept = kept
        self._stores: dict[str, ProgramStore] = {}
        self._loading: dict[str, asyncio.Task[ProgramStore | None]] = {}
        self._running: set[str] = set()
        self._missed: dict[str, list[Mapping[str, Any]]] = {}

    def take(self, consultation_id: str, fact: Mapping[str, Any]) -> None:
        """A fact of a running worker. Of consultations that nobody asked for it is in the journal."""
        if fact.get("fact") in _ENDS:
            self._running.discard(consultation_id)
        else:
            if self._is_shared and consultation_id not in self._running:
                self.forget(consultation_id)  # another node may have gone farther: it is read anew
            self._running.add(consultation_id)
        store = self._stores.get(consultation_id)
        if store is not None:
            store.take(fact)
        elif consultation_id in self._loading:
            self._missed[consultation_id].append(fact)

    async def find(self, consultation_id: str) -> ProgramStore | None:
        """None when it has no program. `consultation_id` is one that exists."""
        store = self._stores.get(consultation_id)
        if store is None:
            task = self._loading.get(consultation_id)
            if task is None:
                self._missed[consultation_id] = []
                task = self._loading[consultation_id] = asyncio.create_task(self._load(consultation_id))
            return await asyncio.shield(task)
        if self._is_shared and consultation_id not in self._running:
            await self._look_again(consultation_id, store)
            store = self._stores.get(consultation_id)
            if store is None:
                return await self.find(consultation_id)
        self._stores[consultation_id] = self._stores.pop(consultation_id)
        return store

    def forget(self, consultation_id: str) -> None:
        """Its files were deleted; whoever waits goes on. Never called while it is made."""
        store = self._stores.pop(consultation_id, None)
        self._read.pop(consultation_id, None)
        if store is not None:
            store.stop()

    async def _look_again(self, consultation_id: str, store: ProgramStore) -> None:
        """Take what another node has listed since. A journal that is gone or another one: read anew."""
        now_s = asyncio.get_running_loop().time()
        read = self._read[consultation_id]
        if now_s - read.at_s < _LOOK_S:
            return
        task = self._reading.get(consultation_id)
        if task is None:
            task = asyncio.create_task(self._take_more(consultation_id, store, read, now_s))
            self._reading[consultation_id] = task
            task.add_done_callback(lambda _: self._reading.pop(consultation_id, None))
        await asyncio.shield(task)

    async def _take_more(self, consultation_id: str, store: ProgramStore, read: _Read, now_s: float) -> None:
        directory = self._directory / consultation_id
        try:
            more, is_written = await asyncio.to_thread(_more_of, directory, read.journal)
        except OSError:
            return  # out of reach: what is known stays
        if self._stores.get(consultation_id) is not store or consultation_id in self._running:
            return
        if more is None:
            self.forget(consultation_id)
            return
        read.journal, read.at_s = more.place, now_s
        for fact in more.facts:
            store.take(fact)
        if store.is_running is not is_written or more.facts:
            store.is_running = is_written
            store.noticed()

    async def close(self) -> None:
        """Idempotent; whoever waits for more goes on."""
        tasks = (*self._loading.values(), *self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for store in self._stores.values():
            store.stop()

    async def _load(self, consultation_id: str) -> ProgramStore | None:
        directory = self._directory / consultation_id
        try:
            store, place = await asyncio.to_thread(_loaded, directory)
            for fact in self._missed[consultation_id]:
                store.take(fact)
            store.is_running = consultation_id in self._running or (
                self._is_shared and await asyncio.to_thread(is_being_written, directory)
            )
        finally:
            del self._loading[consultation_id], self._missed[consultation_id]
        if not store.lives:
            return None
        self._stores[consultation_id] = store
        self._read[consultation_id] = _Read(place, asyncio.get_running_loop().time())
        while len(self._stores) > self._kept:
            oldest = next(iter(self._stores))
            del self._stores[oldest], self._read[oldest]
        return store


def load(directory: Path) -> ProgramStore:
    """What the journal says; empty without one."""
    return _loaded(directory)[0]


def _loaded(directory: Path) -> tuple[ProgramStore, JournalPlace]:
    store = ProgramStore(directory)
    more = read_more(directory, JournalPlace())
    for fact in more.facts if more is not None else ():
        store.take(fact)
    store.stop()
    return store, JournalPlace() if more is None else more.place


def _more_of(directory: Path, since: JournalPlace) -> tuple[JournalMore | None, bool]:
    """OSError."""
    is_written = is_being_written(directory)  # asked first: what was listed before it ended is read then
    return read_more(directory, since), is_written
