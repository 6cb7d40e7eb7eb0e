"""The requests about rehearsals: in the room and at a desk alike."""

from __future__ import annotations

from typing import Any

from conference.services.rehearsals import Rehearsals
from conference.services.rehearsed_comments import RehearsedComments
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import Empty, RehearsalComment, RehearsalEnd
from signaling.realtime.wire import render_view


class RehearsalRequests:
    """Handlers."""

    def __init__(self, rehearsals: Rehearsals, comments: RehearsedComments) -> None:
        self._rehearsals = rehearsals
        self._comments = comments

    def calls(self) -> dict[str, Call]:
        return {
            "rehearsal.start": self._start,
            "rehearsal.end": self._end,
            "rehearsal.comment": self._comment,
        }

    async def _start(self, session: Session, _: Empty) -> dict[str, Any]:
        await self._rehearsals.start(session.room_id, session.participant_id)
        return {}

    async def _end(self, session: Session, request: RehearsalEnd) -> dict[str, Any]:
        ended = await self._rehearsals.end(session.room_id, session.participant_id, keep=request.keep)
        return {"kept_id": ended.kept_id}

    async def _comment(self, session: Session, request: RehearsalComment) -> dict[str, Any]:
        view = await self._comments.add(
            session.room_id, session.participant_id, request.text, request.nickname
        )
        return {"comment": render_view(view)}
