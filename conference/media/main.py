"""The media process: `python -m conference.media.main FD SETTINGS HANDOVER`.

One event loop and no other thread that runs Python: a busy thread beside the reader would hold the interpreter
lock and delay every packet. It ends when its parent's socket does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import secrets
import signal
import socket
import sys
import time

from conference.net.handover import HandoverSocket

from . import messages
from .node import Node
from .priority import go_first
from .settings import EXIT_PORT_IN_USE, MediaSettings

_TICK_S = 0.01
_WRITE_LIMIT = 64 << 20  # a web process that reads nothing for that long is lost


log = logging.getLogger("media")


class Link(asyncio.Protocol):
    """The socket to the web process: requests in, results and events out."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.ended = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._decoder = messages.Decoder()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            envelopes = self._decoder.feed(data)
        except messages.FrameError:
            log.exception("the web process sent a broken frame")
            self._end()
            return
        for envelope in envelopes:
            self.send(messages.Envelope(envelope.id, self._answer(envelope.body)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._end()

    def emit(self, event: messages.Event) -> None:
        self.send(messages.Envelope(0, event))

    def send(self, envelope: messages.Envelope) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > _WRITE_LIMIT:
            log.error("the web process does not read; giving up")
            self._end()
            return
        self._transport.write(messages.encode(envelope))

    def _answer(self, body: object) -> messages.Result:
        if self.node is None or not isinstance(body, messages.Request):
            return messages.Failure("bad_request", "not a request")
        try:
            return self.node.handle(body)
        except Exception:
            log.exception("request %s failed", type(body).__name__)
            return messages.Failure("internal", "the media process failed at this request")

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def _tick(node: Node) -> None:
    """Drive timers; the lateness of each turn is the loop's lag. `loop_lag_s` is its recent maximum."""
    due = time.monotonic()
    while True:
        due += _TICK_S
        now = time.monotonic()
        if due < now:
            due = now
        await asyncio.sleep(due - now)
        now = time.monotonic()
        node.loop_lag_s = max(now - due, node.loop_lag_s * 0.995)
        try:
            node.tick(now)
        except Exception:
            node.counters.drops["tick_failed"] += 1
            log.exception("tick failed")


async def run(fd: int, settings: MediaSettings, handover_fd: int) -> int:
    """Serve until the parent goes away or asks by signal; returns the exit code.

    `fd`: socket of the messages; `handover_fd`: where connections come from that the parent accepted."""
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(Link, sock=socket.socket(fileno=fd))
    node = Node(settings, link.emit)
    try:
        port = await node.open()
    except OSError as error:
        log.error("cannot bind the media port %s: %s", settings.port, error.strerror)
        return EXIT_PORT_IN_USE
    handover = HandoverSocket(socket.socket(fileno=handover_fd), node.doors.adopt)
    handover.open()
    link.node = node
    link.emit(messages.Ready(secrets.token_hex(8), port))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, link.connection_lost, None)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)  # packets make no cycles; fewer pauses
    ticking = asyncio.create_task(_tick(node))
    try:
        await link.ended
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        handover.close()
        await node.close()
    return 0


def main() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s media %(levelname)s %(message)s"
    )
    values = json.loads(sys.argv[2])
    values["addresses"] = tuple(values["addresses"])
    if not go_first():
        log.info("packets wait for their turn among other work: real-time scheduling is not to be had here")
    sys.exit(asyncio.run(run(int(sys.argv[1]), MediaSettings(**values), int(sys.argv[3]))))


if __name__ == "__main__":
    main()
