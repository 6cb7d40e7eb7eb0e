"""Real browsers behind the firewalls of county offices: what is shut, and by which way they meet all the same."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.browser.meeting import enter
from tests.support.browser import EXECUTABLE, BrowserClient, BrowserFactory, Json
from tests.support.media import participant_video, speech_wav
from tests.support.netns import Network, require_nat
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

needs_coturn = pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn")

SERVER, CLIENT = "10.78.1.1", "10.78.1.2"
HTTPS_PORT = 8080
NO_UDP = "meta l4proto udp drop;"
ONLY_HTTPS = f'oifname "lo" accept; tcp dport {HTTPS_PORT} accept; drop;'


class Office:
    """A server, and an office with two browsers in another network namespace."""

    def __init__(self, network: Network, directory: Path, server: str = SERVER, client: str = CLIENT) -> None:
        self.outside, self.inside = network.namespace("server"), network.namespace("office")
        for each in (self.outside, self.inside):
            each.run(["sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0"])
        network.join(self.outside, server, self.inside, client)
        self.host = f"[{server}]" if ":" in server else server
        leaf = trustme.CA().issue_cert(server)
        self.chain, self.key = directory / "chain.pem", directory / "key.pem"
        self.chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
        self.key.write_bytes(leaf.private_key_pem.bytes())
        public = x509.load_pem_x509_certificate(self.chain.read_bytes()).public_key()
        digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
        self.trust = f"--ignore-certificate-errors-spki-list={base64.b64encode(digest).decode()}"
        self.chromium = self.inside.script(directory / "chromium", EXECUTABLE)

    def server_options(self, *more: str) -> dict[str, Any]:
        arguments = ["--tls-cert", str(self.chain), "--tls-key", str(self.key)]
        arguments += ["--public-url", f"https://{self.host}:{HTTPS_PORT}", *more]
        return {"namespace": self.outside, "host": "::", "arguments": arguments}

    async def browser(self, browsers: BrowserFactory, number: int, name: str) -> BrowserClient:
        return await browsers.launch(
            name=name,
            video=participant_video(number, (640, 360), 15, 4.0),
            audio=speech_wav(),
            flags=[self.trust],
            ignore_https_errors=True,
            executable=self.chromium,
        )

    async def meet(self, server: Server, browsers: BrowserFactory, tested: str) -> list[BrowserClient]:
        """Two participants who see and hear each other, after the first one's network test said `tested`."""
        consultation = server.create_consultation()
        clients: list[BrowserClient] = []
        ids: list[str] = []
        for number, name in ((1, "主会场"), (2, "陈委员")):
            client = await self.browser(browsers, number, name)
            await client.open(server.room_url(consultation, server.token(consultation, "chair", name)))
            if number == 1:
                assert await network(client) == tested
            ids.append(await enter(client))
            clients.append(client)
        await asyncio.gather(
            clients[0].sees({ids[1]: 2}), clients[1].sees({ids[0]: 1}), clients[1].hears(ids[0])
        )
        return clients


async def network(client: BrowserClient) -> str:
    """What the network test of the join page comes to."""

    async def state() -> str:
        found = await client.evaluate(
            """() => document.querySelector('[data-testid="network-check"]')?.dataset.state ?? ''"""
        )
        return str(found)

    return str(
        await client.wait_until(
            state, lambda each: each not in ("", "checking"), timeout_s=30, what="network test"
        )
    )


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    require_nat()
    with Network() as network:
        yield Office(network, tmp_path)


@pytest.fixture
async def browsers_inside() -> AsyncIterator[BrowserFactory]:
    async with BrowserFactory() as factory:
        yield factory


async def way(client: BrowserClient, which: str) -> tuple[str, str, int]:
    """(type, protocol, remote port) of the pair of candidates that carries a connection."""
    reports: dict[str, Json] = {each["id"]: each for each in await client.stats(which)}
    transport = next(each for each in reports.values() if each["type"] == "transport")
    pair = reports[transport["selectedCandidatePairId"]]
    local, remote = reports[pair["localCandidateId"]], reports[pair["remoteCandidateId"]]
    protocol = local.get("relayProtocol") or local["protocol"]
    return str(local["candidateType"]), str(protocol), int(remote["port"])


async def ways(clients: list[BrowserClient]) -> set[tuple[str, str, int]]:
    return {await way(client, which) for client in clients for which in ("publish", "subscribe")}


@pytest.mark.core
async def test_without_udp_media_goes_over_tcp(
    office: Office, start_server: Any, browsers_inside: BrowserFactory
) -> None:
    office.inside.firewall(NO_UDP)
    # Without the relay, which is a way, too: which of the two a browser takes and keeps is its own affair.
    server: Server = start_server(**office.server_options("--no-relay"))
    clients = await office.meet(server, browsers_inside, "tcp")
    direct = {("tcp", server.media_port), ("tcp", HTTPS_PORT)}
    assert {each[1:] for each in await ways(clients)} <= direct


@pytest.mark.net
async def test_with_only_the_port_of_https_open_media_goes_through_it(
    office: Office, start_server: Any, browsers_inside: BrowserFactory
) -> None:
    office.inside.firewall(ONLY_HTTPS)
    server: Server = start_server(**office.server_options("--no-relay"))
    clients = await office.meet(server, browsers_inside, "tcp")
    assert {each[1:] for each in await ways(clients)} == {("tcp", HTTPS_PORT)}


@needs_coturn
async def test_where_nothing_but_tls_passes_media_is_relayed_by_coturn(
    office: Office, start_server: Any, browsers_inside: BrowserFactory
) -> None:
    office.inside.firewall(ONLY_HTTPS)
    server: Server = start_server(**office.server_options("--no-media-on-https"))
    clients = await office.meet(server, browsers_inside, "relay")
    found = await ways(clients)
    assert {each[:2] for each in found} == {("relay", "tls")}, found


@pytest.mark.net
async def test_over_ipv6_alone_they_meet_as_ever(
    tmp_path: Path, start_server: Any, browsers_inside: BrowserFactory
) -> None:
    with Network() as network:
        office = Office(network, tmp_path, "fd78::1", "fd78::2")
        server: Server = start_server(**office.server_options())
        clients = await office.meet(server, browsers_inside, "good")
        assert {each[1:] for each in await ways(clients)} == {("udp", server.media_port)}
        await browsers_inside.close()
        server.stop()


@pytest.mark.net
async def test_the_network_test_says_what_is_shut_where_no_way_is_open(
    office: Office, start_server: Any, browsers_inside: BrowserFactory
) -> None:
    office.inside.firewall(ONLY_HTTPS)
    server: Server = start_server(**office.server_options("--no-media-on-https", "--no-relay"))
    consultation = server.create_consultation()
    client = await office.browser(browsers_inside, 1, "主会场")
    await client.open(server.room_url(consultation, server.token(consultation, "chair", "主会场")))
    assert await network(client) == "shut"
    ways = await client.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('[data-way]')]"
        ".map((each) => [each.dataset.way, each.dataset.state]))"
    )
    assert ways == {"udp": "shut", "tcp": "shut"}
    await client.screenshot("network-shut")
