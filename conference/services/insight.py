"""The room inspector: how everybody's media fares, joined of what the media process and the clients report.

Rooms with somebody in them are looked at every five seconds, and what was seen is kept for a quarter of an hour: who is
called after the trouble still finds it. Nothing of it reaches the database, the trace or the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from conference.clock import Clock
from conference.model.diagnosis import Found, Grade, Signs, diagnose
from conference.model.media_report import MediaReport, Path, ReceivedTrack
from conference.model.participant import Device
from conference.model.permissions import Role
from conference.services.insight_signs import Smoothed, signs_of
from conference.services.insight_tracks import PlayedTrack, played
from conference.services.insight_trail import Trail, unpack
from conference.services.live_room import LiveRoom, Seat
from conference.services.ports import MediaError
from conference.services.rooms import Rooms

STEP_S: Final = 5.0
KEPT_S: Final = 900.0
_FRESH_S: Final = 1.0  # several desks that look at once look once
_PLAYER: Final = "whep"


@dataclass(frozen=True, slots=True)
class Inspected:
    """One participant, or a player by WHEP, who has no name and no role.

    `score`: the mean of the tracks' (conference.model.quality), None while it receives nothing; losses and `rtt_ms` are
    those of the last seconds, not of the last.
    """

    id: str
    name: str | None
    role: Role | None
    venue: str | None
    kind: str
    device: Device | None
    connected: bool
    path: Path
    uplink_loss: float
    downlink_loss: float
    rtt_ms: int | None
    score: int | None
    found: tuple[Found, ...]
    media: MediaReport
    tracks: tuple[PlayedTrack, ...]

    @property
    def grade(self) -> Grade | None:
        """Of the gravest finding that needs something done."""
        first = self.found[0].grade if self.found else None
        return None if first is Grade.NOTE else first


@dataclass(frozen=True, slots=True)
class Look:
    """A room at one moment; `at_ms` is UTC, `at_s` monotonic."""

    at_ms: int
    at_s: float
    program_time_ms: int | None
    participants: tuple[Inspected, ...] = ()


@dataclass(slots=True)
class _Room:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    look: Look | None = None
    smoothed: dict[str, Smoothed] = field(default_factory=dict)
    trail: Trail = field(default_factory=lambda: Trail(KEPT_S))


class Insight:
    """Owned by signaling.web_process, which calls `tick`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._seen: dict[str, _Room] = {}

    async def look(self, room_id: str) -> Look:
        """The room now, or a second ago. Raises MediaError(media_unavailable) while the media process is away."""
        room = self._rooms.find(room_id)
        if room is None:
            return Look(self._clock.wall_ms(), self._clock.monotonic(), None)
        seen = self._seen.setdefault(room_id, _Room())
        async with seen.lock:
            if seen.look is None or self._clock.monotonic() - seen.look.at_s >= _FRESH_S:
                seen.look = await self._ask(room, seen)
            return seen.look

    async def trail(self, room_id: str) -> AsyncIterator[bytes]:
        """What was seen in the last quarter of an hour, step by step, as JSON lines: one a participant, without names
        and addresses. Nothing where nobody was."""
        seen = self._seen.get(room_id)
        if seen is not None:
            for step in seen.trail.steps():
                yield await asyncio.to_thread(unpack, step)

    def looks(self) -> Mapping[str, Look]:
        """The last look at each room, by its id; old ones are left out."""
        now_s = self._clock.monotonic()
        return {
            room_id: seen.look
            for room_id, seen in self._seen.items()
            if seen.look is not None and now_s - seen.look.at_s < 3 * STEP_S
        }

    async def tick(self) -> None:
        """Call every STEP_S: keep a step of each room, and forget what is too old."""
        now_s = self._clock.monotonic()
        for room_id, seen in tuple(self._seen.items()):
            if not seen.trail.prune(now_s) and self._rooms.find(room_id) is None:
                del self._seen[room_id]
        for room in self._rooms.all():
            if not any(seat.lost_at_s is None for seat in room.seats.values()):
                continue
            try:
                look = await self.look(room.id)
            except MediaError:
                continue  # its supervisor says so; a hole in the trail says when
            seen_room = self._seen.get(room.id)
            if seen_room is not None:
                await seen_room.trail.keep(look.at_s, [_line(look, one) for one in look.participants])

    @property
    def _clock(self) -> Clock:
        return self._rooms.clock

    async def _ask(self, room: LiveRoom, seen: _Room) -> Look:
        try:
            reports = await self._rooms.media.room_report(room.id)
        except MediaError as error:
            if error.code != "not_found":
                raise
            reports = ()
        now_s = self._clock.monotonic()
        by_id = {one.participant_id: one for one in reports}
        for participant_id in [each for each in seen.smoothed if each not in by_id]:
            del seen.smoothed[participant_id]
        for one in reports:
            seen.smoothed.setdefault(one.participant_id, Smoothed()).take(one, now_s)
        people = tuple(
            self._inspect(room, seat, by_id.get(seat.id, MediaReport(seat.id)), seen, now_s)
            for seat in tuple(room.seats.values())
        )
        players = tuple(
            self._player(by_id[each], seen, now_s) for each in tuple(room.listeners) if each in by_id
        )
        program_time_ms = self._rooms.program_time_ms(room.consultation)
        return Look(self._clock.wall_ms(), now_s, program_time_ms, people + players)

    def _inspect(
        self, room: LiveRoom, seat: Seat, report: MediaReport, seen: _Room, now_s: float
    ) -> Inspected:
        p = seat.participant
        smoothed = seen.smoothed.get(seat.id, Smoothed())
        tracks = tuple(played(one, report.rtt_ms, seat.playback, now_s) for one in report.receives)
        path = self._path(report)
        losing = {each for each, one in seen.smoothed.items() if one.loses_uplink}
        is_new = self._clock.wall_ms() - p.joined_at_ms < Smoothed.SETTLING_S * 1000
        signs = signs_of(seat, report, tracks, smoothed, path, losing, now_s, is_new=is_new)
        return Inspected(
            id=seat.id,
            name=p.name,
            role=p.role,
            venue=p.venue,
            kind=p.kind.value,
            device=p.device,
            connected=seat.lost_at_s is None,
            path=path,
            uplink_loss=smoothed.uplink_loss,
            downlink_loss=smoothed.downlink_loss,
            rtt_ms=smoothed.rtt_ms,
            score=_mean(tracks),
            found=diagnose(signs),
            media=report,
            tracks=tracks,
        )

    def _player(self, report: MediaReport, seen: _Room, now_s: float) -> Inspected:
        smoothed = seen.smoothed.get(report.participant_id, Smoothed())
        path = self._path(report)
        tracks = tuple(played(one, report.rtt_ms, None, now_s) for one in report.receives)
        downlink = report.downlink
        signs = Signs(
            downlink=None if downlink is None else downlink.state,
            path=path,
            downlink_loss=smoothed.downlink_loss,
            rtt_ms=smoothed.rtt_ms,
        )
        return Inspected(
            id=report.participant_id,
            name=None,
            role=None,
            venue=None,
            kind=_PLAYER,
            device=None,
            connected=downlink is not None and downlink.state == "connected",
            path=path,
            uplink_loss=0.0,
            downlink_loss=smoothed.downlink_loss,
            rtt_ms=smoothed.rtt_ms,
            score=_mean(tracks),
            found=diagnose(signs),
            media=report,
            tracks=tracks,
        )

    def _path(self, report: MediaReport) -> Path:
        """That of what it sends, or of what it receives."""
        ways = [each for each in (report.uplink, report.downlink) if each is not None]
        ways.sort(key=lambda each: each.state == "closed")
        path = next((each.path for each in ways if each.path is not Path.NONE), Path.NONE)
        if path is not Path.LOOPBACK:
            return path
        # coturn runs on this machine and speaks to us from its loopback address, where no browser is at home.
        return Path.RELAY if self._rooms.relay.health == "ok" else Path.UDP


