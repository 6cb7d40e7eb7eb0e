"""Servers that share a database and a Redis."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

from tests.support.netns import Namespace
from tests.support.server import Server


class Place(TypedDict, total=False):
    """Options of a `Server`."""

    host: str
    namespace: Namespace


PASSING_ON = ("--node-url", "http://{host}:{port}", "--trusted-proxies", "127.0.0.1,10.77.0.0/24")
"""Options of servers that pass on what belongs to another."""


def places(inside: Sequence[Namespace], count: int) -> list[Place]:
    """What a `Server` is told of where it is: in one of these namespaces each, or with us."""
    return [{"host": each.addresses[0], "namespace": each} for each in inside[:count]] or [{}] * count


@asynccontextmanager
async def several_servers(
    directory: Path,
    redis_url: str,
    database_url: str,
    names: str = "ab",
    more: Sequence[str] = (),
    *,
    programs: bool = False,
    inside: Sequence[Namespace] = (),
) -> AsyncIterator[list[Server]]:
    """With one key, one database and one Redis. Those that run at the end are stopped, and checked to stop.

    `inside`: each in one of these namespaces, under its first address."""
    arguments = ["--redis-url", redis_url, "--database-url", database_url, *more]
    if inside:
        arguments += ["--node-name", "{host}"]  # by itself each would have the name and port of this machine
    servers = [
        Server(data_dir=directory / name, arguments=arguments, programs=programs, **place)
        for name, place in zip(names, places(inside, len(names)), strict=True)
    ]
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
