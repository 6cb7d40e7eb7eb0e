"""Three servers behind nginx, as an installation has them: whoever comes to the one address is in the room, whichever
server dies; and a Redis that is away for half a minute disturbs nobody."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.archive.verifier import verify_archive
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.nginx import Nginx
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.several_servers import PASSING_ON, several_servers

pytestmark = pytest.mark.timeout(300)

ROLES = ("chair", "member", "expert", "department", "citizen", "observer")
AWAY_S = 30.0


@dataclass
class Public:
    """People who write a comment every quarter of a second, each one; keeps what was taken."""

    url: str
    cid: str
    taken: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    async def write(self) -> None:
        path = f"{self.url}/api/v1/public/consultations/{self.cid}/comments"
        number = 0
        while True:
            number += 1
            body = {"nickname": "村民", "text": f"第{number}条意见，请答复", "program_time_ms": 0}
            patience = aiohttp.ClientTimeout(5)
            try:
                async with (
                    aiohttp.ClientSession(timeout=patience) as http,
                    http.post(path, json=body) as response,
                ):
                    said = await response.json(content_type=None)
                    if response.status == 202:
                        self.taken.append(said["id"])
                    else:
                        self.refused.append(response.status)
            except (aiohttp.ClientError, TimeoutError):
                self.refused.append(0)
            await asyncio.sleep(0.25)


@dataclass
class Office:
    """Staff at the one address."""

    url: str
    path: str
    token: str

    async def ask(self, method: str, path: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.request(method, self.url + self.path + path) as response,
        ):
            if "json" in response.content_type:
                return response.status, await response.json(content_type=None)
            return response.status, await response.read()

    async def comments(self) -> set[str]:
        """The ids of all that were written."""
        found: set[str] = set()
        after = ""
        while True:
            _, page = await self.ask("GET", f"/comments?limit=100{after}")
            found |= {each["id"] for each in page["items"]}
            if not page["next"]:
                return found
            after = f"&after={page['next']}"


async def enters(url: str, token: str, before: RoomClient | None = None) -> RoomClient | None:
    """A client in the room, or None where nobody took it in."""
    resume: dict[str, Any] = {} if before is None else {"resume": before.resume}
    client = RoomClient(url, token, **resume)
    try:
        await client.connect(timeout_s=3)
    except Exception:  # noqa: BLE001 the servers behind it come and go
        await client.close()
        return None
    return client


def holder_of(servers: list[Server]) -> Server:
    (holder,) = [each for each in servers if each.metrics().value("yuanshang_rooms") == 1]
    return holder


async def test_the_room_outlives_its_server_and_redis(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        database_url = stack.enter_context(postgres_server())
        servers = await stack.enter_async_context(
            several_servers(tmp_path, redis.url, database_url, "abc", PASSING_ON)
        )
        nginx = stack.enter_context(Nginx([each.port for each in servers]))
        url = f"http://127.0.0.1:{nginx.port}"
        cid = await asyncio.to_thread(servers[0].create_consultation, "农村饮水安全")
        tickets = {role: servers[0].token(cid, role, role) for role in ROLES}
        secretary = servers[0].token(cid, "secretariat", "秘书处")
        office = Office(url, f"/api/v1/consultations/{cid}", secretary)

        people: dict[str, RoomClient] = {}
        for role in ROLES:
            client = await enters(url, tickets[role])
            assert client is not None, role
            people[role] = client
        member = people["member"]
        assert len((await member.request("room.sync"))["participants"]) == len(ROLES)
        holder = holder_of(servers)
        assert (await office.ask("POST", "/start"))[0] == 200
        await member.publish([AudioSource(), VideoSource()])
        await people["expert"].receives(member.participant_id, packets=30)
        await people["chair"].request("floor.mode", {"mode": "chair"})
        grant = {"participant_id": member.participant_id, "duration_ms": 600_000}
        await people["chair"].request("floor.grant", grant)

        public = Public(url, cid)
        writing = asyncio.create_task(public.write())
        stack.callback(writing.cancel)
        await eventually(lambda: len(public.taken) >= 4)

        # ── the server with the room dies ──
        began_s = time.monotonic()
        await asyncio.to_thread(holder.kill)
        left = [each for each in servers if each is not holder]
        again: dict[str, RoomClient] = {}
        for role in ROLES:
            found = await eventually(
                lambda role=role: enters(url, tickets[role], people[role]),  # type: ignore[misc]
                timeout_s=30,
                every_s=0.2,
                what=role,
            )
            assert found is not None
            again[role] = found
        took_s = time.monotonic() - began_s
        assert took_s < 10, "all of them are back"
        stack.push_async_callback(close_all, [*people.values(), *again.values()])
        assert {role: each.participant_id for role, each in again.items()} == {
            role: each.participant_id for role, each in people.items()
        }
        member, expert = again["member"], again["expert"]
        floor = (await expert.request("room.sync"))["floor"]
        assert (floor["mode"], floor["holder"]["participant_id"]) == ("chair", member.participant_id)
        await member.publish([AudioSource(), VideoSource()])
        await expert.receives(member.participant_id, packets=30)
        successor = holder_of(left)

        # ── Redis is away for half a minute ──
        redis.kill()
        until_s = time.monotonic() + AWAY_S
        said = 0
        while time.monotonic() < until_s:
            text = f"没有缓存也说第{said}句"
            await expert.request("statement.add", {"text": text, "key": f"without-redis-{said:04}"})
            said += 1
            await expert.receives(member.participant_id, packets=30)
            await asyncio.sleep(1.0)
        newcomer = await enters(url, servers[0].token(cid, "member", "后来的委员"))
        assert newcomer is not None
        await asyncio.to_thread(redis.start)
        stream = await expert.receives(member.participant_id, packets=30)
        assert stream.gaps == 0, "media never noticed"
        assert holder_of(left) is successor
        await newcomer.close()

        # ── and the one that died comes back ──
        await asyncio.to_thread(holder.restart)
        late = await eventually(lambda: enters(holder.url, servers[0].token(cid, "expert", "又一位")))
        assert late is not None
        now = await late.request("room.sync")
        await late.close()
        assert holder_of(servers) is successor
        assert sum(each["text"].startswith("没有缓存") for each in now["statements"]) == said

        writing.cancel()
        assert len(public.taken) > 100
        assert set(public.taken) <= await office.comments(), "what was taken is there"
        assert (await office.ask("POST", "/end"))[0] == 200
        status, package = await office.ask("GET", "/archive")
        assert status == 200
        path = tmp_path / "archive.zip"
        path.write_bytes(package)
        report = verify_archive(path)
        assert not report.findings
        print(f"all {len(ROLES)} back {took_s:.1f} s after the kill; refused meanwhile: {public.refused}")


async def close_all(clients: list[RoomClient]) -> None:
    for client in clients:
        await client.close()
