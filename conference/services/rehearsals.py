"""Rehearsals (演练): a consultation that is run before it goes live, and stands afterwards as it did before.

While one goes on the room is as in a live session, and the public is told that it is scheduled. At its end rows go in
one transaction with the line that says so; the files go afterwards, and a server that is killed in between goes on
with them at its next start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from conference.model.attendance import Stay
from conference.model.audit import SYSTEM, Actor, AuditEntry, Value
from conference.model.broadcast import Cut, CutKind
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.floor import EndReason, gate_beside_floor
from conference.model.ids import new_id
from conference.model.participant import Participant
from conference.model.permissions import Action, require
from conference.model.rehearsal import Before, Rehearsal, RehearsalState, kept_one
from conference.model.statement import StatementBoard
from conference.model.venue_message import VenueMessage
from conference.services.agendas import title_of, written
from conference.services.broadcasts import Broadcasts
from conference.services.change import Change
from conference.services.comment_boards import CommentBoards
from conference.services.floors import Floors
from conference.services.life_cycle import LifeCycle
from conference.services.live_room import LiveRoom
from conference.services.ports import ExportMaker, RoomWork, UnitOfWork
from conference.services.program import ProgramTimes
from conference.services.quotas import require_may_run
from conference.services.rooms import Rooms
from conference.services.trace import Bearer

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 20.0  # how long going live waits for the files of the rehearsal before it
_ALONE_S: Final = 1800.0  # a rehearsal that everybody left is over after this
_LOOK_S: Final = 10.0
_AGAIN_S: Final = 2.0

Close = Callable[[LiveRoom, Actor], Awaitable[None]]


@dataclass(slots=True)
class _Clearing:
    """One whose files are about to go."""

    done: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Left:
    """What the rows say once a rehearsal was taken out of them."""

    consultation: Consultation
    board: StatementBoard = field(default_factory=StatementBoard)
    messages: Sequence[VenueMessage] = ()
    stays: Mapping[str, Stay] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RehearsalOver:
    """What is left of one: the consultation as before, and the one that has what was kept."""

    consultation: Consultation
    kept_id: str | None


class Rehearsals:
    """`by` is an id at a desk or in the room, or a token's bearer."""

    def __init__(
        self,
        rooms: Rooms,
        programs: ProgramTimes,
        floors: Floors,
        broadcasts: Broadcasts,
        boards: CommentBoards,
        life_cycle: LifeCycle,
    ) -> None:
        self._rooms = rooms
        self._programs = programs
        self._floors = floors
        self._broadcasts = broadcasts
        self._boards = boards
        self._life_cycle = life_cycle
        self._maker: ExportMaker | None = None
        self._works: tuple[RoomWork, ...] = ()
        self._closes: list[Close] = []
        self._clearing: dict[str, _Clearing] = {}
        self._to_clear: asyncio.Queue[str] = asyncio.Queue()
        self._alone_since_s: dict[str, float] = {}
        self._looked_at_s = float("-inf")

    def see_to(self, maker: ExportMaker, *works: RoomWork) -> None:
        """`maker` clears files away; `works`: everything that makes something of a room that runs. Call once."""
        self._maker, self._works = maker, works

    def close_with(self, close: Close) -> None:
        """Called with the room's lock held before anything of it is erased: what is to be over in the room."""
        self._closes.append(close)

    # ── beginning ───────────────────────────────────────────────────────────────────────────────

    async def start(self, consultation_id: str, by: str | Bearer) -> Consultation:
        """Begin one: program time runs from 0, recorded, transcribed and composed as in a live session.

        invalid_state unless it is scheduled; rehearsal_clearing while the files of the last one are cleared away;
        too_many_live when its body may have no more that run.
        """
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.CONSULTATION_START)
            now_ms = self._rooms.clock.wall_ms()
            consultation = room.consultation.rehearsed(now_ms)
            if consultation_id in self._clearing:
                raise ConferenceError("rehearsal_clearing")
            await self._floors.finish(room, caller.actor, EndReason.FINISHED)
            people = [seat.participant for seat in room.seats.values()]
            before = Before.of(room.consultation.mode, room.agenda, room.board, people)
            rehearsal = Rehearsal(room.id, RehearsalState.RUNNING, now_ms, caller.name, before)
            content: dict[str, Value] = {}
            cuts: tuple[Cut, ...] = ()
            if not consultation.recording:  # as when it goes live: the program is sent, and not kept either
                pause = Cut.made(room.id, CutKind.PAUSE, 0, None, at_wall_ms=now_ms, by_name=caller.name)
                cuts, content = (pause,), {"pause": pause.id}
            entry = AuditEntry(room.id, now_ms, 0, caller.actor, "rehearsal.started", room.id, content)
            change = Change(consultation=consultation, agenda=room.agenda.went_live(), cuts=cuts)

            async def begin(unit: UnitOfWork) -> None:
                await require_may_run(unit, consultation)
                people, stays = await unit.participants.of(room.id), await unit.stays.of(room.id)
                marked = replace(
                    before,
                    rows=await unit.rehearsals.there(room.id),
                    removed=tuple(each.id for each in people if each.removed_at_ms is not None),
                    ended_stays=tuple(each.id for each in stays if each.to_wall_ms is not None),
                )
                await unit.rehearsals.save(replace(rehearsal, before=marked))

            await self._rooms.commit(room, change, [entry], also=begin)
            self._programs.forget(consultation_id)
            self._programs.now_ms(consultation)  # the clock runs from here
            return consultation

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    async def end(self, consultation_id: str, by: str | Bearer, *, keep: bool = False) -> RehearsalOver:
        """End it: everything that it made is gone when this returns, but for files, which go at once afterwards. With
        `keep` all of it becomes a consultation of its own that is over and not public.

        invalid_state when nothing is rehearsed.
        """
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.CONSULTATION_END)
            actor = caller.actor
        return await self._end(consultation_id, actor, keep=keep)

    async def go_live(self, consultation_id: str, by: Bearer) -> Consultation:
        """The consultation itself begins. What is rehearsed ends first and is not kept, and its files are gone before
        those of the meeting are begun."""
        require(by.role, Action.CONSULTATION_START)
        async with self._rooms.locked(consultation_id) as room:
            is_rehearsed = room.consultation.status is Status.REHEARSAL
        if is_rehearsed:
            await self._end(consultation_id, by.actor)
        clearing = self._clearing.get(consultation_id)
        if clearing is not None:
            try:
                await asyncio.wait_for(clearing.done.wait(), _PATIENCE_S)
            except TimeoutError:  # recordings and program begin once it is done
                log.warning("rehearsal.clears_slowly", room=consultation_id)
        return await self._life_cycle.start(consultation_id, by, was_counted=is_rehearsed)

    async def _end(self, consultation_id: str, by: Actor, *, keep: bool = False) -> RehearsalOver:
        if consultation_id in self._clearing:
            raise ConferenceError("invalid_state", "it is over")
        self._clearing[consultation_id] = _Clearing()
        try:
            for work in self._works:
                await work.hold(consultation_id)
            await self._broadcasts.save_cuts()
            async with self._rooms.locked(consultation_id) as room, self._boards.locked(room.id) as board:
                over = await self._unmade(room, by, keep=keep)
                board.is_stale = True  # its test comments are gone
        except BaseException:
            self._released(consultation_id)
            raise
        self._to_clear.put_nowait(consultation_id)
        return over

    async def _unmade(self, room: LiveRoom, by: Actor, *, keep: bool) -> RehearsalOver:
        """Rows, trace and memory as before. With the locks of room and board held."""
        async with self._rooms.storage.reading() as unit:
            rehearsal = await unit.rehearsals.get(room.id)
        if rehearsal is None or room.consultation.status is not Status.REHEARSAL:
            raise ConferenceError("invalid_state", f"status {room.consultation.status}")
        await self._floors.finish(room, by, EndReason.FINISHED)
        for close in self._closes:
            await close(room, by)
        ended = rehearsal.clearing(new_id("c") if keep else None)
        consultation = room.consultation.unrehearsed(ended.before.mode)
        agenda = ended.before.agenda(room.agenda)
        at_ms, now_ms = self._rooms.program_time_ms(room.consultation), self._rooms.clock.wall_ms()
        kept = (
            None if ended.kept_id is None else kept_one(room.consultation, ended.kept_id, now_ms, at_ms or 0)
        )
        left = _Left(consultation)

        async def erase(unit: UnitOfWork) -> None:
            counts: dict[str, int] = {}
            if kept is not None:
                await unit.consultations.add(kept)
                counts = await unit.rehearsals.keep(ended, kept, room.agenda.closed(at_ms))
                await unit.audit.append(
                    AuditEntry(
                        kept.id, now_ms, None, by, "rehearsal.kept", kept.id, {"of": room.id, **counts}
                    )
                )
            erased = await unit.rehearsals.erase(ended)
            await unit.rehearsals.save(ended)
            content: dict[str, Value] = {"kept": ended.kept_id, "moved": counts, "erased": erased}
            entry = AuditEntry(room.id, now_ms, at_ms, by, "rehearsal.ended", room.id, content)
            line = await unit.audit.append(entry)
            left.consultation = replace(consultation, rehearsed_line=line.number)
            await unit.consultations.save(left.consultation)
            left.board = await unit.statements.board(room.id)
            left.messages = await unit.venue_messages.of(room.id)
            left.stays = {each.id: each for each in await unit.stays.of(room.id)}

        # Behind that line the trace tells of the meeting itself: how its agenda stands is said there once more.
        edited = AuditEntry(room.id, now_ms, None, by, "agenda.edited", room.id, {"items": written(agenda)})
        trace = [edited]
        if agenda.current is not None:
            title: dict[str, Value] = {"title": title_of(agenda.current)}
            trace.append(AuditEntry(room.id, now_ms, None, by, "agenda.started", agenda.current.id, title))
        change = Change(self._people(room, ended.before, consultation), consultation, agenda)
        await self._rooms.commit(room, change, trace, also=erase)
        self._programs.forget(room.id)
        room.rewound(left.consultation, left.board, left.messages, left.stays)
        return RehearsalOver(left.consultation, ended.kept_id)

    @staticmethod
    def _people(room: LiveRoom, before: Before, consultation: Consultation) -> tuple[Participant, ...]:
        """Those whose mutes, hands and gates are others than they were."""
        changed = []
        for seat in room.seats.values():
            back = before.participant(seat.participant)
            back = back.under_floor(gate_beside_floor(back, consultation.mode, None))
            if back != seat.participant:
                changed.append(back)
        return tuple(changed)

    # ── the files ───────────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """After a start, before anything else looks at files: go on with what was being cleared away."""
        async with self._rooms.storage.reading() as unit:
            left = [each for each in await unit.rehearsals.all() if each.state is RehearsalState.CLEARING]
        elsewhere = self._rooms.registry.elsewhere()
        for rehearsal in left:
            if rehearsal.consultation_id not in elsewhere:
                await self._go_on(rehearsal.consultation_id)

    async def take_over(self, consultation_id: str) -> None:
        """For Recovery.follow: the node that cleared its files away is gone. Where nodes share them, those of the
        meeting are not to lie among them."""
        if not self._rooms.shares_files or consultation_id in self._clearing:
            return
        async with self._rooms.storage.reading() as unit:
            rehearsal = await unit.rehearsals.get(consultation_id)
        if rehearsal is not None and rehearsal.state is RehearsalState.CLEARING:
            await self._go_on(consultation_id)

    async def _go_on(self, consultation_id: str) -> None:
        self._clearing[consultation_id] = _Clearing()
        for work in self._works:
            await work.hold(consultation_id)
        self._to_clear.put_nowait(consultation_id)

    async def run(self) -> None:
        """Clear files away, one rehearsal after the other; runs until cancelled."""
        while True:
            consultation_id = await self._to_clear.get()
            try:
                async with self._rooms.keeping(consultation_id) as is_ours:
                    if is_ours:
                        await self._clear(consultation_id)
            except Exception:
                self._to_clear.put_nowait(consultation_id)
                raise  # and begin again a moment later
            if not is_ours:  # the node that has the room does it, or is gone soon
                await asyncio.sleep(_AGAIN_S)
                self._to_clear.put_nowait(consultation_id)

    async def _clear(self, consultation_id: str) -> None:
        async with self._rooms.storage.reading() as unit:
            rehearsal = await unit.rehearsals.get(consultation_id)
        if rehearsal is None or rehearsal.state is not RehearsalState.CLEARING:
            self._released(consultation_id)  # what is there belongs to something else
            return
        for work in self._works:
            await work.still(consultation_id)
        assert self._maker is not None, "see_to was called"
        if rehearsal.kept_id is None:
            await self._maker.clear(consultation_id)
        else:
            await self._maker.move(consultation_id, rehearsal.kept_id)
            for work in self._works:
                work.look_at(rehearsal.kept_id)
        async with self._rooms.storage.transaction() as unit:
            await unit.rehearsals.forget(consultation_id)
            now_ms, content = self._rooms.clock.wall_ms(), {"kept": rehearsal.kept_id}
            await unit.audit.append(
                AuditEntry(
                    consultation_id, now_ms, None, SYSTEM, "rehearsal.cleared", consultation_id, content
                )
            )
        self._released(consultation_id)

    def _released(self, consultation_id: str) -> None:
        for work in self._works:
            work.release(consultation_id)
        clearing = self._clearing.pop(consultation_id, None)
        if clearing is not None:
            clearing.done.set()

    def is_clearing(self, consultation_id: str) -> bool:
        """Whether the files of the last one are still about to go."""
        return consultation_id in self._clearing

    # ── one that was forgotten ──────────────────────────────────────────────────────────────────

    async def tick(self) -> None:
        """Call as often: what everybody left half an hour ago is over, so that no room is recorded all night."""
        now_s = self._rooms.clock.monotonic()
        if now_s - self._looked_at_s < _LOOK_S:
            return
        self._looked_at_s = now_s
        async with self._rooms.storage.reading() as unit:
            running = [each for each in await unit.rehearsals.all() if each.state is RehearsalState.RUNNING]
        elsewhere = self._rooms.registry.elsewhere()
        for rehearsal in running:
            cid = rehearsal.consultation_id
            room = self._rooms.find(cid)
            if cid in elsewhere or (room is not None and (room.seats or room.desks)):
                self._alone_since_s.pop(cid, None)
            elif now_s - self._alone_since_s.setdefault(cid, now_s) >= _ALONE_S:
                del self._alone_since_s[cid]
                log.info("rehearsal.forgotten", room=cid)
                await self._end(cid, SYSTEM)
