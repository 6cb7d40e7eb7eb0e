"""--lan: HTTPS for phones in the same network, by a certificate of an own local CA, both kept in the data directory."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from signaling.data_dir import write_private
from signaling.network import interface_addresses

log = structlog.get_logger(__name__)

_LEAF_DAYS: Final = 397  # phones refuse certificates that are valid for longer
_RENEW_DAYS: Final = 30  # made anew when fewer are left
_LOOK_S: Final = 30.0
_LOCAL: Final = ("127.0.0.1", "localhost")


def lan_addresses() -> list[str]:
    """Addresses under which phones may reach this machine; the most likely one first."""
    return [str(each) for each in interface_addresses() if each.version == 4]


class LanCertificate:
    """The CA that a phone is asked to trust, and a certificate for the addresses of this machine.

    It stays from start to start until it is nearly over or an address is new: who clicked a warning away is not warned
    again."""

    def __init__(
        self,
        directory: Path,
        addresses: Callable[[], list[str]] = lan_addresses,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Makes what is missing or over. Raises OSError."""
        self.path = directory / "server.pem"
        """Private key and chain in one file, which is replaced as a whole."""

        self._directory = directory
        self._addresses = addresses
        self._now = now
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._ca = self._kept_ca() or self._new_ca()
        self.renew()

    @property
    def ca_pem(self) -> bytes:
        """The CA's certificate."""
        return self._ca.cert_pem.bytes()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the CA's certificate, as phones show it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.ca_pem.decode())).hexdigest().upper()
        return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))

    def renew(self) -> bool:
        """Make the certificate anew where it does not name an address of the machine, or fewer than thirty days of it
        are left; one that also names addresses which are gone is good. True when there is a new one."""
        addresses = self._addresses()
        if self._is_good(addresses):
            return False
        now = self._now()
        end = min(now + timedelta(days=_LEAF_DAYS), _certificate(self.ca_pem).not_valid_after_utc)
        leaf = self._ca.issue_cert(
            *addresses,
            *_LOCAL,
            common_name="Yuanshang",
            not_before=(now - timedelta(days=1)).replace(tzinfo=None),
            not_after=end.replace(tzinfo=None),
        )
        draft = self._directory / ".server.pem"
        write_private(draft, leaf.private_key_and_cert_chain_pem.bytes())
        draft.replace(self.path)
        log.info("lan.certificate_made", addresses=addresses, expires=end.isoformat())
        return True

    async def watch(self, use: Callable[[], None]) -> None:
        """Renew it when it is time, and say so by `use`; runs until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                is_new = await asyncio.to_thread(self.renew)
            except OSError as error:
                log.error("lan.certificate_not_made", error=error.strerror)
                continue
            if is_new:
                use()

    def _is_good(self, addresses: list[str]) -> bool:
        try:
            leaf = _certificate(self.path.read_bytes())
            leaf.verify_directly_issued_by(_certificate(self.ca_pem))
            names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        known = set(names.get_values_for_type(x509.IPAddress))
        is_long = leaf.not_valid_after_utc - self._now() >= timedelta(days=_RENEW_DAYS)
        return is_long and all(ipaddress.ip_address(each) in known for each in addresses)

    def _kept_ca(self) -> trustme.CA | None:
        """None where there is none, or it is nearly over: then phones have to be asked once more."""
        try:
            ca = trustme.CA.from_pem(self._ca_path.read_bytes(), self._ca_key_path.read_bytes())
            end = _certificate(ca.cert_pem.bytes()).not_valid_after_utc
        except (FileNotFoundError, ValueError):
            return None
        return ca if end - self._now() >= timedelta(days=_LEAF_DAYS) else None

    def _new_ca(self) -> trustme.CA:
        ca = trustme.CA(organization_name="Yuanshang", organization_unit_name="LAN trial")
        write_private(self._ca_key_path, ca.private_key_pem.bytes())
        self._ca_path.write_bytes(ca.cert_pem.bytes())
        return ca

    @property
    def _ca_path(self) -> Path:
        return self._directory / "ca.pem"

    @property
    def _ca_key_path(self) -> Path:
        return self._directory / "ca.key"


def _certificate(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def server_context() -> ssl.SSLContext:
    """TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
