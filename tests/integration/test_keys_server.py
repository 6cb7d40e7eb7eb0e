"""Keys of real servers: rotated and retired by the command line while people are in, and shared by two servers."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from joserfc import jws

from signaling.data_dir import DataDirectory
from tests.support.eventually import eventually
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server
from tests.support.several_servers import several_servers
from tests.unit.signaling.harness import Client

Json = dict[str, Any]


async def rest(
    server: Server, method: str, path: str, token: str = "", body: Json | None = None
) -> tuple[int, Json]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{server.url}/api/v1{path}", headers=headers, json=body) as response,
    ):
        return response.status, {} if response.status == 204 else await response.json(content_type=None)


async def enter(server: Server, link: str) -> tuple[int, Json]:
    return await rest(server, "POST", f"/links/{link.rpartition('/')[2]}/enter")


async def seated(server: Server, token: str) -> Client:
    client = Client(server.url)
    await client.connect({"token": token})
    await eventually(client.has_snapshot)
    return client


async def keys(server: Server) -> list[Json]:
    found: list[Json] = json.loads(await asyncio.to_thread(server.run, "keys", "list", "--json"))["keys"]
    return found


def logged(server: Server, event: str) -> bool:
    return event in server.logs


def signed_by(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def lines(server: Server, chain: str = "staff") -> list[tuple[str, str]]:
    with closing(sqlite3.connect(DataDirectory(server.data_dir).database)) as connection:
        query = "SELECT action, actor_kind FROM audit_lines WHERE chain = ? ORDER BY number"
        return [tuple(each) for each in connection.execute(query, (chain,))]


async def test_a_rotation_disturbs_nobody_and_a_retired_key_opens_nothing() -> None:
    async with Server() as server:
        cid = server.create_consultation()
        staff = server.token(cid, "secretariat", "秘书")
        path = f"/consultations/{cid}"
        _, invitee = await rest(server, "POST", f"{path}/invitees", staff, {"name": "王伟"})
        _, given = await enter(server, invitee["link"])
        (first,) = await keys(server)
        member, clerk = await seated(server, given["token"]), await seated(server, staff)

        said = await asyncio.to_thread(server.run, "keys", "rotate")
        assert f"原密钥 {first['id']}" in said
        _, again = await enter(server, invitee["link"])  # the very next request, whatever was noticed by then
        await eventually(lambda: "keys.changed" in server.logs)
        _, later = await enter(server, invitee["link"])
        new, old = await keys(server)
        assert (new["state"], old["state"], old["id"]) == ("signs", "accepted", first["id"])
        assert signed_by(later["token"]) == new["id"] != signed_by(given["token"]) == old["id"]
        assert again["token"]
        assert (await rest(server, "GET", path, staff))[0] == 200, "what was signed before is good"
        _, shown = await rest(server, "GET", f"{path}/invitees", staff)
        assert shown["items"][0]["link"] == invitee["link"], "nobody has to be sent another"
        await asyncio.sleep(3)
        assert member.connected
        assert clerk.connected

        await asyncio.to_thread(server.run, "keys", "retire", first["id"], "--yes")
        await eventually(lambda: member.of("session.removed") and clerk.of("session.removed"))
        assert member.of("session.removed")[0]["reason"] == "revoked"
        assert (await enter(server, invitee["link"]))[1]["code"] == "link_invalid"
        assert (await rest(server, "GET", path, staff))[1]["code"] == "token_invalid"
        staff = server.token(cid, "secretariat", "秘书")

        async def opens() -> bool:
            _, shown = await rest(server, "GET", f"{path}/invitees", staff)
            return (await enter(server, shown["items"][0]["link"]))[0] == 200

        await eventually(opens, timeout_s=15, every_s=1)  # wrong links are counted
        assert lines(server) == [("key.rotated", "cli"), ("key.retired", "cli")]
        assert ("key.links_renewed", "system") in lines(server, cid)
        assert b'"keys": "ok"' in server.get("/readyz")[1]


async def test_a_key_is_not_retired_under_a_meeting_unless_it_must_be() -> None:
    async with Server() as server:
        cid = server.create_consultation("河道协商")
        token = server.token(cid, "chair")
        chair = await seated(server, token)
        assert (await rest(server, "POST", f"/consultations/{cid}/start", token))[0] == 200
        (first,) = await keys(server)
        with pytest.raises(AssertionError, match="正在开会：河道协商"):
            await asyncio.to_thread(server.run, "keys", "retire", first["id"], "--yes")
        assert [each["state"] for each in await keys(server)] == ["signs"]
        assert chair.connected
        await asyncio.to_thread(server.run, "keys", "retire", first["id"], "--now", "--yes")
        await eventually(lambda: chair.of("session.removed"))
        assert [each["state"] for each in await keys(server)] == ["signs", "retired"]
        assert (await rest(server, "GET", f"/consultations/{cid}", token))[1]["code"] == "token_invalid"
        assert (await rest(server, "GET", f"/consultations/{cid}", server.token(cid)))[0] == 200


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


async def test_servers_that_share_a_key_file_rotate_together(redis: RedisServer, tmp_path: Path) -> None:
    shared = tmp_path / "share" / "keys.json"
    shared.parent.mkdir()
    more = ("--key-file", str(shared))
    with postgres_server() as url:
        async with several_servers(tmp_path, redis.url, url, more=more) as (a, b):
            cid = await asyncio.to_thread(a.create_consultation)
            before = a.token(cid, "secretariat")
            await asyncio.to_thread(a.run, "keys", "rotate")
            after = a.token(cid, "secretariat")
            assert signed_by(before) != signed_by(after)
            for server in (b, a):
                for token in (after, before):
                    assert (await rest(server, "GET", f"/consultations/{cid}", token))[0] == 200
            await eventually(lambda: b.token(cid, "chair") and "keys.changed" in b.logs)
            assert signed_by(b.token(cid, "chair")) == signed_by(after), "copied for its backup"
            await asyncio.sleep(12)
            for server in (a, b):
                assert b'"keys": "ok"' in server.get("/readyz")[1]
                assert "keys.differ" not in server.logs


async def test_servers_with_different_keys_say_so(redis: RedisServer, tmp_path: Path) -> None:
    with postgres_server() as url:
        async with several_servers(tmp_path, redis.url, url) as (a, b):
            said = await asyncio.to_thread(a.run, "keys", "rotate")
            assert "复制到其他服务器" in said
            for server in (a, b):
                await eventually(partial(logged, server, "keys.differ"), timeout_s=40)
                assert b'"keys": "differ"' in server.get("/readyz")[1]
            copied = DataDirectory(a.data_dir).key_set
            DataDirectory(b.data_dir).key_set.write_bytes(copied.read_bytes())
            for server in (a, b):
                await eventually(partial(logged, server, "keys.agree"), timeout_s=20)
