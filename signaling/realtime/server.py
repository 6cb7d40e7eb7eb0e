"""The Socket.IO server: sockets come and go here, requests go to the dispatcher, events out of the outboxes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from conference.events import SessionRefused
from conference.model.errors import ConferenceError
from conference.services.offers import Offers
from conference.services.presence import Presence
from signaling.auth.access import Access
from signaling.metrics import Metrics
from signaling.network import TrustedProxies
from signaling.realtime.dispatch import Dispatcher, Session, failure
from signaling.realtime.fanout import Fanout
from signaling.realtime.outbox import Outbox
from signaling.realtime.requests import Credentials, MediaAnswer
from signaling.realtime.room_requests import RoomRequests
from signaling.realtime.token_bucket import TokenBuckets
from signaling.realtime.wire import render

log = structlog.get_logger(__name__)

NAMESPACE: Final = "/room"
MAX_MESSAGE_BYTES: Final = 512 * 1024  # an SDP of 256 kB and its JSON escapes
MAX_SOCKETS: Final = 5000
PING_INTERVAL_S: Final = 10
PING_TIMEOUT_S: Final = 10
_JOINS_PER_S, _JOIN_BURST = 50.0, 1500.0  # per address: offices behind one NAT come back at once
_LINGER_S: Final = 2.0  # a socket that was refused or left is closed after this

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class RoomServer(socketio.AsyncNamespace):  # type: ignore[misc]  # the library is untyped
    """The namespace /room and the sockets below it."""

    def __init__(
        self,
        *,
        access: Access,
        presence: Presence,
        offers: Offers,
        requests: RoomRequests,
        fanout: Fanout,
        metrics: Metrics,
        proxies: TrustedProxies,
        public_url: str | None,
        spawn: Spawn,
    ) -> None:
        super().__init__(NAMESPACE)
        self._access = access
        self._presence = presence
        self._offers = offers
        self._dispatcher = Dispatcher(requests.handlers(), metrics)
        self._fanout = fanout
        self._metrics = metrics
        self._proxies = proxies
        self._public_host = urlsplit(public_url).netloc if public_url else None
        self._spawn = spawn
        self._joins = TokenBuckets(_JOINS_PER_S, _JOIN_BURST)
        self._sessions: dict[str, Session] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}
        self._sio = _Server(
            metrics,
            async_mode="aiohttp",
            async_handlers=False,  # one after the other, as they came
            always_connect=True,  # else the snapshot would arrive before `connect`
            cors_allowed_origins=self._is_our_page,
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            logger=_quiet_logger("socketio.server"),
            engineio_logger=_quiet_logger("engineio.server"),
        )
        self._sio.register_namespace(self)

    def attach(self, app: web.Application) -> None:
        """Serve /socket.io/ from this application, for at most MAX_SOCKETS connections."""
        self._sio.attach(app)
        app.middlewares.append(self._limit)

    @web.middleware
    async def _limit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        opens = request.path == "/socket.io/" and "sid" not in request.query
        if opens and self.open_sockets >= MAX_SOCKETS:
            raise ConferenceError("rate_limited", f"{MAX_SOCKETS} connections")
        return await handler(request)

    @property
    def open_sockets(self) -> int:
        """Connections, joined or not."""
        return len(self._sio.eio.sockets)

    @property
    def open_sessions(self) -> int:
        """Sockets of participants."""
        return len(self._sessions)

    async def close(self) -> None:
        """Disconnect everybody; their clients come back to the next server."""
        for task in tuple(self._pumps.values()):
            task.cancel()
        sockets = tuple(self._sio.eio.sockets.values())
        closing = (socket.close(wait=False, reason="server disconnect") for socket in sockets)
        await asyncio.gather(*closing, return_exceptions=True)
        await self._sio.shutdown()

    def _is_our_page(self, origin: str, environ: dict[str, Any]) -> bool:
        """Browsers may connect from our own pages only."""
        host = urlsplit(origin).netloc
        return host == environ.get("HTTP_HOST") or host == self._public_host

    # ── socketio's single way in ────────────────────────────────────────────────────────────────

    async def trigger_event(self, event: Any, *args: Any) -> Any:
        """Connections, disconnections and requests. A client may name its request `connect` or `disconnect`:
        what the library itself reports is told apart by what only the library can know."""
        session_id = args[0]
        if event == "connect" and len(args) == 3 and self._is_environ(args[1]):
            return await self._connect(session_id, args[1], args[2])
        if event == "disconnect" and not self._sio.manager.is_connected(session_id, NAMESPACE):
            await self._disconnect(session_id)
            return None
        session = self._sessions.get(session_id)
        ack = await self._dispatcher.dispatch(session, event, args[1:])
        if event == "room.leave" and ack["ok"]:
            self._linger(session_id)
        return ack

    @staticmethod
    def _is_environ(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get("aiohttp.request"), web.BaseRequest)

    async def _connect(self, session_id: str, environ: dict[str, Any], auth: Any) -> bool:
        outbox = self._fanout.open(session_id, lambda: self._drop(session_id))
        try:
            await self._join(session_id, outbox, environ["aiohttp.request"], auth)
        except Exception as error:  # noqa: BLE001 whoever knocks is told why the door stays shut
            self._fanout.forget(session_id)
            refusal = failure(error)["error"]
            self._metrics.sessions_refused.labels(refusal["code"]).inc()
            name, body = render(SessionRefused(refusal["code"], refusal["message"]))
            await self.emit(name, body, to=session_id)
            self._linger(session_id)
            return False
        self._pumps[session_id] = self._spawn(self._pump(outbox))
        if not self._sio.manager.is_connected(session_id, NAMESPACE):
            await self._disconnect(session_id)  # the socket went away while its owner was being seated
        return True

    async def _join(self, session_id: str, outbox: Outbox, request: web.BaseRequest, auth: Any) -> None:
        address = self._proxies.client(request)
        if not self._joins.take(address, time.monotonic()):
            raise ConferenceError("rate_limited")
        credentials = Credentials.model_validate(auth)
        grant = await self._access.check(credentials.token, allow_expired=credentials.resume is not None)
        entry = grant.entry(name=credentials.name, device=credentials.kind, resume=credentials.resume)
        participant_id = await self._presence.join(entry, session_id)
        self._sessions[session_id] = Session(session_id, entry.consultation_id, participant_id, outbox)

    async def _disconnect(self, session_id: str) -> None:
        pump = self._pumps.pop(session_id, None)
        if pump is not None:
            pump.cancel()
        self._fanout.forget(session_id)
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        try:
            await self._presence.disconnect(session.room_id, session.participant_id, session_id)
        except Exception as error:
            log.error("socket.disconnect_failed", exc_info=error)

    # ── the way out ─────────────────────────────────────────────────────────────────────────────

    async def _pump(self, outbox: Outbox) -> None:
        """Send the outbox's events as fast as the socket takes them."""
        while True:
            item = await outbox.next()
            if item.is_last:
                self._pumps.pop(outbox.session_id, None)
                await self._sio.disconnect(outbox.session_id, namespace=NAMESPACE)
                return
            answer = None if item.generation is None else self._answer_to(outbox.session_id, item.generation)
            await self.emit(item.name, item.body, to=outbox.session_id, callback=answer)
            outbox.sent()
            await self._written(outbox.session_id)

    async def _written(self, session_id: str) -> None:
        """Wait until the transport took everything: what a slow client does not read waits in its outbox."""
        socket_id = self._sio.manager.eio_sid_from_sid(session_id, NAMESPACE)
        socket = self._sio.eio.sockets.get(socket_id)
        if socket is not None:
            await socket.queue.join()

    def _answer_to(self, session_id: str, generation: int) -> Callable[..., Coroutine[Any, Any, None]]:
        async def answered(*arguments: Any) -> None:
            session = self._sessions.get(session_id)
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

    def _drop(self, session_id: str) -> None:
        """Close the connection of a client that does not read, without waiting for it."""
        self._metrics.socket_overflows.inc()
        log.warning("socket.too_slow")
        socket = self._sio.eio.sockets.get(self._sio.manager.eio_sid_from_sid(session_id, NAMESPACE))
        if socket is not None:
            self._spawn(socket.close(wait=False, abort=True, reason="transport error"))

    def _linger(self, session_id: str) -> None:
        """Close the connection below a session that is over, once its client had time to do it itself."""
        self._spawn(self._close_later(self._sio.manager.eio_sid_from_sid(session_id, NAMESPACE)))

    async def _close_later(self, socket_id: str | None) -> None:
        await asyncio.sleep(_LINGER_S)
        socket = self._sio.eio.sockets.get(socket_id)
        if socket is not None:
            await socket.close(wait=False, reason="server disconnect")


class _Server(socketio.AsyncServer):  # type: ignore[misc]  # the library is untyped
    """Counts frames that are not Socket.IO, and forgets a binary packet that was left half-way."""

    def __init__(self, metrics: Metrics, **options: Any) -> None:
        super().__init__(**options)
        self._metrics = metrics

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        try:
            await super()._handle_eio_message(eio_sid, data)
        except Exception as error:
            self._binary_packet.pop(eio_sid, None)
            self._metrics.socket_malformed.inc()
            log.debug("socket.malformed", exc_info=error)


def _quiet_logger(name: str) -> logging.Logger:
    """The libraries log what clients do wrong, with their data: keep that for debugging."""

    class Debug(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log.debug("socket.library", text=record.getMessage(), exc_info=record.exc_info)

    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.handlers = [Debug()]
    return logger
