"""What systemd hears: readiness, the end, and beats only while all is well."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from signaling.service_manager import ServiceManager
from tests.support.notified import Listener


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    yield made
    made.close()


def test_the_start_and_the_end_are_told(listener: Listener) -> None:
    manager = ServiceManager.of(listener.environment())
    manager.ready()
    manager.stopping()
    manager.close()
    manager.close()
    assert listener.heard() == ["READY=1\nSTATUS=ready", "STOPPING=1\nSTATUS=stopping"]


def test_children_are_not_told_where_to_speak(listener: Listener) -> None:
    environment = listener.environment(WATCHDOG_USEC="1000000", WATCHDOG_PID=str(os.getpid()))
    manager = ServiceManager.of(environment)
    assert environment == {"OTHER": "stays"}
    assert manager.is_waiting
    manager.close()


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "many"},
        {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"},  # another process is meant
    ],
)
def test_no_beats_are_sent_that_nobody_waits_for(listener: Listener, watchdog: dict[str, str]) -> None:
    manager = ServiceManager.of(listener.environment(**watchdog))
    assert not manager.is_waiting
    manager.close()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_without_a_service_manager_nothing_is_said_and_nothing_fails(environment: dict[str, str]) -> None:
    manager = ServiceManager.of({**environment, "WATCHDOG_USEC": "1000000"})
    manager.ready()
    manager.stopping()
    assert not manager.is_waiting
    manager.close()


def test_an_abstract_address_is_reached() -> None:
    name = f"yuanshang-{os.getpid()}-{os.urandom(4).hex()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind("\0" + name)
        manager = ServiceManager.of({"NOTIFY_SOCKET": "@" + name})
        manager.ready()
        manager.close()
        assert there.recv(4096) == b"READY=1\nSTATUS=ready"


async def test_beats_stop_while_something_is_wrong_and_come_back(listener: Listener) -> None:
    well = True

    async def is_well() -> bool:
        return well

    manager = ServiceManager.of(listener.environment(WATCHDOG_USEC="30000"))
    watching = asyncio.create_task(manager.watch(is_well))
    assert await listener.hears() == "WATCHDOG=1"
    well = False
    while (word := await listener.hears()) == "WATCHDOG=1":
        pass
    assert word == "STATUS=the media process does not answer"
    well = True
    assert await listener.hears() == "WATCHDOG=1"  # nothing in between
    assert await listener.hears() == "STATUS=ready"
    watching.cancel()
    manager.close()


async def test_a_listener_that_reads_nothing_holds_nobody_up(listener: Listener) -> None:
    manager = ServiceManager.of(listener.environment())
    for _ in range(2_000):
        manager.ready()
    manager.close()
    assert listener.heard()
