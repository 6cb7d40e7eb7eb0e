"""The certificate of --lan: kept while it is good, made anew when it is not, also under a running server."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from signaling import lan
from signaling.lan import LanCertificate
from signaling.tls.certificate import Certificate
from tests.support.eventually import eventually


class Machine:
    """Its addresses and its clock, as the test says."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.now = datetime.now(UTC)

    def started(self, directory: Path) -> LanCertificate:
        return LanCertificate(directory, lambda: self.addresses, lambda: self.now)


def leaf_of(made: LanCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.path.read_bytes())


def named(made: LanCertificate) -> set[str]:
    names = leaf_of(made).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {*map(str, names.get_values_for_type(x509.IPAddress)), *names.get_values_for_type(x509.DNSName)}


def test_it_stays_from_start_to_start(tmp_path: Path) -> None:
    machine = Machine("10.0.0.2", "192.168.1.7")
    first = machine.started(tmp_path)
    kept = first.path.read_bytes()
    assert named(first) == {"10.0.0.2", "192.168.1.7", "127.0.0.1", "localhost"}
    assert first.path.stat().st_mode & 0o077 == 0, "the key is in it"
    machine.now += timedelta(days=300)
    machine.addresses = ["10.0.0.2"]
    second = machine.started(tmp_path)
    assert second.path.read_bytes() == kept, "an address that is gone does no harm"
    assert second.fingerprint == first.fingerprint


@pytest.mark.parametrize("days", [368, 1_000])
def test_one_that_is_nearly_over_or_over_is_made_anew_by_the_same_authority(
    tmp_path: Path, days: int
) -> None:
    machine = Machine("10.0.0.2")
    first = machine.started(tmp_path)
    authority, kept = first.ca_pem, first.path.read_bytes()
    machine.now += timedelta(days=days)
    second = machine.started(tmp_path)
    assert (second.ca_pem, second.path.read_bytes() != kept) == (authority, True)
    assert leaf_of(second).not_valid_after_utc - machine.now > timedelta(days=390)
    leaf_of(second).verify_directly_issued_by(x509.load_pem_x509_certificate(authority))


def test_another_address_at_the_next_start_is_named(tmp_path: Path) -> None:
    machine = Machine("10.0.0.2")
    machine.started(tmp_path)
    machine.addresses = ["172.16.0.9"]
    assert "172.16.0.9" in named(machine.started(tmp_path))


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nMIIB"])
@pytest.mark.parametrize("name", ["server.pem", "ca.pem", "ca.key"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, name: str, damage: bytes) -> None:
    machine = Machine("10.0.0.2")
    machine.started(tmp_path)
    (tmp_path / name).write_bytes(damage)
    again = machine.started(tmp_path)
    leaf_of(again).verify_directly_issued_by(x509.load_pem_x509_certificate(again.ca_pem))
    Certificate(again.path, again.path)


async def test_an_address_that_changes_while_it_runs_is_named_to_the_next_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a phone sees it, which trusts the authority and looks at the name."""
    monkeypatch.setattr(lan, "_LOOK_S", 0.01)
    machine = Machine()
    made = machine.started(tmp_path)
    certificate = Certificate(made.path, made.path)
    trust = ssl.create_default_context(cadata=made.ca_pem.decode())

    async def answers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await writer.start_tls(certificate.context())
            writer.write(b"hello")
            await writer.drain()
        writer.transport.abort()

    async def is_trusted(name: str) -> bool:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await writer.start_tls(trust, server_hostname=name)
            return await reader.read(5) == b"hello"
        except (ssl.SSLError, ConnectionError):
            return False
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    watching = [
        asyncio.ensure_future(made.watch(certificate.reload_soon)),
        asyncio.ensure_future(certificate.watch()),
    ]
    try:
        assert (await is_trusted("127.0.0.1"), await is_trusted("10.0.0.7")) == (True, False)
        machine.addresses = ["10.0.0.7"]
        await eventually(lambda: is_trusted("10.0.0.7"))
        machine.now += timedelta(days=390)
        standing = certificate.expires_s
        await eventually(lambda: certificate.expires_s > standing)
    finally:
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        server.close()
