"""A server with a certificate: it is renewed while connections go on."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from tests.support.eventually import eventually_sync
from tests.support.light_client import AudioSource, Peer
from tests.support.server import Server


def write(ca: trustme.CA, directory: Path) -> str:
    """A new certificate in the same two files; what a client sees of it."""
    leaf = ca.issue_cert("127.0.0.1")
    (directory / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    (directory / "chain.pem").write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    return leaf.cert_chain_pems[0].bytes().decode().strip()


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


def test_a_renewed_certificate_is_used_and_nobody_is_cut_off(
    ca: trustme.CA, tmp_path: Path, start_server: Any
) -> None:
    write(ca, tmp_path)
    arguments = ["--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "key.pem")]
    server: Server = start_server(arguments=[*arguments, "--no-relay"])
    context = ssl.create_default_context()
    ca.configure_trust(context)
    standing = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=30)
    standing.request("GET", "/healthz")
    assert standing.getresponse().read()
    socket = standing.sock
    renewed = write(ca, tmp_path)
    os.kill(server.pid, signal.SIGHUP)

    def shown() -> str:
        return ssl.get_server_certificate(("127.0.0.1", server.port)).strip()

    eventually_sync(lambda: shown() == renewed, timeout_s=20, what="the renewed certificate")
    standing.request("GET", "/healthz")
    assert standing.getresponse().status == 200
    assert standing.sock is socket, "the same connection as before"
    standing.close()


def test_readiness_tells_of_the_relay_and_of_a_certificate_that_cannot_be_loaded(
    ca: trustme.CA, tmp_path: Path, start_server: Any
) -> None:
    write(ca, tmp_path)
    arguments = ["--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "key.pem")]
    empty = tmp_path / "empty"
    empty.mkdir()
    server: Server = start_server(arguments=arguments, environment={"PATH": str(empty)})
    context = ssl.create_default_context()
    ca.configure_trust(context)
    standing = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=30)

    def checks() -> Any:
        standing.request("GET", "/readyz")
        response = standing.getresponse()
        body = json.loads(response.read())
        assert response.status == 200
        return body["checks"]

    assert (checks()["relay"], checks()["certificate"]) == ("absent", "ok")
    (tmp_path / "chain.pem").write_bytes(b"half of")
    os.kill(server.pid, signal.SIGHUP)
    eventually_sync(
        lambda: checks()["certificate"] == "refused", timeout_s=20, what="said that it is refused"
    )
    standing.close()


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn")
async def test_players_are_told_of_the_relay(ca: trustme.CA, tmp_path: Path, start_server: Any) -> None:
    write(ca, tmp_path)
    arguments = ["--tls-cert", str(tmp_path / "chain.pem"), "--tls-key", str(tmp_path / "key.pem")]
    server: Server = start_server(arguments=arguments)
    context = ssl.create_default_context()
    ca.configure_trust(context)
    consultation = server.create_consultation()
    peer = Peer()
    offer = peer.offer([AudioSource().offered]).replace("a=sendonly", "a=recvonly")
    await peer.close()
    async with aiohttp.ClientSession() as session:
        answer = await session.post(
            f"{server.url}/whep/{consultation}/program",
            data=offer,
            headers={
                "Content-Type": "application/sdp",
                "Authorization": f"Bearer {server.token(consultation, 'observer')}",
            },
            ssl=context,
        )
        assert answer.status == 201
        link = answer.headers["Link"]
    assert f'<turns:127.0.0.1:{server.port}?transport=tcp>; rel="ice-server"; username=' in link
