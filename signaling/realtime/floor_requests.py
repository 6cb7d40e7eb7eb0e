"""The requests about the floor: in the room and at a desk alike."""

from __future__ import annotations

from typing import Any

from conference.events import FloorView
from conference.services.floors import Floors
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import (
    Empty,
    FloorEnd,
    FloorExtend,
    FloorGrant,
    FloorMode,
    FloorOrder,
    FloorWithdraw,
)
from signaling.realtime.wire import render_view


class FloorRequests:
    """Handlers."""

    def __init__(self, floors: Floors) -> None:
        self._floors = floors

    def calls(self) -> dict[str, Call]:
        return {
            "floor.request": self._request,
            "floor.withdraw": self._withdraw,
            "floor.grant": self._grant,
            "floor.extend": self._extend,
            "floor.end": self._end,
            "floor.order": self._order,
            "floor.mode": self._mode,
        }

    async def _request(self, session: Session, _: Empty) -> dict[str, Any]:
        return {"place": await self._floors.request(session.room_id, session.participant_id)}

    async def _withdraw(self, session: Session, request: FloorWithdraw) -> dict[str, Any]:
        target_id = request.participant_id or session.participant_id
        await self._floors.withdraw(session.room_id, session.participant_id, target_id)
        return {}

    async def _grant(self, session: Session, request: FloorGrant) -> dict[str, Any]:
        return _answer(
            await self._floors.grant(
                session.room_id,
                session.participant_id,
                request.participant_id,
                duration_ms=request.duration_ms,
                ending=request.ending,
                version=request.version,
            )
        )

    async def _extend(self, session: Session, request: FloorExtend) -> dict[str, Any]:
        return _answer(
            await self._floors.extend(session.room_id, session.participant_id, request.ms, request.version)
        )

    async def _end(self, session: Session, request: FloorEnd) -> dict[str, Any]:
        return _answer(await self._floors.end(session.room_id, session.participant_id, request.version))

    async def _order(self, session: Session, request: FloorOrder) -> dict[str, Any]:
        return _answer(
            await self._floors.order(
                session.room_id, session.participant_id, request.participant_ids, request.version
            )
        )

    async def _mode(self, session: Session, request: FloorMode) -> dict[str, Any]:
        return _answer(
            await self._floors.set_mode(
                session.room_id, session.participant_id, request.mode, request.version
            )
        )


def _answer(floor: FloorView) -> dict[str, Any]:
    return {"floor": render_view(floor)}
