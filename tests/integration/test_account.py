"""The account of a consultation through its doors: JSON, one page of paper, a workbook."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import openpyxl
import pypdf
import pytest

from conference.model.permissions import Role
from tests.integration.test_comments import Viewer, ask
from tests.unit.signaling.harness import Signalling, signalling


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, trusted_proxies=("127.0.0.1",)) as running:
        yield running


async def fetched(server: Signalling, path: str, role: Role = Role.SECRETARIAT) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {server.token(role, role.value)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/api/v1/consultations/c/{path}", headers=headers) as response,
    ):
        return response.status, await response.read(), response.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_addresses_on_paper_are_those_that_the_browser_used(server: Signalling, scheme: str) -> None:
    """A proxy ends TLS, and nobody has said what the public address is."""
    headers = {"Authorization": f"Bearer {server.token(Role.SECRETARIAT)}", "X-Forwarded-Proto": scheme}
    base = f"{server.url}/api/v1/consultations/c"
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(f"{base}/invitees", json={"name": "王伟"}) as response:
            assert response.status == 201
        async with session.get(f"{base}/links.xlsx") as response:
            workbook = openpyxl.load_workbook(io.BytesIO(await response.read()))
        async with session.get(f"{base}/account") as response:
            account = await response.json()
    cells = [str(cell.value) for sheet in workbook for row in sheet.iter_rows() for cell in row]
    (link,) = [each for each in cells if "/j/" in each]
    host = server.url.partition("://")[2]
    assert link.startswith(f"{scheme}://{host}/j/")
    assert account["answers_url"] == f"{scheme}://{host}/answers/c"


async def test_the_account_counts_what_was_done(server: Signalling) -> None:
    assert (await ask(server, "POST", "/start", Role.CHAIR))[0] == 200
    made = [
        await Viewer(server, f"198.51.100.{number}").post(text)
        for number, text in enumerate(("村口的路灯坏了", "村口的路灯坏了！", "公交车一天只有两班"))
    ]
    await ask(server, "POST", f"/comments/{made[0]['id']}/approve", body={"group": True})
    await ask(server, "POST", f"/comments/{made[2]['id']}/reject", body={"reason": "离题"})
    assert (await ask(server, "POST", f"/comments/{made[0]['id']}/promote", Role.CHAIR))[0] == 200
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/api/v1/public/consultations/c/presence"
        async with session.post(url, json={"id": f"{9:032x}"}) as response:
            assert response.status == 204
    status, account = await ask(server, "GET", "/account", Role.SECRETARIAT)
    assert status == 200
    assert account["comments"] == {
        "received": 3,
        "groups": 2,
        "shown": 2,
        "rejected": 1,
        "held": 0,
        "withdrawn": 0,
        "waiting": 0,
    }
    assert account["promoted"] == {"comments": 1, "authors": 2}
    assert account["responses"] == {"total": 1, "answered": 0, "in_hand": 1, "overdue": 0, "unassigned": 1}
    assert (account["open_total"], account["open"][0]["text"]) == (1, "村口的路灯坏了")
    assert account["viewers"] == {"total": 1, "peak": 1}
    assert account["answers_url"].endswith("/answers/c")
    assert account["answers_url"].startswith("http")
    assert account["answers_qr"]["size"] > 20
    status, trace = await ask(server, "GET", "/audit?limit=500", Role.SECRETARIAT)
    assert account["trace"]["hash"] == trace["items"][account["trace"]["number"] - 1]["hash"]

    status, data, headers = await fetched(server, "account.pdf")
    assert (status, headers["Content-Type"]) == (200, "application/pdf")
    assert "问效表" in unquote(headers["Content-Disposition"])
    (page,) = pypdf.PdfReader(io.BytesIO(data)).pages
    words = re.sub(r"\s", "", page.extract_text())
    assert "1件意见交办，0件已答复" in words
    assert "村口的路灯坏了" in words
    status, data, headers = await fetched(server, "account.xlsx")
    assert status == 200
    book = openpyxl.load_workbook(io.BytesIO(data))
    sums = {row[1]: row[2] for row in book["问效表"].iter_rows(min_row=2, values_only=True)}
    assert (sums["收到"], sums["代表（人）"], sums["待分派"]) == (3, 2, 1)


async def test_only_those_who_may(server: Signalling) -> None:
    for path in ("account", "account.pdf", "account.xlsx"):
        assert (await fetched(server, path, Role.MEMBER))[0] == 403
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{server.url}/api/v1/consultations/c/{path}") as response,
        ):
            assert response.status == 401
    status, account = await ask(server, "GET", "/account", Role.CHAIR)
    assert (status, account["comments"]["received"], account["open"]) == (200, 0, [])
