"""A list of invitees on the real server: what was read outlives a kill, and what was taken over is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

from conference.model.permissions import Role
from tests.support.server import Server
from tests.support.tables import opened, people

ROWS = [
    ("周正明", "", "主持人", "", "13900001102", "市政协副主席", ""),
    ("赵桂芳", "", "群众代表", "", "1390000217", "柳塘街道居民", "是"),
]


async def ask(server: Server, method: str, path: str, **options: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {server.token('water', Role.ORGANIZER, '马干事')}"}
    url = f"{server.url}/api/v1/consultations/water{path}"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url, **options) as response,
    ):
        if "json" in response.content_type:
            return response.status, await response.json(content_type=None)
        return response.status, await response.read()


async def test_read_kill_mend_apply_list(tmp_path: Path) -> None:
    server = await asyncio.to_thread(Server(data_dir=tmp_path / "data").start)
    try:
        await asyncio.to_thread(server.create_consultation, "会商", "water")
        list_path = "/invitees/import"
        status, read = await ask(server, "POST", list_path, params={"name": "名单.xlsx"}, data=people(*ROWS))
        assert (status, read["counts"]["ok"], read["created_by"]) == (201, 1, "马干事")
        await asyncio.to_thread(server.kill9, "parent")
        await asyncio.to_thread(server.restart)
        assert await ask(server, "GET", list_path) == (200, read)
        mending = {"rows": [{"row": 3, "values": {"phone": "１３９００００２１７０"}}]}
        assert (await ask(server, "PUT", list_path, json=mending))[1]["counts"]["ok"] == 2
        assert await ask(server, "POST", f"{list_path}/apply") == (200, {"added": 2, "left": 0})
        status, listed = await ask(server, "GET", "/invitees")
        assert [
            (each["name"], each["role"], each["phone"], each["large_text"]) for each in listed["items"]
        ] == [
            ("周正明", "chair", "13900001102", False),
            ("赵桂芳", "citizen", "13900002170", True),
        ]
        status, table = await ask(server, "GET", "/attendance.xlsx")
        assert [row[0] for row in opened(table)["签到"]] == ["姓名", "周正明", "赵桂芳"]
        status, trace = await ask(server, "GET", "/audit")
        actions = [line["action"] for line in trace["items"]]
        assert actions[-5:] == [
            "import.read",
            "import.mended",
            "invitee.added",
            "invitee.added",
            "invitees.imported",
        ]
    finally:
        await asyncio.to_thread(server.close)
