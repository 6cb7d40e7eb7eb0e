"""Servers that share a database and a Redis."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.server import Server

PASSING_ON = ("--node-url", "http://127.0.0.1:{port}", "--trusted-proxies", "127.0.0.1")
"""Options of servers that pass on what belongs to another."""


@asynccontextmanager
async def several_servers(
    directory: Path,
    redis_url: str,
    database_url: str,
    names: str = "ab",
    more: Sequence[str] = (),
    *,
    programs: bool = False,
) -> AsyncIterator[list[Server]]:
    """With one key, one database and one Redis. Those that run at the end are stopped, and checked to stop."""
    arguments = ["--redis-url", redis_url, "--database-url", database_url, *more]
    servers = [Server(data_dir=directory / name, arguments=arguments, programs=programs) for name in names]
    try:
        await asyncio.to_thread(servers[0].start)
        for other in servers[1:]:
            other.data_dir.mkdir()
            shutil.copy(servers[0].data_dir / "token.key", other.data_dir)
            await asyncio.to_thread(other.start)
        yield servers
    except BaseException as error:
        error.add_note("\n".join(server.logs[-2500:] for server in servers))
        raise
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)
