"""The one TLS port: HTTPS and web sockets, media over TCP, and TURN in TLS, told apart by what comes first.

The first raw byte is looked at and left in the socket: 0x00 begins a frame of ICE-TCP (RFC 4571), whose connection is
handed to the media process that its first check names; anything else is TLS. The first byte out of TLS below 4 begins a
STUN message (RFC 7983), so that TURN is meant; anything else is HTTP.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable

import structlog

from conference.address import source_of
from conference.rtc import stun

log = structlog.get_logger(__name__)

_BURST = 64
_MAX_UNSORTED = 2000  # connections that have not said what they want
_MAX_UNSORTED_EACH = 500  # of one address: a whole office stands behind one
_PATIENCE_S = 5.0  # whoever has been silent for so long makes room when there are too many
_FIRST_BYTE_S = 15.0  # browsers open connections ahead of need, and open others when these are closed
_HANDSHAKE_S = 15.0
_FIRST_WORD_S = 60.0  # a browser keeps a connection that it may need
_MAX_PEEK = 1500  # a check is far shorter
_EXHAUSTED = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_EXHAUSTED_PAUSE_S = 1.0

Protocols = Callable[[], asyncio.Protocol]


class TlsPort:
    """Owned by signaling.door: `open` after the HTTP server is set up, `close` before it is taken down."""

    def __init__(
        self,
        listener: socket.socket,
        context: Callable[[], ssl.SSLContext],
        *,
        http: Protocols,
        hand_over: Callable[[socket.socket, str | None], bool] | None = None,
        turn: Callable[[], asyncio.Protocol | None] | None = None,
        is_proxy: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`context` is asked for each connection. `hand_over` takes ICE-TCP and the user fragment that it begins with,
        None for none; `turn` gives what speaks with a client of TURN, None while nobody does; `is_proxy` knows
        addresses behind which all clients stand."""
        self.sorted: Counter[str] = Counter()  # connections by what they turned out to be
        self._listener = listener
        self._context = context
        self._http = http
        self._hand_over = hand_over
        self._turn = turn
        self._is_proxy = is_proxy
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sorting: set[asyncio.Task[None]] = set()
        self._unsorted: dict[_Arrival, None] = {}  # the oldest first; the dictionaries are ordered sets
        self._by_source: defaultdict[str, dict[_Arrival, None]] = defaultdict(dict)
        self._pause: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """How many have not said what they want."""
        return len(self._unsorted)

    def open(self) -> None:
        """Take connections from now on."""
        self._listener.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._listener.fileno(), self._accept)

    async def close(self) -> None:
        """Take no more, and drop those that have not said what they want; idempotent. The listener is not closed."""
        if self._loop is None:
            return
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener.fileno())
        self._loop = None
        for task in tuple(self._sorting):
            task.cancel()
        if self._sorting:
            await asyncio.wait(tuple(self._sorting))
        for each in tuple(self._unsorted):
            each.drop()

    # ── from the first byte ─────────────────────────────────────────────────────────────────────

    def _accept(self) -> None:
        assert self._loop is not None
        for _ in range(_BURST):
            try:
                sock, address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                log.error("tls_port.exhausted", error=error.strerror)
                self._loop.remove_reader(self._listener.fileno())
                self._pause = self._loop.call_later(_EXHAUSTED_PAUSE_S, self.open)
                return
            arrival = _Arrival("" if self._is_proxy(address[0]) else source_of(address[0]), self._loop.time())
            if not self._admit(arrival):
                self.sorted["too_many"] += 1
                sock.close()
                continue
            sock.setblocking(False)
            task = arrival.task = self._loop.create_task(self._sort(sock, arrival))
            self._sorting.add(task)
            task.add_done_callback(self._sorting.discard)

    def _admit(self, arrival: _Arrival) -> bool:
        """False when there are too many, and none of them has been silent for long."""
        same = self._by_source.get(arrival.source, {})
        crowd = same if arrival.source and len(same) >= _MAX_UNSORTED_EACH else self._unsorted
        if crowd is same or len(crowd) >= _MAX_UNSORTED:
            oldest = next(iter(crowd))
            if arrival.came_s - oldest.came_s < _PATIENCE_S:
                return False
            self.sorted["crowded_out"] += 1
            self._leave(oldest)
            oldest.drop()
        self._unsorted[arrival] = self._by_source[arrival.source][arrival] = None
        return True

    def _leave(self, arrival: _Arrival) -> None:
        """It has said what it wants, or is gone; idempotent."""
        self._unsorted.pop(arrival, None)
        same = self._by_source.get(arrival.source)
        if same is not None:
            same.pop(arrival, None)
            if not same:
                del self._by_source[arrival.source]

    async def _sort(self, sock: socket.socket, arrival: _Arrival) -> None:
        kept = speaks = False
        try:
            async with asyncio.timeout(_FIRST_BYTE_S):
                first = await _peek(sock, 1)
            if first == b"\x00":
                async with asyncio.timeout(_FIRST_BYTE_S):
                    ufrag = await _peek_ufrag(sock)
                taken = self._hand_over is not None and self._hand_over(sock, ufrag)
                self.sorted["media" if taken else "refused"] += 1
            elif first:
                kept = True  # asyncio closes it, however the handshake ends
                await asyncio.get_running_loop().connect_accepted_socket(
                    lambda: _FirstWord(self._choose, arrival, self._leave),
                    sock,
                    ssl=self._context(),
                    ssl_handshake_timeout=_HANDSHAKE_S,
                )
                speaks = True
        except TimeoutError:
            self.sorted["silent"] += 1
        except OSError:  # gone, or no TLS: ssl.SSLError is one
            self.sorted["failed"] += 1
        finally:
            if not speaks:
                self._leave(arrival)
            if not kept:
                sock.close()

    # ── from the first word ─────────────────────────────────────────────────────────────────────

    def _choose(self, first: int) -> asyncio.Protocol | None:
        if first >= 4:
            self.sorted["http"] += 1
            return self._http()
        protocol = self._turn() if self._turn is not None else None
        self.sorted["refused" if protocol is None else "turn"] += 1
        return protocol


