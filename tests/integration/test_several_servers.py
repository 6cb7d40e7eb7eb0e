"""Servers that share a database and a Redis; and a Redis that goes away under a live room."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.storage.ephemeral.claims import RedisPresence
from conference.storage.ephemeral.redis import RedisLink
from tests.support import process
from tests.support.eventually import eventually
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.several_servers import PASSING_ON, several_servers
from tests.unit.signaling.harness import Client, signalling


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


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


async def whip(server: Server, cid: str, token: str, offer: bytes) -> tuple[int, str]:
    """Status and code of what is no offer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{server.url}/whip/{cid}", data=offer) as response,
    ):
        return response.status, (await response.json(content_type=None))["code"]


async def get(
    server: Server, path: str, token: str = "", *, post: bool = False, passed_on: bool = False
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if passed_on:
        headers["X-Yuanshang-Node"] = "other"
    async with aiohttp.ClientSession(headers=headers) as session:
        method = session.post if post else session.get
        async with method(server.url + path) as response:
            return response.status, await response.json(content_type=None)


async def test_a_room_is_on_one_server_and_moves_when_that_is_gone(
    tmp_path: Path, redis: RedisServer
) -> None:
    with postgres_server() as database_url:
        async with several_servers(tmp_path, redis.url, database_url) as (a, b):
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


async def test_who_comes_to_any_server_is_in_the_room(tmp_path: Path, redis: RedisServer) -> None:
    """With --node-url: sockets, requests and encoders are led to the server that has the room; when that is killed,
    whoever asks next has the room within ten seconds, and the others are led there."""
    with postgres_server() as database_url:
        async with several_servers(tmp_path, redis.url, database_url, "abc", PASSING_ON) as (a, b, c):
            cid = await asyncio.to_thread(a.create_consultation)
            path = f"/api/v1/consultations/{cid}"
            tickets = {role: a.token(cid, role, role) for role in ("chair", "member", "expert")}
            chair = await attempt(a, tickets["chair"])
            member, expert = await attempt(b, tickets["member"]), await attempt(c, tickets["expert"])
            polling = Client(c.url)
            await polling.connect({"token": a.token(cid, "observer", "旁听")}, ["polling", "websocket"])
            await eventually(lambda: polling.events)
            assert all(each.has_snapshot() for each in (chair, member, expert, polling))
            await member.ask("floor.request")
            await eventually(lambda: chair.state.participants[member.me]["hand"])
            await chair.ask("floor.grant", {"participant_id": member.me, "duration_ms": 600_000})
            await eventually(lambda: expert.of("floor.updated"))
            before = await expert.ask("room.sync")
            assert before["floor"]["holder"]["participant_id"] == member.me

            async def knows(server: Server) -> int:
                status, found = await get(server, f"{path}/participants", tickets["chair"])
                return len(found["items"]) if status == 200 else status

            for server in (b, c):  # every two seconds they hear who has what
                await eventually(lambda: knows(server), lambda said: said == 4)  # noqa: B023 awaited at once
            assert (await get(b, f"{path}/start", tickets["chair"], post=True))[0] == 200
            await eventually(lambda: member.of("consultation.updated"))
            assert b.metrics().value("yuanshang_rooms") == 0, "nothing is opened a second time"

            answer = await whip(c, cid, a.token(cid, "venue_operator", "编码器"), b"v=0")
            assert answer == (400, "sdp_invalid"), "the server that has the room read it"
            status, found = await get(b, f"{path}/participants", tickets["chair"], passed_on=True)
            assert (status, found["code"]) == (421, "other_node"), "nothing is passed on twice"

            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(a.kill)
            await eventually(lambda: not member.connected and not expert.connected)
            resumed = await eventually(
                lambda: enters(b, tickets["member"], resume=member.resume), timeout_s=20, every_s=0.2
            )
            took_s = asyncio.get_running_loop().time() - began
            assert resumed is not None
            assert took_s < 10
            other = await attempt(c, tickets["expert"], resume=expert.resume)
            assert other.has_snapshot()
            assert (resumed.me, other.me) == (member.me, expert.me)
            now = await other.ask("room.sync")
            assert now["floor"]["holder"]["participant_id"] == member.me
            for client in (chair, member, expert, polling, resumed, other):
                await client.close()


async def test_who_was_led_to_a_room_stays_in_it_while_redis_is_gone(
    tmp_path: Path, redis: RedisServer
) -> None:
    """And who comes meanwhile is led there, too; a Redis that comes back empty moves nothing."""
    with postgres_server() as database_url:
        async with several_servers(tmp_path, redis.url, database_url, "ab", PASSING_ON) as (a, b):
            cid = await asyncio.to_thread(a.create_consultation)
            chair = await attempt(a, a.token(cid, "chair", "甲"))
            member = await attempt(b, a.token(cid, "member", "乙"))

            async def redis_is(server: Server) -> str:
                return str((await get(server, "/readyz"))[1]["checks"]["redis"])

            async def is_here(server: Server) -> bool:
                later = await attempt(server, a.token(cid, "expert", "丙"))
                assert later.has_snapshot()
                known = len((await later.ask("room.sync"))["participants"])
                await later.ask("room.leave")
                await later.close()
                return known == 3

            assert await is_here(b)
            redis.kill()
            for server in (a, b):
                await eventually(lambda: redis_is(server), lambda state: state == "gone")  # noqa: B023 awaited at once
            await member.ask("floor.request")
            await eventually(lambda: chair.state.participants[member.me]["hand"])
            assert await is_here(b)
            await asyncio.to_thread(redis.start)
            for server in (a, b):
                await eventually(lambda: redis_is(server), lambda state: state == "ok")  # noqa: B023 awaited at once
            assert await eventually(lambda: is_here(b))
            assert (await member.ask("room.sync"))["version"] >= chair.state.version
            assert b.metrics().value("yuanshang_rooms") == 0
            for client in (chair, member):
                assert client.connected
                await client.close()


async def test_a_server_that_is_drained_ends_with_its_rooms(tmp_path: Path, redis: RedisServer) -> None:
    with postgres_server() as database_url:
        async with several_servers(tmp_path, redis.url, database_url, "ab", PASSING_ON) as (a, b):
            here, there = a.create_consultation("甲"), a.create_consultation("乙")
            first = await attempt(a, a.token(here, "chair", "甲"))
            os.kill(a.pid, signal.SIGUSR1)

            async def readiness() -> Any:
                return await get(a, "/readyz")

            await eventually(readiness, lambda said: (said[0], said[1]["status"]) == (503, "draining"))
            second = await eventually(lambda: enters(a, a.token(there, "chair", "乙")))
            assert second is not None, "it is led to the other server"
            again = await attempt(a, a.token(here, "member", "丙"))
            assert again.has_snapshot(), "who has a room here may still come"
            assert b.metrics().value("yuanshang_rooms") == 1
            assert a.metrics().value("yuanshang_rooms") == 1
            for client in (first, again):
                await client.ask("room.leave")
                await client.close()
            await eventually(lambda: not process.alive(a.pid), timeout_s=15)
            await second.close()


async def test_a_server_alone_that_is_drained_opens_nothing(tmp_path: Path) -> None:
    server = Server(data_dir=tmp_path / "data")
    async with server:
        here, there = server.create_consultation("甲"), server.create_consultation("乙")
        client = await attempt(server, server.token(here, "chair", "甲"))
        os.kill(server.pid, signal.SIGUSR1)
        await eventually(lambda: get(server, "/readyz"), lambda said: said[0] == 503)
        refused = await attempt(server, server.token(there, "chair", "乙"))
        assert [body["code"] for body in refused.of("session.refused")] == ["node_draining"]
        await client.ask("room.leave")
        for each in (client, refused):
            await each.close()
        await eventually(lambda: not process.alive(server.pid), timeout_s=15)


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
