"""The floor: the queue of hands, granting and ending, the mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conference.events import FloorGiven, FloorTaken, FloorView, SessionEvent
from conference.model.audit import SYSTEM, Actor, AuditEntry, Personal
from conference.model.consultation import Mode
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.floor import Ending, EndReason, SpokenTime, Turn, gate_beside_floor
from conference.model.ids import new_id
from conference.model.participant import Participant
from conference.model.permissions import Action, allowed, require
from conference.services.change import Change
from conference.services.live_room import ChangeMark, LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer, Caller, person


class Floors:
    """Every change of who may speak goes through here. `by` is an id in the room, or a token's bearer."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    # ── the queue ───────────────────────────────────────────────────────────────────────────────

    async def request(self, room_id: str, participant_id: str) -> int:
        """Join the queue; returns the place, 1 = first. Asking again keeps the place."""
        async with self._rooms.locked(room_id) as room:
            participant = room.seat(participant_id).participant
            require(participant.role, Action.FLOOR_REQUEST)
            if participant.hand_order is None:
                entry = self._rooms.entry(room, person(participant), "hand.raised", participant_id)
                raised = participant.with_hand(room.next_hand_order(), self._rooms.clock.wall_ms())
                await self._rooms.change(room, [raised], [entry])
            return room.hands().index(participant_id) + 1

    async def withdraw(self, room_id: str, by: str | Bearer, participant_id: str) -> None:
        """Give up one's own place or floor; somebody else's with the right to order the queue."""
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            is_own = participant_id == caller.participant_id
            if not is_own:
                require(caller.role, Action.FLOOR_ORDER)
            if room.turn is not None and room.turn.participant_id == participant_id:
                reason = EndReason.FINISHED if is_own else EndReason.WITHDRAWN
                await self.finish(room, caller.actor, reason)
            else:
                target = room.seat(participant_id).participant
                name = Personal(target.name)
                entry = self._rooms.entry(room, caller.actor, "hand.lowered", participant_id, name=name)
                if not await self._rooms.change(room, [target.with_hand(None)], [entry]):
                    return
            if not is_own:
                self._mark(room, caller)

    async def order(
        self, room_id: str, by: str | Bearer, participant_ids: Sequence[str], version: int | None = None
    ) -> FloorView:
        """Put these first, in this order; the others keep theirs behind."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, Action.FLOOR_ORDER, version)
            hands = room.hands()
            if len(set(participant_ids)) != len(participant_ids) or set(participant_ids) - set(hands):
                raise ConferenceError("bad_request", "not in the queue, or twice")
            order = [*participant_ids, *(each for each in hands if each not in participant_ids)]
            participants = [
                replace(room.seat(each).participant, hand_order=place)
                for place, each in enumerate(order, start=1)
            ]
            if order != hands:
                entry = self._rooms.entry(room, caller.actor, "floor.ordered", room.id, participants=order)
                await self._rooms.change(room, participants, [entry])
                self._mark(room, caller)
            return room.floor_view()

    # ── granting and ending ─────────────────────────────────────────────────────────────────────

    async def grant(
        self,
        room_id: str,
        by: str | Bearer,
        participant_id: str,
        *,
        duration_ms: int | None = None,
        ending: Ending = Ending.SOFT,
        version: int | None = None,
    ) -> FloorView:
        """Give the floor; who held it before has finished. To its holder: another limit."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, Action.FLOOR_GRANT, version)
            participant = room.seat(participant_id).participant
            if not allowed(participant.role, Action.MEDIA_PUBLISH):
                raise ForbiddenError(f"{participant.role} does not speak")
            now_ms, before = self._now_ms(room), room.turn
            content = {"duration_ms": duration_ms, "ending": ending.value}
            entry = self._rooms.entry(
                room,
                caller.actor,
                "floor.granted",
                participant_id,
                name=Personal(participant.name),
                **content,
            )
            if before is not None and before.participant_id == participant_id:
                limited = before.limited(duration_ms, ending, now_ms)
                if limited != before:
                    await self._rooms.commit(room, Change(turns=(limited,)), [entry])
                    self._mark(room, caller)
                return room.floor_view()
            turn = self._turn(room, caller, participant, duration_ms, ending)
            change, trace = Change(), [entry]
            if before is not None:
                change, trace = self._ending(room, before, caller.actor, EndReason.FINISHED)
                trace.append(entry)
            beside = self._beside(room, room.consultation.mode, turn)
            change = Change((*beside, participant.given_floor()), turns=(*change.turns, turn))
            await self._rooms.commit(room, change, trace)
            room.turn_since_s = self._rooms.clock.monotonic()
            self._mark(room, caller)
            if before is not None:
                self.tell(room, before, FloorTaken(EndReason.FINISHED))
            self.tell(room, turn, FloorGiven(duration_ms, ending))
            return room.floor_view()

    def _turn(
        self,
        room: LiveRoom,
        caller: Caller,
        participant: Participant,
        duration_ms: int | None,
        ending: Ending,
    ) -> Turn:
        item = room.agenda.current
        return Turn(
            id=new_id("f"),
            consultation_id=room.id,
            participant_id=participant.id,
            name=participant.name,
            role=participant.role,
            venue=participant.venue,
            item_id=item.id if item is not None else None,
            granted_by=caller.name,
            granted_at_ms=self._now_ms(room),
            granted_wall_ms=self._rooms.clock.wall_ms(),
            duration_ms=duration_ms,
            ending=ending,
        )

    async def extend(
        self, room_id: str, by: str | Bearer, more_ms: int, version: int | None = None
    ) -> FloorView:
        """More time for the holder."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, Action.FLOOR_GRANT, version)
            if room.turn is None:
                raise ConferenceError("invalid_state", "nobody holds the floor")
            turn = room.turn.extended(more_ms, self._now_ms(room))
            if turn != room.turn:
                entry = self._rooms.entry(
                    room, caller.actor, "floor.extended", turn.participant_id, ms=more_ms
                )
                await self._rooms.commit(room, Change(turns=(turn,)), [entry])
                self._mark(room, caller)
            return room.floor_view()

    async def end(self, room_id: str, by: str | Bearer, version: int | None = None) -> FloorView:
        """Take the floor back; the queue stays. Harmless when nobody holds it."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, Action.FLOOR_GRANT, version)
            if room.turn is not None:
                await self.finish(room, caller.actor, EndReason.WITHDRAWN)
                self._mark(room, caller)
            return room.floor_view()

    async def set_mode(
        self, room_id: str, by: str | Bearer, mode: Mode, version: int | None = None
    ) -> FloorView:
        """Who may open a microphone from now on; what everybody chose before holds again in free discussion."""
        async with self._rooms.locked(room_id) as room:
            caller = self._leader(room, by, Action.FLOOR_MODE, version)
            if mode is not room.consultation.mode:
                changed = self.gated(room, mode)
                consultation = replace(room.consultation, mode=mode)
                entry = self._rooms.entry(room, caller.actor, "floor.mode", room.id, mode=mode.value)
                await self._rooms.commit(room, Change(changed, consultation), [entry])
                self._mark(room, caller)
            return room.floor_view()

    @staticmethod
    def gated(room: LiveRoom, mode: Mode) -> tuple[Participant, ...]:
        """Those whose microphone gate another mode changes, as they will be."""
        return Floors._beside(room, mode, room.turn)

    def _leader(self, room: LiveRoom, by: str | Bearer, action: Action, version: int | None) -> Caller:
        """The caller, who may do this and has seen what somebody else did last."""
        caller = room.caller(by)
        require(caller.role, action)
        room.consultation.require_open()
        if room.floor_mark is not None:
            room.floor_mark.require_seen(version, caller.actor.id, "发言顺序")
        return caller

    def _mark(self, room: LiveRoom, caller: Caller) -> None:
        room.floor_mark = ChangeMark(room.version, caller.actor.id, caller.name)

    @staticmethod
    def _beside(room: LiveRoom, mode: Mode, turn: Turn | None) -> tuple[Participant, ...]:
        """All but the holder whose gate is another one under this mode and turn: as they will be."""
        holder = room.holder(turn)
        everybody = (seat.participant for seat in room.seats.values() if seat.participant is not holder)
        gated = (each.under_floor(gate_beside_floor(each, mode, holder)) for each in everybody)
        return tuple(each for each in gated if each != room.seats[each.id].participant)

    # ── the end of a turn ───────────────────────────────────────────────────────────────────────

    def _ending(
        self, room: LiveRoom, turn: Turn, by: Actor, reason: EndReason
    ) -> tuple[Change, list[AuditEntry]]:
        ended = turn.ended(reason, self._now_ms(room), self._rooms.clock.wall_ms())
        participants = self._beside(room, room.consultation.mode, None)
        if reason is EndReason.TIME:
            participants = tuple(
                each.muted(turn.granted_by, hard=False) if each.id == turn.participant_id else each
                for each in participants
            )
        entry = self._rooms.entry(
            room,
            by,
            "floor.ended",
            turn.participant_id,
            name=Personal(turn.name),
            reason=reason.value,
            spoken_ms=ended.spoken_ms,
        )
        return Change(participants, turns=(ended,)), [entry]

    async def finish(self, room: LiveRoom, by: Actor, reason: EndReason) -> None:
        """End the present turn, if there is one. With the room's lock held."""
        turn = room.turn
        if turn is None:
            return
        change, trace = self._ending(room, turn, by, reason)
        await self._rooms.commit(room, change, trace)
        self.tell(room, turn, FloorTaken(reason))

    async def vacated(self, room: LiveRoom, participant_id: str) -> None:
        """This participant is about to leave. With the room's lock held."""
        if room.turn is not None and room.turn.participant_id == participant_id:
            await self.finish(room, SYSTEM, EndReason.WITHDRAWN)

    def tell(self, room: LiveRoom, turn: Turn, event: SessionEvent) -> None:
        """Word to the holder of a turn."""
        seat = room.seats.get(turn.participant_id)
        if seat is not None and seat.session_id is not None:
            self._rooms.publisher.send(seat.session_id, event)

    # ── the record ──────────────────────────────────────────────────────────────────────────────

    async def speaking(self, room_id: str) -> tuple[FloorView, list[SpokenTime]]:
        """The floor, and how long each spoke under each agenda item, up to now."""
        async with self._rooms.locked(room_id) as room:
            async with self._rooms.storage.reading() as unit:
                spoken = await unit.floor.spoken(room_id)
            turn = room.turn
            if turn is not None:
                running_ms = turn.elapsed_ms(self._now_ms(room)) - turn.spoken_ms
                spoken = [
                    replace(each, spoken_ms=each.spoken_ms + running_ms)
                    if (each.participant_id, each.item_id) == (turn.participant_id, turn.item_id)
                    else each
                    for each in spoken
                ]
            return room.floor_view(), spoken

    def _now_ms(self, room: LiveRoom) -> int | None:
        return self._rooms.program_time_ms(room.consultation)
