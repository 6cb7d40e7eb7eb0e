"""Connections over HTTP: how long the head of a request may take, and how many one address may hold.

aiohttp bounds the time between requests alone (`keepalive_timeout`), which must be longer than proxies keep their idle
connections; a head that comes a byte a minute has no bound of its own. Whatever a request goes on to be, a long upload
or a web socket, is no business of this.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from conference.address import source_of

IDLE_S: Final = 75.0
"""How long a connection may stay without a request: longer than proxies keep theirs, which is 60 s for most."""

_FIRST_WORD_S: Final = 60.0  # a browser keeps a connection that it may need
_HEAD_S: Final = 15.0  # from its first byte to its last
_SECOND_LOOK_S: Final = 0.1  # behind a stall of this process the head may have come and wait to be read
_MAX_EACH: Final = 3_000  # of one address: 400 people in a hall with seven connections each stand behind one


class Connections:
    """Makes what speaks HTTP with each new connection; given to a server in place of aiohttp's own factory."""

    def __init__(
        self, make: Callable[[], asyncio.Protocol], *, is_proxy: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`make`: gives what speaks HTTP; `is_proxy` knows addresses behind which all clients stand."""
        self.cut: Counter[str] = Counter()  # why connections were closed before their time
        self._make = make
        self._is_proxy = is_proxy
        self._by_source: defaultdict[str, dict[_Connection, None]] = defaultdict(dict)  # the oldest first

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self, self._make)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(len(each) for each in self._by_source.values())

    def admit(self, connection: _Connection, address: str) -> str | None:
        """Where it is counted; None when its address holds too many, and all of them are in use."""
        source = "" if not address or self._is_proxy(address) else source_of(address)
        same = self._by_source[source]
        if source and len(same) >= _MAX_EACH:
            idle = next((each for each in same if each.is_idle), None)
            if idle is None:
                self.cut["too_many"] += 1
                return None
            del same[idle]
            idle.drop("crowded_out")
        same[connection] = None
        return source

    def leave(self, connection: _Connection, source: str) -> None:
        """It is gone; idempotent."""
        same = self._by_source.get(source)
        if same is not None:
            same.pop(connection, None)
            if not same:
                del self._by_source[source]


@web.middleware
async def note_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost of all: the head of a request is complete when it comes here, and its connection is in use until it
    leaves."""
    transport = request.transport
    connection = None if transport is None else transport.get_protocol()
    if not isinstance(connection, _Connection):
        return await handler(request)
    connection.begin_request()
    try:
        return await handler(request)
    finally:
        connection.end_request()


class _Connection(asyncio.Protocol):
    """Passes everything on to what speaks HTTP, and looks at the clock meanwhile."""

    def __init__(self, owner: Connections, make: Callable[[], asyncio.Protocol]) -> None:
        self._owner = owner
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._inner: asyncio.Protocol | None = None  # None: refused
        self._source: str | None = None
        self._requests = 0  # being answered: one, or none
        self._head_since_s: float | None = None  # None: no head is on its way
        self._has_spoken = False
        self._is_overdue = False  # the head was late when it was looked at last
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """No request is being answered, and none is on its way."""
        return not self._requests and self._head_since_s is None

    def begin_request(self) -> None:
        """A head is complete."""
        self._requests += 1
        self._head_since_s = None

    def end_request(self) -> None:
        """Its answer is known; it may still be on its way."""
        self._requests -= 1

    def drop(self, why: str) -> None:
        """Close it at once."""
        self._owner.cut[why] += 1
        if self._transport is not None:
            self._transport.abort()

    # ── asyncio.Protocol ────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self._source = self._owner.admit(self, str(peer[0]) if isinstance(peer, tuple) else "")
        if self._source is None:
            transport.abort()
            return
        self._timer = self._loop.call_later(_FIRST_WORD_S, self._look)
        self._inner = self._make()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None:
            return
        if not self._requests and self._head_since_s is None:
            self._begin_head()
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._source is not None:
            self._owner.leave(self, self._source)
        self._transport = None
        if self._inner is not None:
            self._inner.connection_lost(error)

    # ── the clock ───────────────────────────────────────────────────────────────────────────────

    def _begin_head(self) -> None:
        self._head_since_s = self._loop.time()
        self._is_overdue = False
        if not self._has_spoken:
            self._has_spoken = True
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if self._timer is None:  # one that runs for an earlier head looks at this one, too
            self._timer = self._loop.call_later(_HEAD_S, self._look)

    def _look(self) -> None:
        self._timer = None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not self._has_spoken:
            self.drop("silent")
            return
        since_s = self._head_since_s
        if since_s is None:
            return
        left_s = since_s + _HEAD_S - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        elif transport.get_write_buffer_size():
            # The answer to the request before is on its way: who waits for it may ask for more meanwhile.
            self._timer = self._loop.call_later(_HEAD_S, self._look)
        elif not self._is_overdue:
            self._is_overdue = True
            self._timer = self._loop.call_later(_SECOND_LOOK_S, self._look)
        else:
            self.drop("slow_head")
