"""Lists of terms through their doors, and the transcripts that follow them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.consultation import Status
from conference.model.permissions import Role
from conference.services.rooms import RoomLimits
from tests.integration.test_permission_doors import session_of
from tests.integration.test_transcripts import Door, fill, lines
from tests.support.eventually import eventually
from tests.support.tables import workbook
from tests.support.transcripts import keep, said
from tests.unit.signaling.harness import signalling

CID = "/api/v1/consultations/c"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with signalling(tmp_path, RoomLimits()) as server, aiohttp.ClientSession() as session:
        yield Door(session, server)


async def put(door: Door, *terms: tuple[str, str], path: str = CID) -> Any:
    items = [{"wrong": wrong, "right": right} for wrong, right in terms]
    status, body = await door.ask("PUT", f"{path}/terms", {"items": items})
    assert status == 200, body
    return body["items"]


async def send(door: Door, data: bytes, path: str = CID, token: str | None = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token or door.server.token(door.role)}"}
    url = f"{door.server.url}{path}/terms/import"
    async with door.session.post(url, data=data, headers=headers) as response:
        return response.status, await response.json()


async def followed(door: Door) -> dict[str, Any]:
    """The segments by id, once nothing waits to be rendered."""
    await eventually(lambda: not door.server.process.terms.is_rendering)
    return {each["id"]: each for each in (await door.get("?limit=500"))["items"]}


# ── lists ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_list_is_written_as_a_whole(door: Door) -> None:
    assert await put(door, ("张威", " 张巍 "), ("", "河长制"), ("张威", "张薇"), ("水费", "水费")) == [
        {"wrong": "", "right": "水费"},
        {"wrong": "", "right": "河长制"},
        {"wrong": "张威", "right": "张薇"},
    ]
    _, body = await door.ask("GET", f"{CID}/terms")
    assert len(body["items"]) == 3
    assert await put(door) == []
    found = [each for each in await all_lines(door) if each["action"] == "terms.changed"]
    assert [each["content"]["added"] for each in found] == [3, 0]
    assert "张薇" not in str(found)
    assert await put(door) == []
    assert len([each for each in await all_lines(door) if each["action"] == "terms.changed"]) == 2


async def all_lines(door: Door) -> list[dict[str, Any]]:
    _, body = await door.ask("GET", f"{CID}/audit?limit=500")
    items: list[dict[str, Any]] = body["items"]
    return items


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"items": [{"wrong": "x", "right": ""}]},
        {"items": [{"right": "水" * 41}]},
        {"items": [{"wrong": "x"}]},
        {"items": [{"right": "x", "pattern": True}]},
        {"items": [{"right": "\0"}]},
    ],
)
async def test_bad_lists(door: Door, body: dict[str, Any]) -> None:
    status, answer = await door.ask("PUT", f"{CID}/terms", body)
    assert (status, answer["code"]) == (400, "bad_request")


async def test_who_saw_an_older_list_writes_nothing(door: Door) -> None:
    _, first = await door.ask("GET", f"{CID}/terms")
    items = [{"wrong": "张威", "right": "张巍"}]
    status, second = await door.ask("PUT", f"{CID}/terms", {"items": items, "revision": first["revision"]})
    assert (status, second["revision"]) == (200, first["revision"] + 1)
    status, answer = await door.ask("PUT", f"{CID}/terms", {"items": [], "revision": first["revision"]})
    assert (status, answer["code"]) == (409, "edit_conflict")
    assert (await door.ask("GET", f"{CID}/terms"))[1] == second
    status, third = await door.ask("PUT", f"{CID}/terms", {"items": [], "revision": second["revision"]})
    assert (status, third["items"]) == (200, [])


# ── rendering anew ──────────────────────────────────────────────────────────────────────────────


async def test_what_nobody_corrected_follows_and_comes_back(door: Door) -> None:
    await fill(door, said(1, "老旧", "小曲", ("改造", 500)), said(2, "小曲", "停车"), said(3, "水费"))
    await door.patch(2, revision=1, text="小曲停车难。")
    desk = await door.server.desk(Role.SECRETARIAT, "李秘书")
    await put(door, ("小曲", "小区"))
    after = await followed(door)
    assert (after["seg_0001"]["text"], after["seg_0001"]["revision"]) == ("老旧小区，改造。", 2)
    assert after["seg_0001"]["raw"] == "老旧小曲改造"
    assert not after["seg_0001"]["is_edited"]
    assert after["seg_0002"]["text"] == "小曲停车难。"
    assert after["seg_0003"]["revision"] == 1
    (revision,) = (await door.get("/seg_0001/revisions"))["items"]
    assert (revision["kind"], revision["by_name"]) == ("terms", "李秘书")
    await eventually(lambda: desk.of("transcript.changed"))
    assert [each["id"] for each in desk.of("transcript.changed")[-1]["segments"]] == ["seg_0001"]
    (line,) = [each for each in await lines(door) if each["action"] == "transcript.rendered"]
    assert line["content"]["segments"] == ["seg_0001"]
    await put(door)
    assert (await followed(door))["seg_0001"]["text"] == "老旧小曲，改造。"


async def test_a_long_transcript_follows_piece_by_piece(door: Door) -> None:
    await fill(door, *(said(number, "小曲", "停车") for number in range(450)))
    await put(door, ("小曲", "小区"))
    assert {each["text"] for each in (await followed(door)).values()} == {"小区停车。"}
    counts = [
        len(each["content"]["segments"])
        for each in await lines(door)
        if each["action"] == "transcript.rendered"
    ]
    assert counts == [100, 100, 100, 100, 50]


async def test_the_same_list_once_more_renders_what_was_left(door: Door) -> None:
    await put(door, ("小曲", "小区"))
    await followed(door)
    await fill(door, said(1, "小曲"))  # as if the server had been killed before it rendered this
    await put(door, ("小曲", "小区"))
    assert (await followed(door))["seg_0001"]["text"] == "小区。"


# ── of a body ───────────────────────────────────────────────────────────────────────────────────


async def test_the_list_of_a_body_counts_in_its_consultations(door: Door) -> None:
    session = await session_of(door.server, Role.ORGANIZER)
    headers = {"Authorization": f"Bearer {session}"}
    url = door.server.url

    async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with door.session.request(method, url + path, json=body, headers=headers) as response:
            return response.status, await response.json()

    _, account = await ask("GET", "/api/v1/sessions/current")
    terms = f"/api/v1/organizations/{account['organization']['id']}/terms"
    status, made = await ask("POST", "/api/v1/consultations", {"title": "协商会"})
    assert status == 201, made
    path = f"/api/v1/consultations/{made['id']}"
    async with door.server.process.database.transaction() as unit:
        draft = await unit.consultations.get(made["id"])
        assert draft is not None
        await unit.consultations.save(replace(draft, status=Status.LIVE, started_at_ms=1))
        await unit.audit.append(AuditEntry(draft.id, 1, 0, CLI, "consultation.started"))
    segment = said(1, "小曲", "张威", consultation_id=made["id"])
    await keep(door.server.process.database, [segment])
    items = [{"wrong": "小曲", "right": "小区"}, {"wrong": "张威", "right": "张巍"}]
    assert (await ask("PUT", terms, {"items": items}))[0] == 200
    assert len((await ask("GET", terms))[1]["items"]) == 2
    await eventually(lambda: not door.server.process.terms.is_rendering)
    assert (await ask("GET", f"{path}/transcript/seg_0001"))[1]["text"] == "小区张巍。"
    # The consultation's own word stands above it.
    status, _ = await ask("PUT", f"{path}/terms", {"items": [{"wrong": "张威", "right": "张薇"}]})
    await eventually(lambda: not door.server.process.terms.is_rendering)
    assert (await ask("GET", f"{path}/transcript/seg_0001"))[1]["text"] == "小区张薇。"
    status, found = await ask("GET", "/api/v1/transcripts/search?q=张薇")
    assert [each["consultation"]["id"] for each in found["items"]] == [made["id"]]
    for other in ("o_none",):
        status, answer = await ask("GET", f"/api/v1/organizations/{other}/terms")
        assert (status, answer["code"]) == (404, "not_found")


async def test_a_search_over_all_shows_pages_of_what_one_may_see(door: Door) -> None:
    session = await session_of(door.server, Role.ORGANIZER)
    await fill(door, *(said(number, "协商") for number in range(1, 6)))
    await keep(door.server.process.database, [said(9, "协商", consultation_id="other")])
    headers = {"Authorization": f"Bearer {session}"}
    found: list[str] = []
    after = ""
    while after is not None:
        query = f"?q=协商&limit=2{f'&after={after}' if after else ''}"
        async with door.session.get(
            f"{door.server.url}/api/v1/transcripts/search{query}", headers=headers
        ) as response:
            page = await response.json()
        found += [each["segment"]["id"] for each in page["items"]]
        after = page["next"]
    assert sorted(found) == ["seg_0001", "seg_0002", "seg_0003", "seg_0004", "seg_0005", "seg_0009"]


# ── from a file ─────────────────────────────────────────────────────────────────────────────────


async def test_a_file_is_added_to_the_list(door: Door) -> None:
    await put(door, ("张威", "张巍"), ("合长", "河长"))
    data = workbook(
        [
            ["词表"],
            ["序号", "错误写法", "正确写法"],
            [1, "张威", "张薇"],
            [2, "", "河长制"],
            [3, "错", ""],
            [4, "", "水" * 41],
        ]
    )
    status, body = await send(door, data)
    assert status == 200, body
    assert body == {
        "items": [
            {"wrong": "", "right": "河长制"},
            {"wrong": "合长", "right": "河长"},
            {"wrong": "张威", "right": "张薇"},
        ],
        "added": 1,
        "changed": 1,
        "left_out": [{"row": 5, "reason": "no_term"}, {"row": 6, "reason": "too_long"}],
        "left_out_count": 2,
        "revision": 2,
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("张威,张巍\n河长制\n".encode(), [("", "河长制"), ("张威", "张巍")]),
        ("词条\n(a+)+$\n.*\n".encode("gb18030"), [("", "(a+)+$"), ("", ".*")]),
        (workbook([["right", "wrong"], ["对", "错"]]), [("错", "对")]),
    ],
)
async def test_columns_with_and_without_headings(
    door: Door, data: bytes, expected: list[tuple[str, str]]
) -> None:
    status, body = await send(door, data)
    assert status == 200, body
    assert [(each["wrong"], each["right"]) for each in body["items"]] == expected


async def test_fifty_thousand_rows_and_not_one_more(door: Door) -> None:
    rows = "".join(f"错误{number},正确{number}\n" for number in range(50_000))
    status, body = await send(door, rows.encode())
    assert (status, body["added"]) == (200, 50_000)
    await keep(door.server.process.database, [said(1, "错误49999", "和", "错误7")])
    await put(door, *((each["wrong"], each["right"]) for each in body["items"]))
    assert (await followed(door))["seg_0001"]["text"] == "正确49999和正确7。"
    status, body = await send(door, f"{rows}错,对\n".encode())
    assert (status, body["code"]) == (422, "import_too_many_rows")
    assert "50,000" in body["detail"]
    status, body = await send(door, b"x,y\n")
    assert (status, body["code"]) == (409, "too_many_words")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import_empty"),
        (b"PK\x03\x04 nothing", "import_unreadable"),
        ("错误,正确\n".encode(), "import_empty"),
        (b"\x00\x01\x02", "import_unreadable"),
    ],
)
async def test_bad_files(door: Door, data: bytes, code: str) -> None:
    status, body = await send(door, data)
    assert (status, body["code"]) == (422, code)
