"""Comments on the real server: whoever was answered finds the comment in the database after kill -9."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

import aiohttp

from conference.model.audit import verify
from conference.storage.database import Database, open_engine, sqlite_url
from tests.support.server import Server

WRITERS = 20
ANSWERED = 300  # before it is killed


async def write(
    server: Server, cid: str, writer: int, answered: dict[str, str], enough: asyncio.Event
) -> None:
    """One viewer after the other, from an address of their own, until the server is gone."""
    url = f"{server.url}/api/v1/public/consultations/{cid}/comments"
    headers = {"X-Forwarded-For": f"198.51.{writer}.1"}
    number = 0
    while True:
        number += 1
        text = f"{writer} 号村第 {number} 件事：路灯不亮"
        body = {"nickname": "村民", "text": text, "program_time_ms": 0}
        try:
            async with (
                aiohttp.ClientSession() as session,  # each with a cookie of its own
                session.post(url, json=body, headers=headers) as response,
            ):
                assert response.status == 202, await response.text()
                answered[(await response.json())["id"]] = text
        except aiohttp.ClientError:
            return
        if len(answered) >= ANSWERED:
            enough.set()


async def test_every_answer_is_in_the_database_after_a_kill(start_server: Callable[..., Server]) -> None:
    server = await asyncio.to_thread(start_server, arguments=["--trusted-proxies", "127.0.0.1"])
    cid = await asyncio.to_thread(server.create_consultation)
    answered: dict[str, str] = {}
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(write(server, cid, writer, answered, enough))
        await enough.wait()
        os.kill(server.web_pid(), signal.SIGKILL)

    database = Database(open_engine(sqlite_url(server.data_dir / "yuanshang.sqlite3")))
    async with database.reading() as unit:
        rows = {each.id: each.text async for page in unit.comments.pages(cid, 100) for each in page}
        lines = await unit.audit.lines(cid, limit=100_000)
        texts = await unit.audit.texts(cid, 1, len(lines))
        assert verify(lines, texts, await unit.audit.head(cid)) is None
    await database.close()
    assert len(answered) >= ANSWERED
    assert {each: rows.get(each) for each in answered} == answered
    assert {each.subject for each in lines if each.action == "comment.posted"} == set(rows)

    await asyncio.to_thread(server.restart)
    token = await asyncio.to_thread(server.token, cid, "moderator")
    url = f"{server.url}/api/v1/consultations/{cid}/comments/groups?state=pending,held&limit=1"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Authorization": f"Bearer {token}"}) as response,
    ):
        page: Any = await response.json()
    assert page["counts"]["states"]["pending"] + page["counts"]["states"]["held"] == len(rows)
