"""The requests about venues: in the room by their operators, at a desk by those who watch over them."""

from __future__ import annotations

import time
from typing import Any, Final

from conference.model.errors import ConferenceError
from conference.services.talkback import VenueTalk
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import VenueMessageSend
from signaling.realtime.token_bucket import TokenBuckets
from signaling.realtime.wire import render_view

MESSAGES_PER_S: Final = 0.5
MESSAGE_BURST: Final = 10.0


class VenueRequests:
    """Handlers. Who writes faster than a person is told so: messages are for reading."""

    def __init__(self, talk: VenueTalk) -> None:
        self._talk = talk
        self._rates = TokenBuckets(MESSAGES_PER_S, MESSAGE_BURST)

    def calls(self) -> dict[str, Call]:
        return {"venue.message": self._message}

    async def _message(self, session: Session, request: VenueMessageSend) -> dict[str, Any]:
        if not self._rates.take(session.participant_id, time.monotonic()):
            raise ConferenceError("rate_limited", "venue.message")
        message = await self._talk.send(
            session.room_id,
            session.participant_id,
            request.text,
            venue_id=request.venue_id,
            key=request.key,
        )
        return {"message": render_view(message)}
