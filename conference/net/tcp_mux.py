"""ICE-TCP on the same port number (RFC 6544): each connection carries framed packets (RFC 4571) of one peer."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Callable

from conference.address import source_of
from conference.rtc import srtp, stun
from conference.sfu.counters import Counters
from conference.sfu.path import Batch, Protocols, Receiver

from .directory import TransportDirectory

_WRITE_LIMIT = 512 << 10  # bytes that wait for a slow peer; beyond it packets are dropped, as a router would
_FIRST_PACKET_S = 10.0
_IN_USE_S = 30.0  # how often a connection is asked whether its transport is there still
_MAX_CONNECTIONS = 2000
_MAX_STRANGERS_EACH = 500  # of one address without a check that was right; a whole office stands behind one


class TcpConnection(asyncio.Protocol):
    """One connection: door and path at once. The first packet must be a check that names a transport."""

    protocol: Protocols = "tcp"
    batch: Batch | None = None
    name = 0

    def __init__(self, mux: TcpMux, *, is_shared: bool = False) -> None:
        """`is_shared`: it was accepted at the port of the pages."""
        self.address: tuple[str, int] = ("", 0)
        self.is_shared = is_shared
        self._mux = mux
        self._transport: asyncio.Transport | None = None
        self._bound: Receiver | None = None
        self._buffer = bytearray()
        self._pointer = srtp.new_buffer("char[]", srtp.MAX_PACKET)
        self._view = memoryview(srtp.buffer_view(self._pointer))
        self._deadline: asyncio.TimerHandle | None = None

    # ── asyncio ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone before it was handed over
            transport.abort()
            return
        self.address = peer[:2]
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self._mux.admit(self):
            transport.abort()
            return
        self._wait(_FIRST_PACKET_S)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 2:
            size = buffer[at] << 8 | buffer[at + 1]
            if size > srtp.MAX_PACKET - srtp.TRAILER:
                self._mux.counters.drops["tcp_oversized"] += 1
                self.close()
                return
            if len(buffer) - at - 2 < size:
                break
            packet = bytes(buffer[at + 2 : at + 2 + size])
            at += 2 + size
            self._mux.received += 1
            self._mux.received_bytes += size
            if size >= 12:
                self._receive(packet, now)
        del buffer[:at]
        self._mux.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._transport = None
        self._mux.dismiss(self)

    # ── door and path ───────────────────────────────────────────────────────────────────────────

    def reply(self, data: bytes, address: tuple[str, int]) -> None:
        self.send(data)

    def path(self, address: tuple[str, int]) -> TcpConnection:
        return self

    def bind(self, address: tuple[str, int], receiver: Receiver) -> None:
        if self._bound is None:
            self._mux.know(self)
        self._bound = receiver

    def send(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > _WRITE_LIMIT:
            self._mux.counters.drops["tcp_slow_peer"] += 1
            return
        transport.write(len(data).to_bytes(2, "big") + data)
        self._mux.sent += 1

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _wait(self, delay_s: float) -> None:
        self._deadline = asyncio.get_running_loop().call_later(delay_s, self._look)

    def _look(self) -> None:
        """A transport closes the connection that it used last, but not those that it never came to use."""
        if self._bound is None:
            self._mux.counters.drops["tcp_silent"] += 1
            self.close()
        elif not self._mux.directory.knows(self._bound):
            self.close()
        else:
            self._wait(_IN_USE_S)

    def _receive(self, packet: bytes, now: float) -> None:
        first = packet[0]
        if first < 4:
            ufrag = stun.peek_local_ufrag(packet)
            receiver = self._mux.directory.by_ufrag.get(ufrag) if ufrag is not None else None
            if receiver is None:
                self._mux.counters.drops["unknown_ufrag"] += 1
                return
            receiver.receive_stun(packet, self.address, self, now)
            return
        bound = self._bound
        if bound is None:
            self._mux.counters.drops["unknown_address"] += 1
        elif 19 < first < 64:
            bound.receive_dtls(packet, now)
        elif 127 < first < 192:
            if 191 < packet[1] < 224:
                bound.receive_rtcp(packet, now)
            else:
                self._view[: len(packet)] = packet
                bound.receive_rtp(self._pointer, len(packet), now)
        else:
            self._mux.counters.drops["unknown_protocol"] += 1


class TcpMux:
    """The listener. It binds without reuse options and first, and so guards the port number against a second
    server that would take half of the packets."""

    def __init__(
        self,
        host: str,
        port: int,
        directory: TransportDirectory,
        counters: Counters,
        flush: Callable[[], None],
    ) -> None:
        """`flush` sends what waits in the batches of all doors. Raises OSError when the address is taken."""
        self.directory = directory
        self.counters = counters
        self.received = 0
        self.received_bytes = 0
        self.sent = 0
        self._connections: set[TcpConnection] = set()
        self._strangers: dict[
            TcpConnection, str
        ] = {}  # without a check that was right, and where they are from
        self._strangers_of: Counter[str] = Counter()
        self._adopting: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            if family == socket.AF_INET6:
                self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Only lets us bind while old connections linger in TIME_WAIT; a live listener still refuses.
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, port))
            self.sock.listen(256)
        except OSError:
            self.sock.close()
            raise
        self.flush = flush

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    @property
    def port(self) -> int:
        return int(self.sock.getsockname()[1])

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: TcpConnection(self), sock=self.sock
        )

    def adopt(self, sock: socket.socket) -> None:
        """Take a connection that was accepted elsewhere, of which nothing was read; it is ours from now on."""
        task = asyncio.get_running_loop().create_task(self._adopt(sock))
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def _adopt(self, sock: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: TcpConnection(self, is_shared=True), sock
            )
        except OSError:  # gone already
            sock.close()

    async def close(self) -> None:
        """Stop listening and drop every connection; idempotent."""
        for task in tuple(self._adopting):
            task.cancel()
        if self._adopting:
            await asyncio.wait(tuple(self._adopting))
        for connection in list(self._connections):
            connection.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        self.sock.close()

    def admit(self, connection: TcpConnection) -> bool:
        if len(self._connections) >= _MAX_CONNECTIONS:
            self.counters.drops["tcp_too_many"] += 1
            return False
        source = source_of(connection.address[0])
        if self._strangers_of[source] >= _MAX_STRANGERS_EACH:
            self.counters.drops["tcp_too_many_of_one"] += 1
            return False
        self._connections.add(connection)
        self._strangers[connection] = source
        self._strangers_of[source] += 1
        return True

    def know(self, connection: TcpConnection) -> None:
        """A check over it was right, or it is gone; idempotent."""
        source = self._strangers.pop(connection, None)
        if source is not None:
            self._strangers_of[source] -= 1
            if not self._strangers_of[source]:
                del self._strangers_of[source]

    def dismiss(self, connection: TcpConnection) -> None:
        self._connections.discard(connection)
        self.know(connection)
