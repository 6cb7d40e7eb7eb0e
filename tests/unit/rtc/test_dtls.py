"""DTLS: both ends are engines of ours, or a plain OpenSSL peer with an RSA certificate."""

from __future__ import annotations

import contextlib
import datetime
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL

from conference.rtc.dtls import DtlsCertificate, DtlsEngine, DtlsState
from conference.rtc.srtp import SrtpPair

SERVER = DtlsCertificate()
CLIENT = DtlsCertificate()


def pair(fingerprint: str | None = None) -> tuple[DtlsEngine, DtlsEngine]:
    server = DtlsEngine(
        SERVER, is_client=False, fingerprints=[("sha-256", fingerprint or CLIENT.fingerprint)]
    )
    client = DtlsEngine(CLIENT, is_client=True, fingerprints=[("SHA-256", SERVER.fingerprint.lower())])
    return server, client


def shake(server: DtlsEngine, client: DtlsEngine, lost: frozenset[int] = frozenset()) -> None:
    """Run both to the end over a link that drops the datagrams numbered in `lost`.

    The repeat timer is OpenSSL's own and reads the machine's clock, so a lost flight takes a real second.
    """
    number = 0
    end = time.monotonic() + 10
    client.start(time.monotonic())
    while time.monotonic() < end:
        moved = False
        for sender, receiver in ((client, server), (server, client)):
            for datagram in sender.take():
                assert len(datagram) <= 1400
                moved = True
                number += 1
                if number not in lost:
                    receiver.receive(datagram, time.monotonic())
        if moved:
            continue
        deadlines = [d for d in (client.next_deadline(), server.next_deadline()) if d is not None]
        if not deadlines:
            return
        time.sleep(max(0.0, min(deadlines) - time.monotonic()))
        client.handle_timeout(time.monotonic())
        server.handle_timeout(time.monotonic())


def test_both_ends_get_the_same_keys() -> None:
    server, client = pair()
    shake(server, client)
    assert server.state is client.state is DtlsState.CONNECTED
    assert server.keys is not None
    assert client.keys is not None
    assert server.keys.send == client.keys.receive
    assert server.keys.receive == client.keys.send
    assert server.keys.profile.name == "SRTP_AEAD_AES_128_GCM"


@pytest.mark.parametrize("lost", [{1}, {2, 3}])
def test_lost_flights_are_repeated(lost: set[int]) -> None:
    server, client = pair()
    shake(server, client, frozenset(lost))
    assert server.state is client.state is DtlsState.CONNECTED


def test_another_certificate_than_the_described_one_is_refused() -> None:
    server, client = pair(fingerprint=SERVER.fingerprint)
    shake(server, client)
    assert server.state is DtlsState.FAILED
    assert "fingerprint" in server.error
    assert server.keys is None


def test_close_notify_reaches_the_peer() -> None:
    server, client = pair()
    shake(server, client)
    client.close()
    for datagram in client.take():
        server.receive(datagram, 1.0)
    assert server.state is DtlsState.CLOSED
    server.close()


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_garbage_never_raises(datagrams: list[bytes]) -> None:
    server, _ = pair()
    for datagram in datagrams:
        server.receive(datagram, 0.0)
        server.take()
    assert server.keys is None


def test_a_handshake_that_never_ends_fails() -> None:
    server, client = pair()
    client.start(0.0)
    hello = client.take()[0]
    for _ in range(300):
        server.receive(hello, 0.0)
    assert server.state is DtlsState.FAILED


@pytest.mark.parametrize("peer_is_client", [True, False])
def test_a_peer_with_an_rsa_certificate_connects(peer_is_client: bool) -> None:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "encoder")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    peer = SSL.Connection(context)
    peer.set_ciphertext_mtu(1200)
    if peer_is_client:
        peer.set_connect_state()
    else:
        peer.set_accept_state()
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    ours = DtlsEngine(SERVER, is_client=not peer_is_client, fingerprints=[("sha-256", fingerprint)])
    ours.start(0.0)
    for _ in range(20):
        with contextlib.suppress(SSL.WantReadError):
            peer.do_handshake()
        with contextlib.suppress(SSL.WantReadError):
            ours.receive(peer.bio_read(65536), 0.0)
        for datagram in ours.take():
            peer.bio_write(datagram)
    assert ours.state is DtlsState.CONNECTED
    assert ours.keys is not None
    assert ours.keys.profile.name == "SRTP_AES128_CM_SHA1_80"


def test_srtp_of_both_ends_fits() -> None:
    server, client = pair()
    shake(server, client)
    assert server.keys is not None
    assert client.keys is not None
    one, other = SrtpPair(server.keys), SrtpPair(client.keys)
    receiver_report = bytes.fromhex("80c9000100000001")
    protected = one.protect_rtcp(receiver_report)
    assert protected is not None
    assert protected != receiver_report
    assert other.unprotect_rtcp(protected) == receiver_report
    assert other.unprotect_rtcp(protected) is None, "a replay is refused"
    assert other.unprotect_rtcp(bytes(40)) is None
    assert one.protect_rtcp(bytes(3000)) is None
    one.forget_outbound(12345)
