"""Namespaces, pairs and NAT, and nothing of them left behind."""

import subprocess
import sys

import pytest

from tests.support.light_client.path import towards
from tests.support.netns import Network, require_namespaces, require_nat
from tests.support.server import Server

pytestmark = pytest.mark.net

SERVER = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 5000)); print("up", flush=True)
while True:
    data, address = s.recvfrom(100); s.sendto(repr(address).encode(), address)
"""
CLIENT = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); s.sendto(b"x", ("10.77.1.1", 5000))
print(s.recvfrom(100)[0].decode())
"""


WHIP = """
import asyncio, sys
from tests.support.light_client import Peer, VideoSource, WhepPlayer, WhipPublisher
from tests.support.eventually import eventually

async def main(url, consultation, token, address):
    async with WhipPublisher([VideoSource()], token=token, peer=Peer(bind=address)) as publisher:
        await publisher.publish(f"{url}/whip/{consultation}")
        async with WhepPlayer(token=token, peer=Peer(bind=address)) as player:
            await player.play(f"{url}/whep/{consultation}/{publisher.participant_id}")
            await eventually(lambda: player.stream("video") and player.stream("video").packets > 20)
            print(player.peer.remote_address)

asyncio.run(main(*sys.argv[1:]))
"""


def _names() -> str:
    return subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout


def test_a_pair_carries_packets_and_is_removed() -> None:
    require_namespaces()
    with Network() as network:
        server, client = network.namespace("server"), network.namespace("client")
        network.join(server, "10.77.1.1", client, "10.77.1.2")
        process = server.popen(["python3", "-c", SERVER], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert client.run(["python3", "-c", CLIENT]).startswith("('10.77.1.2', ")
        assert server.name in _names()
    assert process.wait(3) != 0
    process.stdout.close()
    assert server.name not in _names()


def test_a_bridge_joins_several_with_us_and_is_removed() -> None:
    require_namespaces()
    client = CLIENT.replace("10.77.1.1", "10.77.9.1")
    with Network() as network:
        first, second = network.namespace("first"), network.namespace("second")
        network.bridge("10.77.9.254", {"10.77.9.1": first, "10.77.9.2": second})
        process = first.popen(["python3", "-c", SERVER], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert second.run(["python3", "-c", client]).startswith("('10.77.9.2', ")
        ours = subprocess.run(["python3", "-c", client], capture_output=True, text=True, check=True)
        assert ours.stdout.startswith("('10.77.9.254', ")
        assert towards("http://10.77.9.2:8080") == "10.77.9.254"
    process.wait(3)
    process.stdout.close()
    devices = subprocess.run(["ip", "-o", "address"], capture_output=True, text=True, check=True).stdout
    assert "10.77.9.254" not in devices


def test_nat_hides_the_client() -> None:
    require_namespaces()
    with Network() as network:
        server = network.namespace("server")
        client, _router = network.behind_nat(server, "10.77.1.1")
        process = server.popen(["python3", "-c", SERVER], stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        assert client.run(["python3", "-c", CLIENT]).startswith("('10.77.1.254', ")
    process.wait(3)
    process.stdout.close()


def test_server_in_a_namespace_serves_a_client_behind_nat() -> None:
    require_nat()
    with Network() as network:
        inside = network.namespace("server")
        client, _router = network.behind_nat(inside, "10.77.1.1")
        with Server(host="10.77.1.1", namespace=inside) as server:
            consultation = server.create_consultation()
            arguments = [server.url, consultation, server.token(consultation), "10.99.0.2"]
            assert client.run([sys.executable, "-c", WHIP, *arguments]).strip() == "('10.77.1.1', 7882)"
