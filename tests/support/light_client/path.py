"""The sockets below a peer: UDP, or ICE-TCP with RFC 4571 framing."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

SO_TIMESTAMPNS = 35
Address = tuple[str, int]
OnDatagram = Callable[[bytes, int, Address], None]  # data, kernel's time of arrival (0: unknown), from


def towards(url: str) -> str:
    """Our own address on the way to the server at this URL."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((urlsplit(url).hostname or "127.0.0.1", 9))  # sends nothing
        return str(probe.getsockname()[0])


class Path(Protocol):
    """How a peer reaches the other side."""

    @property
    def local(self) -> Address: ...

    def send(self, data: bytes) -> None:
        """To the selected address."""

    def send_to(self, data: bytes, address: Address) -> None:
        """Before one is selected."""

    def select(self, address: Address) -> None:
        """Stay with this address."""

    def close(self) -> None: ...


class UdpPath:
    """One socket, connected once an address is selected. With `every_s` it is looked into so often instead of at each
    packet, which costs a load generator much less; the kernel's times of arrival stay right."""

    def __init__(self, bind: str, on_datagram: OnDatagram, *, every_s: float = 0.0) -> None:
        self._every_s = every_s
        self._bind = bind
        self._on_datagram = on_datagram
        self._loop = asyncio.get_running_loop()
        self._remote: Address | None = None
        self.blocked = 0
        self._open()

    def _open(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((self._bind, 0))
        if self._every_s:
            self._loop.call_later(self._every_s, self._look, self._socket)
        else:
            self._loop.add_reader(self._socket.fileno(), self._readable)

    def _look(self, sock: socket.socket) -> None:
        if sock is self._socket and sock.fileno() >= 0:
            self._loop.call_later(self._every_s, self._look, sock)
            self._readable()

    @property
    def local(self) -> Address:
        host, port = self._socket.getsockname()
        return host, port

    def send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except BlockingIOError:
            self.blocked += 1
        except OSError:
            pass

    def send_to(self, data: bytes, address: Address) -> None:
        with contextlib.suppress(OSError):
            if self._remote is None:
                self._socket.sendto(data, address)
            else:
                self._socket.send(data)

    def select(self, address: Address) -> None:
        self._remote = address
        self._socket.connect(address)

    def rebind(self) -> None:
        """Go on from another port, as behind a NAT that forgot us."""
        self.close()
        self._open()
        if self._remote is not None:
            self._socket.connect(self._remote)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            if not self._every_s:
                self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _readable(self) -> None:
        receive, handle = self._socket.recvmsg, self._on_datagram
        for _ in range(512):
            try:
                data, ancillary, _flags, address = receive(2048, 64)
            except BlockingIOError:
                return
            except OSError:
                continue
            arrival_ns = 0
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    arrival_ns = seconds * 1_000_000_000 + nanoseconds
            handle(data, arrival_ns, address or self._remote or ("", 0))
            if self._socket.fileno() < 0:
                return


class TcpPath(asyncio.Protocol):
    """An active ICE-TCP connection to the server's passive candidate."""

    def __init__(self, remote: Address, on_datagram: OnDatagram) -> None:
        self._remote = remote
        self._on_datagram = on_datagram
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self.lost = False

    @classmethod
    async def open(cls, remote: Address, on_datagram: OnDatagram) -> "TcpPath":
        """Connect."""
        loop = asyncio.get_running_loop()
        _, path = await loop.create_connection(lambda: cls(remote, on_datagram), *remote)
        return path

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 2:
            end = 2 + int.from_bytes(self._buffer[:2], "big")
            if len(self._buffer) < end:
                return
            frame = bytes(self._buffer[2:end])
            del self._buffer[:end]
            self._on_datagram(frame, 0, self._remote)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    @property
    def local(self) -> Address:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")
        return host, port

    def send(self, data: bytes) -> None:
        if self._transport is not None and not self.lost:
            self._transport.write(len(data).to_bytes(2, "big") + data)

    def send_to(self, data: bytes, address: Address) -> None:
        self.send(data)

    def select(self, address: Address) -> None:
        pass

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