def _mean(tracks: tuple[PlayedTrack, ...]) -> int | None:
    scores = [one.score for one in tracks if one.score is not None]
    return round(sum(scores) / len(scores)) if scores else None


def _line(look: Look, one: Inspected) -> dict[str, object]:
    """A step of one participant in the trail: ids and numbers alone."""
    media = one.media
    return {
        "at_ms": look.at_ms,
        "program_time_ms": look.program_time_ms,
        "participant_id": one.id,
        "role": one.role,
        "kind": one.kind,
        "device": one.device,
        "connected": one.connected,
        "path": one.path,
        "score": one.score,
        "found": [{"finding": each.finding, "grade": each.grade, "value": each.value} for each in one.found],
        "uplink": media.uplink,
        "downlink": media.downlink,
        "rtt_ms": media.rtt_ms,
        "estimate_bps": media.estimate_bps,
        "delivered_bps": media.delivered_bps,
        "link": media.link,
        "sound_only": media.sound_only,
        "hidden": media.hidden,
        "sends": media.sends,
        "receives": [_received(each.track) | _played(each) for each in one.tracks],
    }


def _received(track: ReceivedTrack) -> dict[str, object]:
    return {
        "publication_id": track.publication_id,
        "participant_id": track.participant_id,
        "source": track.source,
        "state": track.state,
        "layer": track.layer,
        "height": track.height,
        "shown_height": track.shown_height,
        "temporal": track.temporal,
        "reason": track.reason,
        "bitrate_bps": track.bitrate_bps,
        "loss": round(track.loss, 3),
    }


def _played(each: PlayedTrack) -> dict[str, object]:
    return {"freeze": each.freeze, "concealed": each.concealed, "fps": each.fps, "score": each.score}
