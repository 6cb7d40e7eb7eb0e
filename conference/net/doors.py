"""All media sockets of the process: a UDP socket for each address, one TCP listener, and what we announce.

One UDP socket for each local address instead of one on the wildcard: an answer then always leaves from the
address that the packet came to, which ICE demands, on machines with several networks too.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Iterable
from typing import Literal

import ifaddr

from conference.rtc.sdp import Candidate, host_candidate
from conference.sfu.counters import Counters

from .directory import TransportDirectory
from .tcp_mux import TcpMux
from .udp_mux import UdpMux

log = logging.getLogger("media.doors")

_ANY = "0.0.0.0"  # noqa: S104 a media server is there to be reached
_WILDCARDS = {"", _ANY, "::"}


class Doors:
    """Owned by the media process. `open` binds, `close` gives everything back."""

    def __init__(self, directory: TransportDirectory, counters: Counters) -> None:
        self.udp: list[UdpMux] = []
        self.tcp: list[TcpMux] = []
        self.port = 0
        self.directory = directory
        self._counters = counters

    async def open(self, host: str, port: int) -> None:
        """Bind UDP and TCP on the same number; 0 takes a free one. Raises OSError when it is taken."""
        addresses = local_addresses(host)
        try:
            # The listener first: it has no reuse option, so a second server fails here and steals no packets.
            for each in ("::", _ANY) if host == "::" else (host or _ANY,):
                self.tcp.append(TcpMux(each, self.port or port, self.directory, self._counters, self.flush))
                self.port = self.tcp[0].port
            for address in addresses:
                self._bind(address, may_skip=host in _WILDCARDS)
            if not self.udp:
                raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
            for listener in self.tcp:
                await listener.open()
        except OSError:
            await self.close()
            raise
        for mux in self.udp:
            mux.open()

    def _bind(self, address: str, *, may_skip: bool) -> None:
        try:
            self.udp.append(UdpMux(address, self.port, self.directory, self._counters, self.flush))
        except OSError as error:
            # An IPv6 address that the kernel still looks for twins of, or one that has just gone.
            if not may_skip or error.errno != errno.EADDRNOTAVAIL:
                raise
            log.warning("no media at %s: the address cannot be bound", address)

    async def close(self) -> None:
        """Idempotent."""
        self.flush()
        for mux in self.udp:
            mux.close()
        for listener in self.tcp:
            await listener.close()
        self.udp.clear()
        self.tcp.clear()

    def flush(self) -> None:
        """Send what the wake-up left in the batches."""
        for mux in self.udp:
            if mux.batch.count:
                mux.batch.flush()

    def adopt(self, sock: socket.socket) -> None:
        """Take an ICE-TCP connection that came to another listener of the node."""
        self.tcp[0].adopt(sock)

    def candidates(self, announced: Iterable[str], shared_port: int = 0) -> tuple[Candidate, ...]:
        """What descriptions say of us: `announced` addresses, or the bound ones; loopback last.

        `shared_port`: where the web process takes ICE-TCP, too; it stands last, 0 for none."""
        addresses = list(announced) or [mux.sock.getsockname()[0] for mux in self.udp]
        addresses.sort(key=lambda address: ipaddress.ip_address(address).is_loopback)
        out: list[Candidate] = []
        ways: list[tuple[Literal["udp", "tcp"], int]] = [("udp", self.port), ("tcp", self.port)]
        if shared_port not in (0, self.port):
            ways.append(("tcp", shared_port))
        for place, (protocol, port) in enumerate(ways):
            for i, address in enumerate(addresses):
                out.append(host_candidate(address, port, protocol, 65535 - 256 * place - i))
        return tuple(out)


def local_addresses(host: str) -> list[str]:
    """The addresses to bind for `host`: itself (resolved), or every interface's for a wildcard."""
    if host not in _WILDCARDS:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        return [str(found[0][4][0])]
    out: list[str] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            if isinstance(ip.ip, str):
                out.append(ip.ip)
            elif host == "::" and not ipaddress.ip_address(ip.ip[0]).is_link_local:
                out.append(ip.ip[0])
    return out or ["127.0.0.1"]
