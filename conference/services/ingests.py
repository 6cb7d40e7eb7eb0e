"""Ingests: the cameras of venues are fetched and sit in the room while anybody needs them, and how they fare is told.

Rows say which there are; memory says how each fares. What fails is tried again by its process and by us, and harms
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from conference.desk_views import CameraView
from conference.ingest_events import IngestEvent
from conference.model.audit import SYSTEM, AuditEntry, Value
from conference.model.camera import Camera, CameraFault, CameraState
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.floor import gate_beside_floor
from conference.model.ids import hash_secret, new_secret
from conference.model.participant import EntryMeans, LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.venue import Venue
from conference.services.arrivals import Arrivals
from conference.services.camera_run import CameraRun, job_of, name_of, view_of
from conference.services.change import Change
from conference.services.departures import Departures
from conference.services.entry import Entry
from conference.services.live_room import LiveRoom, Seat
from conference.services.ports import Ingests, Sealer
from conference.services.rooms import Rooms
from conference.venue_views import VenueCameraView

log = structlog.get_logger(__name__)

_ROWS_S: Final = 5.0  # cameras and venues are read again this often, and at once when they change here
_LINGER_S: Final = 15.0  # somebody who reloads the page does not begin everything anew
_AGAIN_S: Final = 1.0


@dataclass(slots=True)
class _Place:
    """The cameras of one consultation, as they were read last."""

    consultation: Consultation
    cameras: tuple[tuple[Camera, Venue], ...] = ()
    read_at_s: float = float("-inf")
    unwanted_s: float | None = None  # since when nobody needs them
    unreadable: set[str] = field(default_factory=set)  # sealed with another key


class CameraIngests:
    """Owned by the web process: `tick` keeps it all."""

    def __init__(
        self, rooms: Rooms, arrivals: Arrivals, departures: Departures, ingests: Ingests, sealer: Sealer
    ) -> None:
        self._rooms = rooms
        self._arrivals = arrivals
        self._departures = departures
        self._ingests = ingests
        self._sealer = sealer
        self._places: dict[str, _Place] = {}
        self._runs: dict[str, CameraRun] = {}  # by camera
        self._looked_at_s = float("-inf")
        self._running: dict[str, Consultation] = {}  # live, and looked for without a room
        ingests.listen(self._receive)

    def changed(self, consultation_id: str) -> None:
        """Its cameras or venues are others now. For Cameras.follow."""
        place = self._places.get(consultation_id)
        if place is not None:
            place.read_at_s = float("-inf")

    async def of_venues(self, consultation_id: str) -> Mapping[str, tuple[VenueCameraView, ...]]:
        """How the cameras of each venue fare, for the board of venues."""
        found: dict[str, tuple[VenueCameraView, ...]] = {}
        place = self._places.get(consultation_id)
        if place is None:
            return found
        for each in place.cameras:
            view = self._view(place, *each)
            camera = VenueCameraView(view.id, view.label, view.is_main, view.state, view.reason)
            found[view.venue_id] = (*found.get(view.venue_id, ()), camera)
        return found

    def _receive(self, event: IngestEvent) -> None:
        run = self._runs.get(event.ingest_id)
        if run is not None:
            run.take(event, self._rooms.clock.monotonic(), self._rooms.clock.wall_ms())

    async def tick(self) -> None:
        """Call a few times a second."""
        found = {room.id: room.consultation for room in self._rooms.all()}
        found = await self._live_without_room() | found
        for consultation_id in {**found, **self._places}:
            try:
                await self._see_to(consultation_id, found.get(consultation_id))
            except ConferenceError as error:
                log.warning("cameras.delayed", room=consultation_id, code=error.code)

    async def _live_without_room(self) -> dict[str, Consultation]:
        """Recording and program show halls also while nobody else is there; of several nodes, who has the room."""
        now_s = self._rooms.clock.monotonic()
        if self._rooms.registry.is_shared:
            return {}
        if now_s - self._looked_at_s >= _AGAIN_S:
            self._looked_at_s = now_s
            try:
                async with self._rooms.storage.reading() as unit:
                    self._running = {each.id: each for each in await unit.consultations.live()}
            except ConferenceError as error:
                log.warning("cameras.unread", code=error.code)  # they go on as they are
        return self._running

    async def _see_to(self, consultation_id: str, consultation: Consultation | None) -> None:
        room = self._rooms.find(consultation_id)
        place = self._places.get(consultation_id)
        if consultation is None:  # nobody is there any more, or another node has the room
            for run in self._of(consultation_id):
                await self._stop(run)
            self._places.pop(consultation_id, None)
            return
        if place is None:
            place = self._places[consultation_id] = _Place(consultation)
        place.consultation = consultation
        await self._read(place)
        is_on = self._is_on(place, room)
        kept = {camera.id for camera, _ in place.cameras if camera.enabled and is_on}
        for run in self._of(consultation_id):
            if run.camera.id not in kept:
                await self._stop(run)
        for camera, venue in place.cameras:
            if camera.id in kept:
                self._keep(place, camera, venue)
        for run in self._of(consultation_id):
            await self._follow(run)
        room = self._rooms.find(consultation_id)
        if room is not None:
            room.show_cameras(self._view(place, *each) for each in place.cameras)

    def _of(self, consultation_id: str) -> list[CameraRun]:
        return [each for each in self._runs.values() if each.camera.consultation_id == consultation_id]

    async def _read(self, place: _Place) -> None:
        now_s = self._rooms.clock.monotonic()
        if now_s - place.read_at_s < _ROWS_S:
            return
        place.read_at_s = now_s
        try:
            async with self._rooms.storage.reading() as unit:
                venues = {each.id: each for each in await unit.venues.of(place.consultation.id)}
                cameras = await unit.cameras.of(place.consultation.id)
        except BaseException:
            place.read_at_s = float("-inf")
            raise
        there = ((each, venues[each.venue_id]) for each in cameras if each.venue_id in venues)
        place.cameras = tuple(sorted(there, key=lambda each: (each[1].position, each[0].position)))
        place.unreadable.clear()

    def _is_on(self, place: _Place, room: LiveRoom | None) -> bool:
        """Whether cameras run: while the consultation is, or somebody is there, and a little longer."""
        if not place.consultation.is_open:
            return False
        now_s = self._rooms.clock.monotonic()
        if place.consultation.is_running or (room is not None and _has_somebody(room)):
            place.unwanted_s = None
            return True
        if place.unwanted_s is None:
            place.unwanted_s = now_s
        return bool(self._of(place.consultation.id)) and now_s - place.unwanted_s < _LINGER_S

    # ── one camera ──────────────────────────────────────────────────────────────────────────────

    def _keep(self, place: _Place, camera: Camera, venue: Venue) -> None:
        """Its process does what the row says."""
        run = self._runs.get(camera.id)
        if run is not None and (run.camera, run.venue) == (camera, venue):
            return
        try:
            job = job_of(camera, self._sealer.open(camera.sealed_address))
        except ConferenceError:
            if camera.id not in place.unreadable:
                log.warning("camera.unreadable", camera=camera.id)
            place.unreadable.add(camera.id)
            return
        wall_ms = self._rooms.clock.wall_ms()
        if run is None:
            run = self._runs[camera.id] = CameraRun(camera, venue, job, wall_ms)
            self._ingests.start(job)
            return
        run.sound_switched |= run.camera.with_sound != camera.with_sound
        run.camera, run.venue = camera, venue
        if run.job != job:
            run.job, run.state, run.fault, run.since_wall_ms = job, CameraState.CONNECTING, None, wall_ms
            run.picture, run.retry_wall_ms = None, None
            self._ingests.start(job)

    async def _stop(self, run: CameraRun) -> None:
        """Out of the room, and its process ends."""
        self._ingests.stop(run.camera.id)
        self._runs.pop(run.camera.id, None)
        room = self._rooms.find(run.camera.consultation_id)
        if room is None or run.participant_id not in room.seats:
            return
        async with self._rooms.locked(room.id) as current:
            seat = current.seats.get(run.participant_id)
            if seat is not None:
                await self._departures.vacate(current, seat, LeaveReason.LEFT, by=SYSTEM)

    async def _follow(self, run: CameraRun) -> None:
        """Its place in the room is as it fares."""
        if run.camera.id not in self._runs or self._rooms.clock.monotonic() < run.not_before_s:
            return
        room = self._rooms.find(run.camera.consultation_id)
        seat = None if room is None else room.seats.get(run.participant_id)
        if seat is None and run.is_seated:
            run.is_seated, run.fed_epoch = False, None
            if await self._was_removed(run):
                await self._switch_off(run)
                return
        try:
            if run.state is CameraState.RUNNING:
                if seat is None:
                    await self._sit_down(run)
                else:
                    self._connected(room, seat, is_there=True)
                await self._correct(run)
                await self._feed(run)
            elif seat is not None and run.state is CameraState.FAILED:
                self._connected(room, seat, is_there=False)  # the seat is kept for the grace time
            run.is_refused = False
        except ConferenceError as error:
            run.is_refused = not run.is_seated
            run.not_before_s = self._rooms.clock.monotonic() + _AGAIN_S
            log.warning("camera.delayed", camera=run.camera.id, code=error.code)

    def _connected(self, room: LiveRoom | None, seat: Seat, *, is_there: bool) -> None:
        if room is not None and is_there is (seat.lost_at_s is not None):
            seat.lost_at_s = None if is_there else self._rooms.clock.monotonic()
            room.changed([seat.id])

    async def _sit_down(self, run: CameraRun) -> None:
        async with self._rooms.locked(run.camera.consultation_id) as room:
            if run.participant_id in room.seats:
                run.is_seated = True
                return
            room.consultation.require_open()
            self._arrivals.require_place(room)
            async with self._rooms.storage.reading() as unit:
                before = await unit.participants.get(run.participant_id)
            secret = new_secret()
            if before is None:
                action, participant = "participant.joined", self._newcomer(room, run, secret)
            else:
                action, participant = "participant.returned", self._returned(run, before, secret)
            gate = gate_beside_floor(participant, room.consultation.mode, room.holder(room.turn))
            participant = participant.under_floor(gate)
            epoch = self._rooms.media.epoch(room.id)
            await self._rooms.join_media(room.id, participant)
            await self._arrivals.admit(room, participant, secret, action=action)
            run.is_seated, run.joined_epoch, run.fed_epoch, run.sound_switched = True, epoch, None, False

    def _newcomer(self, room: LiveRoom, run: CameraRun, secret: str) -> Participant:
        entry = Entry(
            room.id,
            Role.VENUE_OPERATOR,
            name_of(run.camera, run.venue),
            run.venue.name,
            run.camera.id,
            entered_by=EntryMeans.OPERATOR,
            venue_id=run.venue.id,
        )
        now_ms = self._rooms.clock.wall_ms()
        joined_at_ms = max(now_ms, room.last_joined_at_ms + 1)
        participant = entry.newcomer(
            room.consultation, ParticipantKind.INGEST, secret, now_ms=now_ms, joined_at_ms=joined_at_ms
        )
        return replace(participant, id=run.participant_id, microphone_on=run.camera.with_sound)

    def _returned(self, run: CameraRun, before: Participant, secret: str) -> Participant:
        """As the row has it now; mutes stay."""
        back = replace(
            before,
            name=name_of(run.camera, run.venue),
            venue=run.venue.name,
            resume_hash=hash_secret(secret),
            microphone_on=run.camera.with_sound,
        )
        return back.returned(self._rooms.clock.wall_ms()).admitted()

    async def _correct(self, run: CameraRun) -> None:
        """Those in the room see it under the name that it has now."""
        room = self._rooms.find(run.camera.consultation_id)
        seat = None if room is None else room.seats.get(run.participant_id)
        if room is None or seat is None or self._named(run, seat.participant) == seat.participant:
            return
        async with self._rooms.locked(room.id) as current:
            seat = current.seats.get(run.participant_id)
            if seat is not None:
                participant = self._named(run, seat.participant)
                entry = self._rooms.entry(
                    current, SYSTEM, "participant.corrected", current.id, participants=[seat.id]
                )
                await self._rooms.commit(current, Change((participant,)), [entry])
                run.sound_switched = False

    @staticmethod
    def _named(run: CameraRun, participant: Participant) -> Participant:
        sound = run.camera.with_sound if run.sound_switched else participant.microphone_on
        return replace(
            participant, name=name_of(run.camera, run.venue), venue=run.venue.name, microphone_on=sound
        )

    async def _feed(self, run: CameraRun) -> None:
        """The media process reads what its process brings; a new one of either does so anew."""
        media, room_id = self._rooms.media, run.camera.consultation_id
        room, epoch, readies = self._rooms.find(room_id), media.epoch(room_id), run.readies
        seat = None if room is None else room.seats.get(run.participant_id)
        if seat is None or run.path is None or not epoch or run.fed_epoch == epoch:
            return
        if run.joined_epoch != epoch:
            await self._rooms.join_media(room_id, seat.participant)
            run.joined_epoch = epoch
        await media.feed(room_id, run.path, run.participant_id)
        if readies == run.readies:
            run.fed_epoch = epoch

    # ── sent out ────────────────────────────────────────────────────────────────────────────────

    async def _was_removed(self, run: CameraRun) -> bool:
        async with self._rooms.storage.reading() as unit:
            participant = await unit.participants.get(run.participant_id)
        return participant is not None and participant.leave_reason is LeaveReason.REMOVED

    async def _switch_off(self, run: CameraRun) -> None:
        """Who leads the meeting sent it out: it stays out until a desk switches it on again."""
        async with self._rooms.storage.transaction() as unit:
            camera = await unit.cameras.get(run.camera.id)
            if camera is not None and camera.enabled:
                await unit.cameras.save([replace(camera, enabled=False)])
                content: dict[str, Value] = {"enabled": {"old": True, "new": False}, "why": "removed"}
                now_ms = self._rooms.clock.wall_ms()
                await unit.audit.append(
                    AuditEntry(
                        camera.consultation_id, now_ms, None, SYSTEM, "camera.edited", camera.id, content
                    )
                )
        self.changed(run.camera.consultation_id)
        await self._stop(run)

    def _view(self, place: _Place, camera: Camera, venue: Venue) -> CameraView:
        run = self._runs.get(camera.id)
        if run is not None:
            return run.view()
        if not camera.enabled:
            return view_of(camera, venue, CameraState.OFF)
        if camera.id in place.unreadable:
            return view_of(camera, venue, CameraState.FAILED, CameraFault.UNREADABLE)
        return view_of(camera, venue, CameraState.IDLE)


def _has_somebody(room: LiveRoom) -> bool:
    """A person, or somewhere where people watch: cameras alone need no cameras."""
    people = (seat.participant.kind is ParticipantKind.CLIENT for seat in room.seats.values())
    return any(people) or bool(room.listeners or room.desks or room.screens)
