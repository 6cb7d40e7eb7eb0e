"""A namespace: its sockets come and go here, requests go to the dispatcher, events out of the outboxes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import socketio
import structlog
from aiohttp import web

from conference.events import SessionRefused
from conference.model.errors import ConferenceError, OtherNodeError
from signaling.auth.access import Access
from signaling.metrics import Metrics
from signaling.network import TrustedProxies
from signaling.other_nodes import NodeUnreachableError, OtherNodes, was_passed_on
from signaling.realtime.dispatch import Dispatcher, Handler, Session, failure
from signaling.realtime.fanout import Fanout
from signaling.realtime.outbox import Outbox
from signaling.realtime.token_bucket import TokenBuckets
from signaling.realtime.websocket import below
from signaling.realtime.wire import render

log = structlog.get_logger(__name__)

_JOINS_PER_S, _JOIN_BURST = 50.0, 1500.0  # per address: offices behind one NAT come back at once
_UNWRITTEN: Final = 16  # events handed to the transport before it is waited for
_LINGER_S: Final = 2.0  # a socket that was refused or left is closed after this

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
Answered = Callable[..., Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every namespace works with."""

    access: Access
    fanout: Fanout
    metrics: Metrics
    proxies: TrustedProxies
    spawn: Spawn
    nodes: OtherNodes


