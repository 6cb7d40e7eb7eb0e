"""What both ends of a worker have in common: a unix stream socket of the media process that never blocks."""

from __future__ import annotations

import socket


def connected(path: str) -> socket.socket:
    """Raises OSError when nobody listens there."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.connect(path)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        sock.close()
        raise OSError(str(error)) from error
    return sock


def received(sock: socket.socket, size: int) -> bytes | None:
    """At most `size` bytes; None when there are none now, nothing when the other side is gone."""
    try:
        return sock.recv(size)
    except BlockingIOError:
        return None
    except OSError:
        return b""