class _Arrival:
    """A connection from accept to its first word."""

    def __init__(self, source: str, came_s: float) -> None:
        """`source`: who is behind it, empty for a proxy of ours; `came_s`: on the loop's clock."""
        self.source = source
        self.came_s = came_s
        self.task: asyncio.Task[None] | None = None
        self.transport: asyncio.Transport | None = None

    def drop(self) -> None:
        """Close it, whatever it is about; idempotent."""
        if self.transport is not None:
            self.transport.abort()
        elif self.task is not None:
            self.task.cancel()


class _FirstWord(asyncio.Protocol):
    """A connection in TLS that has said nothing yet."""

    def __init__(
        self,
        choose: Callable[[int], asyncio.Protocol | None],
        arrival: _Arrival,
        leave: Callable[[_Arrival], None],
    ) -> None:
        self._choose = choose
        self._arrival = arrival
        self._leave = leave
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = self._arrival.transport = transport
        self._deadline = asyncio.get_running_loop().call_later(_FIRST_WORD_S, self.abort)

    def data_received(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        self._part()
        protocol = self._choose(data[0])
        if protocol is None:
            transport.abort()
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._part()

    def abort(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _part(self) -> None:
        self._leave(self._arrival)
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()


async def _peek_ufrag(sock: socket.socket) -> str | None:
    """Whom the first check of ICE-TCP is for: its frame (RFC 4571) stays in the socket. None where it is no check, or
    the peer has closed. Raises OSError."""
    head = await _peek(sock, 2)
    frame = await _peek(sock, 2 + int.from_bytes(head, "big"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
    return stun.peek_local_ufrag(frame[2:]) if stun.is_stun(frame[2:]) else None


async def _peek(sock: socket.socket, size: int) -> bytes:
    """The first bytes, which stay in the socket; fewer when the peer has closed. Raises OSError."""
    loop = asyncio.get_running_loop()
    size = min(size, _MAX_PEEK)
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVLOWAT, size
    )  # nothing is to be read before they are there
    is_woken = False
    while True:
        try:
            data = sock.recv(size, socket.MSG_PEEK)
            if len(data) >= size or is_woken or not data:
                return data
        except (BlockingIOError, InterruptedError):
            pass
        readable: asyncio.Future[None] = loop.create_future()
        loop.add_reader(sock.fileno(), _wake, readable)
        try:
            await readable
        finally:
            loop.remove_reader(sock.fileno())
        is_woken = True


def _wake(readable: asyncio.Future[None]) -> None:
    if not readable.done():
        readable.set_result(None)
