"""--lan: HTTPS for phones in the same network, by a certificate of an own local CA kept in the data directory."""

from __future__ import annotations

import hashlib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from signaling.data_dir import write_private
from signaling.network import interface_addresses

_LEAF_DAYS = 397  # phones refuse certificates that are valid for longer


@dataclass(frozen=True, slots=True)
class LanIdentity:
    """The CA that a phone is asked to trust, and the TLS context of this start."""

    context: ssl.SSLContext
    ca_pem: bytes
    ca_path: Path

    def give_context(self) -> ssl.SSLContext:
        """For the next connection."""
        return self.context

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the CA certificate, as phones show it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.ca_pem.decode())).hexdigest().upper()
        return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))


def lan_addresses() -> list[str]:
    """Addresses under which phones may reach this machine; the most likely one first."""
    return [str(each) for each in interface_addresses() if each.version == 4]


def lan_identity(directory: Path) -> LanIdentity:
    """The kept CA, made at the first call, and a fresh certificate for today's addresses."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca_path, key_path = directory / "ca.pem", directory / "ca.key"
    if ca_path.exists() and key_path.exists():
        ca = trustme.CA.from_pem(ca_path.read_bytes(), key_path.read_bytes())
    else:
        ca = trustme.CA(organization_name="Yuanshang", organization_unit_name="LAN trial")
        write_private(key_path, ca.private_key_pem.bytes())
        ca_path.write_bytes(ca.cert_pem.bytes())
    now = datetime.now(UTC).replace(tzinfo=None)
    leaf = ca.issue_cert(
        *lan_addresses(),
        "127.0.0.1",
        "localhost",
        common_name="Yuanshang",
        not_before=now - timedelta(days=1),
        not_after=now + timedelta(days=_LEAF_DAYS),
    )
    context = server_context()
    leaf.configure_cert(context)
    return LanIdentity(context, ca.cert_pem.bytes(), ca_path)


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
