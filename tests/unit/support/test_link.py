"""The link emulator does what it says, to a few milliseconds and a few per cent."""

import asyncio
import random
import socket
import statistics
import time
from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.link import Conditions, Link
from tests.support.ports import free_port
from tests.support.relay import Direction


@pytest.fixture
def echo() -> Iterator[socket.socket]:
    """A server socket; the tests read and answer it themselves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", free_port()))
        server.setblocking(False)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        yield server


async def _run(link: Link, server: socket.socket, packets: int, per_s: int) -> list[float]:
    """Send `packets` at a steady rate, answer each at once; round trip times in ms of what came back."""
    loop = asyncio.get_running_loop()
    round_trips: list[float] = []
    done = asyncio.Event()

    def answer() -> None:
        while True:
            try:
                data, address = server.recvfrom(2048)
            except BlockingIOError:
                return
            server.sendto(data, address)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.connect(link.address)

        def receive() -> None:
            while True:
                try:
                    data = client.recv(2048)
                except BlockingIOError:
                    return
                round_trips.append(time.monotonic() * 1000 - int.from_bytes(data[:8], "big") / 1000)

        loop.add_reader(server.fileno(), answer)
        loop.add_reader(client.fileno(), receive)
        begin, sent = loop.time(), 0

        def send() -> None:
            nonlocal sent
            while sent < packets and sent / per_s <= loop.time() - begin:
                client.send(int(time.monotonic() * 1e6).to_bytes(8, "big") + bytes(192))
                sent += 1
            if sent < packets:
                loop.call_at(begin + sent / per_s, send)
            else:
                done.set()

        send()
        await done.wait()
        await asyncio.sleep(0.3)  # the last answers are under way
        loop.remove_reader(server.fileno())
        loop.remove_reader(client.fileno())
    return round_trips


async def test_loss_and_delay_at_1000_packets_a_second(echo: socket.socket) -> None:
    conditions = Conditions(loss=0.05, delay_ms=50)
    with Link(echo.getsockname(), up=conditions, down=conditions, seed=11) as link:
        before = link.report()
        round_trips = await _run(link, echo, 2000, 1000)
        after = link.report()
    cores = after.cores_since(before)
    assert abs(1 - len(round_trips) / 2000 - (1 - 0.95**2)) < 0.025
    # A machine that is busy with other tests delays single packets: the lower tenth shows the link's own error.
    assert 100 <= statistics.quantiles(round_trips, n=10)[0] < 106, "3 ms each way"
    assert statistics.median(round_trips) < 120
    assert after.up.lost / after.up.packets == pytest.approx(0.05, abs=0.015)
    assert cores < 0.5, f"costs {cores:.2f} cores"


async def test_rate_and_queue(echo: socket.socket) -> None:
    # 200 bytes x 500/s = 800 kbit/s into 400: half is dropped, the queue adds its 100 ms.
    with Link(echo.getsockname(), up=Conditions(rate_bps=400_000, queue_ms=100)) as link:
        round_trips = await _run(link, echo, 500, 500)
        report = link.report()
    assert report.up.queue_drops == pytest.approx(250, abs=45)
    assert 80 < statistics.median(round_trips) < 130


async def test_outage_ends(echo: socket.socket) -> None:
    with Link(echo.getsockname()) as link:
        link.outage()
        assert await _run(link, echo, 20, 500) == []
        assert link.report().up.outage_drops == 20
        link.outage(False)
        assert len(await _run(link, echo, 20, 500)) == 20


async def test_rebinding_changes_the_source_port(echo: socket.socket) -> None:
    with Link(echo.getsockname()) as link, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(link.address)
        seen: list[tuple[str, int]] = []

        def arrived() -> bool:
            client.send(b"hello")
            try:
                seen.append(echo.recvfrom(100)[1])
            except BlockingIOError:
                return False
            return True

        await eventually(arrived)
        link.rebind()
        await eventually(lambda: arrived() and seen[-1] != seen[0])
        assert seen[-1][0] == seen[0][0] == link.host


async def test_tcp_passes_with_delay_and_survives_an_outage() -> None:
    async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line.upper())
        writer.close()

    port = free_port()
    server = await asyncio.start_server(upper, "127.0.0.1", port)
    with Link(("127.0.0.1", port), up=Conditions(delay_ms=30), down=Conditions(delay_ms=30)) as link:
        reader, writer = await asyncio.open_connection(*link.address)
        begin = time.monotonic()
        writer.write(b"one\n")
        assert await reader.readline() == b"ONE\n"
        assert time.monotonic() - begin > 0.055
        link.outage()
        writer.write(b"two\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readline(), 0.2)
        link.outage(False)
        assert await asyncio.wait_for(reader.readline(), 15) == b"TWO\n"
        writer.close()
    server.close()


def test_bursts_follow_gilbert_elliott() -> None:
    direction = Direction(random.Random(5), Conditions(p_bad=0.01, p_good=0.25))
    losses = [direction.arrival_s(100, number * 0.001) is None for number in range(50_000)]
    rate = sum(losses) / len(losses)
    assert rate == pytest.approx(0.01 / 0.26, abs=0.008)
    bursts = sum(1 for before, after in zip([False, *losses], losses, strict=False) if after and not before)
    assert sum(losses) / bursts == pytest.approx(4, abs=0.5), "mean burst length is 1 / p_good"


def test_order_is_kept_unless_asked() -> None:
    for reorder in (False, True):
        direction = Direction(random.Random(5), Conditions(delay_ms=50, jitter_ms=40, reorder=reorder))
        arrivals = [direction.arrival_s(100, number * 0.001) or 0.0 for number in range(500)]
        assert (arrivals == sorted(arrivals)) is not reorder
