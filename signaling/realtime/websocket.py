"""The WebSocket below Engine.IO: what the library's own one costs at three hundred receivers is left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from engineio.packet import Packet


class WebSocket:
    """Takes the place of the library's wrapper around aiohttp's WebSocket, with the same methods.

    Without permessage-deflate: browsers offer it, and its state would cost more memory than all else of a
    connection, its work more than writing the frame, for events that are a few hundred bytes long.
    """

    def __init__(self, handler: Callable[[WebSocket], Awaitable[None]], server: Any) -> None:
        self._handler = handler
        self._socket = web.WebSocketResponse(max_msg_size=server.max_http_buffer_size, compress=False)

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        await self._socket.prepare(environ["aiohttp.request"])
        connection = self._handler.__self__  # type: ignore[attr-defined]  # a bound method of its socket
        connection.poll = lambda: _taken(connection.queue)
        await self._handler(self)
        return self._socket

    async def close(self) -> None:
        await self._socket.close()

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            await self._socket.send_bytes(message)
        else:
            await self._socket.send_str(message)

    async def wait(self) -> str | bytes:
        message = await self._socket.receive()
        if not isinstance(message.data, str | bytes):
            raise OSError("closed")
        return message.data


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
