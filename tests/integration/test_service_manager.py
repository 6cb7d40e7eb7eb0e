"""A real server under a service manager: ready when it answers, alive while its media process answers."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support.notified import Listener
from tests.support.server import Server

ILL = "STATUS=the media process does not answer"


async def test_a_server_is_ready_well_and_stopped_as_it_says(
    tmp_path: Path, start_server: Callable[..., Server]
) -> None:
    listener = Listener(tmp_path / "notify")
    server = start_server(environment=listener.environment(WATCHDOG_USEC="1500000"))
    assert await listener.hears() == "READY=1\nSTATUS=ready"
    assert server.get("/readyz")[0] == 200
    assert await listener.hears() == "WATCHDOG=1"
    os.kill(server.media_pid(), signal.SIGSTOP)
    while (word := await listener.hears()) == "WATCHDOG=1":
        pass
    assert word == ILL
    os.kill(server.media_pid(), signal.SIGCONT)
    assert await listener.hears() == "WATCHDOG=1"
    os.kill(server.pid, signal.SIGTERM)
    while (word := await listener.hears()).startswith(("WATCHDOG=1", "STATUS=")):
        pass
    assert word == "STOPPING=1\nSTATUS=stopping"
    listener.close()


def test_a_server_without_a_certificate_has_nothing_to_load_anew(start_server: Callable[..., Server]) -> None:
    server = start_server()
    os.kill(server.pid, signal.SIGHUP)
    assert server.get("/readyz")[0] == 200
