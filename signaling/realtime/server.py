"""The Socket.IO server: the connections below the namespaces, how many there may be, and their end."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from conference.model.errors import ConferenceError
from signaling.metrics import Metrics
from signaling.realtime.namespace import Namespace
from signaling.realtime.websocket import WebSocket

if TYPE_CHECKING:
    from signaling.realtime.redis_manager import RedisManager

log = structlog.get_logger(__name__)

MAX_MESSAGE_BYTES: Final = 512 * 1024  # an SDP of 256 kB and its JSON escapes
MAX_SOCKETS: Final = 5000
PING_INTERVAL_S: Final = 10
PING_TIMEOUT_S: Final = 10


class SocketServer:
    """Serves the namespaces that it is given."""

    def __init__(
        self,
        *namespaces: Namespace,
        metrics: Metrics,
        public_url: str | None,
        redis_url: str | None = None,
    ) -> None:
        """`redis_url`: where there are other nodes, to which connections may have to be led."""
        self._namespaces = namespaces
        self._manager = _manager(redis_url)
        self._public_host = urlsplit(public_url).netloc if public_url else None
        self._sio = _Server(
            metrics,
            client_manager=self._manager,
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
        web_socket = partial(WebSocket, may_move=redis_url is not None)
        self._sio.eio._async = {**self._sio.eio._async, "websocket": web_socket}
        for namespace in namespaces:
            self._sio.register_namespace(namespace)

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
        """Sockets of participants and desks."""
        return sum(each.open_sessions for each in self._namespaces)

    async def close(self) -> None:
        """Disconnect everybody; their clients come back to the next server."""
        for namespace in self._namespaces:
            namespace.close()
        sockets = tuple(self._sio.eio.sockets.values())
        closing = (socket.close(wait=False, reason="server disconnect") for socket in sockets)
        await asyncio.gather(*closing, return_exceptions=True)
        await self._sio.shutdown()
        if self._manager is not None:
            await self._manager.close()

    def _is_our_page(self, origin: str, environ: dict[str, Any]) -> bool:
        """Browsers may connect from our own pages only."""
        host = urlsplit(origin).netloc
        return host == environ.get("HTTP_HOST") or host == self._public_host


def _manager(redis_url: str | None) -> RedisManager | None:
    """None: the library's own, in memory."""
    if redis_url is None:
        return None
    from signaling.realtime.redis_manager import RedisManager  # most servers have no Redis

    return RedisManager(redis_url)


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
