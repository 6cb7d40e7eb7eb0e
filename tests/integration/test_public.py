"""The public door: no token, no secrets, answers that a cache may keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDictProxy

from conference.clock import SystemClock
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft, Consultations
from tests.support.eventually import eventually
from tests.unit.signaling.harness import Signalling, signalling

AGENDA = {
    "items": [
        {"title": "通报", "kind": "report", "planned_minutes": 5},
        {"title": "讨论", "kind": "discussion"},
    ]
}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path) as running:
        yield running


async def get(server: Signalling, path: str, **headers: str) -> tuple[int, Any, CIMultiDictProxy[str]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{server.url}/api/v1/public/consultations/{path}", headers=headers) as response,
    ):
        body = await response.json(content_type=None) if response.status != 304 else None
        return response.status, body, response.headers


async def act(server: Signalling, method: str, path: str, **options: Any) -> None:
    headers = {"Authorization": f"Bearer {server.token(Role.CHAIR)}"}
    url = f"{server.url}/api/v1/consultations/c{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, **options) as response,
    ):
        assert response.status == 200, await response.text()


async def test_what_everybody_reads(server: Signalling) -> None:
    await act(server, "PUT", "/agenda", json=AGENDA)
    status, body, headers = await get(server, "c")
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=1")
    assert (body["status"], body["cut"], body["live"], body["replay"]) == ("scheduled", False, None, None)
    assert [(each["title"], each["state"]) for each in body["agenda"]] == [
        ("通报", "pending"),
        ("讨论", "pending"),
    ]
    tag = headers["ETag"]
    for asked in (tag, f'"other", W/{tag}', "*"):
        assert (await get(server, "c", **{"If-None-Match": asked}))[0] == 304
    assert (await get(server, "c", **{"If-None-Match": '"other"'}))[0] == 200

    chair, member = await server.join(Role.CHAIR, "主持人"), await server.join(name="林文博")
    await act(server, "POST", "/start")
    await chair.ask("agenda.next")
    await chair.ask("floor.grant", {"participant_id": member.me})

    async def page() -> Any:
        return (await get(server, "c"))[1]

    spoken = await eventually(page, lambda found: found["speaker"])
    assert spoken["speaker"] == {"name": "林文博", "line": ""}
    assert (spoken["status"], spoken["agenda"][0]["state"]) == ("live", "current")
    assert spoken["current_item"] == spoken["agenda"][0]["id"]
    assert (await get(server, "c", **{"If-None-Match": tag}))[0] == 200

    status, text, headers = await get(server, "c/text")
    assert (status, headers["Cache-Control"], text["still"], text["next"]) == (
        200,
        "public, max-age=1",
        None,
        None,
    )
    assert sorted((each["kind"], each["text"]) for each in text["items"]) == [
        ("item", "通报"),
        ("speaker", "林文博"),
    ]
    assert (await get(server, "c/text?before=0"))[1]["items"] == []
    assert (await get(server, "c/text?before=x"))[0] == 400
    assert member.me not in str(spoken) + str(text)


async def test_a_cut_off_is_told_at_once(server: Signalling) -> None:
    chair = await server.join(Role.CHAIR, "主持人")
    await act(server, "POST", "/start")
    await chair.ask("floor.grant", {"participant_id": chair.me})

    async def page() -> Any:
        return (await get(server, "c"))[1]

    await eventually(page, lambda found: found["speaker"])
    await chair.ask("broadcast.cut")
    cut = await eventually(page, lambda found: found["cut"])
    assert cut["speaker"] is None
    await chair.ask("broadcast.restore")
    await eventually(page, lambda found: not found["cut"])


@pytest.mark.parametrize(
    ("headers", "is_secure"),
    [
        ({}, False),
        ({"X-Forwarded-Proto": "https"}, True),
        ({"X-Forwarded-Proto": "http"}, False),
        ({"Host": "huiyi.example.cn"}, True),
        ({"Host": "huiyi.example.cn", "X-Forwarded-Proto": "http"}, False),
        ({"Host": "other.example.cn:8080"}, False),
    ],
)
async def test_the_cookie_of_a_device_stays_on_https(
    tmp_path: Path, headers: dict[str, str], is_secure: bool
) -> None:
    behind = signalling(tmp_path, trusted_proxies=("127.0.0.1",), public_url="https://huiyi.example.cn")
    async with behind as server:
        status, _, said = await get(server, "c/comments/mine", **headers)
    assert status == 200
    assert ("Secure" in said["Set-Cookie"].split("; ")) is is_secure


async def test_what_is_internal_is_not_there(server: Signalling) -> None:
    await Consultations(server.process.database, SystemClock()).create(
        ConsultationDraft(title="内部", id="internal", is_public=False)
    )
    for path in ("internal", "nowhere", "internal/text", "nowhere/text"):
        status, body, _ = await get(server, path, Authorization=f"Bearer {server.token(Role.CHAIR)}")
        assert (status, body["code"]) == (404, "consultation_not_found"), path


async def test_viewers_are_counted_from_signs_of_life(server: Signalling) -> None:
    status, body, _ = await get(server, "c")
    assert (status, body["beacon"], body["viewers"]) == (200, {"every_s": 30, "share": 1.0}, None)
    assert body["comments"] == {"state": "open", "total": 0, "moderation": "pre"}
    assert body["responses"] == {"total": 0, "answered": 0}
    url = f"{server.url}/api/v1/public/consultations"

    async def sign(page: Any, cid: str = "c") -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{url}/{cid}/presence", json=page) as response,
        ):
            assert "Set-Cookie" not in response.headers
            return response.status

    for number in (1, 2, 2):
        assert await sign({"id": f"{number:032x}"}) == 204
    refused: tuple[Any, ...] = ({"id": "x"}, {"id": "F" * 32}, {}, {"id": 7}, [], {"id": "0" * 64})
    for wrong in refused:
        assert await sign(wrong) == 400
    assert await sign({"id": f"{1:032x}"}, "none") == 404

    async def page() -> Any:
        return (await get(server, "c"))[1]

    assert (await eventually(page, lambda found: found["viewers"]))["viewers"] == 2
    await act(server, "POST", "/start")
    await act(server, "POST", "/broadcast/cut", json={})
    assert (await eventually(page, lambda found: found["cut"]))["comments"]["state"] == "paused"
    await act(server, "POST", "/broadcast/restore", json={"from": "now"})
    await act(server, "POST", "/end")
    assert (await eventually(page, lambda found: found["status"] == "ended"))["comments"]["state"] == "open"
