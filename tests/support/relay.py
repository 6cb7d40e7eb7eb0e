"""The relay behind `link.Link`: one direction's conditions applied to datagrams and byte streams.

It runs as a process of its own (`python -m tests.support.relay`), driven by JSON lines on standard input.
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import random
import resource
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

Address = tuple[str, int]
BURST = 64
IDLE_FLOWS = 512
TCP_CHUNK = 16384
TCP_RETRANSMISSION_MS = 200.0  # what a lost segment costs a byte stream


@dataclass(frozen=True)
class Conditions:
    """One direction of a link.

    `p_bad` and `p_good` (Gilbert-Elliott) are the chances per packet to enter and to leave the bad state, in which
    `loss_bad` holds instead of `loss`.
    """

    loss: float = 0.0
    p_bad: float = 0.0
    p_good: float = 1.0
    loss_bad: float = 1.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    reorder: bool = False
    rate_bps: float = 0.0
    queue_ms: float = 300.0
    outage: bool = False


@dataclass
class Counts:
    """What happened in one direction."""

    packets: int = 0
    bytes: int = 0
    lost: int = 0
    queue_drops: int = 0
    outage_drops: int = 0


@dataclass
class Direction:
    """Applies conditions: says when something arrives, or that it never does."""

    random: random.Random
    conditions: Conditions = field(default_factory=Conditions)
    counts: Counts = field(default_factory=Counts)
    _bad: bool = False
    _free_s: float = 0.0  # when the bottleneck has sent all that waits
    _last_s: float = 0.0

    def lost(self) -> bool:
        """Throw the dice for one packet."""
        conditions = self.conditions
        if conditions.p_bad:
            chance = conditions.p_good if self._bad else conditions.p_bad
            if self.random.random() < chance:
                self._bad = not self._bad
        chance = conditions.loss_bad if self._bad and conditions.p_bad else conditions.loss
        return chance > 0 and self.random.random() < chance

    def arrival_s(self, size: int, now_s: float, *, stream: bool = False) -> float | None:
        """When `size` bytes sent now arrive; None when they are lost. A byte stream waits instead."""
        conditions = self.conditions
        self.counts.packets += 1
        self.counts.bytes += size
        extra_ms = 0.0
        if not stream and conditions.outage:
            self.counts.outage_drops += 1
            return None
        if self.lost():
            self.counts.lost += 1
            if not stream:
                return None
            extra_ms = TCP_RETRANSMISSION_MS
        start_s = now_s
        if conditions.rate_bps:
            start_s = max(now_s, self._free_s)
            if not stream and (start_s - now_s) * 1000 > conditions.queue_ms:
                self.counts.queue_drops += 1
                return None
            start_s = self._free_s = start_s + size * 8 / conditions.rate_bps
        jitter_ms = self.random.uniform(-1, 1) * conditions.jitter_ms if conditions.jitter_ms else 0.0
        due_s = start_s + max(0.0, conditions.delay_ms + jitter_ms + extra_ms) / 1000
        if stream or not conditions.reorder:
            due_s = max(due_s, self._last_s)
        self._last_s = max(self._last_s, due_s)
        return due_s


class Schedule:
    """Things to do at their time, one timer for all."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Callable[[bytes], None], bytes]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def at(self, due_s: float, action: Callable[[bytes], None], data: bytes) -> None:
        """Call `action(data)` at `due_s` of the loop's clock."""
        heapq.heappush(self._heap, (due_s, next(self._order), action, data))
        if self._timer is None or due_s < self._timer.when():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._run) if self._heap else None

    def _run(self) -> None:
        self._timer = None
        # The loop's timers are a millisecond coarse: what is due within half of one goes now.
        limit = self._loop.time() + 0.0005
        while self._heap and self._heap[0][0] <= limit:
            _, _, action, data = heapq.heappop(self._heap)
            action(data)
        self._arm()


