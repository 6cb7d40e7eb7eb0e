"""The port of the web process: plain HTTP, or the one TLS port with the certificate that it shows."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from signaling.http.connections import Connections
from signaling.lan import LanCertificate, lan_addresses
from signaling.metrics import Metrics
from signaling.network import TrustedProxies, local_url_host
from signaling.reach import public_port
from signaling.settings import Settings
from signaling.start_error import StartError
from signaling.tasks import Background
from signaling.tls.certificate import Certificate
from signaling.tls.port import TlsPort

_BACKLOG: Final = 1024
_DEAD_PEER_MS: Final = 30_000


class Door:
    """Owned by signaling.app: taken before anything else, so that a port in use ends the start; `open` when everything
    behind it can answer, `close` before the HTTP server is taken down, `release` at last."""

    def __init__(self, settings: Settings, lan_directory: Path) -> None:
        """Raises StartError: the port is taken, or a certificate cannot be used."""
        self._tls_port: TlsPort | None = None
        self._server: asyncio.Server | None = None
        self._listener = _listen(settings.host, settings.port)
        try:
            self.lan = _lan(lan_directory) if settings.lan else None
            self.given = _given(settings)
            self.certificate = self.given or _of_lan(self.lan)
        except BaseException:
            self._listener.close()
            raise
        self.port = int(self._listener.getsockname()[1])
        self.base_url = _base_url(settings, self.port, is_tls=self.certificate is not None)
        shares = self.certificate is not None and settings.media_on_https
        self.shared_port = public_port(self.base_url) if shares else 0
        """The port under which clients reach media, too; 0 where they do not."""

        self._is_proxy = TrustedProxies(settings.trusted_proxies).trusts

    async def open(
        self,
        http: web.Server,
        *,
        hand_over: Callable[[socket.socket, str | None], bool] | None,
        turn: Callable[[], asyncio.Protocol | None] | None,
        metrics: Metrics,
    ) -> None:
        """Take connections from now on, and count them; `hand_over` and `turn` as `TlsPort` has them."""
        connections = Connections(http, is_proxy=self._is_proxy)
        metrics.watch_connections(connections)
        if self.certificate is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(connections, sock=self._listener, backlog=_BACKLOG)
            return
        self._tls_port = TlsPort(
            self._listener,
            self.certificate.context,
            http=connections,
            hand_over=hand_over if self.shared_port else None,
            turn=turn,
            is_proxy=self._is_proxy,
        )
        self._tls_port.open()
        metrics.watch_tls(self._tls_port, self.certificate)

    def keep_certificate(self, background: Background) -> None:
        """Renew it where it is ours, and load it anew whenever its files change, or on SIGHUP.

        Without a certificate SIGHUP has nothing to do: it would end the server else."""
        loop = asyncio.get_running_loop()
        if self.certificate is None:
            loop.add_signal_handler(signal.SIGHUP, lambda: None)
            return
        background.keep(self.certificate.watch)
        loop.add_signal_handler(signal.SIGHUP, self.certificate.reload_soon)
        if self.lan is not None:
            lan, use = self.lan, self.certificate.reload_soon
            background.keep(lambda: lan.watch(use))

    async def close(self) -> None:
        """Take no more connections; idempotent."""
        if self._tls_port is not None:
            await self._tls_port.close()
        if self._server is not None:
            self._server.close()

    def release(self) -> None:
        """Give the port back; idempotent."""
        self._listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=host == "::"
        )
    except OSError as error:
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    # A peer that is gone, or never reads, does not hold a connection for a quarter of an hour.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_PEER_MS)
    return listener


def _given(settings: Settings) -> Certificate | None:
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return Certificate(settings.tls_cert.absolute(), settings.tls_key.absolute())
    except (OSError, ValueError) as error:
        raise StartError(f"cannot use the certificate {settings.tls_cert}: {error}") from error


def _lan(directory: Path) -> LanCertificate:
    try:
        return LanCertificate(directory)
    except OSError as error:
        raise StartError(f"cannot keep a certificate in {directory}: {error.strerror}") from error


def _of_lan(lan: LanCertificate | None) -> Certificate | None:
    return None if lan is None else Certificate(lan.path, lan.path)


def _base_url(settings: Settings, port: int, *, is_tls: bool) -> str:
    if settings.public_url is not None:
        return settings.public_url
    host = local_url_host(settings.host)
    if settings.lan and host == "127.0.0.1":
        host = next(iter(lan_addresses()), host)
    return f"{'https' if is_tls else 'http'}://{host}:{port}"
