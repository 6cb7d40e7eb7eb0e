"""A viewer's keep-alive connection, so light that thousands fit into one process."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import NamedTuple, Self


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Viewer:
    """Use it with `async with`; one request at a time."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._address = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def get(self, path: str, **headers: str) -> Answer:
        """Headers by name with underscores."""
        self.ask(path, **headers)
        return await self.answer()

    def ask(self, path: str, **headers: str) -> None:
        """The request alone; it is on its way at once."""
        assert self._writer is not None
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: live\r\n{more}\r\n".encode())

    async def answer(self) -> Answer:
        """What was asked for last."""
        assert self._reader is not None
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        said = {}
        for line in head[1:-2]:
            name, _, value = line.partition(": ")
            said[name.lower()] = value
        body = b""
        if "content-length" in said:
            body = await self._reader.readexactly(int(said["content-length"]))
        return Answer(int(head[0].split(" ")[1]), said, body)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address, limit=1 << 20)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
