"""Servers that share a database and a Redis; and a Redis that goes away under a live room."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.storage.ephemeral.claims import RedisPresence
from conference.storage.ephemeral.redis import RedisLink
from tests.support.eventually import eventually
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.unit.signaling.harness import Client, signalling


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@asynccontextmanager
async def nodes(directory: Path, redis_url: str, database_url: str) -> AsyncIterator[list[Server]]:
    """Two servers with one key, one database and one Redis. Those that run are stopped, and checked to stop."""
    arguments = ["--redis-url", redis_url, "--database-url", database_url]
    servers = [Server(data_dir=directory / name, arguments=arguments) for name in "ab"]
    try:
        await asyncio.to_thread(servers[0].start)
        servers[1].data_dir.mkdir()
        shutil.copy(servers[0].data_dir / "token.key", servers[1].data_dir)
        await asyncio.to_thread(servers[1].start)
        yield servers
    except BaseException as error:
        error.add_note("\n".join(server.logs[-2500:] for server in servers))
        raise
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)


async def attempt(server: Server, token: str, **auth: Any) -> Client:
    """A client that has its snapshot or was refused."""
    client = Client(server.url)
    await client.connect({"token": token, **auth})
    await eventually(lambda: client.events)
    return client


async def enters(server: Server, token: str, **auth: Any) -> Client | None:
    """A client in the room, or None when another server has it."""
    client = await attempt(server, token, **auth)
    if client.has_snapshot():
        return client
    assert [body["code"] for body in client.of("session.refused")] == ["other_node"]
    await client.close()
    return None


async def get(server: Server, path: str, token: str = "", *, post: bool = False) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as session:
        method = session.post if post else session.get
        async with method(server.url + path) as response:
            return response.status, await response.json(content_type=None)


async def test_a_room_is_on_one_server_and_moves_when_that_is_gone(
    tmp_path: Path, redis: RedisServer
) -> None:
    with postgres_server() as database_url:
        async with nodes(tmp_path, redis.url, database_url) as (a, b):
            cid = await asyncio.to_thread(a.create_consultation)
            path = f"/api/v1/consultations/{cid}"
            tickets = {role: a.token(cid, role, role) for role in ("chair", "member")}
            chair, member = await attempt(a, tickets["chair"]), await attempt(a, tickets["member"])
            assert (await get(a, f"{path}/start", tickets["chair"], post=True))[0] == 200
            await chair.ask("floor.grant", {"participant_id": member.me, "duration_ms": 600_000})
            await chair.ask("participant.mute", {"participant_id": chair.me, "muted": True})

            assert await enters(b, tickets["member"]) is None
            status, problem = await get(b, f"{path}/participants", tickets["chair"])
            assert (status, problem["code"]) == (421, "other_node")
            status, problem = await get(b, f"{path}/end", tickets["chair"], post=True)
            assert (status, problem["code"]) == (421, "other_node")

            async def counted() -> int:
                _, session = await get(b, "/api/v1/session", tickets["chair"])
                return int(session["participants"])

            await eventually(counted, lambda count: count == 2)
            assert b.metrics().value("yuanshang_rooms_elsewhere") == 1
            before = await chair.ask("room.sync")

            await asyncio.to_thread(a.kill)
            back = await eventually(
                lambda: enters(b, tickets["member"], resume=member.resume), timeout_s=30, every_s=0.3
            )
            assert back is not None
            assert back.me == member.me
            now = await back.ask("room.sync")
            assert [each["id"] for each in now["participants"]] == [chair.me, member.me]
            assert [each["connected"] for each in now["participants"]] == [False, True]
            assert now["floor"]["holder"]["participant_id"] == member.me
            assert now["program_time_ms"] >= before["program_time_ms"]
            status, attendance = await get(b, f"{path}/attendance", tickets["chair"])
            assert status == 200
            stays = {each["participant_id"]: len(each["sessions"]) for each in attendance["items"]}
            assert stays == {chair.me: 1, member.me: 2}

            await asyncio.to_thread(a.restart)
            assert await enters(a, tickets["chair"]) is None, "the room is on b now"
            again = await enters(b, tickets["chair"], resume=chair.resume)
            assert again is not None
            assert again.me == chair.me
            for client in (chair, member, back, again):
                await client.close()


async def test_a_room_goes_on_while_redis_is_silent(tmp_path: Path, redis: RedisServer) -> None:
    server = Server(data_dir=tmp_path / "data", arguments=["--redis-url", redis.url])
    async with server:
        cid = await asyncio.to_thread(server.create_consultation)
        chair = await attempt(server, server.token(cid, "chair", "甲"))
        member = await attempt(server, server.token(cid, "member", "乙"))

        async def redis_is() -> str:
            status, ready = await get(server, "/readyz")
            assert status == 200, "without Redis the server is ready all the same"
            return str(ready["checks"]["redis"])

        assert await redis_is() == "ok"
        redis.pause()
        try:
            await eventually(redis_is, lambda state: state == "gone")
            await member.ask("floor.request")
            await eventually(lambda: chair.state.participants[member.me]["hand"])
            third = await attempt(server, server.token(cid, "member", "丙"))
            assert third.has_snapshot()
            other = await asyncio.to_thread(server.create_consultation)
            elsewhere = await attempt(server, server.token(other, "chair", "丁"))
            assert elsewhere.has_snapshot()
            await elsewhere.ask("room.leave")
            assert await redis_is() == "gone"
        finally:
            redis.go_on()
        await eventually(redis_is, lambda state: state == "ok")
        await chair.ask("statement.add", {"text": "还在", "key": "k" * 8})
        await eventually(lambda: third.of("statement.added"))
        assert (await member.ask("room.sync"))["version"] == chair.state.version
        logs = server.logs
        assert logs.count("redis.lost") == 1
        assert logs.count("redis.back") == 1
        for client in (chair, member, third, elsewhere):
            await client.close()


async def test_a_room_that_another_server_got_is_given_up(tmp_path: Path, redis: RedisServer) -> None:
    async with signalling(tmp_path, redis_url=redis.url, node_name="a") as server:
        client, desk = await server.join(), await server.desk()
        link = RedisLink(redis.url)
        await link.run(lambda redis: redis.flushall())
        assert (await RedisPresence(link, "b").claim("c")).is_ours
        await link.close()
        await server.process.rooms.renew_claims()
        for each in (client, desk):
            await eventually(lambda: not each.connected)  # noqa: B023 awaited at once
            assert each.of("session.refused")[-1]["code"] == "other_node"
        assert server.process.rooms.find("c") is None
        assert ("leave", client.me) in server.media.calls
        again = await server.connect({"token": server.token()})
        await eventually(lambda: again.of("session.refused"))


# ── Socket.IO over Redis ────────────────────────────────────────────────────────────────────────


async def test_offers_are_answered_with_and_without_redis(tmp_path: Path, redis: RedisServer) -> None:
    async with signalling(tmp_path, redis_url=redis.url) as server:
        server.media.offers_on_subscribe = True
        first = await server.join()
        await eventually(lambda: len(server.media.answers) == 1)
        redis.kill()
        second = await server.join()
        await eventually(lambda: len(server.media.answers) == 2)
        assert {each[0] for each in server.media.answers} == {first.me, second.me}


async def test_words_reach_a_session_on_another_server_in_order(tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with (
        signalling(tmp_path / "a", redis_url=redis.url) as a,
        signalling(tmp_path / "b", redis_url=redis.url) as b,
    ):
        await a.join()  # the library listens from the first connection on
        client = await b.join()
        (session_id,) = (seat.session_id for seat in b.process.rooms.all()[0].seats.values())
        heard: list[Any] = []

        async def answered(answer: Any) -> None:
            heard.append(answer)

        async def ask(number: int) -> None:
            body = {"sdp": str(number)}
            await a.process.sockets._sio.emit(
                "media.offer", body, to=session_id, namespace="/room", callback=answered
            )

        async def reached() -> bool:
            await ask(-1)
            return bool(heard)

        await eventually(reached)
        client.events.clear()
        heard.clear()
        for number in range(50):
            await ask(number)
        await eventually(
            lambda: [body["sdp"] for body in client.of("media.offer")][-50:] == [*map(str, range(50))]
        )
        await eventually(lambda: {"sdp": "answer to 49"} in heard)

        redis.kill()
        begun = asyncio.get_running_loop().time()
        for number in range(2000):
            await ask(number)
        assert asyncio.get_running_loop().time() - begun < 5, "nobody waits for a Redis that is gone"
        redis.start()
        client.events.clear()
        await eventually(reached, lambda _: client.of("media.offer"), timeout_s=20)