class Flow:
    """One client address: a socket of its own towards the server, as a NAT has."""

    def __init__(self, relay: "Relay", client: Address) -> None:
        self._relay, self._client = relay, client
        self._loop = asyncio.get_running_loop()
        self.socket = self._open()

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            made.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        made.bind((self._relay.listen[0], 0))
        made.connect(self._relay.target)
        self._loop.add_reader(made.fileno(), self._readable, made)
        return made

    def rebind(self) -> None:
        """Another source port towards the server; what the server sends to the old one is lost."""
        self.close()
        self.socket = self._open()

    def close(self) -> None:
        """Forget the flow."""
        self._loop.remove_reader(self.socket.fileno())
        self.socket.close()

    def to_server(self, data: bytes) -> None:
        """Deliver."""
        with contextlib.suppress(OSError):
            self.socket.send(data)

    def to_client(self, data: bytes) -> None:
        """Deliver."""
        with contextlib.suppress(OSError):
            self._relay.socket.sendto(data, self._client)

    def _readable(self, source: socket.socket) -> None:
        now_s = self._loop.time()
        for _ in range(BURST):
            try:
                data = source.recv(65535)
            except BlockingIOError:
                return
            except OSError:
                continue
            due_s = self._relay.down.arrival_s(len(data), now_s)
            if due_s is not None:
                self._relay.schedule.at(due_s, self.to_client, data)


class Relay:
    """UDP and TCP on `listen`, passed to `target` with the conditions of `up` (to the server) and `down`."""

    def __init__(self, listen: Address, target: Address, seed: int) -> None:
        self.listen, self.target = listen, target
        self.up, self.down = Direction(random.Random(seed)), Direction(random.Random(seed + 1))
        self.schedule = Schedule()
        self._loop = asyncio.get_running_loop()
        self._flows: dict[Address, Flow] = {}
        self._passing = asyncio.Event()  # cleared during an outage: byte streams wait
        self._passing.set()
        self._tcp: list[asyncio.Server] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self.socket.bind(listen)
        self._loop.add_reader(self.socket.fileno(), self._readable)

    async def listen_tcp(self, port: int, target: Address) -> None:
        """Relay a TCP port too."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                far_reader, far_writer = await asyncio.open_connection(*target)
            except OSError:
                writer.transport.abort()
                return
            await asyncio.gather(
                self._pump(reader, far_writer, self.up), self._pump(far_reader, writer, self.down)
            )

        self._tcp.append(await asyncio.start_server(accept, self.listen[0], port))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while data := await reader.read(TCP_CHUNK):
                await self._passing.wait()
                due_s = direction.arrival_s(len(data), self._loop.time(), stream=True)
                assert due_s is not None
                self.schedule.at(due_s, writer.write, data)
                # Enough back pressure to hold a fast sender to the rate: half a second may be under way.
                ahead_s = due_s - self._loop.time() - direction.conditions.delay_ms / 1000
                if ahead_s > 0.5:
                    await asyncio.sleep(ahead_s - 0.5)
        self.schedule.at(
            self._loop.time() + direction.conditions.delay_ms / 1000, lambda _: writer.close(), b""
        )

    def _readable(self) -> None:
        now_s = self._loop.time()
        for _ in range(BURST):
            try:
                data, client = self.socket.recvfrom(65535)
            except BlockingIOError:
                return
            except OSError:
                continue
            flow = self._flows.get(client)
            if flow is None:
                if len(self._flows) >= IDLE_FLOWS:
                    self._flows.pop(next(iter(self._flows))).close()
                flow = self._flows[client] = Flow(self, client)
            due_s = self.up.arrival_s(len(data), now_s)
            if due_s is not None:
                self.schedule.at(due_s, flow.to_server, data)

    def command(self, order: dict[str, Any]) -> dict[str, Any]:
        """Set conditions, rebind, or tell the counts."""
        if "set" in order:
            for name, conditions in order["set"].items():
                direction = self.up if name == "up" else self.down
                direction.conditions = Conditions(**conditions)
            stalled = self.up.conditions.outage or self.down.conditions.outage
            self._passing.clear() if stalled else self._passing.set()
        if order.get("rebind"):
            for flow in self._flows.values():
                flow.rebind()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "up": asdict(self.up.counts),
            "down": asdict(self.down.counts),
            "flows": len(self._flows),
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "at_s": time.monotonic(),
        }


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    setup = json.loads(await reader.readline())
    relay = Relay(tuple(setup["listen"]), tuple(setup["target"]), setup["seed"])
    for port, target in setup["tcp"]:
        await relay.listen_tcp(port, tuple(target))
    answer = relay.command(setup)
    while True:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        line = await reader.readline()
        if not line:  # our owner is gone
            return
        answer = relay.command(json.loads(line))


if __name__ == "__main__":
    asyncio.run(_serve())
