"""DTLS for SRTP keys (RFC 5764): one handshake on memory buffers, datagrams in, datagrams out.

No data ever runs over it: it gives the SRTP keys, proves the peer's certificate by the fingerprint of the
session description (RFC 8122), and tells when the peer closes.
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL

# ECDHE-RSA stands beside ECDHE-ECDSA: many encoders bring an RSA certificate and are the DTLS server.
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    b"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA"
)
_MTU = 1200
_RECORD_HEADER = 13
_MAX_DATAGRAM = 16384
_MAX_HANDSHAKE_DATAGRAMS = 200
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha-256": hashes.SHA256(),
    "sha-384": hashes.SHA384(),
    "sha-512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True)
class SrtpProfile:
    """A protection profile (RFC 5764, RFC 7714); lengths in bytes."""

    name: str
    key_length: int
    salt_length: int


# AES-GCM before AES-CM: it costs less with AES instructions and authenticates with 16 bytes.
PROFILES = (
    SrtpProfile("SRTP_AEAD_AES_128_GCM", 16, 12),
    SrtpProfile("SRTP_AEAD_AES_256_GCM", 32, 12),
    SrtpProfile("SRTP_AES128_CM_SHA1_80", 16, 14),
)


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key and salt, concatenated, for each direction."""

    profile: SrtpProfile
    receive: bytes
    send: bytes


class DtlsState(Enum):
    NEW = "new"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    CLOSED = "closed"


class DtlsCertificate:
    """The server's self-signed ECDSA P-256 certificate, and the contexts made from it; one per process."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, os.urandom(8).hex())])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=3650))
            .sign(key, hashes.SHA256())
        )
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_TICKET)
        # Any certificate is taken here: the fingerprint check after the handshake is the real one.
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_cipher_list(_CIPHERS)
        context.set_tlsext_use_srtp(b":".join(profile.name.encode() for profile in PROFILES))
        self.context = context


class DtlsEngine:
    """One DTLS association. `receive`, `handle_timeout` and `close` may leave datagrams for `take`."""

    def __init__(
        self, certificate: DtlsCertificate, *, is_client: bool, fingerprints: Iterable[tuple[str, str]]
    ) -> None:
        """`fingerprints`: (algorithm, colon-separated hex) pairs of the peer; one match is enough."""
        self.state = DtlsState.NEW
        self.error = ""
        self.keys: SrtpKeys | None = None
        self._fingerprints = [(name.lower(), value.upper()) for name, value in fingerprints]
        self._is_client = is_client
        self._ssl = SSL.Connection(certificate.context)
        self._ssl.set_ciphertext_mtu(_MTU)
        if is_client:
            self._ssl.set_connect_state()
        else:
            self._ssl.set_accept_state()
        self._out: list[bytes] = []
        self._deadline: float | None = None
        self._received = 0

    def start(self, now: float) -> None:
        """Send the first flight when we are the client. Repeating it is harmless."""
        if self.state is DtlsState.NEW:
            self.state = DtlsState.CONNECTING
            if self._is_client:
                self._handshake(now)

    def receive(self, datagram: bytes, now: float) -> None:
        """Take one datagram of the peer."""
        if self.state in (DtlsState.FAILED, DtlsState.CLOSED):
            return
        if not _RECORD_HEADER <= len(datagram) <= _MAX_DATAGRAM:
            return
        if self.state is not DtlsState.CONNECTED:
            self._received += 1
            if self._received > _MAX_HANDSHAKE_DATAGRAMS:
                self._fail("handshake does not end")
                return
            self.state = DtlsState.CONNECTING
        self._ssl.bio_write(datagram)
        if self.state is DtlsState.CONNECTED:
            self._read()
        else:
            self._handshake(now)

    def take(self) -> list[bytes]:
        """Datagrams to send, in order."""
        out, self._out = self._out, []
        return out

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called, on the clock of `now`."""
        return self._deadline

    def handle_timeout(self, now: float) -> None:
        """Repeat the last flight when it is due."""
        if self._deadline is None or now < self._deadline or self.state is not DtlsState.CONNECTING:
            return
        try:
            self._ssl.DTLSv1_handle_timeout()
        except SSL.Error:
            self._fail("no answer to the handshake")
            return
        self._drain()
        self._arm(now)

    def close(self) -> None:
        """Say close_notify; idempotent."""
        if self.state is DtlsState.CONNECTED:
            with contextlib.suppress(SSL.Error):
                self._ssl.shutdown()
            self._drain()
        if self.state is not DtlsState.FAILED:
            self.state = DtlsState.CLOSED
        self._deadline = None

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _handshake(self, now: float) -> None:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            self._drain()
            self._arm(now)
            return
        except SSL.Error as error:
            self._drain()  # the alert
            self._fail(str(error))
            return
        self._drain()
        self._finish()

    def _finish(self) -> None:
        self._deadline = None
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or not any(
            algorithm in _DIGESTS and certificate.fingerprint(_DIGESTS[algorithm]).hex(":").upper() == value
            for algorithm, value in self._fingerprints
        ):
            self._fail("fingerprint of the certificate differs from the session description")
            return
        selected = self._ssl.get_selected_srtp_profile().decode()
        profile = next((p for p in PROFILES if p.name == selected), None)
        if profile is None:
            self._fail("no common SRTP profile")
            return
        key, salt = profile.key_length, profile.salt_length
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        receive, send = (server, client) if self._is_client else (client, server)
        self.keys = SrtpKeys(profile, receive, send)
        self.state = DtlsState.CONNECTED

    def _read(self) -> None:
        """After the handshake only alerts and repeated flights come."""
        try:
            while self._ssl.recv(_MAX_DATAGRAM):
                pass
        except SSL.WantReadError:
            self._drain()
        except SSL.ZeroReturnError:
            self.close()
        except SSL.Error:
            self.close()

    def _fail(self, reason: str) -> None:
        self.state = DtlsState.FAILED
        self.error = reason
        self._deadline = None

    def _arm(self, now: float) -> None:
        left = self._ssl.DTLSv1_get_timeout()
        self._deadline = None if left is None else now + max(left, 0.01)

    def _drain(self) -> None:
        """Move what OpenSSL wants to send to the outgoing list, cut at record borders to fit the MTU."""
        try:
            data = self._ssl.bio_read(1 << 16)
        except SSL.Error:
            return
        datagram = b""
        at = 0
        while at + _RECORD_HEADER <= len(data):
            end = at + _RECORD_HEADER + int.from_bytes(data[at + 11 : at + 13], "big")
            if datagram and len(datagram) + end - at > _MTU:
                self._out.append(datagram)
                datagram = b""
            datagram += data[at:end]
            at = end
        if datagram:
            self._out.append(datagram)
