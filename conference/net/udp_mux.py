"""The one UDP port: every participant's media arrives here and is sorted by its first byte (RFC 7983)."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from conference.rtc import srtp, stun
from conference.sfu.counters import Counters
from conference.sfu.path import Protocols, Receiver

from .batch import SendBatch, pack_address
from .directory import TransportDirectory

log = logging.getLogger("media.udp")

_BURST = 64  # datagrams in one callback; without a bound a flood stops every timer
_SOCKET_BUFFER = 4 << 20


class UdpPath:
    """The way to one UDP address."""

    protocol: Protocols = "udp"
    is_shared = False

    def __init__(self, mux: UdpMux, address: tuple[str, int]) -> None:
        self.address = address
        self.batch = mux.batch
        self._sock = mux.sock
        self._sockaddr = srtp.new_buffer("char[]", pack_address(address, mux.sock.family))
        self.name = srtp.address_of(self._sockaddr)

    def send(self, data: bytes) -> None:
        try:
            self._sock.sendto(data, self.address)
        except (BlockingIOError, OSError):
            self.batch.dropped += 1

    def close(self) -> None:
        """The socket is everybody's."""


class UdpMux:
    """One bound socket. `open` starts reading on the running loop, `close` ends it."""

    protocol: Protocols = "udp"

    def __init__(
        self,
        host: str,
        port: int,
        directory: TransportDirectory,
        counters: Counters,
        flush: Callable[[], None],
    ) -> None:
        """`flush` sends what waits in the batches of all doors. Raises OSError when the address is taken."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == socket.AF_INET6:
                self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BUFFER)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
            self.sock.bind((host, port))
        except OSError:
            self.sock.close()
            raise
        self.batch = SendBatch(self.sock)
        self.received = 0
        self._logged_at = 0.0
        self.received_bytes = 0
        self._flush = flush
        self._directory = directory
        self._counters = counters
        self._pointer = srtp.new_buffer("char[]", srtp.MAX_PACKET)
        self._view = memoryview(srtp.buffer_view(self._pointer))
        self._loop: asyncio.AbstractEventLoop | None = None

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.sock.fileno(), self._readable)

    def close(self) -> None:
        """Stop reading and give the port back; idempotent."""
        if self._loop is not None:
            self._loop.remove_reader(self.sock.fileno())
            self._loop = None
        self.sock.close()

    def reply(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            self.sock.sendto(data, address)
        except (BlockingIOError, OSError):
            self._counters.drops["send_refused"] += 1

    def path(self, address: tuple[str, int]) -> UdpPath:
        return UdpPath(self, address)

    def bind(self, address: tuple[str, int], receiver: Receiver) -> None:
        self._directory.bind(address, receiver)

    def _readable(self) -> None:
        receive, view, directory = self.sock.recvfrom_into, self._view, self._directory
        by_address = directory.by_address
        now = time.monotonic()
        size_sum = 0
        count = 0
        while count < _BURST:
            try:
                size, source = receive(view)
            except BlockingIOError:
                break
            except OSError:
                continue  # an ICMP error of an earlier send
            count += 1
            size_sum += size
            if size < 12:
                self._counters.drops["runt"] += 1
                continue
            address = source[:2]
            first = view[0]
            try:
                if 127 < first < 192:
                    receiver = by_address.get(address)
                    if receiver is None:
                        self._counters.drops["unknown_address"] += 1
                    elif 191 < view[1] < 224:
                        receiver.receive_rtcp(view[:size].tobytes(), now)
                    else:
                        receiver.receive_rtp(self._pointer, size, now)
                else:
                    self._receive_other(view[:size].tobytes(), address, now)
            except Exception:  # one packet of one peer must not cost the others theirs
                self._counters.drops["failed"] += 1
                if now - self._logged_at > 1.0:
                    self._logged_at = now
                    log.exception("a packet could not be handled")
        self.received += count
        self.received_bytes += size_sum
        self._flush()

    def _receive_other(self, data: bytes, address: tuple[str, int], now: float) -> None:
        if data[0] < 4:
            ufrag = stun.peek_local_ufrag(data)
            receiver = self._directory.by_ufrag.get(ufrag) if ufrag is not None else None
            if receiver is None:
                self._counters.drops["unknown_ufrag"] += 1
            else:
                receiver.receive_stun(data, address, self, now)
        elif 19 < data[0] < 64:
            receiver = self._directory.by_address.get(address)
            if receiver is None:
                self._counters.drops["unknown_address"] += 1
            else:
                receiver.receive_dtls(data, now)
        else:
            self._counters.drops["unknown_protocol"] += 1