class Namespace(socketio.AsyncNamespace):  # type: ignore[misc]  # the library is untyped
    """Base of /room and /desk. `server` is the Socket.IO server that it is registered at."""

    def __init__(self, name: str, handlers: Mapping[str, Handler], around: Surroundings) -> None:
        super().__init__(name)
        self._dispatcher = Dispatcher(handlers, around.metrics)
        self._fanout = around.fanout
        self._metrics = around.metrics
        self._proxies = around.proxies
        self._spawn = around.spawn
        self._nodes = around.nodes
        self._joins = TokenBuckets(_JOINS_PER_S, _JOIN_BURST)
        self._sessions: dict[str, Session] = {}
        self._seating: dict[str, asyncio.Task[None]] = {}
        self._pumps: dict[str, asyncio.Task[None]] = {}

    @property
    def open_sessions(self) -> int:
        """Sockets that were let in."""
        return len(self._sessions)

    def session(self, session_id: str) -> Session | None:
        return self._sessions.get(session_id)

    def close(self) -> None:
        """Send nothing more."""
        for task in tuple(self._pumps.values()):
            task.cancel()

    # ── socketio's single way in ────────────────────────────────────────────────────────────────

    async def trigger_event(self, event: Any, *args: Any) -> Any:
        """Connections, disconnections and requests. A client may name its request `connect` or `disconnect`:
        what the library itself reports is told apart by what only the library can know."""
        session_id = args[0]
        if event == "connect" and len(args) == 3 and self._is_environ(args[1]):
            return await self._connect(session_id, args[1], args[2])
        if event == "disconnect" and not self.server.manager.is_connected(session_id, self.namespace):
            await self._disconnect(session_id)
            return None
        seating = self._seating.get(session_id)
        if seating is not None:
            await asyncio.wait((seating,))
        session = self._sessions.get(session_id)
        ack = await self._dispatcher.dispatch(session, event, args[1:])
        if event == "room.leave" and ack["ok"]:
            self._linger(session_id)
        return ack

    @staticmethod
    def _is_environ(value: Any) -> bool:
        return isinstance(value, dict) and isinstance(value.get("aiohttp.request"), web.BaseRequest)

    async def _connect(self, session_id: str, environ: dict[str, Any], auth: Any) -> bool:
        """Its owner is seated beside the reading of the socket: who waits for a seat must be seen to be alive."""
        task = self._spawn(self._seat(session_id, environ["aiohttp.request"], auth))
        self._seating[session_id] = task
        task.add_done_callback(lambda _: self._seating.pop(session_id, None))
        return True

    async def _seat(self, session_id: str, request: web.BaseRequest, auth: Any) -> None:
        drop, is_led = partial(self._drop, session_id), was_passed_on(request)
        outbox = self._fanout.open(session_id, drop, is_led=is_led)
        try:
            if not self._joins.take(self._proxies.client(request), time.monotonic()):
                raise ConferenceError("rate_limited")
            room_id, who = await self.enter(session_id, request, auth)
            self._sessions[session_id] = Session(session_id, room_id, who, outbox)
            self._settle(session_id)
        except Exception as error:  # noqa: BLE001 whoever knocks is told why the door stays shut
            self._fanout.forget(session_id)
            if isinstance(error, OtherNodeError) and await self._lead(session_id, request, error):
                return
            refusal = failure(error)["error"]
            self._metrics.sessions_refused.labels(refusal["code"]).inc()
            name, body = render(SessionRefused(refusal["code"], refusal["message"]))
            await self.emit(name, body, to=session_id)
            self._linger(session_id)
            await self.server.disconnect(session_id, namespace=self.namespace)
            return
        if self.server.manager.is_connected(session_id, self.namespace):
            self._pumps[session_id] = self._spawn(self._pump(outbox))
        else:
            await self._disconnect(session_id)  # the socket went away while its owner was being seated

    def _settle(self, session_id: str) -> None:
        web_socket = below(self._connection_of(session_id))
        if web_socket is not None:
            web_socket.settle()

    async def _lead(self, session_id: str, request: web.BaseRequest, error: OtherNodeError) -> bool:
        """Lead the connection to the node that has the room; false where that cannot be done."""
        web_socket = below(self._connection_of(session_id))
        if error.url is None or was_passed_on(request) or web_socket is None or not web_socket.may_move:
            return False
        try:
            there = await self._nodes.connect(request, error.url)
        except NodeUnreachableError:
            return False
        if not web_socket.may_move:  # it said too much meanwhile
            await there.close()
            return False
        try:
            await web_socket.lead(there)
        except OSError:
            await web_socket.close()  # what it said may have arrived: it comes back
        return True

    def _connection_of(self, session_id: str) -> Any:
        return self.server.eio.sockets.get(self.server.manager.eio_sid_from_sid(session_id, self.namespace))

    async def enter(self, session_id: str, request: web.BaseRequest, auth: Any) -> tuple[str, str]:
        """Check the credentials and open the session; returns its room and who it is there. Raises why not."""
        raise NotImplementedError

    async def left(self, session: Session) -> None:
        """The socket of this session is gone."""
        raise NotImplementedError

    async def _disconnect(self, session_id: str) -> None:
        pump = self._pumps.pop(session_id, None)
        if pump is not None:
            pump.cancel()
        self._fanout.forget(session_id)
        session = self._sessions.pop(session_id, None)
        if session is None:
            return
        try:
            await self.left(session)
        except Exception as error:
            log.error("socket.disconnect_failed", exc_info=error)

    # ── the way out ─────────────────────────────────────────────────────────────────────────────

    async def _pump(self, outbox: Outbox) -> None:
        """Send the outbox's events as fast as the socket takes them."""
        session_id, unwritten = outbox.session_id, 0
        socket_id = self.server.manager.eio_sid_from_sid(session_id, self.namespace)
        while True:
            item = await outbox.next()
            if item.is_last:
                self._pumps.pop(session_id, None)
                await self.server.disconnect(session_id, namespace=self.namespace)
                return
            if item.generation is None:
                await self.server.eio.send_packet(socket_id, item.packet(self.namespace))
            else:
                answered = self.answer_to(session_id, item.generation)
                await self.emit(item.name, item.body, to=session_id, callback=answered)
            outbox.sent()
            unwritten += 1
            if unwritten == _UNWRITTEN or not outbox.pending:
                await self._written(socket_id)
                unwritten = 0

    async def _written(self, socket_id: str) -> None:
        """Wait until the transport took everything: what a slow client does not read waits in its outbox."""
        socket = self.server.eio.sockets.get(socket_id)
        if socket is not None:
            await socket.queue.join()

    def answer_to(self, session_id: str, generation: int) -> Answered:
        """What takes the client's answer to an offer of media."""
        raise NotImplementedError

    def _drop(self, session_id: str) -> None:
        """Close the connection of a client that does not read, without waiting for it."""
        self._metrics.socket_overflows.inc()
        log.warning("socket.too_slow")
        socket = self._connection_of(session_id)
        if socket is not None:
            self._spawn(socket.close(wait=False, abort=True, reason="transport error"))

    def _linger(self, session_id: str) -> None:
        """Close the connection below a session that is over, once its client had time to do it itself."""
        self._spawn(self._close_later(self.server.manager.eio_sid_from_sid(session_id, self.namespace)))

    async def _close_later(self, socket_id: str | None) -> None:
        await asyncio.sleep(_LINGER_S)
        socket = self.server.eio.sockets.get(socket_id)
        if socket is not None:
            await socket.close(wait=False, reason="server disconnect")
