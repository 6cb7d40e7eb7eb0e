"""A server dies under browsers that came to other servers: they are in the room again by themselves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.browser.meeting import BRANCH, MEMBER, connected, enter
from tests.support.browser import LAPTOP, PHONE, BrowserFactory
from tests.support.light_client import RoomClient
from tests.support.media import participant_video, speech_wav
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.several_servers import PASSING_ON, several_servers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


async def test_browsers_find_the_room_again_when_its_server_is_killed(
    tmp_path: Path, browsers: BrowserFactory
) -> None:
    with RedisServer() as redis, postgres_server() as database_url:
        async with several_servers(tmp_path, redis.url, database_url, "abc", PASSING_ON) as (a, b, c):
            cid = await asyncio.to_thread(a.create_consultation, "推进县域养老服务高质量发展")
            secretary = a.token(cid, "secretariat", "秘书处")
            async with RoomClient(a.url, secretary, receive=False) as first:
                speech = await asyncio.to_thread(speech_wav)
                ids, clients = {}, {}
                for number, server, name, screen in (
                    (BRANCH, b, "刘委员", LAPTOP),
                    (MEMBER, c, "陈委员", PHONE),
                ):
                    video = await asyncio.to_thread(participant_video, number, (640, 360), 15, 4.0)
                    client = await browsers.launch(name=name, video=video, audio=speech, screen=screen)
                    await client.open(server.room_url(cid, a.token(cid, "member", name)))
                    clients[number], ids[number] = client, await enter(client)
                assert {*ids.values()} <= {*first.participants}, "the room is on the first server"
                await first.request("statement.add", {"text": "停机前说的话", "key": "before-the-end"})
                for number, other in ((BRANCH, MEMBER), (MEMBER, BRANCH)):
                    await clients[number].sees({ids[other]: other})
                await first.leave()
            assert b.metrics().value("yuanshang_rooms") == c.metrics().value("yuanshang_rooms") == 0

            await asyncio.to_thread(a.kill)
            for client in clients.values():
                await client.wait_until(
                    client.connection_state, lambda state: bool(state) and state.get("state") != "connected"
                )
            await asyncio.gather(*(connected(client, timeout_s=60) for client in clients.values()))
            for number, other in ((BRANCH, MEMBER), (MEMBER, BRANCH)):
                await clients[number].sees({ids[other]: other}, timeout_s=60)
                await clients[number].hears(ids[other])
                assert await clients[number].own_id() == ids[number], "the same participant"
            async with RoomClient(b.url, secretary, receive=False) as witness:
                assert {*ids.values()} <= {*witness.participants}
                assert "停机前说的话" in [each["text"] for each in witness.snapshot["statements"]]
            assert {b.metrics().value("yuanshang_rooms"), c.metrics().value("yuanshang_rooms")} == {0, 1}
