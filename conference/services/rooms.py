"""The live rooms of this node: who has them, and the one way to change a participant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from conference.clock import Clock
from conference.events import MediaView, SessionRefused, Snapshot
from conference.model.audit import SYSTEM, Actor, AuditEntry, Personal, Value
from conference.model.consultation import Consultation
from conference.model.errors import ERROR_TEXTS, ConferenceError, OtherNodeError
from conference.model.hall import deaf_to, hall_of
from conference.model.participant import LeaveReason, Participant
from conference.model.venue_message import Talkback
from conference.services.change import Change
from conference.services.consultations import consultation_of
from conference.services.live_room import LiveRoom, Seat
from conference.services.ports import (
    MediaError,
    MediaPlane,
    NoRelay,
    PresenceRegistry,
    Publisher,
    Relay,
    Storage,
    UnitOfWork,
)
from conference.services.program import ProgramTimes

log = structlog.get_logger(__name__)

Chosen = Callable[[str], bool]  # whether a consultation, by its id, is meant


class Heir(Protocol):
    """Sees to rooms whose node is gone."""

    async def is_alive(self, consultation_id: str) -> bool:
        """Whether the rows say that some node still holds the room."""

    async def take_over(self, consultation_id: str) -> None:
        """Go on with the room, which is ours now, where its node ended. Nobody else opens a room meanwhile."""


def every(_consultation_id: str) -> bool:
    """All of them are meant."""
    return True


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """Bounds of one room. Times in seconds."""

    max_participants: int = 300
    max_listeners: int = 300
    grace_s: float = 60.0  # a client that lost its socket keeps its seat
    whip_grace_s: float = 15.0  # an encoder that lost its transport keeps its seat
    whip_connect_s: float = 30.0  # an encoder that never connects is dropped
    offer_patience_s: float = 15.0  # an offer that is not answered is made again
    max_offer_patience_s: float = 120.0
    floor_sound_s: float = 15.0  # the countdown begins when sound arrives, or after this
    floor_drop_s: float = 2.0  # a holder who is away for longer than this is on grace
    floor_grace_s: float = 60.0  # how long the floor waits for its holder


class Rooms:
    """Every room that somebody is in."""

    def __init__(
        self,
        storage: Storage,
        media: MediaPlane,
        publisher: Publisher,
        programs: ProgramTimes,
        clock: Clock,
        limits: RoomLimits,
        registry: PresenceRegistry,
        relay: Relay | None = None,
        *,
        shares_files: bool = False,
    ) -> None:
        """`shares_files`: other nodes see the files that are made of rooms here."""
        self.storage = storage
        self.media = media
        self.publisher = publisher
        self.clock = clock
        self.limits = limits
        self.registry = registry
        self.relay: Relay = relay or NoRelay()
        self.heir: Heir | None = None
        self.is_draining = False
        """Rooms that are open go on; no other is opened here."""
        self.shares_files = shares_files
        self._programs = programs
        self._rooms: dict[str, LiveRoom] = {}
        self._kept: dict[str, int] = {}  # claims held for their files' sake, too: by how many
        self._unopened: set[str] = set()  # claimed for that alone: whoever opens one takes it over first
        self._opening = asyncio.Lock()

    def all(self) -> tuple[LiveRoom, ...]:
        return tuple(self._rooms.values())

    def find(self, consultation_id: str) -> LiveRoom | None:
        """The room if anybody is in it."""
        return self._rooms.get(consultation_id)

    @asynccontextmanager
    async def locked(self, consultation_id: str) -> AsyncIterator[LiveRoom]:
        """The room, opened when need be, with its lock held. An empty room is dropped afterwards."""
        while True:
            room = self._rooms.get(consultation_id) or await self._open(consultation_id)
            async with room.lock:
                if room.closed:
                    continue
                try:
                    yield room
                finally:
                    if room.is_empty:
                        room.closed = True
                        del self._rooms[consultation_id]
                        await self._release(consultation_id)
                    else:
                        await self._tell_focus(room)
                return

    async def _open(self, consultation_id: str) -> LiveRoom:
        async with self._opening:
            room = self._rooms.get(consultation_id)
            if room is not None:
                return room
            heir = self.heir if self.registry.is_shared else None
            is_alive = heir is not None and await heir.is_alive(consultation_id)
            hold = await self.registry.claim(consultation_id, only_ours=is_alive or self.is_draining)
            if not hold.is_ours:
                raise self._not_here(consultation_id, is_held=is_alive or hold.node != "")
            try:
                if (hold.is_new or consultation_id in self._unopened) and heir is not None:
                    await heir.take_over(consultation_id)
                    self._unopened.discard(consultation_id)
                if consultation_id not in self._rooms:
                    async with self.storage.reading() as unit:
                        self._rooms[consultation_id] = await self._load(unit, consultation_id)
            except BaseException:
                if consultation_id not in (*self._rooms, *self._kept):
                    await self.registry.release(consultation_id)
                raise
            return self._rooms[consultation_id]

    async def _release(self, consultation_id: str) -> None:
        """Give the room back, unless it was opened again meanwhile."""
        async with self._opening:
            if consultation_id not in (*self._rooms, *self._kept):
                await self.registry.release(consultation_id)

    @asynccontextmanager
    async def keeping(self, consultation_id: str) -> AsyncIterator[bool]:
        """Whether what lies on the disk of this room is ours to close, move and delete until the block ends: where
        nodes share files, only who holds the room may, and nobody else opens it meanwhile."""
        if not self.shares_files:
            yield True
            return
        if not await self._keep(consultation_id):
            yield False
            return
        try:
            yield True
        finally:
            await self._keep_no_longer(consultation_id)

    async def _keep(self, consultation_id: str) -> bool:
        async with self._opening:
            if consultation_id not in (*self._rooms, *self._kept):
                heir = self.heir if self.registry.is_shared else None
                is_alive = heir is not None and await heir.is_alive(consultation_id)
                hold = await self.registry.claim(consultation_id, only_ours=is_alive or self.is_draining)
                if not hold.is_ours:
                    return False
                if hold.is_new:
                    self._unopened.add(consultation_id)
            self._kept[consultation_id] = self._kept.get(consultation_id, 0) + 1
            return True

    async def _keep_no_longer(self, consultation_id: str) -> None:
        async with self._opening:
            self._kept[consultation_id] -= 1
            if not self._kept[consultation_id]:
                del self._kept[consultation_id]
                self._unopened.discard(consultation_id)
                if consultation_id not in self._rooms:
                    await self.registry.release(consultation_id)

    def require_here(self, consultation_id: str) -> None:
        """Raise other_node when another node holds the room: what is asked of us only that one knows."""
        if consultation_id in self.registry.elsewhere() and consultation_id not in self._rooms:
            raise self._not_here(consultation_id, is_held=True)

    def _not_here(self, consultation_id: str, *, is_held: bool) -> ConferenceError:
        """Where to go instead: to who holds the room, or, when we open no more, to the least busy of the others."""
        elsewhere = self.registry.elsewhere().get(consultation_id)
        if elsewhere is not None:
            return OtherNodeError(consultation_id, elsewhere.node, elsewhere.url)
        if is_held:
            return OtherNodeError(consultation_id, "")
        open_ones = [each for each in self.registry.nodes() if not each.is_draining and each.url]
        if not open_ones:
            return ConferenceError("node_draining")
        best = min(open_ones, key=lambda node: node.present)
        return OtherNodeError(consultation_id, best.name, best.url)

    async def renew_claims(self) -> None:
        """Keep the rooms; one that another node got while we could not be heard is given up here."""
        present = {**dict.fromkeys(self._kept, 0), **{room.id: room.connected for room in self.all()}}
        for room_id in await self.registry.renew(present, is_draining=self.is_draining):
            await self._give_up(room_id)

    async def _give_up(self, room_id: str) -> None:
        """Drop a room that is not ours any more: its rows belong to the other node, its clients find the way."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        async with room.lock:
            if room.closed:
                return
            room.closed = True
            del self._rooms[room_id]
            self._programs.forget(room_id)
            seats = (*room.seats.values(), *room.waiting.values(), *room.screens.values())
            sessions = [seat.session_id for seat in seats if seat.session_id is not None]
            for session_id in (*sessions, *(desk.session_id for desk in room.desks.values())):
                self.publisher.send(session_id, SessionRefused("other_node", ERROR_TEXTS["other_node"]))
                self.publisher.close(session_id)
            for peer_id in (*room.seats, *room.screens, *room.listeners):
                await self.leave_media(room_id, peer_id)

    async def _load(self, unit: UnitOfWork, consultation_id: str) -> LiveRoom:
        """The room as its rows say, nobody in it yet."""
        return LiveRoom(
            await consultation_of(unit, consultation_id),
            self.publisher,
            agenda=await unit.agenda.get(consultation_id),
            board=await unit.statements.board(consultation_id),
            talkback=Talkback.of(await unit.venue_messages.of(consultation_id)),
            turn=await unit.floor.open_turn(consultation_id),
            turn_since_s=self.clock.monotonic(),
            cuts=tuple(await unit.broadcast_cuts.of(consultation_id)),
            relay=self.relay.health,
        )

    async def restore(self, chosen: Chosen = every) -> None:
        """After a start: those of the last minute keep their seats, not connected; others are lost."""
        now_ms, now_s = self.clock.wall_ms(), self.clock.monotonic()
        found: dict[str, LiveRoom] = {}  # in the registry once the rows are written
        async with self.storage.transaction() as unit:
            lost: list[Participant] = []
            for participant in await unit.participants.present():
                if not chosen(participant.consultation_id):
                    continue
                recent = now_ms - participant.last_seen_ms <= self.limits.grace_s * 1000
                if not recent or participant.kind.is_encoder:
                    lost.append(participant.left(participant.last_seen_ms, LeaveReason.LOST))
                    continue
                room = found.get(participant.consultation_id)
                if room is None:
                    room = await self._load(unit, participant.consultation_id)
                    found[room.id] = room
                places = room.seats if participant.waiting_since_ms is None else room.waiting
                places[participant.id] = Seat(participant, lost_at_s=now_s)
            await unit.participants.save(lost)
            for participant in lost:
                await unit.audit.append(await self._lost(unit, participant, now_ms))
        self._rooms.update(found)

    async def _lost(self, unit: UnitOfWork, participant: Participant, now_ms: int) -> AuditEntry:
        consultation = await unit.consultations.get(participant.consultation_id)
        return AuditEntry(
            participant.consultation_id,
            now_ms,
            None if consultation is None else self.program_time_ms(consultation),
            SYSTEM,
            "participant.lost",
            participant.id,
            {"means": participant.kind.value, "name": Personal(participant.name)},
        )

    async def heartbeat(self) -> None:
        """Note in the rows who is connected and how far program time has come."""
        connected = [
            seat.id
            for room in self.all()
            for seat in (*room.seats.values(), *room.waiting.values())
            if seat.lost_at_s is None
        ]
        elsewhere = self.registry.elsewhere()
        marks = {cid: mark for cid, mark in self._programs.marks().items() if cid not in elsewhere}
        if connected or marks:
            async with self.storage.transaction() as unit:
                await unit.participants.touch(connected, self.clock.wall_ms())
                await unit.consultations.raise_high_water(marks)

    # ── used by the other services, with the room's lock held ───────────────────────────────────

    def entry(
        self, room: LiveRoom, by: Actor, action: str, subject: str | None = None, **content: Value
    ) -> AuditEntry:
        """What the trace shall say of a change in this room, made now."""
        program_time_ms = self.program_time_ms(room.consultation)
        return AuditEntry(room.id, self.clock.wall_ms(), program_time_ms, by, action, subject, content)

    async def save(
        self,
        *participants: Participant,
        trace: Iterable[AuditEntry],
        also: Callable[[UnitOfWork], Awaitable[None]] | None = None,
    ) -> None:
        """One transaction for these rows, what `also` writes, and their lines of the trace."""
        async with self.storage.transaction() as unit:
            await unit.participants.save(participants)
            if also is not None:
                await also(unit)
            for entry in trace:
                await unit.audit.append(entry)

    async def change(
        self, room: LiveRoom, participants: Iterable[Participant], trace: Iterable[AuditEntry]
    ) -> int:
        """Commit new states of participants.

        Returns how many really changed; when nobody did, nothing is noted either.
        """
        changed = tuple(each for each in participants if each != room.seats[each.id].participant)
        if changed:
            await self.commit(room, Change(changed), trace)
        return len(changed)

    async def commit(
        self,
        room: LiveRoom,
        change: Change,
        trace: Iterable[AuditEntry],
        also: Callable[[UnitOfWork], Awaitable[None]] | None = None,
    ) -> None:
        """Rows, what `also` writes, and trace first, then the sound gates, then memory and the room."""

        async def write(unit: UnitOfWork) -> None:
            await change.write(unit, room.id)
            if also is not None:
                await also(unit)

        await self.save(*change.participants, trace=trace, also=write)
        for participant in change.participants:
            if participant.sound_open != room.seats[participant.id].participant.sound_open:
                await self._set_sound(room, participant)
        room.apply(change)

    async def join_media(self, room_id: str, participant: Participant) -> None:
        """Make the participant known to the media process, as its row says. Raises MediaError."""
        await self.media.join(
            room_id,
            participant.id,
            sound_open=participant.sound_open,
            hears=not participant.in_hall,  # a phone that plays the hall's own sound makes it howl
            hall=hall_of(participant),
            deaf_to=deaf_to(participant),
        )
        room = self._rooms.get(room_id)
        if room is not None:
            room.focus_told = None  # it may be the first one there, in a room without any

    async def _tell_focus(self, room: LiveRoom) -> None:
        """Let the media process know who holds the floor and who chairs, when that changed."""
        floor_ids, chair_ids = room.focus()
        focus = (self.media.epoch(room.id), floor_ids, chair_ids)
        if focus == room.focus_told or not room.seats:
            return
        room.focus_told = focus
        try:
            await self.media.focus(room.id, floor_ids=floor_ids, chair_ids=chair_ids)
        except MediaError as error:
            # Its successor has another epoch and is told anew.
            log.warning("media.focus_failed", room=room.id, code=error.code)

    async def _set_sound(self, room: LiveRoom, participant: Participant) -> None:
        try:
            await self.media.set_sound(room.id, participant.id, is_open=participant.sound_open)
        except MediaError as error:
            # Nothing is forwarded while the media process is away; joining it again sets the gate.
            log.warning("media.set_sound_failed", room=room.id, code=error.code)

    async def leave_media(self, room_id: str, participant_id: str) -> None:
        """Drop the participant's transports; a media process that is away has none."""
        try:
            await self.media.leave(room_id, participant_id)
        except MediaError as error:
            log.warning("media.leave_failed", room=room_id, code=error.code)

    def program_time_ms(self, consultation: Consultation) -> int | None:
        """Program time, or None before the consultation went live."""
        return self._programs.now_ms(consultation)

    def snapshot(self, room: LiveRoom, seat: Seat, *, resumed: bool) -> Snapshot:
        """The room as this participant gets it."""
        return room.snapshot(
            seat,
            media=MediaView(self.media.epoch(room.id), self.relay.ice_servers(seat.participant.id)),
            program_time_ms=self.program_time_ms(room.consultation),
            server_time_ms=self.clock.wall_ms(),
            resumed=resumed,
        )
