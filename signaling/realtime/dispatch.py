"""Dispatch: validate, call, and always answer. The one map from exception to error code."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from pydantic import ValidationError

from conference.model.errors import ConferenceError
from signaling.metrics import Metrics
from signaling.realtime.outbox import Outbox
from signaling.realtime.requests import Request
from signaling.realtime.token_bucket import TokenBucket

log = structlog.get_logger(__name__)

Ack = dict[str, Any]

REQUESTS_PER_S: Final = 30.0
REQUEST_BURST: Final = 100.0


@dataclass(slots=True)
class Session:
    """One socket of one participant, or of a desk: then `participant_id` is the desk's id."""

    id: str
    room_id: str
    participant_id: str
    outbox: Outbox
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(REQUESTS_PER_S, REQUEST_BURST))


Call = Callable[[Session, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Handler:
    """What answers an event: the model of its body and the use case behind it."""

    model: type[Request]
    call: Call


def failure(error: Exception) -> Ack:
    """The answer for an exception; anything unforeseen is `internal`, and logged."""
    if isinstance(error, ValidationError):
        too_long = any(each["type"] in ("string_too_long", "too_long") for each in error.errors())
        error = ConferenceError("too_large" if too_long else "bad_request")
    if not isinstance(error, ConferenceError):
        log.error("socket.handler_failed", exc_info=error)
        error = ConferenceError("internal")
    return {"ok": False, "error": {"code": error.code, "message": error.text}}


class Dispatcher:
    """Answers every request of a session."""

    def __init__(self, handlers: Mapping[str, Handler], metrics: Metrics) -> None:
        self._handlers = handlers
        self._metrics = metrics

    async def dispatch(self, session: Session | None, event: object, arguments: tuple[Any, ...]) -> Ack:
        """The ack: `{ok: true, data}` or `{ok: false, error}`. Raises nothing."""
        try:
            data = await self._handle(session, event, arguments)
        except Exception as error:  # noqa: BLE001 every request is answered, whatever happens
            ack = failure(error)
            self._metrics.socket_errors.labels(ack["error"]["code"]).inc()
            return ack
        return {"ok": True, "data": data}

    async def _handle(
        self, session: Session | None, event: object, arguments: tuple[Any, ...]
    ) -> dict[str, Any]:
        if session is None or session.outbox.is_closed:
            raise ConferenceError("stale", "no session")
        if not session.bucket.take(time.monotonic()):
            raise ConferenceError("rate_limited")
        handler = self._handlers.get(event) if isinstance(event, str) else None
        if handler is None:
            raise ConferenceError("unknown_event")
        self._metrics.socket_events.labels(event).inc()
        if len(arguments) > 1:
            raise ConferenceError("bad_request", f"{len(arguments)} arguments")
        body = arguments[0] if arguments and arguments[0] is not None else {}
        data = await handler.call(session, handler.model.model_validate(body))
        await session.outbox.drained()
        return data
