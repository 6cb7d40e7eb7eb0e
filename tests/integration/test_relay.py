"""The relay with real coturn: what it carries, what it refuses, and how it lives and dies with the server."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from conference.clock import SystemClock
from conference.events import IceServer
from conference.rtc import stun, turn
from signaling.relay import supervisor
from signaling.relay.config import RelayPlan
from signaling.relay.supervisor import Relay, RelayState
from tests.support import process
from tests.support.eventually import eventually, eventually_sync
from tests.support.turn_client import TurnClient, attribute, peer_attribute

pytestmark = pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn")

PUBLIC = "203.0.113.9"  # what a router in front of the server shows; the server itself cannot reach it
ALLOCATED, REFUSED, BOUND = 0x0103, 0x0113, 0x0109


class Media(asyncio.DatagramProtocol):
    """Stands for our media port: answers every datagram in capitals."""

    def __init__(self) -> None:
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(data.upper(), address)


@pytest.fixture
async def media_port() -> AsyncIterator[int]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        Media, local_addr=("127.0.0.1", 0)
    )
    yield transport.get_extra_info("sockname")[1]
    transport.close()


def relay_for(directory: Path, media_port: int) -> Relay:
    plan = RelayPlan("127.0.0.1", 4, 40, 2_000_000)
    peers = frozenset({(PUBLIC, media_port)})
    return Relay(directory, plan, url="turns:x.example:443", peers=peers, clock=SystemClock())


@pytest.fixture
async def relay(tmp_path: Path, media_port: int) -> AsyncIterator[Relay]:
    relay = relay_for(tmp_path, media_port)
    await relay.start()
    assert relay.state is RelayState.OK
    yield relay
    await relay.close()


@pytest.fixture
async def door(relay: Relay) -> AsyncIterator[int]:
    """A port behind which the relay is, as it is behind TLS."""

    def client() -> asyncio.Protocol:
        protocol = relay.client()
        assert protocol is not None
        return protocol

    server = await asyncio.get_running_loop().create_server(client, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


def given(relay: Relay, subject: str = "p1") -> IceServer:
    (server,) = relay.ice_servers(subject)
    return server


async def allocated(relay: Relay, door: int) -> TurnClient:
    client = await TurnClient.connect(door)
    server = given(relay)
    assert (await client.allocate(server.username, server.credential)).type == ALLOCATED
    return client


async def test_media_is_reached_under_an_address_that_the_server_cannot_reach(
    relay: Relay, door: int, media_port: int
) -> None:
    client = await allocated(relay, door)
    assert (await client.bind((PUBLIC, media_port))).type == BOUND
    client.send(b"\x40\x00\x00\x05hello\x00\x00\x00")
    assert (await client.frame())[:9] == b"\x40\x00\x00\x05HELLO"
    client.close()


async def test_nothing_else_is_reached(relay: Relay, door: int, media_port: int) -> None:
    client = await allocated(relay, door)
    for peer in (("127.0.0.1", media_port), ("127.0.0.1", 53), (PUBLIC, 53), ("10.0.0.1", media_port)):
        transaction_id = os.urandom(12)
        wanted = peer_attribute(peer, transaction_id)
        client.send(client.request(turn.CREATE_PERMISSION, wanted, transaction_id))
        data = attribute(0x0013, b"hello")
        client.send(stun.build(turn.SEND_INDICATION, transaction_id, wanted + data, None))
    last = os.urandom(12)
    client.send(stun.build(turn.BINDING, last, b"", None))
    assert (await client.answer()).transaction_id == last, "the only answer"
    client.close()


async def test_a_credential_that_was_made_up_or_is_over_opens_nothing(relay: Relay, door: int) -> None:
    good = given(relay)
    over = f"{SystemClock().wall_ms() // 1000 - 5}:p1"
    secret = relay._secret  # what the server alone knows
    for username, password in (
        (good.username, "made up"),
        ("9999999999:p1", good.credential),
        (over, turn.credential(secret, over)),
    ):
        client = await TurnClient.connect(door)
        assert (await client.allocate(username, password)).type == REFUSED
        client.close()


async def test_one_participant_cannot_take_all_not_with_newer_credentials_either(
    relay: Relay, door: int
) -> None:
    (brief,) = relay.ice_servers("p1", brief=True)
    servers = [given(relay), brief]
    assert servers[0].username != servers[1].username
    clients = [await TurnClient.connect(door) for _ in range(5)]
    kinds = [
        (await each.allocate(servers[at % 2].username, servers[at % 2].credential)).type
        for at, each in enumerate(clients)
    ]
    assert kinds == [ALLOCATED] * 4 + [REFUSED]
    for each in clients:
        each.close()


async def test_a_killed_relay_comes_back(relay: Relay, door: int, media_port: int) -> None:
    first = relay.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: relay.state is RelayState.FAILED)
    assert relay.ice_servers("p1") == ()
    assert relay.client() is None
    await eventually(lambda: relay.state is RelayState.OK)
    client = await allocated(relay, door)
    assert (await client.bind((PUBLIC, media_port))).type == BOUND
    client.close()


async def test_one_that_runs_and_answers_nothing_is_started_again(
    tmp_path: Path, media_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_LOOK_S", 0.05)
    relay = relay_for(tmp_path, media_port)
    await relay.start()
    try:
        hung = relay.pid
        assert (relay.state, hung is None) == (RelayState.OK, False)
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        await eventually(lambda: relay.state is RelayState.FAILED, timeout_s=30)
        assert not process.alive(hung)
        await eventually(lambda: relay.state is RelayState.OK, timeout_s=30)
        assert relay.pid not in (None, hung)
    finally:
        await relay.close()


async def test_the_secret_is_nobody_elses(relay: Relay, tmp_path: Path) -> None:
    path = tmp_path / "turnserver.conf"
    assert path.stat().st_mode & 0o077 == 0
    assert relay._secret in path.read_text()
    assert relay.pid is not None
    assert relay._secret not in process.command_line(relay.pid)


async def test_without_coturn_the_server_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    relay = relay_for(tmp_path, 7882)
    await relay.start()
    assert relay.state is RelayState.ABSENT
    assert relay.ice_servers("p1") == ()
    await relay.close()


def test_it_ends_with_its_parent_however_that_ends(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.integration.test_relay import relay_for\n"
        "async def main():\n"
        "    relay = relay_for(Path(sys.argv[1]), 7882)\n"
        "    await relay.start(); print('pid', relay.pid, flush=True); await asyncio.sleep(100)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = next(int(line.split()[1]) for line in parent.stdout if line.startswith("pid "))
        assert process.alive(pid)
        parent.kill()
    eventually_sync(lambda: not process.alive(pid), what="end of coturn")
