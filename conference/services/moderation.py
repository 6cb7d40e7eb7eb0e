"""Microphones: own choices, and mutes by the chair with undo."""

from __future__ import annotations

from collections.abc import Iterable

from conference.events import MutedBy, ParticipantView, VenueTakenOver
from conference.model.audit import AuditEntry, Personal, Value
from conference.model.errors import ForbiddenError
from conference.model.hall import names_of
from conference.model.participant import MuteAllMark, Participant, ParticipantKind
from conference.model.permissions import Action, Role, require
from conference.services.live_room import LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Caller, person


class Moderation:
    """Every change of a gate but for the floor goes through here."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    # ── own choices ─────────────────────────────────────────────────────────────────────────────

    async def choose(
        self,
        room_id: str,
        participant_id: str,
        *,
        name: str | None = None,
        microphone: bool | None = None,
        camera: bool | None = None,
    ) -> ParticipantView:
        """What the participant decides about itself; None leaves a choice as it is."""
        async with self._rooms.locked(room_id) as room:
            seat = room.seat(participant_id)
            participant = seat.participant
            require(participant.role, Action.PARTICIPANT_UPDATE)
            if microphone or camera:
                require(participant.role, Action.MEDIA_PUBLISH)
            if name is not None:
                participant = participant.renamed(name)
            if microphone is not None:
                participant = participant.choosing_microphone(microphone)
            if camera is not None:
                participant = participant.choosing_camera(camera)
            await self._rooms.change(room, [participant], self._choices(room, seat.participant, participant))
            return room.view(seat)

    def _choices(self, room: LiveRoom, before: Participant, after: Participant) -> list[AuditEntry]:
        entry, by = self._rooms.entry, person(before)
        noted: list[AuditEntry] = []
        if after.name != before.name:
            noted.append(entry(room, by, "participant.renamed", after.id, name=Personal(after.name)))
        if (after.microphone_on, after.sound_open) != (before.microphone_on, before.sound_open):
            is_on = after.sound_open if after.holds_floor else after.microphone_on
            noted.append(entry(room, by, "participant.microphone", after.id, on=is_on))
        if after.camera_on != before.camera_on:
            noted.append(entry(room, by, "participant.camera", after.id, on=after.camera_on))
        return noted

    async def take_over(self, room_id: str, participant_id: str) -> int:
        """Work the own venue from now on: its other operators' pages are shut and told; returns how many.

        Their microphones and cameras are off as by their own choice, so each may take over again. Cameras and encoders
        that need no page stay. Raises ForbiddenError for who runs no venue.
        """
        async with self._rooms.locked(room_id) as room:
            by = room.seat(participant_id).participant
            if by.role is not Role.VENUE_OPERATOR or not names_of(by):
                raise ForbiddenError("runs no venue")
            others = [seat for seat in room.seats.values() if _works_beside(seat.participant, by)]
            shut = [seat.participant.choosing_microphone(False).choosing_camera(False) for seat in others]
            ids = [each.id for each in shut]
            entry = self._rooms.entry(room, person(by), "venue.taken_over", by.id, participants=ids)
            await self._rooms.change(room, shut, [entry])
            for seat in others:
                if seat.session_id is not None:
                    self._rooms.publisher.send(seat.session_id, VenueTakenOver(by.name))
            return len(others)

    # ── mutes ───────────────────────────────────────────────────────────────────────────────────

    async def mute(self, room_id: str, by_id: str, target_id: str, *, muted: bool, hard: bool) -> int:
        """Close or reopen one microphone; returns 1 when that changed anything."""
        async with self._rooms.locked(room_id) as room:
            by = self._moderator(room, by_id)
            target = room.seat(target_id).participant
            changed = target.muted(by.name, hard=hard) if muted else target.unmuted()
            action = "participant.muted" if muted else "participant.unmuted"
            was_or_is_hard = hard if muted else target.hard_muted
            entry = self._rooms.entry(
                room, by.actor, action, target.id, name=Personal(target.name), hard=was_or_is_hard
            )
            return await self._change(room, by, [changed], entry)

    async def mute_all(self, room_id: str, by_id: str, *, muted: bool, hard: bool) -> int:
        """Close all but the caller's and the floor holder's, or undo exactly what the last such call closed."""
        async with self._rooms.locked(room_id) as room:
            by = self._moderator(room, by_id)
            participants = [seat.participant for seat in room.seats.values()]
            if not muted:
                undone = [each.mute_all_undone() for each in participants]
                entry = self._entry_for(room, by, "room.unmuted", undone)
                return await self._change(room, by, undone, entry)
            mark = MuteAllMark.HARD if hard else MuteAllMark.SOFT
            closed = {
                each.id: each.muted(by.name, hard=hard, mark=mark)
                for each in participants
                if each.id != by.participant_id
                and not each.holds_floor
                and each.kind
                is not ParticipantKind.CLIP  # a film is stopped, not told to be quiet with the others
            }
            if all(closed.get(each.id, each) == each for each in participants):
                return 0  # nobody was open: the last mute-all that did something can still be undone
            after = [
                closed[each.id] if closed.get(each.id, each) != each else each.without_mark()
                for each in participants
            ]
            entry = self._entry_for(room, by, "room.muted", closed.values(), hard=hard)
            return await self._change(room, by, after, entry)

    def _entry_for(
        self, room: LiveRoom, by: Caller, action: str, after: Iterable[Participant], **content: Value
    ) -> AuditEntry:
        """One line for all whom it concerns."""
        concerned = [each.id for each in after if each != room.seats[each.id].participant]
        return self._rooms.entry(room, by.actor, action, room.id, participants=concerned, **content)

    def _moderator(self, room: LiveRoom, by_id: str) -> Caller:
        by = room.caller(by_id)
        require(by.role, Action.PARTICIPANT_MUTE)
        return by

    async def _change(
        self, room: LiveRoom, by: Caller, participants: list[Participant], entry: AuditEntry
    ) -> int:
        """Change, tell each whose mute changed, and return how many those are."""
        before = {each.id: room.seats[each.id].participant for each in participants}
        await self._rooms.change(room, participants, [entry])
        concerned = [
            each
            for each in participants
            if (each.soft_muted, each.hard_muted) != (before[each.id].soft_muted, before[each.id].hard_muted)
        ]
        for each in concerned:
            session_id = room.seats[each.id].session_id
            if session_id is not None:
                hard = each.hard_muted or before[each.id].hard_muted
                event = MutedBy(by.name, hard=hard, muted=each.soft_muted or each.hard_muted)
                self._rooms.publisher.send(session_id, event)
        return len(concerned)


def _works_beside(participant: Participant, operator: Participant) -> bool:
    """Whether it is another operator's page of the same venue."""
    return (
        participant.id != operator.id
        and participant.role is Role.VENUE_OPERATOR
        and participant.kind is ParticipantKind.CLIENT
        and not set(names_of(participant)).isdisjoint(names_of(operator))
    )
