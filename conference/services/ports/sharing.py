"""What servers need that share a directory of files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from conference.model.shared_directory import SharedDirectoryId


class SharedDirectoryRow(Protocol):
    """By which id the directory is known."""

    async def get(self) -> SharedDirectoryId | None:
        """None where these servers never shared one."""

    async def begun(self, directory_id: str) -> SharedDirectoryId:
        """The same, with this id from now on where there was none. Other servers wait until this is committed."""

    async def marked(self) -> None:
        """The directory has its mark."""


class Works(Protocol):
    """Works on files that all servers see, each to be done by one of them at a time."""

    @property
    def is_shared(self) -> bool:
        """Whether other servers see the same files."""

    def alone(self, work: str, *, patience_s: float = 0.0) -> AbstractAsyncContextManager[bool]:
        """Whether it is ours until the block ends; False while another server does it, or the files are out of
        reach. A server that is killed does nothing any more."""


class OneServer:
    """Implements Works where nobody else sees the files."""

    is_shared = False

    @asynccontextmanager
    async def alone(self, work: str, *, patience_s: float = 0.0) -> AsyncIterator[bool]:
        yield True
