"""/desk: the sockets of those who lead, prepare or moderate without a seat in the room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from conference.services.desks import Desks
from signaling.realtime.dispatch import Handler, Session
from signaling.realtime.namespace import Answered, Namespace, Surroundings
from signaling.realtime.requests import Credentials


class DeskNamespace(Namespace):
    """A session here is a desk: the events of the room, no media."""

    def __init__(self, handlers: Mapping[str, Handler], desks: Desks, around: Surroundings) -> None:
        super().__init__("/desk", handlers, around)
        self._access = around.access
        self._desks = desks

    async def enter(self, session_id: str, request: web.BaseRequest, auth: Any) -> tuple[str, str]:
        grant = await self._access.check(Credentials.model_validate(auth).token)
        room_id = grant.consultation_id
        venue = grant.claims.venue
        return room_id, await self._desks.open(room_id, grant.bearer, session_id, venue, grant.warrant)

    async def left(self, session: Session) -> None:
        await self._desks.close(session.room_id, session.participant_id)

    def answer_to(self, session_id: str, generation: int) -> Answered:
        raise AssertionError("no media is offered to a desk")
