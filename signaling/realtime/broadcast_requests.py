"""The requests about program, broadcast and the pause of the recording: in the room and at a desk alike."""

from __future__ import annotations

from typing import Any

from conference.desk_views import BroadcastView
from conference.services.broadcasts import Broadcasts
from conference.services.programs import Programs
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import (
    BroadcastCut,
    BroadcastReinstate,
    BroadcastWithdraw,
    Empty,
    ProgramCaptions,
    ProgramDirect,
    RecordingPause,
)
from signaling.realtime.wire import render_view


class BroadcastRequests:
    """Handlers."""

    def __init__(self, broadcasts: Broadcasts, programs: Programs) -> None:
        self._broadcasts = broadcasts
        self._programs = programs

    def calls(self) -> dict[str, Call]:
        return {
            "program.direct": self._direct,
            "program.captions": self._captions,
            "broadcast.cut": self._cut,
            "broadcast.restore": self._restore,
            "broadcast.withdraw": self._withdraw,
            "broadcast.reinstate": self._reinstate,
            "recording.pause": self._pause,
        }

    async def _direct(self, session: Session, request: ProgramDirect) -> dict[str, Any]:
        view = await self._programs.direct(session.room_id, session.participant_id, request.direction())
        return {"program": render_view(view)}

    async def _captions(self, session: Session, request: ProgramCaptions) -> dict[str, Any]:
        await self._programs.show_captions(session.room_id, session.participant_id, on=request.on)
        return {}

    async def _cut(self, session: Session, request: BroadcastCut) -> dict[str, Any]:
        return _answer(await self._broadcasts.cut(session.room_id, session.participant_id, request.back_s))

    async def _restore(self, session: Session, _: Empty) -> dict[str, Any]:
        return _answer(await self._broadcasts.restore(session.room_id, session.participant_id))

    async def _withdraw(self, session: Session, request: BroadcastWithdraw) -> dict[str, Any]:
        return _answer(
            await self._broadcasts.withdraw(
                session.room_id, session.participant_id, request.from_ms, request.to_ms, request.reason
            )
        )

    async def _reinstate(self, session: Session, request: BroadcastReinstate) -> dict[str, Any]:
        return _answer(
            await self._broadcasts.reinstate(
                session.room_id, session.participant_id, request.id, request.reason
            )
        )

    async def _pause(self, session: Session, request: RecordingPause) -> dict[str, Any]:
        await self._broadcasts.pause(session.room_id, session.participant_id, paused=request.paused)
        return {}


def _answer(broadcast: BroadcastView) -> dict[str, Any]:
    return {"broadcast": render_view(broadcast)}
