"""Programs: of which rooms one picture and sound are made, what they show, and how they fare."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from conference.desk_views import ProgramView
from conference.model.agenda import AgendaItem
from conference.model.audit import SYSTEM, Actor, AuditEntry, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.floor import Turn
from conference.model.media import PROGRAM_TARGET, FeedLost, MediaRestarted, TapLost
from conference.model.permissions import Action, require
from conference.model.program import (
    PROGRAM_TAP,
    Direction,
    DirectionMode,
    Layout,
    ProgramState,
)
from conference.model.venue import Venue
from conference.services.captions import Line
from conference.services.change import Change
from conference.services.live_room import LiveRoom, Seat
from conference.services.pauses import until
from conference.services.ports import MediaError, ProgramMaker
from conference.services.program_scene import scene_of
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.worker_events import (
    ProgramEvent,
    ProgramLoad,
    ProgramReady,
    ProgramShown,
    ProgramTrouble,
    Scene,
)

log = structlog.get_logger(__name__)

_LOOK_S: Final = 0.05  # how often it is looked whether one that is held has ended
_PATIENCE_S: Final = 5.0  # a worker that takes longer to begin is trouble that desks are told of
_AGAIN_S: Final = 1.0  # a tap or feed that was lost or refused is tried again after this
_SCENE_S: Final = 0.1  # scenes do not follow each other faster
_ROWS_S: Final = 1.0  # rows are looked at this often: for rooms that nobody is in, and for venues
_END_CARD_S: Final = 3.0


@dataclass(slots=True)
class _Link:
    """The tap or the feed: one connection of the media process to the worker."""

    path: str | None = None  # where the worker waits
    epoch: str | None = None  # of the media process that it stands with
    not_before_s: float = 0.0  # monotonic
    ends: int = 0  # how often it was heard to have ended

    def lost(self, not_before_s: float = 0.0) -> None:
        self.epoch, self.not_before_s = None, not_before_s
        self.ends += 1

    def is_due(self, epoch: str, now_s: float) -> bool:
        return bool(epoch) and self.path is not None and self.epoch != epoch and now_s >= self.not_before_s


@dataclass(slots=True)
class _Room:
    """What a scene is made of, where nobody is in the room."""

    consultation: Consultation
    item: AgendaItem | None = None
    seats: tuple[Seat, ...] = ()
    turn: Turn | None = None


@dataclass(slots=True)
class _Made:
    """A program that is being made."""

    since_s: float  # monotonic: when the state began that is not what it should be
    direction: Direction
    tap: _Link = field(default_factory=_Link)
    feed: _Link = field(default_factory=_Link)
    state: ProgramState = ProgramState.STARTING  # as noted last
    reason: str = "worker_ended"  # why it would be in trouble
    shown: ProgramShown | None = None
    load: ProgramLoad | None = None
    rows: _Room | None = None
    venues: tuple[Venue, ...] = ()
    rows_at_s: float = float("-inf")
    scene: Scene | None = None
    scene_at_s: float = float("-inf")
    stamp: tuple[object, ...] = ()  # what the scene was made of
    ends_at_s: float | None = None  # the end card is shown until then
    again_at_s: float = float("-inf")  # the database was in trouble: nothing is noted before


class Programs:
    """Every live consultation of this node has a program unless it says otherwise, also with nobody in its room.

    A maker in trouble never harms the room: desks are told, and it is tried again.
    """

    def __init__(self, rooms: Rooms, maker: ProgramMaker, *, enabled: bool = True) -> None:
        """Without `enabled` this server makes none."""
        self._enabled = enabled
        self._rooms = rooms
        self._maker = maker
        self._made: dict[str, _Made] = {}
        self._to_clean: asyncio.Queue[str] = asyncio.Queue()
        self._looked_at_s = float("-inf")
        self._held: set[str] = set()  # no program is made of them
        maker.listen(self._receive)

    # ── keeping ─────────────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """After a start: see to pauses whose files are still there."""
        async with self._rooms.storage.reading() as unit:
            left = {each.consultation_id for each in await unit.broadcast_cuts.unerased()}
        for consultation_id in sorted(left - set(self._rooms.registry.elsewhere())):
            self._to_clean.put_nowait(consultation_id)

    async def run(self) -> None:
        """Erase what was not to be recorded, once its program has ended; runs until cancelled."""
        while True:
            consultation_id = await self._to_clean.get()
            try:
                await self._clean(consultation_id)
            except Exception:
                self._to_clean.put_nowait(consultation_id)
                raise  # and begin again a moment later

    async def tick(self) -> None:
        """Call ten times a second."""
        for consultation in await self._wanted_now() if self._enabled else ():
            if consultation.id not in self._made:
                try:
                    await self._begin(consultation)
                except ConferenceError as error:
                    log.warning("program.delayed", room=consultation.id, code=error.code)
        for consultation_id, made in tuple(self._made.items()):
            try:
                await self._see_to(consultation_id, made)
            except ConferenceError as error:
                # Tried again in a second; scenes go on meanwhile, and other programs do not wait for this one.
                made.again_at_s = self._rooms.clock.monotonic() + _AGAIN_S
                log.warning("program.delayed", room=consultation_id, code=error.code)

    async def _wanted_now(self) -> list[Consultation]:
        """Of the rooms that are open here; now and then of those that nobody is in, too, unless nodes share them."""
        found = {room.id: room.consultation for room in self._rooms.all()}
        now_s = self._rooms.clock.monotonic()
        if not self._rooms.registry.is_shared and now_s - self._looked_at_s >= _ROWS_S:
            self._looked_at_s = now_s
            try:
                async with self._rooms.storage.reading() as unit:
                    live = await unit.consultations.live()
            except ConferenceError as error:
                log.warning("program.unread", code=error.code)
                live = []
            found = {each.id: each for each in live} | found
        return [each for each in found.values() if _is_wanted(each) and each.id not in self._held]

    async def _begin(self, consultation: Consultation) -> None:
        direction = await self._directed_last(consultation)
        made = _Made(self._rooms.clock.monotonic(), direction, rows=_Room(consultation))
        self._made[consultation.id] = made
        self._maker.begin(consultation.id)

    async def _directed_last(self, consultation: Consultation) -> Direction:
        """A restart does not forget what the chair chose; what was chosen in a rehearsal is forgotten."""
        async with self._rooms.storage.reading() as unit:
            lines = await unit.audit.lines(
                consultation.id, consultation.rehearsed_line, 1, action="program.directed", newest=True
            )
        if not lines:
            return Direction()
        said = json.loads(lines[0].content)
        layout = None if said["layout"] is None else Layout(said["layout"])
        return Direction(DirectionMode(said["mode"]), layout, tuple(said["people"]))

    async def _see_to(self, consultation_id: str, made: _Made) -> None:
        if consultation_id in self._held:  # nobody sees the end card of a rehearsal
            await self._end(consultation_id, made)
            return
        room = await self._room(consultation_id, made)
        if room is None or (not _is_wanted(room.consultation) and made.ends_at_s is None):
            has_ended = room is not None and not room.consultation.is_running
            made.ends_at_s = self._rooms.clock.monotonic() + (_END_CARD_S if has_ended else 0.0)
        if room is not None:
            self._show_scene(consultation_id, made, room)
        if self._rooms.clock.monotonic() < made.again_at_s:
            return
        if made.ends_at_s is not None:
            if self._rooms.clock.monotonic() >= made.ends_at_s:
                await self._end(consultation_id, made)
            return
        assert room is not None
        await self._link(room.consultation, made)
        await self._note(room.consultation, made)
        self._tell(consultation_id, made)

    async def _room(self, consultation_id: str, made: _Made) -> _Room | LiveRoom | None:
        """The room, or what rows say of it; None when another node has it, or it is gone."""
        room = self._rooms.find(consultation_id)
        if room is None and consultation_id in self._rooms.registry.elsewhere():
            return None
        now_s = self._rooms.clock.monotonic()
        if now_s - made.rows_at_s >= _ROWS_S:
            made.rows_at_s = now_s
            try:
                await self._read(consultation_id, made, is_open=room is not None)
            except ConferenceError as error:
                log.warning("program.unread", room=consultation_id, code=error.code)  # it goes on as it was
        if room is not None:
            made.rows = _Room(room.consultation, room.agenda.current)
            return room
        return made.rows

    async def _read(self, consultation_id: str, made: _Made, *, is_open: bool) -> None:
        async with self._rooms.storage.reading() as unit:
            made.venues = tuple(await unit.venues.of(consultation_id))
            if not is_open:
                consultation = await unit.consultations.get(consultation_id)
                item = (await unit.agenda.get(consultation_id)).current
                made.rows = None if consultation is None else _Room(consultation, item)

    def _show_scene(self, consultation_id: str, made: _Made, room: _Room | LiveRoom) -> None:
        """Tell the worker when it looks different, and not too often."""
        now_s = self._rooms.clock.monotonic()
        if now_s - made.scene_at_s < _SCENE_S:
            return
        version = room.version if isinstance(room, LiveRoom) else None
        lines = _lines(room, now_s)
        mains = _main_cameras(room) if isinstance(room, LiveRoom) else None
        stamp = (id(room), version, room.consultation, made.venues, made.direction, lines, mains)
        if stamp == made.stamp:
            return
        made.stamp = stamp
        scene = _scene(room, made.venues, made.direction, lines)
        if scene != made.scene:
            made.scene, made.scene_at_s = scene, now_s
            self._maker.show(consultation_id, scene)

    # ── the worker and the media process ────────────────────────────────────────────────────────

    def _receive(self, event: ProgramEvent) -> None:
        """Called on the event loop, in order; never waits."""
        made = self._made.get(event.consultation_id)
        if made is None:
            return
        match event:
            case ProgramReady(_, tap_path, feed_path):
                made.tap.path, made.feed.path = tap_path, feed_path
                for link in (made.tap, made.feed):
                    link.lost()
            case ProgramTrouble(consultation_id, reason):
                log.warning("program.trouble", room=consultation_id, reason=reason)
                made.reason, made.shown, made.load = reason, None, None
                for link in (made.tap, made.feed):
                    link.path = None
                    link.lost()
                made.since_s = self._rooms.clock.monotonic() - _PATIENCE_S
            case ProgramShown():
                made.shown = event
            case ProgramLoad():
                made.load = event

    def media_lost(self, event: MediaRestarted | TapLost | FeedLost) -> None:
        """The media process gave tap or feed up: they are made again while the worker lives. For
        MediaSessions.follow."""
        if isinstance(event, MediaRestarted):
            return  # they stood with another epoch
        if isinstance(event, FeedLost) and event.participant_id != PROGRAM_TARGET:
            return  # of a camera or a clip
        made = self._made.get(event.room_id)
        if made is None or (isinstance(event, TapLost) and event.name != PROGRAM_TAP):
            return
        link = made.tap if isinstance(event, TapLost) else made.feed
        log.warning("program.link_lost", room=event.room_id, link=type(event).__name__)
        link.lost(self._rooms.clock.monotonic() + _AGAIN_S)
        if link is made.tap:
            made.reason = "tap_lost"

    async def _link(self, consultation: Consultation, made: _Made) -> None:
        media, now_s = self._rooms.media, self._rooms.clock.monotonic()
        for link in (made.tap, made.feed):
            epoch, ends, path = media.epoch(consultation.id), link.ends, link.path
            if path is None or not link.is_due(epoch, now_s):
                continue
            try:
                if link is made.tap:
                    await media.tap(
                        consultation.id,
                        path,
                        program_time_ms=self._rooms.program_time_ms(consultation) or 0,
                        at_monotonic_s=self._rooms.clock.monotonic(),
                        name=PROGRAM_TAP,
                    )
                else:
                    await media.feed(consultation.id, path)
            except MediaError as error:
                log.warning("program.link_failed", room=consultation.id, code=error.code)
                link.not_before_s = self._rooms.clock.monotonic() + _AGAIN_S
                if link is made.tap:
                    made.reason = error.code
            else:
                if link.ends == ends:  # nothing was heard of its end meanwhile
                    link.epoch = epoch

    async def _note(self, consultation: Consultation, made: _Made) -> None:
        """Write the state into the trace when it changed."""
        now_s = self._rooms.clock.monotonic()
        if made.tap.epoch is not None and made.tap.epoch == self._rooms.media.epoch(consultation.id):
            made.since_s = now_s
            state = ProgramState.ON
        elif now_s - made.since_s >= _PATIENCE_S:
            state = ProgramState.TROUBLE
        else:
            state = made.state
        if state is not made.state:
            action = "program.started" if state is ProgramState.ON else "program.interrupted"
            content: dict[str, Value] = {} if state is ProgramState.ON else {"reason": made.reason}
            async with self._rooms.storage.transaction() as unit:
                await unit.audit.append(self._entry(consultation, SYSTEM, action, content))
            made.state = state

    def _tell(self, consultation_id: str, made: _Made | None) -> None:
        room = self._rooms.find(consultation_id)
        if room is not None and not room.closed:
            room.show_program(None if made is None else _view(made))

    async def _end(self, consultation_id: str, made: _Made) -> None:
        """It is over, switched off, or another node has the room."""
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is not None:
                await unit.audit.append(self._entry(consultation, SYSTEM, "program.ended", {}))
        del self._made[consultation_id]
        media = self._rooms.media
        for taken_down in (media.untap(consultation_id, PROGRAM_TAP), media.unfeed(consultation_id)):
            try:
                await taken_down
            except MediaError as error:
                log.warning("program.unlink_failed", room=consultation_id, code=error.code)
        self._maker.end(consultation_id)
        self._to_clean.put_nowait(consultation_id)
        self._tell(consultation_id, None)

    async def look_for_left(self) -> None:
        """Call every minute: where nodes share files, what a node that is gone did not erase goes all the same."""
        if self._rooms.shares_files and self._to_clean.empty():
            await self.restore()

    async def _clean(self, consultation_id: str) -> None:
        await self._maker.wait_ended(consultation_id)
        async with self._rooms.keeping(consultation_id) as is_ours:
            if is_ours:
                await self._erase(consultation_id)

    async def _erase(self, consultation_id: str) -> None:
        async with self._rooms.storage.reading() as unit:
            consultation = await unit.consultations.get(consultation_id)
            pauses = [
                each
                for each in await unit.broadcast_cuts.unerased()
                if each.consultation_id == consultation_id
            ]
        if consultation is None or consultation.is_running or consultation_id in self._made:
            return  # its own end sees to it
        for pause in pauses:
            assert pause.to_ms is not None, "what goes on is not erased"
            count = await self._maker.erase(consultation_id, pause.from_ms, pause.to_ms)
            content: dict[str, Value] = {"from_ms": pause.from_ms, "to_ms": pause.to_ms, "files": count}
            async with self._rooms.storage.transaction() as unit:
                await unit.broadcast_cuts.save([pause.erased(self._rooms.clock.wall_ms())])
                entry = self._entry(consultation, SYSTEM, "program.erased", content, pause.id)
                await unit.audit.append(entry)

    # ── ports.RoomWork: for what was rehearsed ──────────────────────────────────────────────────

    async def hold(self, consultation_id: str) -> None:
        self._held.add(consultation_id)

    async def still(self, consultation_id: str) -> None:
        await until(lambda: consultation_id not in self._made, _LOOK_S)
        await self._maker.wait_ended(consultation_id)

    def release(self, consultation_id: str) -> None:
        self._held.discard(consultation_id)

    def look_at(self, consultation_id: str) -> None:
        self._to_clean.put_nowait(consultation_id)  # what was not to be kept is in none of its files

    def is_making(self, consultation_id: str) -> bool:
        """Whether its program is made here, or about to end."""
        return consultation_id in self._made

    # ── direction ───────────────────────────────────────────────────────────────────────────────

    async def direct(self, consultation_id: str, by: str | Bearer, direction: Direction) -> ProgramView:
        """Choose the picture, or let it be chosen; `people` must be in the room."""
        if direction.mode is DirectionMode.AUTO:
            direction = Direction()
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.PROGRAM_DIRECT)
            made = self._made.get(consultation_id)
            if made is None or made.ends_at_s is not None:
                raise ConferenceError("invalid_state", "no program is made")
            for each in direction.people:
                room.seat(each)
            if direction != made.direction:
                content: dict[str, Value] = {
                    "mode": direction.mode.value,
                    "layout": None if direction.layout is None else direction.layout.value,
                    "people": list(direction.people),
                }
                entry = self._rooms.entry(room, caller.actor, "program.directed", room.id, **content)
                await self._rooms.save(trace=[entry])
                made.direction = direction
                self._show_scene(consultation_id, made, room)
            view = _view(made)
            room.show_program(view)
            return view

    async def show_captions(self, consultation_id: str, by: str | Bearer, *, on: bool) -> None:
        """Whether captions stand in the picture. What was drawn into it stays there."""
        async with self._rooms.locked(consultation_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.PROGRAM_DIRECT)
            before = room.consultation
            if before.status in (Status.ENDED, Status.ARCHIVED, Status.CANCELLED):
                raise ConferenceError("invalid_state", "it is over")
            if before.program_captions is on:
                return
            entry = self._rooms.entry(room, caller.actor, "program.captions_switched", room.id, on=on)
            change = Change(consultation=replace(before, program_captions=on))
            await self._rooms.commit(room, change, [entry])

    def loads(self) -> Iterable[tuple[str, ProgramState, ProgramLoad | None]]:
        """How each program fares, for /metrics."""
        return [(consultation_id, each.state, each.load) for consultation_id, each in self._made.items()]

    def _entry(
        self,
        consultation: Consultation,
        by: Actor,
        action: str,
        content: dict[str, Value],
        subject: str | None = None,
    ) -> AuditEntry:
        at_ms, now_ms = self._rooms.program_time_ms(consultation), self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, at_ms, by, action, subject or consultation.id, content)


def _is_wanted(consultation: Consultation) -> bool:
    return consultation.is_running and consultation.program


def _lines(room: _Room | LiveRoom, now_s: float) -> tuple[Line, ...]:
    """What of the captions stands in the picture."""
    if not isinstance(room, LiveRoom) or not room.consultation.program_captions:
        return ()
    return room.captions.lines(now_s)


def _scene(
    room: _Room | LiveRoom, venues: tuple[Venue, ...], direction: Direction, lines: tuple[Line, ...]
) -> Scene:
    if isinstance(room, LiveRoom):
        seats: Iterable[Seat] = room.seats.values()
        return scene_of(
            room.consultation,
            room.agenda.current,
            seats,
            room.turn,
            venues,
            direction,
            lines,
            _main_cameras(room),
        )
    return scene_of(room.consultation, room.item, room.seats, room.turn, venues, direction)


def _main_cameras(room: LiveRoom) -> frozenset[str]:
    """Those in the room who are the main camera of their venue."""
    return frozenset(
        each.participant_id for each in room.cameras.values() if each.is_main and each.participant_id
    )


def _view(made: _Made) -> ProgramView:
    shown, load = made.shown, made.load
    return ProgramView(
        state=made.state,
        reason=made.reason if made.state is ProgramState.TROUBLE else None,
        layout=None if shown is None else shown.layout,
        people=() if shown is None else shown.people,
        load_level=0 if load is None else load.level,
        fps=0.0 if load is None else round(load.fps, 1),
        mode=made.direction.mode,
        chosen_layout=made.direction.layout,
        chosen_people=made.direction.people,
    )
