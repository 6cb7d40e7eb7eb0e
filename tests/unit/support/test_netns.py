"""Namespaces, pairs and NAT, and nothing of them left behind."""

import subprocess

import pytest

from tests.support.netns import Network, require_namespaces

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
