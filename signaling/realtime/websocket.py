"""The WebSocket below Engine.IO: what the library's own one costs at three hundred receivers is left out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from aiohttp import ClientWebSocketResponse, WSMsgType, web
from engineio.packet import Packet

# How packets of Engine.IO begin, and those of Socket.IO within a message.
_OPEN: Final = "0"
_PING: Final = "2"
_PONG: Final = "3"
_MESSAGE: Final = "4"
_CONNECT: Final = "40"

# What a client may say before it is settled where it belongs: its credentials, and what it did not wait with.
_MAX_SAID: Final = 16
_MAX_SAID_CHARS: Final = 64 * 1024


class WebSocket:
    """Takes the place of the library's wrapper around aiohttp's WebSocket, with the same methods.

    Without permessage-deflate: browsers offer it, and its state would cost more memory than all else of a
    connection, its work more than writing the frame, for events that are a few hundred bytes long.

    Where there are other nodes the connection may turn out to belong to one of them: it is then led there, below what
    the library sees. It hears of the client's answers to pings, so that it ends a client that is gone.
    """

    def __init__(
        self, handler: Callable[[WebSocket], Awaitable[None]], server: Any, *, may_move: bool = False
    ) -> None:
        """`may_move`: there are other nodes."""
        self._handler = handler
        self._socket = web.WebSocketResponse(max_msg_size=server.max_http_buffer_size, compress=False)
        self._connection: Any = handler.__self__  # type: ignore[attr-defined]  # a bound method of its socket
        self._said: list[str | bytes] | None = [] if may_move else None
        self._there: ClientWebSocketResponse | None = None
        self._to_there = asyncio.Lock()  # what was said before goes first
        self._answers: asyncio.Task[None] | None = None

    @property
    def may_move(self) -> bool:
        """Whether nothing was done yet that another node would not know of."""
        return self._said is not None and self._there is None

    def settle(self) -> None:
        """The client belongs here."""
        self._said = None

    async def lead(self, there: ClientWebSocketResponse) -> None:
        """Let the client talk to the other node from its first word on. Raises OSError when that does not listen."""
        assert self._said is not None
        await self._connection.queue.join()  # what the library says first was written
        greeted = sum(isinstance(each, str) and each.startswith(_CONNECT) for each in self._said)
        said, self._said, self._there = self._said, None, there
        async with self._to_there:
            for each in said:
                await _send(there, each)
        self._answers = asyncio.create_task(self._bring(there, greeted))

    async def _bring(self, there: ClientWebSocketResponse, greeted: int) -> None:
        """What the other node says, but for the greetings, which the client had from us."""
        with suppress(OSError):  # either end
            async for message in there:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    continue
                if isinstance(message.data, str):
                    if message.data.startswith(_OPEN):
                        continue
                    if greeted and message.data.startswith(_CONNECT):
                        greeted -= 1
                        continue
                await _send(self._socket, message.data)
        await self._socket.close()

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        await self._socket.prepare(environ["aiohttp.request"])
        connection = self._connection
        connection.poll = lambda: _taken(connection.queue)
        connection.below = self
        try:
            await self._handler(self)
        finally:
            await self._leave()
        return self._socket

    async def _leave(self) -> None:
        if self._there is not None:
            await self._there.close()
        if self._answers is not None:
            self._answers.cancel()
            await asyncio.gather(self._answers, return_exceptions=True)

    async def close(self) -> None:
        await self._socket.close()

    async def send(self, message: str | bytes) -> None:
        if self._there is None:
            await _send(self._socket, message)
        elif message == _PING:
            self._connection.schedule_ping()  # the other node's pings are those that the client answers

    async def wait(self) -> str | bytes:
        while True:
            message = await self._socket.receive()
            if not isinstance(message.data, str | bytes):
                raise OSError("closed")
            said: str | bytes = message.data
            if self._there is None:
                self._note(said)
                return said
            async with self._to_there:
                await _send(self._there, said)
            if said == _PONG:
                return said

    def _note(self, said: str | bytes) -> None:
        """Keep it for the other node; who has said so much belongs here."""
        if self._said is None or (isinstance(said, str) and not said.startswith(_MESSAGE)):
            return
        self._said.append(said)
        if len(self._said) > _MAX_SAID or sum(map(len, self._said)) > _MAX_SAID_CHARS:
            self._said = None


def below(connection: Any) -> WebSocket | None:
    """The WebSocket of a connection of the library's; None while it is polling."""
    found = getattr(connection, "below", None)
    return found if isinstance(found, WebSocket) else None


async def _send(socket: web.WebSocketResponse | ClientWebSocketResponse, message: str | bytes) -> None:
    if isinstance(message, bytes):
        await socket.send_bytes(message)
    else:
        await socket.send_str(message)


async def _taken(queue: Any) -> list[Packet]:
    """What is to be written, as the library's `poll` gives it: nothing at the end. Without its time-out, which
    costs a task for each frame; a peer that is gone is noticed by its missing pongs."""
    packets = [await queue.get()]
    queue.task_done()
    while packets[-1] is not None and not queue.empty():
        packets.append(queue.get_nowait())
        queue.task_done()
    if packets[-1] is None:
        packets.pop()
        if packets:
            queue.put_nowait(None)
    return packets
