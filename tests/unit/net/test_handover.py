"""Connections on their way to another process belong to nobody but the kernel when it dies."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from conference.net.handover import HandoverSocket, hand_over, socket_pair
from tests.support.eventually import eventually


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def accepted(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    """The client's end and ours."""
    client = socket.create_connection(listener.getsockname())
    client.settimeout(5)
    return client, listener.accept()[0]


def test_what_a_dead_taker_never_read_is_closed(listener: socket.socket) -> None:
    giver, taker = socket_pair()
    before = len(os.listdir("/proc/self/fd"))
    clients = []
    for _ in range(20):
        client, ours = accepted(listener)
        assert hand_over(giver, ours)
        ours.close()
        clients.append(client)
    taker.close()  # as the kernel does with a process that is killed
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    assert len(os.listdir("/proc/self/fd")) == before - 1, "all but the taker's end"
    client, ours = accepted(listener)
    assert not hand_over(giver, ours), "nobody takes it now"
    for each in (client, ours, giver):
        each.close()


def test_a_taker_that_hangs_stops_no_giver(listener: socket.socket) -> None:
    giver, taker = socket_pair()
    client, ours = accepted(listener)
    given = 0
    while hand_over(giver, ours):
        given += 1
        assert given < 100_000
    assert given > 1
    for each in (client, ours, giver, taker):
        each.close()


async def test_what_is_taken_can_be_spoken_with(listener: socket.socket) -> None:
    giver, taker = socket_pair()
    taken: list[socket.socket] = []
    handover = HandoverSocket(taker, taken.append)
    handover.open()
    client, ours = accepted(listener)
    client.sendall(b"\x00\x04abcd")
    assert hand_over(giver, ours)
    ours.close()
    await eventually(lambda: taken)
    assert await asyncio.get_running_loop().sock_recv(taken[0], 100) == b"\x00\x04abcd"
    giver.close()
    await eventually(lambda: taker.fileno() == -1, what="the taker ends with the giver")
    for each in (client, taken[0]):
        each.close()
