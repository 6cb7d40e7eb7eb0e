"""Showing clips: one at a time is played into a room, as the screen and sound of a participant of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import structlog

from conference.events import PlayingView
from conference.ingest_events import (
    ClipAt,
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestKind,
    IngestReady,
)
from conference.model.audit import SYSTEM, Actor, AuditEntry, Personal, Value
from conference.model.clip import END_STANDS_MS, Clip, ClipScope, PlayEnd, Playing, PlayState
from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.floor import gate_without_floor
from conference.model.ids import hash_secret, new_id, new_secret
from conference.model.participant import LeaveReason, Participant, ParticipantKind
from conference.model.permissions import Action, Role, require
from conference.services.clips import Clips
from conference.services.departures import Departures
from conference.services.live_room import LiveRoom, Seat
from conference.services.ports import Ingests, MediaError
from conference.services.rooms import Rooms
from conference.services.trace import Caller
from conference.services.views import playing_view

log = structlog.get_logger(__name__)

_TRIES: Final = 3  # of a player that dies
_PATIENCE_S: Final = 15.0  # for the first picture
_LIST_S: Final = 0.5  # lists are told no more often
_CUE_SLACK_MS: Final = 40


@dataclass(slots=True)
class _Show:
    """One clip that is played by this node. `path` of its player's socket, until a feed carries it."""

    room_id: str
    clip: Clip
    since_s: float
    ready: str | None = None
    tries: int = 0
    ends_at_s: float | None = None
    is_noted: bool = False  # that it began


