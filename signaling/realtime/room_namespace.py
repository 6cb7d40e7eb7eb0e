"""/room: the sockets of participants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web
from pydantic import ValidationError

from conference.model.errors import ConferenceError
from conference.services.arrivals import Arrivals
from conference.services.departures import Departures
from conference.services.offers import Offers
from conference.services.screens import Screens
from signaling.realtime.dispatch import Handler, Session, failure
from signaling.realtime.namespace import Answered, Namespace, Surroundings
from signaling.realtime.requests import Credentials, MediaAnswer

log = structlog.get_logger(__name__)


class RoomNamespace(Namespace):
    """A session here is a participant with a seat and media, or a big screen."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        arrivals: Arrivals,
        departures: Departures,
        screens: Screens,
        offers: Offers,
        around: Surroundings,
    ) -> None:
        super().__init__("/room", handlers, around)
        self._access = around.access
        self._arrivals = arrivals
        self._departures = departures
        self._screens = screens
        self._offers = offers

    async def enter(self, session_id: str, request: web.BaseRequest, auth: Any) -> tuple[str, str]:
        credentials = Credentials.model_validate(auth)
        grant = await self._access.check(credentials.token, allow_expired=credentials.resume is not None)
        entry = grant.entry(
            name=credentials.name,
            device=credentials.kind,
            resume=credentials.resume,
            take_over=credentials.take_over,
        )
        join = self._screens.join if credentials.screen else self._arrivals.join
        return entry.consultation_id, await join(entry, session_id)

    async def left(self, session: Session) -> None:
        who = (session.room_id, session.participant_id, session.id)
        if not await self._screens.disconnect(*who):
            await self._departures.disconnect(*who)

    def answer_to(self, session_id: str, generation: int) -> Answered:
        async def answered(*arguments: Any) -> None:
            session = self.session(session_id)
            if session is None or session.outbox.is_closed:
                return
            try:
                answer = MediaAnswer.model_validate(arguments[0] if arguments else None)
                await self._offers.answered(session.room_id, session.participant_id, generation, answer.sdp)
            except (ConferenceError, ValidationError) as error:
                code = failure(error)["error"]["code"]
                self._metrics.offer_answers.labels(code).inc()
                log.info("media.answer_refused", room=session.room_id, code=code)
            else:
                self._metrics.offer_answers.labels("ok").inc()

        return answered
