"""DTLS and the SRTP keys from it, on memory BIOs: datagrams in, datagrams out."""

import datetime
import functools
from dataclasses import dataclass
from typing import Literal

import pylibsrtp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

Role = Literal["client", "server"]
KeyKind = Literal["ecdsa", "rsa"]

MTU = 1200
_RECORD_HEADER = 13


class HandshakeError(Exception):
    """The handshake failed, or the other side is not who its description said."""


@dataclass(frozen=True)
class SrtpProfile:
    """One of the protections that a handshake may choose."""

    openssl_name: str
    policy: int
    key_length: int
    salt_length: int


GCM_256 = SrtpProfile("SRTP_AEAD_AES_256_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12)
GCM_128 = SrtpProfile("SRTP_AEAD_AES_128_GCM", pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12)
CM_128 = SrtpProfile("SRTP_AES128_CM_SHA1_80", pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14)
ALL_PROFILES = (GCM_256, GCM_128, CM_128)


class Certificate:
    """A self-signed certificate with its key."""

    def __init__(self, kind: KeyKind = "ecdsa") -> None:
        self.kind = kind
        self.key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if kind == "rsa":
            self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "light")])
        now = datetime.datetime.now(datetime.UTC)
        self.x509 = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .sign(self.key, hashes.SHA256())
        )
        self.fingerprint = fingerprint_of(self.x509, "sha-256")

    @classmethod
    @functools.cache
    def shared(cls, kind: KeyKind = "ecdsa") -> "Certificate":
        """One certificate for all peers of this process: keys are slow to make."""
        return cls(kind)


def fingerprint_of(certificate: x509.Certificate, algorithm: str) -> str:
    """As in SDP: upper-case bytes with colons."""
    names: dict[str, hashes.HashAlgorithm] = {
        "sha-256": hashes.SHA256(),
        "sha-384": hashes.SHA384(),
        "sha-512": hashes.SHA512(),
    }
    return certificate.fingerprint(names[algorithm]).hex(":").upper()


def split_records(data: bytes) -> list[bytes]:
    """Datagrams from what lies in a BIO: whole DTLS records, as many as fit in one."""
    datagrams: list[bytes] = []
    current = b""
    while len(data) >= _RECORD_HEADER:
        length = _RECORD_HEADER + int.from_bytes(data[11:13], "big")
        record, data = data[:length], data[length:]
        if current and len(current) + len(record) > MTU:
            datagrams.append(current)
            current = b""
        current += record
    return [*datagrams, current] if current else datagrams


class DtlsEndpoint:
    """One association. The owner moves datagrams and minds the timer."""

    def __init__(
        self,
        role: Role,
        certificate: Certificate,
        expected: tuple[str, str] | None,
        profiles: tuple[SrtpProfile, ...] = ALL_PROFILES,
    ) -> None:
        self.role = role
        self._expected = expected
        self.connected = False
        self.closed_by_peer = False
        self.profile: SrtpProfile | None = None
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        context.use_certificate(certificate.x509)
        context.use_privatekey(certificate.key)
        context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES")
        context.set_tlsext_use_srtp(":".join(profile.openssl_name for profile in profiles).encode())
        self._ssl = SSL.Connection(context)
        self._ssl.set_ciphertext_mtu(MTU)
        if role == "client":
            self._ssl.set_connect_state()
        else:
            self._ssl.set_accept_state()

    def start(self) -> list[bytes]:
        """What to send first."""
        return self._advance()

    def receive(self, datagram: bytes) -> list[bytes]:
        """What to send after this arrived."""
        self._ssl.bio_write(datagram)
        return self._advance()

    def timeout_s(self) -> float | None:
        """When `handle_timeout` is due, from now."""
        due: float | None = self._ssl.DTLSv1_get_timeout()
        return due

    def handle_timeout(self) -> list[bytes]:
        """Repeat the last flight if it is due."""
        if not self.connected:
            self._ssl.DTLSv1_handle_timeout()
        return self._outgoing()

    def close(self) -> list[bytes]:
        """close_notify."""
        if self.connected:
            try:
                self._ssl.shutdown()
            except SSL.Error:
                return []
        return self._outgoing()

    def _advance(self) -> list[bytes]:
        try:
            if not self.connected:
                self._ssl.do_handshake()
                self._finish()
            else:
                self._ssl.recv(2048)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed_by_peer = True
        except SSL.Error as error:
            if self.connected:
                self.closed_by_peer = True
            else:
                raise HandshakeError(f"DTLS as {self.role}: {error}") from error
        return self._outgoing()

    def _finish(self) -> None:
        presented = self._ssl.get_peer_certificate(as_cryptography=True)
        if self._expected is not None:
            algorithm, digest = self._expected
            if presented is None or fingerprint_of(presented, algorithm) != digest:
                raise HandshakeError("the certificate is not the one in the description")
        name = self._ssl.get_selected_srtp_profile().decode()
        self.profile = next((profile for profile in ALL_PROFILES if profile.openssl_name == name), None)
        if self.profile is None:
            raise HandshakeError("no SRTP profile in common")
        self.connected = True

    def _outgoing(self) -> list[bytes]:
        data = b""
        while True:
            try:
                data += self._ssl.bio_read(16384)
            except SSL.WantReadError:
                return split_records(data)

    def srtp_sessions(self) -> tuple[pylibsrtp.Session, pylibsrtp.Session]:
        """(receiving, sending)."""
        assert self.profile is not None
        key, salt = self.profile.key_length, self.profile.salt_length
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        local, remote = (client, server) if self.role == "client" else (server, client)

        def session(master: bytes, direction: int) -> pylibsrtp.Session:
            assert self.profile is not None
            policy = pylibsrtp.Policy(key=master, ssrc_type=direction, srtp_profile=self.profile.policy)
            policy.allow_repeat_tx, policy.window_size = True, 1024
            return pylibsrtp.Session(policy=policy)

        return (
            session(remote, pylibsrtp.Policy.SSRC_ANY_INBOUND),
            session(local, pylibsrtp.Policy.SSRC_ANY_OUTBOUND),
        )
