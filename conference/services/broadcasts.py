"""Broadcasts: what of a program the public sees: cut off at once, given back, withdrawn, not recorded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import structlog

from conference.desk_views import BroadcastView
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.broadcast import DEFAULT_BACK_S, Cut, CutKind, PublicView, running
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.services.change import Change
from conference.services.consultations import consultation_of
from conference.services.live_room import LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer, Caller
from conference.services.views import broadcast_view

log = structlog.get_logger(__name__)

_KNOWN_S: Final = 0.5  # how long rows that were read hold; a cut on this node is known at once
_MOST_KNOWN: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows of a consultation whose room is not open here."""

    read_at_s: float
    consultation: Consultation
    cuts: tuple[Cut, ...]


class Broadcasts:
    """`by` is an id in the room or at a desk, or a token's bearer."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._known: dict[str, _Known] = {}
        self._reading = asyncio.Lock()
        self._unsaved: deque[tuple[Cut, AuditEntry]] = deque()  # cuts that hold and are not in the rows yet
        self._saving = asyncio.Lock()

    # ── what the public sees ────────────────────────────────────────────────────────────────────

    async def view(self, consultation_id: str) -> PublicView:
        """As of now. Meant to be asked at every request of the public: rows are read at most twice a second."""
        consultation, cuts = await self._now(consultation_id)
        if consultation.status is Status.REHEARSAL:
            return PublicView.of(consultation.for_public(), (), None)
        return PublicView.of(consultation, cuts, self._rooms.program_time_ms(consultation))

    async def inside(self, consultation_id: str) -> PublicView:
        """The same for those who may see the program as it is: a rehearsal is no secret to them."""
        consultation, cuts = await self._now(consultation_id)
        return PublicView.of(consultation, cuts, self._rooms.program_time_ms(consultation))

    async def shown(self, consultation_id: str) -> BroadcastView:
        """As desks see it."""
        consultation, cuts = await self._now(consultation_id)
        return broadcast_view(consultation, cuts)

    async def _now(self, consultation_id: str) -> tuple[Consultation, tuple[Cut, ...]]:
        room = self._rooms.find(consultation_id)
        if room is not None:
            return room.consultation, _with(room.cuts, self._unsaved_of(consultation_id))
        known = await self._read(consultation_id)
        return known.consultation, _with(known.cuts, self._unsaved_of(consultation_id))

    async def _read(self, consultation_id: str) -> _Known:
        known = self._known.get(consultation_id)
        if self._holds(known):
            assert known is not None
            return known
        async with self._reading:
            known = self._known.get(consultation_id)
            if self._holds(known):  # read while we waited
                assert known is not None
                return known
            try:
                async with self._rooms.storage.reading() as unit:
                    consultation = await consultation_of(unit, consultation_id)
                    cuts = tuple(await unit.broadcast_cuts.of(consultation_id))
            except ConferenceError as error:
                if known is None or error.code != "storage_unavailable":
                    raise
                return known  # the public goes on as it was
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            read = _Known(self._rooms.clock.monotonic(), consultation, cuts)
            self._known[consultation_id] = read
            return read

    def _holds(self, known: _Known | None) -> bool:
        return known is not None and self._rooms.clock.monotonic() - known.read_at_s < _KNOWN_S

    # ── the button ──────────────────────────────────────────────────────────────────────────────

    async def cut(
        self, consultation_id: str, by: str | Bearer, back_s: int = DEFAULT_BACK_S
    ) -> BroadcastView:
        """应急切断: from now on the public sees a card, and what it saw in the last `back_s` seconds is withdrawn.

        It holds at once; nobody waits for the room's lock or the database, which may be in trouble just now.
        Repeating it is harmless.
        """
        room = self._rooms.find(consultation_id)
        if room is not None:
            made = self._cut_now(room, by, back_s)
        else:
            async with self._rooms.locked(consultation_id) as room:
                made = self._cut_now(room, by, back_s)
        if made:
            self._known.pop(consultation_id, None)
            try:
                await self.save_cuts()
            except ConferenceError as error:
                log.error("broadcast.not_saved", room=consultation_id, code=error.code)
        return await self.shown(consultation_id)

    def _cut_now(self, room: LiveRoom, by: str | Bearer, back_s: int) -> bool:
        """Never waits. False: it was cut already."""
        caller = room.caller(by)
        require(caller.role, Action.BROADCAST_CUT)
        if not room.consultation.is_running:
            raise ConferenceError("invalid_state", "it is not live")
        if running(_with(room.cuts, self._unsaved_of(room.id)), CutKind.CUT) is not None:
            return False
        now_ms = self._now_ms(room)
        from_ms = max(0, now_ms - room.consultation.public_delay_s * 1000 - back_s * 1000)
        made = self._made(room, caller, CutKind.CUT, from_ms, None)
        content: dict[str, Value] = {"from_ms": from_ms, "back_s": back_s}
        self._unsaved.append(
            (made, self._rooms.entry(room, caller.actor, "broadcast.cut", made.id, **content))
        )
        room.apply(Change(cuts=(made,)))
        return True

    async def save_cuts(self) -> None:
        """Write what holds already. Call a few times a second: it goes on where the database failed before."""
        async with self._saving:
            while self._unsaved:
                made, entry = self._unsaved[0]
                async with self._rooms.storage.transaction() as unit:
                    if await unit.consultations.get(made.consultation_id) is not None:
                        await unit.broadcast_cuts.save([made])
                        await unit.audit.append(entry)
                self._unsaved.popleft()
                room = self._rooms.find(made.consultation_id)
                if room is not None:
                    room.apply(Change(cuts=tuple(_missing(room.cuts, made))))  # it may have been opened anew

    async def restore(self, consultation_id: str, by: str | Bearer) -> BroadcastView:
        """From now on the public sees the program again; what was cut off stays withdrawn. Harmless without a cut."""
        await self.save_cuts()
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.BROADCAST_CUT)
            cut = running(room.cuts, CutKind.CUT)
            if cut is not None:
                ended = cut.ended(self._now_ms(room))
                content: dict[str, Value] = {"from_ms": ended.from_ms, "to_ms": ended.to_ms}
                await self._commit(room, caller, "broadcast.restored", ended, content)
            return room.broadcast_view()

    # ── afterwards ──────────────────────────────────────────────────────────────────────────────

    async def withdraw(
        self, consultation_id: str, by: str | Bearer, from_ms: int, to_ms: int, reason: str
    ) -> BroadcastView:
        """撤回: the public sees a card instead of this stretch, also when it seeks back and in the replay."""
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.BROADCAST_CUT)
            if room.consultation.started_at_ms is None:
                raise ConferenceError("invalid_state", "it has not begun")
            if not 0 <= from_ms < to_ms <= self._now_ms(room):
                raise ConferenceError("bad_request", "no stretch of what was sent")
            made = self._made(room, caller, CutKind.WITHDRAWN, from_ms, to_ms, reason)
            content: dict[str, Value] = {"from_ms": from_ms, "to_ms": to_ms, "reason": Personal(reason)}
            await self._commit(room, caller, "broadcast.withdrawn", made, content)
            return room.broadcast_view()

    async def reinstate(
        self, consultation_id: str, by: str | Bearer, cut_id: str, reason: str
    ) -> BroadcastView:
        """Show again what was cut off or withdrawn."""
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.BROADCAST_CUT)
            cut = next((each for each in room.cuts if each.id == cut_id), None)
            if cut is None:
                raise NotFoundError(f"cut {cut_id}")
            shown = cut.reinstated(self._rooms.clock.wall_ms())
            if shown != cut:
                content: dict[str, Value] = {
                    "from_ms": cut.from_ms,
                    "to_ms": cut.to_ms,
                    "reason": Personal(reason),
                }
                await self._commit(room, caller, "broadcast.reinstated", shown, content)
            return room.broadcast_view()

    # ── the recording ───────────────────────────────────────────────────────────────────────────

    async def pause(self, consultation_id: str, by: str | Bearer, *, paused: bool) -> None:
        """Keep nothing of what is said until it is resumed: no tracks, and the program goes out live alone."""
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.RECORDING_PAUSE)
            before = room.consultation
            if not before.is_running or not before.recording:
                raise ConferenceError("invalid_state", "it is not being recorded")
            if before.recording_paused is paused:
                return
            now_ms, current = self._now_ms(room), running(room.cuts, CutKind.PAUSE)
            if paused:
                pauses: tuple[Cut, ...] = (self._made(room, caller, CutKind.PAUSE, now_ms, None),)
            else:
                pauses = () if current is None else (current.ended(now_ms),)
            action = "recording.paused" if paused else "recording.resumed"
            content: dict[str, Value] = {"pause": pauses[0].id if pauses else None}
            entry = self._rooms.entry(room, caller.actor, action, room.id, **content)
            change = Change(consultation=replace(before, recording_paused=paused), cuts=pauses)
            await self._rooms.commit(room, change, [entry])
            self._known.pop(room.id, None)

    # ── helpers ─────────────────────────────────────────────────────────────────────────────────

    async def _commit(
        self, room: LiveRoom, caller: Caller, action: str, cut: Cut, content: dict[str, Value]
    ) -> None:
        entry = self._rooms.entry(room, caller.actor, action, cut.id, **content)
        await self._rooms.commit(room, Change(cuts=(cut,)), [entry])
        self._known.pop(room.id, None)

    def _made(
        self,
        room: LiveRoom,
        caller: Caller,
        kind: CutKind,
        from_ms: int,
        to_ms: int | None,
        reason: str = "",
    ) -> Cut:
        at_ms = self._rooms.clock.wall_ms()
        return Cut.made(room.id, kind, from_ms, to_ms, at_wall_ms=at_ms, by_name=caller.name, reason=reason)

    def _now_ms(self, room: LiveRoom) -> int:
        return self._rooms.program_time_ms(room.consultation) or 0

    def _unsaved_of(self, consultation_id: str) -> list[Cut]:
        return [each for each, _ in self._unsaved if each.consultation_id == consultation_id]


def _missing(cuts: Iterable[Cut], made: Cut) -> list[Cut]:
    return [] if any(each.id == made.id for each in cuts) else [made]


def _with(cuts: tuple[Cut, ...], unsaved: Iterable[Cut]) -> tuple[Cut, ...]:
    """The rows, and behind them what is not among them yet."""
    return (*cuts, *(each for each in unsaved for _ in _missing(cuts, each)))
