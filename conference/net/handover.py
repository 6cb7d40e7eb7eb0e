"""Connections that another process accepted for us: their descriptors come over a unix socket (SCM_RIGHTS).

The kernel moves the connection, not a proxy its bytes: after the hand-over the other process has no part in it.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

log = logging.getLogger("media.handover")

_BURST = 32


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a hand-over: one message is one connection. The first is the giver's, and never blocks."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


def hand_over(giver: socket.socket, connection: socket.socket) -> bool:
    """Give a connection away; the caller closes its own copy in any case. False when nobody takes it now."""
    try:
        socket.send_fds(giver, [b"c"], [connection.fileno()])
    except OSError:
        return False
    return True


class HandoverSocket:
    """The taker's end. `take` owns each connection from then on."""

    def __init__(self, sock: socket.socket, take: Callable[[socket.socket], None]) -> None:
        self._sock = sock
        self._take = take
        self._loop: asyncio.AbstractEventLoop | None = None
        sock.setblocking(False)

    def open(self) -> None:
        """Begin to read, on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock.fileno(), self._readable)

    def close(self) -> None:
        """Idempotent."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock.fileno())
            self._loop = None
        self._sock.close()

    def _readable(self) -> None:
        for _ in range(_BURST):
            try:
                message, descriptors, _, _ = socket.recv_fds(self._sock, 16, _BURST, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError as error:
                log.error("no connection can be taken any more: %s", error)
                self.close()
                return
            if not message:
                self.close()
                return
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                connection.setblocking(False)
                self._take(connection)
