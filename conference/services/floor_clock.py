"""The clock of the floor: countdowns begin, warn and end; speakers who dropped out are waited for."""

from __future__ import annotations

from conference.events import FloorGiven, FloorWarning
from conference.model.audit import SYSTEM, AuditEntry, Personal
from conference.model.floor import Ending, EndReason, Turn, TurnState
from conference.services.change import Change
from conference.services.floors import Floors
from conference.services.live_room import LiveRoom
from conference.services.rooms import Chosen, Rooms, every

_NOTED = {TurnState.RUNNING: "floor.started", TurnState.OVER: "floor.over", TurnState.GRACE: "floor.held"}


class FloorClock:
    """Moves the turns of all rooms on; called often."""

    def __init__(self, rooms: Rooms, floors: Floors) -> None:
        self._rooms = rooms
        self._floors = floors

    async def tick(self) -> None:
        """Begin countdowns, warn, end what is over, hold the floor for those who dropped out."""
        for room in self._rooms.all():
            if room.turn is not None and self._moved(room, room.turn) != (room.turn, None):
                async with self._rooms.locked(room.id) as current:
                    await self._advance(current)

    async def _advance(self, room: LiveRoom) -> None:
        before = room.turn
        if before is None:
            return
        turn, reason = self._moved(room, before)
        if reason is not None:
            await self._floors.finish(room, SYSTEM, reason)
            return
        if turn == before:
            return
        action = (
            _NOTED.get(turn.state, "floor.returned") if turn.state is not before.state else "floor.warned"
        )
        entry = self._rooms.entry(room, SYSTEM, action, turn.participant_id)
        await self._rooms.commit(room, Change(turns=(turn,)), [entry])
        if turn.state is not before.state:
            room.turn_since_s = self._rooms.clock.monotonic()
        if turn.state is TurnState.WAITING:
            self._floors.tell(room, turn, FloorGiven(turn.duration_ms, turn.ending))
        left_ms = turn.left_ms(self._rooms.program_time_ms(room.consultation))
        if turn.warned and not before.warned and turn.state is TurnState.RUNNING and left_ms is not None:
            self._floors.tell(room, turn, FloorWarning(left_ms))

    def _moved(self, room: LiveRoom, turn: Turn) -> tuple[Turn, EndReason | None]:
        """The turn as it stands now, and why it is over if it is."""
        seat = room.seats.get(turn.participant_id)
        if seat is None:
            return turn, EndReason.WITHDRAWN
        now_ms = self._rooms.program_time_ms(room.consultation)
        now_s, limits = self._rooms.clock.monotonic(), self._rooms.limits
        away_s = 0.0 if seat.lost_at_s is None else now_s - seat.lost_at_s
        if turn.state is TurnState.GRACE:
            if seat.lost_at_s is None:
                return turn.returned(), None
            return turn, EndReason.WITHDRAWN if away_s >= limits.floor_grace_s else None
        if away_s > 0 and away_s >= limits.floor_drop_s:
            return turn.dropped(None if now_ms is None else now_ms - int(away_s * 1000)), None
        if turn.state is TurnState.WAITING:
            is_heard = seat.participant.sound_open and any(
                each.participant_id == seat.id for each in room.speakers
            )
            if is_heard or now_s - room.turn_since_s >= limits.floor_sound_s:
                return turn.heard(now_ms), None
            return turn, None
        turn = turn.at(now_ms)
        if turn.state is TurnState.OVER and turn.ending is Ending.HARD:
            return turn, EndReason.TIME
        return turn, None

    # ── after a restart ─────────────────────────────────────────────────────────────────────────

    async def restore(self, chosen: Chosen = every) -> None:
        """End the turns of those whose seats are gone; they spoke until the server stopped."""
        wall_ms = self._rooms.clock.wall_ms()
        over: list[tuple[LiveRoom, Turn]] = []  # shown once the rows are written
        async with self._rooms.storage.transaction() as unit:
            for turn in await unit.floor.open_turns():
                if not chosen(turn.consultation_id):
                    continue
                room = self._rooms.find(turn.consultation_id)
                if room is not None and turn.participant_id in room.seats:
                    continue
                consultation = await unit.consultations.get(turn.consultation_id)
                until_ms = consultation.program_high_water_ms if consultation is not None else None
                ended = turn.ended(EndReason.WITHDRAWN, until_ms, wall_ms)
                await unit.floor.save(ended)
                await unit.audit.append(
                    AuditEntry(
                        turn.consultation_id,
                        wall_ms,
                        until_ms,
                        SYSTEM,
                        "floor.ended",
                        turn.participant_id,
                        {
                            "name": Personal(turn.name),
                            "reason": EndReason.WITHDRAWN.value,
                            "spoken_ms": ended.spoken_ms,
                        },
                    )
                )
                if room is not None:
                    over.append((room, ended))
        for room, ended in over:
            room.apply(Change(turns=(ended,)))
