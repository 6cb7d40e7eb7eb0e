"""The requests of /room: each one calls one use case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conference.services.arrivals import Arrivals
from conference.services.departures import Departures
from conference.services.desks import Desks
from conference.services.media_sessions import MediaSessions
from conference.services.moderation import Moderation
from conference.services.screens import Screens
from conference.services.waiting import WaitingRoom
from signaling.realtime.dispatch import Call, Handler, Session
from signaling.realtime.requests import (
    DESK_REQUESTS,
    REQUESTS,
    Empty,
    MediaPublish,
    MediaReport,
    MediaWish,
    ParticipantAdmit,
    ParticipantMute,
    ParticipantRefuse,
    ParticipantRemove,
    ParticipantUpdate,
)
from signaling.realtime.wire import render, render_view


class RoomRequests:
    """Handlers of the requests of a participant, and of those that a desk may make, too."""

    def __init__(
        self,
        arrivals: Arrivals,
        departures: Departures,
        screens: Screens,
        desks: Desks,
        moderation: Moderation,
        media: MediaSessions,
        waiting: WaitingRoom,
        shared: Mapping[str, Call],
    ) -> None:
        self._arrivals = arrivals
        self._departures = departures
        self._screens = screens
        self._desks = desks
        self._moderation = moderation
        self._media = media
        self._waiting = waiting
        self._shared = shared

    def handlers(self) -> dict[str, Handler]:
        """The table of /room."""
        calls: dict[str, Call] = {
            "room.sync": self._sync,
            "room.leave": self._leave,
            "media.publish": self._publish,
            "media.restart": self._restart,
            "media.wish": self._wish,
            "media.report": self._report,
            "participant.update": self._update,
            "participant.mute": self._mute,
            "venue.take_over": self._take_over,
            "participant.remove": self._remove,
            "participant.admit": self._admit,
            "participant.refuse": self._refuse,
            **self._shared,
        }
        return {name: Handler(model, calls[name]) for name, model in REQUESTS.items()}

    def desk_handlers(self) -> dict[str, Handler]:
        """The table of /desk: the same use cases, with another snapshot."""
        handlers = {name: each for name, each in self.handlers().items() if name in DESK_REQUESTS}
        return {**handlers, "room.sync": Handler(Empty, self._sync_desk)}

    async def _sync_desk(self, session: Session, _: Empty) -> dict[str, Any]:
        snapshot = await self._desks.snapshot(session.room_id, session.participant_id)
        return render(snapshot)[1]

    async def _sync(self, session: Session, _: Empty) -> dict[str, Any]:
        snapshot = await self._arrivals.snapshot(session.room_id, session.participant_id)
        return render(snapshot)[1]

    async def _leave(self, session: Session, _: Empty) -> dict[str, Any]:
        room_id, who = session.room_id, session.participant_id
        if not await self._screens.leave(room_id, who):
            await self._departures.leave(room_id, who)
        return {}

    async def _publish(self, session: Session, request: MediaPublish) -> dict[str, Any]:
        answer = await self._media.publish(
            session.room_id, session.participant_id, request.sdp, request.hints()
        )
        return {"sdp": answer}

    async def _restart(self, session: Session, _: Empty) -> dict[str, Any]:
        await self._media.restart(session.room_id, session.participant_id)
        return {}

    async def _wish(self, session: Session, request: MediaWish) -> dict[str, Any]:
        await self._media.wish(session.room_id, session.participant_id, request.wishes())
        return {}

    async def _report(self, session: Session, request: MediaReport) -> dict[str, Any]:
        self._media.report(session.room_id, session.participant_id, request.reports(), request.interval_ms)
        return {}

    async def _update(self, session: Session, request: ParticipantUpdate) -> dict[str, Any]:
        view = await self._moderation.choose(
            session.room_id,
            session.participant_id,
            name=request.name,
            microphone=request.microphone,
            camera=request.camera,
        )
        return {"participant": render_view(view)}

    async def _mute(self, session: Session, request: ParticipantMute) -> dict[str, Any]:
        room_id, by_id = session.room_id, session.participant_id
        if request.participant_id is None:
            changed = await self._moderation.mute_all(room_id, by_id, muted=request.muted, hard=request.hard)
        else:
            changed = await self._moderation.mute(
                room_id, by_id, request.participant_id, muted=request.muted, hard=request.hard
            )
        return {"changed": changed}

    async def _take_over(self, session: Session, _: Empty) -> dict[str, Any]:
        await self._moderation.take_over(session.room_id, session.participant_id)
        return {}

    async def _remove(self, session: Session, request: ParticipantRemove) -> dict[str, Any]:
        await self._departures.remove(session.room_id, session.participant_id, request.participant_id)
        return {}

    async def _admit(self, session: Session, request: ParticipantAdmit) -> dict[str, Any]:
        room_id, by_id = session.room_id, session.participant_id
        if request.participant_id is None:
            return {"admitted": await self._waiting.admit_all(room_id, by_id)}
        return {"admitted": await self._waiting.admit(room_id, by_id, request.participant_id)}

    async def _refuse(self, session: Session, request: ParticipantRefuse) -> dict[str, Any]:
        await self._waiting.refuse(session.room_id, session.participant_id, request.participant_id)
        return {}
