"""Several media processes on one node: each room in one of them, and the others go on when one of them dies."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from conference.media.pool import MediaPool
from conference.media.settings import MediaSettings
from conference.model.media import MediaEvent, MediaRestarted
from conference.services.ports import MediaError
from signaling.lan import server_context
from signaling.tls.port import TlsPort
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, Peer, RoomClient, VideoSource
from tests.support.media_meeting import Meeting
from tests.support.server import Server


@pytest.fixture
async def pool() -> AsyncIterator[MediaPool]:
    made = MediaPool(MediaSettings("127.0.0.1", 0), processes=2)
    await made.start()
    yield made
    await made.close()


@asynccontextmanager
async def meetings(pool: MediaPool, *rooms: str) -> AsyncIterator[list[Meeting]]:
    made = [Meeting(pool, room) for room in rooms]

    def take(event: MediaEvent) -> None:
        for each in made:
            each.take(event)

    pool.listen(take)
    yield made
    for each in made:
        await each.close()


async def meet(meeting: Meeting, tcp_port: int | None = None) -> None:
    await meeting.publish("member", tcp_port=tcp_port)
    await meeting.receive("chair")
    await flow(meeting)


async def flow(meeting: Meeting) -> None:
    await meeting.flows("chair", "member", "camera", packets=30)


def transports(statistics: dict[str, float]) -> list[float]:
    return [statistics[f'yuanshang_media_transports{{media="{number}"}}'] for number in range(2)]


async def test_rooms_are_spread_and_media_flows_in_each(pool: MediaPool) -> None:
    async with meetings(pool, "one", "two") as (one, two):
        for each in (one, two):
            await meet(each)
        assert len({pool.epoch("one"), pool.epoch("two")}) == 2
        assert transports(dict(await pool.statistics())) == [2, 2]
        assert {each.participant_id for each in await pool.room_report("two")} == {"chair", "member"}
        for name in ("member", "chair"):
            await pool.leave("one", name)
        await flow(two)
        async with meetings(pool, "three") as (three,):
            await three.publish("member")
            assert transports(dict(await pool.statistics())) == [1, 2], "where the first one was"


async def test_one_that_dies_takes_only_its_own_rooms_along(pool: MediaPool) -> None:
    async with meetings(pool, "one", "two") as (one, two):
        for each in (one, two):
            await meet(each)
        epochs = [pool.epoch("one"), pool.epoch("two")]
        before = two.stream("chair", "member", "camera")
        assert pool.clients[0].pid is not None
        os.kill(pool.clients[0].pid, signal.SIGKILL)
        (restarted,) = await eventually(lambda: [e for e in one.events if isinstance(e, MediaRestarted)])
        assert restarted.room_ids == {"one"}
        assert pool.epoch("one") == restarted.epoch != epochs[0]
        assert pool.epoch("two") == epochs[1]
        stream = await two.flows("chair", "member", "camera", packets=30)
        assert stream is before
        assert stream.gaps == 0
        await meet(one)


async def test_while_one_is_away_rooms_open_at_another(pool: MediaPool) -> None:
    assert pool.clients[0].pid is not None
    os.kill(pool.clients[0].pid, signal.SIGSTOP)
    os.kill(pool.clients[0].pid, signal.SIGKILL)
    await eventually(lambda: not pool.clients[0].is_ready, every_s=0.005)
    assert pool.epoch("room") == pool.clients[1].epoch("room") != ""


async def test_media_over_the_port_of_https_finds_its_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.getsockname()[1]
        pool = MediaPool(MediaSettings("127.0.0.1", 0, shared_tcp_port=number), processes=2)
        port = TlsPort(listener, server_context, http=asyncio.Protocol, hand_over=pool.hand_over)
        await pool.start()
        port.open()
        try:
            async with meetings(pool, "one", "two") as both:
                for each in both:
                    await meet(each, tcp_port=number)
            assert port.sorted == {"media": 2}
        finally:
            await port.close()
            await pool.close()


async def test_the_network_test_goes_to_each_in_its_turn(pool: MediaPool) -> None:
    answers = [await pool.try_out(Peer().offer([AudioSource().offered])) for _ in range(4)]
    assert sorted(text.split("a=ice-ufrag:")[1][0] for text in answers) == ["0", "0", "1", "1"]


async def test_the_next_port_must_be_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        pool = MediaPool(MediaSettings("127.0.0.1", taken.getsockname()[1] - 1), processes=2)
        try:
            with pytest.raises(MediaError) as refusal:
                await pool.start()
        finally:
            await pool.close()
    assert refusal.value.code == "port_in_use"


async def test_two_consultations_of_one_server_when_one_media_process_dies(tmp_path: Path) -> None:
    server = Server(data_dir=tmp_path / "data", arguments=["--media-processes", "2"])
    await asyncio.to_thread(server.start)
    try:
        async with AsyncExitStack() as stack:
            rooms: list[tuple[RoomClient, RoomClient]] = []
            for title in ("一", "二"):
                cid = await asyncio.to_thread(server.create_consultation, title)
                made = [RoomClient(server.url, server.token(cid, role, role)) for role in ("chair", "member")]
                chair, member = [await stack.enter_async_context(client) for client in made]
                await member.publish([AudioSource(), VideoSource()])
                rooms.append((chair, member))
            for chair, member in rooms:
                await chair.receives(member.participant_id, packets=50)

            def transports_of_each() -> list[float]:
                figures = server.metrics()
                return [figures.value("yuanshang_media_transports", media=str(number)) for number in range(2)]

            await eventually(
                lambda: asyncio.to_thread(transports_of_each),
                lambda found: found == [3, 3],
                what="three of each",
            )
            os.kill(server.media_pids()[0], signal.SIGKILL)

            def told() -> list[bool]:
                return [all("media.restart" in dict(each.events) for each in room) for room in rooms]

            hit = await eventually(told, any)
            assert sorted(hit) == [False, True]
            chair, member = rooms[hit.index(False)]
            await chair.receives(member.participant_id, packets=50)
            assert told() == hit
    finally:
        await asyncio.to_thread(server.stop)
