"""The notification socket of a service manager, to hear what a server says of itself."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path


class Listener:
    """Use it with `with`, or close it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def environment(self, **more: str) -> dict[str, str]:
        return {"NOTIFY_SOCKET": str(self.path), "OTHER": "stays", **more}

    def heard(self) -> list[str]:
        """All since the last question, a message each."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    async def hears(self) -> str:
        """The next message."""
        return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def close(self) -> None:
        """Idempotent."""
        self._socket.close()
