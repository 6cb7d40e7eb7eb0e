"""The server's certificate: loaded from files, and loaded anew when they change, while connections go on."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from pathlib import Path

import structlog
from cryptography import x509

from signaling.lan import server_context

log = structlog.get_logger(__name__)

_POLL_S = 5.0


class Certificate:
    """Owned by signaling.door. Connections that stand keep what they began with."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises OSError (ssl.SSLError is one) or ValueError when the files cannot be used."""
        self._chain = chain
        self._key = key
        self._stamp = self._look()
        self._refused: tuple[object, ...] = ()
        self._woken = asyncio.Event()
        self._context, self._leaf = self._load()

    def context(self) -> ssl.SSLContext:
        """For the next connection."""
        return self._context

    @property
    def health(self) -> str:
        """`ok`; `refused` while the files are others than those in use and cannot be used; `expired`."""
        if self.expires_s <= time.time():
            return "expired"
        return "refused" if self._refused else "ok"

    @property
    def expires_s(self) -> float:
        """Until when the certificate in use is valid, in seconds since 1970."""
        return self._leaf.not_valid_after_utc.timestamp()

    @property
    def host(self) -> str | None:
        """The first name that it is made out to and that can be called; None when it has only patterns."""
        try:
            names = self._leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            return None
        for name in names.get_values_for_type(x509.DNSName):
            if not name.startswith("*"):
                return name
        return next((str(each) for each in names.get_values_for_type(x509.IPAddress)), None)

    def reload_soon(self) -> None:
        """Look at the files now (SIGHUP)."""
        self._woken.set()

    async def watch(self) -> None:
        """Look at the files every few seconds; runs until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            self.refresh()

    def refresh(self) -> bool:
        """Load the files if they are others than those in use. Two files are never changed at once: while they do
        not fit together the old certificate goes on, and they are tried again. True when there is a new one."""
        try:
            stamp = self._look()
            if stamp == self._stamp:
                self._refused = ()
                return False
            self._context, self._leaf = self._load()
        except (OSError, ValueError) as error:
            reason = (type(error), str(error))
            if reason != self._refused:
                self._refused = reason
                log.error("tls.certificate_refused", error=str(error))
            return False
        self._stamp = stamp
        self._refused = ()
        log.info("tls.certificate_loaded", expires=self._leaf.not_valid_after_utc.isoformat())
        return True

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        found = (os.stat(each) for each in (self._chain, self._key))
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)

    def _load(self) -> tuple[ssl.SSLContext, x509.Certificate]:
        context = server_context()
        context.load_cert_chain(self._chain, self._key, password=_no_password)
        try:
            leaf = x509.load_pem_x509_certificate(self._chain.read_bytes())
        except x509.InvalidVersion as error:
            raise ValueError(str(error)) from error
        return context, leaf


def _no_password() -> str:
    # OpenSSL would ask at the terminal, and the whole server would wait for the answer.
    raise ValueError("the private key is encrypted; give one without a password")
