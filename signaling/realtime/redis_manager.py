"""Socket.IO over several nodes: words to a session that sits on another node go through Redis.

A room and its sessions are on one node, so nearly all of what is sent never leaves it: that goes straight to the
socket, whatever Redis does. Only the rest is published, in its order, by a task that nobody waits for.
"""

from __future__ import annotations

import asyncio
import socket
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from typing import Any, Final

import socketio
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 1.0
_PAUSE_S: Final = 1.0  # between two tries to listen
_POLL_S: Final = 30.0
_MAX_PENDING: Final = 1000  # words to other nodes that Redis has not taken
_MAX_ASKED: Final = 1000  # sessions elsewhere whose answer is awaited
_KEEPALIVE: Final = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}


class RedisManager(socketio.AsyncRedisManager):  # type: ignore[misc]  # the library is untyped
    """The client manager of a node that has a Redis. Close it."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {"socket_timeout": _PATIENCE_S}
        if not url.startswith("unix"):  # one that vanished without a word is noticed, too
            options |= {
                "socket_connect_timeout": _PATIENCE_S,
                "socket_keepalive": True,
                "socket_keepalive_options": _KEEPALIVE,
            }
        super().__init__(url, channel="yuanshang:sockets", redis_options=options)
        self._client: Any = Redis.from_url(url, **options)
        self._outgoing: deque[str] = deque(maxlen=_MAX_PENDING)
        self._filled = asyncio.Event()
        self._asked: OrderedDict[str, None] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_up = True

    def initialize(self) -> None:
        """Called by the server with its first connection."""
        super().initialize()
        self._tasks = [self.thread, self.server.start_background_task(self._write)]

    async def close(self) -> None:
        """Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def emit(
        self, event: Any, data: Any, namespace: str | None = None, room: str | None = None, **options: Any
    ) -> None:
        target = options.get("to") or room
        if target is not None and self._is_here(target, namespace or "/"):
            options["ignore_queue"] = True
        elif target is not None and options.get("callback") is not None:
            self._await_answer(target)
        await super().emit(event, data, namespace=namespace, room=room, **options)

    def _is_here(self, target: str, namespace: str) -> bool:
        """Every session is a room of the library, too, with itself in it alone."""
        return target in self.rooms.get(namespace, {})

    def _await_answer(self, session_id: str) -> None:
        """The library forgets what it asked a session of its own when that ends; of others nobody tells it."""
        self._asked[session_id] = None
        self._asked.move_to_end(session_id)
        if len(self._asked) > _MAX_ASKED:
            self.callbacks.pop(self._asked.popitem(last=False)[0], None)

    # ── to and from Redis ───────────────────────────────────────────────────────────────────────

    async def _publish(self, data: dict[str, Any]) -> None:
        self._outgoing.append(self.json.dumps(data))
        self._filled.set()

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._outgoing:
                try:
                    await self._client.publish(self.channel, self._outgoing.popleft())
                except (RedisError, OSError) as error:
                    self._outgoing.clear()  # nobody wants to hear it later
                    self._noted(False, error)
                else:
                    self._noted(True)

    async def _listen(self) -> AsyncIterator[bytes]:
        while True:
            heard = self._client.pubsub(ignore_subscribe_messages=True)
            try:
                await heard.subscribe(self.channel)
                while True:
                    message = await heard.get_message(timeout=_POLL_S)
                    if message is not None:
                        yield message["data"]
            except (RedisError, OSError) as error:
                self._noted(False, error)
            finally:
                await heard.aclose()
            await asyncio.sleep(_PAUSE_S)

    def _noted(self, is_up: bool, error: Exception | None = None) -> None:
        if is_up != self._is_up:
            self._is_up = is_up
            if is_up:
                log.info("sockets.redis_back")
            else:
                log.warning("sockets.redis_lost", error=type(error).__name__)
