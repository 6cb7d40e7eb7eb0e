"""The requests about the clip that is played: in the room and at a desk alike."""

from __future__ import annotations

from typing import Any

from conference.events import PlayingView
from conference.services.clip_shows import ClipShows
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import ClipPlay, ClipSeek, Empty
from signaling.realtime.wire import render_view


class ClipRequests:
    """Handlers."""

    def __init__(self, shows: ClipShows) -> None:
        self._shows = shows

    def calls(self) -> dict[str, Call]:
        return {
            "clip.play": self._play,
            "clip.pause": self._pause,
            "clip.resume": self._resume,
            "clip.seek": self._seek,
            "clip.stop": self._stop,
        }

    async def _play(self, session: Session, request: ClipPlay) -> dict[str, Any]:
        room_id, by_id = session.room_id, session.participant_id
        return _answer(await self._shows.play(room_id, by_id, request.clip_id, request.from_ms))

    async def _pause(self, session: Session, _: Empty) -> dict[str, Any]:
        return _answer(await self._shows.pause(session.room_id, session.participant_id))

    async def _resume(self, session: Session, _: Empty) -> dict[str, Any]:
        return _answer(await self._shows.resume(session.room_id, session.participant_id))

    async def _seek(self, session: Session, request: ClipSeek) -> dict[str, Any]:
        room_id, by_id = session.room_id, session.participant_id
        return _answer(await self._shows.seek(room_id, by_id, request.position_ms))

    async def _stop(self, session: Session, _: Empty) -> dict[str, Any]:
        await self._shows.stop(session.room_id, session.participant_id)
        return {}


def _answer(view: PlayingView) -> dict[str, Any]:
    return {"clip": render_view(view)}
