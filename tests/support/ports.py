"""Free ports on loopback. Another process may take one before we do, so users of these retry."""

import itertools
import os
import socket

# Below the range that the kernel gives out by itself (32768 and up), so no ephemeral socket sits there.
_FIRST, _LAST = 18000, 32000
_counter = itertools.count(os.getpid() * 37)


def _bindable(port: int, host: str, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that is free for both UDP and TCP on `host` now."""
    for step in itertools.islice(_counter, 2000):
        port = _FIRST + step % (_LAST - _FIRST)
        if _bindable(port, host, socket.SOCK_STREAM) and _bindable(port, host, socket.SOCK_DGRAM):
            return port
    raise RuntimeError(f"no free port on {host}")