class ClipShows:
    """Rows say what was played and when; where it is just now is memory. A player that dies goes on where it was."""

    def __init__(self, rooms: Rooms, clips: Clips, ingests: Ingests, departures: Departures) -> None:
        self._rooms = rooms
        self._clips = clips
        self._ingests = ingests
        self._departures = departures
        self._shows: dict[str, _Show] = {}  # by the id of what is played
        self._changed: set[str] = set()  # consultations whose list looks different
        self._told_s = float("-inf")
        ingests.listen(self._receive)
        clips.follow(self._changed.add)
        clips.guard(self._is_played)

    def _is_played(self, clip_id: str) -> bool:
        return any(show.clip.id == clip_id for show in self._shows.values())

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    async def play(self, room_id: str, by_id: str, clip_id: str, from_ms: int | None = None) -> PlayingView:
        """Play it from there, or from its cue. What is played already ends, unless an operator would end another's.

        clip_not_ready, clip_other, floor_required, consultation_not_open, media_unavailable.
        """
        async with self._rooms.locked(room_id) as room:
            caller, scope = self._allowed(room, by_id)
            clip = await self._clips.ready(room_id, clip_id, scope)
            room.consultation.require_open()
            if scope.is_bound:
                self._require_floor(room, caller)
            if room.playing is not None:
                if scope.is_bound and room.playing_of != scope.venue_id:
                    raise ConferenceError("clip_other")
                await self._end(room, PlayEnd.REPLACED, caller.actor)
            start_ms = clip.cue_ms if from_ms is None else clip.cued(from_ms).cue_ms
            await self._begin(room, caller, clip, start_ms)
            assert room.playing is not None
            return playing_view(room.playing, room.playing_of)

    async def pause(self, room_id: str, by_id: str) -> PlayingView:
        """The picture stands, there is no sound. clip_not_playing."""

        def pause(play_id: str, _: int) -> None:
            self._ingests.pause(play_id)

        return await self._ask(room_id, by_id, "clip.paused", PlayState.PAUSED, pause)

    async def resume(self, room_id: str, by_id: str) -> PlayingView:
        """Go on. clip_not_playing."""

        def go_on(play_id: str, _: int) -> None:
            self._ingests.play(play_id)

        return await self._ask(room_id, by_id, "clip.resumed", PlayState.PLAYING, go_on)

    async def seek(self, room_id: str, by_id: str, position_ms: int) -> PlayingView:
        """Go there: playing as before, or standing there. clip_not_playing."""

        return await self._ask(room_id, by_id, "clip.moved", None, self._ingests.seek, position_ms)

    async def stop(self, room_id: str, by_id: str) -> None:
        """It leaves the room. clip_not_playing."""
        async with self._rooms.locked(room_id) as room:
            caller, _ = self._allowed(room, by_id)
            self._own(room, caller)
            await self._end(room, PlayEnd.STOPPED, caller.actor)

    async def _ask(
        self,
        room_id: str,
        by_id: str,
        action: str,
        state: PlayState | None,
        tell: Callable[[str, int], None],
        position_ms: int | None = None,
    ) -> PlayingView:
        """Note it, then have the player do it; what it says corrects by some milliseconds what is told at once."""
        async with self._rooms.locked(room_id) as room:
            caller, _ = self._allowed(room, by_id)
            playing = self._own(room, caller)
            wanted = state or playing.state
            if playing.state is PlayState.ENDED or (state is not None and wanted is playing.state):
                if position_ms is None:
                    return playing_view(playing, room.playing_of)  # it is so already
                wanted = PlayState.PAUSED if playing.state is PlayState.ENDED else wanted
            wall_ms = self._rooms.clock.wall_ms()
            if position_ms is None:
                at_ms = playing.position_at(wall_ms)
            else:
                at_ms = max(0, min(position_ms, playing.duration_ms - 1))
            program_ms = self._rooms.program_time_ms(room.consultation)
            after = playing.now(wanted, at_ms, program_ms, wall_ms)
            await self._save(room, after, caller.actor, action, position_ms=at_ms)
            show = self._shows.get(playing.id)
            if show is not None:
                show.ends_at_s = None
            tell(playing.id, at_ms)
            room.show_clip(after, room.playing_of)
            return playing_view(after, room.playing_of)

    def _allowed(self, room: LiveRoom, by_id: str) -> tuple[Caller, ClipScope]:
        caller = room.caller(by_id)
        require(caller.role, Action.CLIP_PLAY)
        seat = room.seats.get(by_id)
        p = None if seat is None else seat.participant
        venue_id, venue = (None, None) if p is None else (p.venue_id, p.venue)
        return caller, ClipScope.of(caller.role, venue_id, venue, caller.name)

    def _own(self, room: LiveRoom, caller: Caller) -> Playing:
        """What is played, for somebody who may lead it."""
        playing = room.playing
        if playing is None:
            raise ConferenceError("clip_not_playing")
        if caller.role is Role.VENUE_OPERATOR:
            p = room.seat(caller.participant_id or "").participant
            if room.playing_of != ClipScope.of(p.role, p.venue_id, p.venue, p.name).venue_id:
                raise ConferenceError("clip_other")
        return playing

    def _require_floor(self, room: LiveRoom, caller: Caller) -> None:
        """Where the floor is needed, a venue's clip is played while somebody of that venue has it."""
        if gate_without_floor(caller.role, room.consultation.mode) is None:
            return
        p = room.seat(caller.participant_id or "").participant
        holder = room.holder(room.turn)
        if holder is None or not (
            holder.id == p.id
            or (p.venue_id is not None and holder.venue_id == p.venue_id)
            or (p.venue is not None and holder.venue == p.venue)
        ):
            raise ConferenceError("floor_required")

    # ── beginning and ending ────────────────────────────────────────────────────────────────────

    async def _begin(self, room: LiveRoom, caller: Caller, clip: Clip, from_ms: int) -> None:
        await self._interrupt(room.id)
        wall_ms = self._rooms.clock.wall_ms()
        program_ms = self._rooms.program_time_ms(room.consultation)
        participant = _participant(room, clip, wall_ms)
        playing = Playing(
            id=new_id("l"),
            consultation_id=room.id,
            clip_id=clip.id,
            participant_id=participant.id,
            name=participant.name,
            started_by=caller.name,
            started_wall_ms=wall_ms,
            duration_ms=clip.duration_ms,
            state=PlayState.STARTING,
            position_ms=from_ms,
            at_ms=program_ms,
            at_wall_ms=wall_ms,
        )
        await self._rooms.join_media(room.id, participant)
        try:
            said: dict[str, Value] = {
                "play": playing.id,
                "name": Personal(clip.name),
                "participant": participant.id,
                "from_ms": from_ms,
            }
            entry = self._rooms.entry(room, caller.actor, "clip.started", clip.id, **said)
            await self._rooms.save(
                participant, trace=[entry], also=lambda unit: unit.clips.save_play(playing)
            )
        except BaseException:
            await self._rooms.leave_media(room.id, participant.id)
            raise
        room.add(Seat(participant))
        room.show_clip(playing, clip.venue_id)
        show = self._shows[playing.id] = _Show(room.id, clip, self._rooms.clock.monotonic())
        self._start(playing, show, from_ms)

    def _start(self, playing: Playing, show: _Show, from_ms: int, *, is_paused: bool = False) -> None:
        self._ingests.start(
            IngestJob(
                ingest_id=playing.id,
                room_id=show.room_id,
                participant_id=playing.participant_id,
                url=str(self._clips.path(show.clip)),
                label=playing.name,
                want_video=show.clip.has_picture,
                want_sound=show.clip.has_sound,
                kind=IngestKind.CLIP,
                from_ms=from_ms,
                is_paused=is_paused,
            )
        )

    async def close(self, room: LiveRoom, by: Actor) -> None:
        """What is played in the room ends, because what it is played in does. With the room's lock held."""
        if room.playing is not None:
            await self._end(room, PlayEnd.CLOSED, by)

    async def _end(self, room: LiveRoom, end: PlayEnd, by: Actor) -> None:
        """It leaves the room, for whatever reason. With the room's lock held."""
        playing = room.playing
        assert playing is not None
        wall_ms = self._rooms.clock.wall_ms()
        program_ms = self._rooms.program_time_ms(room.consultation)
        over = playing.over(end, program_ms, wall_ms)
        position_ms = playing.position_at(wall_ms)
        await self._save(room, over, by, "clip.ended", position_ms=position_ms, end=end.value)
        self._ingests.stop(playing.id)
        self._shows.pop(playing.id, None)
        room.show_clip(None)
        seat = room.seats.get(playing.participant_id)
        if seat is not None:
            await self._departures.vacate(room, seat, LeaveReason.LEFT, by=by)

    async def _save(self, room: LiveRoom, playing: Playing, by: Actor, action: str, **said: Value) -> None:
        entry = self._rooms.entry(room, by, action, playing.clip_id, play=playing.id, **said)
        await self._rooms.save(trace=[entry], also=lambda unit: unit.clips.save_play(playing))

    # ── the player ──────────────────────────────────────────────────────────────────────────────

    def _receive(self, event: IngestEvent) -> None:
        """Called on the event loop, in order; never waits."""
        show = self._shows.get(event.ingest_id)
        if show is None:
            return
        match event:
            case IngestReady(_, path):
                show.ready = path
            case ClipAt():
                self._at(event, show)
            case IngestFailed(play_id, reason, _):
                log.warning("clip.player_failed", room=show.room_id, reason=reason)
                self._again(play_id, show)

    def _at(self, event: ClipAt, show: _Show) -> None:
        """Where it is. What began or ended is written by `tick`, which may wait."""
        room = self._rooms.find(show.room_id)
        if room is None or room.playing is None or room.playing.id != event.ingest_id:
            return
        now_s = self._rooms.clock.monotonic()
        ago_ms = max(0, round((now_s - event.monotonic_s) * 1000))
        program_ms = self._rooms.program_time_ms(room.consultation)
        playing = room.playing
        state = PlayState(event.state)
        after = playing.now(
            state,
            min(event.position_ms, playing.duration_ms),
            None if program_ms is None else program_ms - ago_ms,
            self._rooms.clock.wall_ms() - ago_ms,
        )
        if state is PlayState.ENDED and show.ends_at_s is None:
            show.ends_at_s = now_s + END_STANDS_MS / 1000
        if state is not PlayState.ENDED:
            show.ends_at_s = None
        is_known = (
            playing.state is state
            and abs(playing.position_at(after.at_wall_ms) - after.position_ms) <= _CUE_SLACK_MS
        )
        if not is_known:
            room.show_clip(after, room.playing_of)

    def _again(self, play_id: str, show: _Show) -> None:
        """A player that died is begun anew where the clip would be now, some times."""
        room = self._rooms.find(show.room_id)
        playing = None if room is None else room.playing
        show.ready = None
        show.tries += 1
        if playing is None or playing.id != play_id or show.tries > _TRIES:
            show.ends_at_s = float("-inf")  # tick ends it
            return
        position_ms = playing.position_at(self._rooms.clock.wall_ms())
        self._start(playing, show, position_ms, is_paused=playing.state is PlayState.PAUSED)

    async def tick(self) -> None:
        """Call ten times a second: carries players into rooms, ends what is over, tells lists."""
        for play_id, show in tuple(self._shows.items()):
            try:
                await self._see_to(play_id, show)
            except ConferenceError as error:
                log.warning("clip.delayed", room=show.room_id, code=error.code)
        now_s = self._rooms.clock.monotonic()
        if self._changed and now_s - self._told_s >= _LIST_S:
            self._told_s = now_s
            changed = frozenset(self._changed)
            self._changed.clear()
            clips = self._clips
            for room in [each for each in self._rooms.all() if each.id in changed]:
                room.show_clips(await clips.list(room.id, ClipScope(None, is_bound=False)))

    async def _see_to(self, play_id: str, show: _Show) -> None:
        if self._rooms.find(show.room_id) is None:  # another node has the room
            self._shows.pop(play_id, None)
            self._ingests.stop(play_id)
            return
        async with self._rooms.locked(show.room_id) as room:
            playing = room.playing
            if playing is None or playing.id != play_id:
                self._shows.pop(play_id, None)
                self._ingests.stop(play_id)
                return
            end = self._due(room, playing, show)
            if end is not None:
                await self._end(room, end, SYSTEM)
                return
            await self._note_beginning(room, playing)
            if show.ready is not None:
                path, show.ready = show.ready, None
                await self._carry(room, playing, show, path)

    def _due(self, room: LiveRoom, playing: Playing, show: _Show) -> PlayEnd | None:
        """Why it ends now, if it does."""
        now_s = self._rooms.clock.monotonic()
        if room.consultation.status not in (Status.SCHEDULED, Status.LIVE, Status.REHEARSAL):
            return PlayEnd.CLOSED
        if playing.participant_id not in room.seats:
            return PlayEnd.STOPPED  # sent out like somebody
        if show.tries > _TRIES:
            return PlayEnd.FAILED
        if show.ends_at_s is not None and now_s >= show.ends_at_s:
            return PlayEnd.ENDED
        if playing.state is PlayState.STARTING and now_s - show.since_s >= _PATIENCE_S:
            return PlayEnd.FAILED
        return None

    async def _note_beginning(self, room: LiveRoom, playing: Playing) -> None:
        """The program time of its first picture is a line of the trace, and the chapter's beginning."""
        show = self._shows[playing.id]
        if playing.state is PlayState.STARTING or show.is_noted:
            return
        await self._save(room, playing, SYSTEM, "clip.began", at_ms=playing.began_ms)
        show.is_noted = True

    async def _carry(self, room: LiveRoom, playing: Playing, show: _Show, path: str) -> None:
        seat = room.seats[playing.participant_id]
        try:
            await self._rooms.join_media(room.id, seat.participant)  # a new media process does not know it
            await self._rooms.media.feed(room.id, path, seat.id)
        except MediaError as error:
            log.warning("clip.feed_failed", room=room.id, code=error.code)
            show.ready = path  # tried again by the next tick
            return
        if seat.lost_at_s is not None:
            seat.lost_at_s = None
            room.changed([seat.id])

    # ── after a start ───────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """What was played when the server ended is over; the participants that it was left as encoders do."""
        elsewhere = set(self._rooms.registry.elsewhere())
        async with self._rooms.storage.reading() as unit:
            left = {each.consultation_id for each in await unit.clips.unended_plays()}
        for consultation_id in sorted(left - elsewhere):
            await self._interrupt(consultation_id)

    async def _interrupt(self, consultation_id: str) -> None:
        """Write an end to what another life, of this node or another one, left without."""
        ours = set(self._shows)
        async with self._rooms.storage.reading() as unit:
            left = [
                each
                for each in await unit.clips.unended_plays()
                if each.consultation_id == consultation_id and each.id not in ours
            ]
            consultation = await unit.consultations.get(consultation_id)
        if not left or consultation is None:
            return
        wall_ms, program_ms = self._rooms.clock.wall_ms(), consultation.program_high_water_ms
        at_ms = None if consultation.started_at_ms is None else program_ms
        async with self._rooms.storage.transaction() as unit:
            for each in left:
                over = each.over(PlayEnd.INTERRUPTED, at_ms, wall_ms)
                said: dict[str, Value] = {"play": each.id, "end": PlayEnd.INTERRUPTED.value}
                await unit.clips.save_play(over)
                await unit.audit.append(
                    AuditEntry(consultation_id, wall_ms, at_ms, SYSTEM, "clip.ended", each.clip_id, said)
                )


def _participant(room: LiveRoom, clip: Clip, wall_ms: int) -> Participant:
    """Whose screen and sound of a screen the clip is. Nobody comes back as it."""
    return Participant(
        id=new_id("p"),
        consultation_id=room.id,
        name=PurePath(clip.name).stem or clip.name,
        role=Role.OBSERVER,
        venue=None,
        kind=ParticipantKind.CLIP,
        device=None,
        token_id=clip.id,
        resume_hash=hash_secret(new_secret()),
        joined_at_ms=max(wall_ms, room.last_joined_at_ms + 1),
        last_seen_ms=wall_ms,
        microphone_on=True,
        camera_on=False,
    )
