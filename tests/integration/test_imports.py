"""Lists of invitees over HTTP, with the real worker: read, mended, taken over, and refused in clear words."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.audit import SYSTEM, AuditEntry
from conference.model.permissions import Action, Role, allowed
from conference.model.venue import Venue, VenueKind
from conference.services.rooms import RoomLimits
from tests.support.tables import HEADINGS, bomb, opened, people, workbook
from tests.unit.signaling.harness import Signalling, signalling

API = "/api/v1/consultations/c"
LIST = f"{API}/invitees/import"
ROWS = [
    ("周正明", "", "主持人", "主会场", "139 0000 1102", "市政协副主席", ""),
    ("何春生", "农业界", "委员 ", "青河县分会场", "13900002217", "种粮合作社", "是"),
    ("陈玉兰", "教育界", "委员", "手机参会", "13800000466", "第二中学", ""),
    ("陈玉兰", "教育界", "委员", "", "１３８００００ 0466", "", ""),
    ("赵桂芳", "", "群众代表", "", "1390000217", "柳塘街道居民", ""),
    ("钱立", "", "部门代表", "主会场", "13800007724", "=B30", ""),
]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20)) as running:
        async with running.process.database.transaction() as unit:
            await unit.venues.save(
                [
                    Venue("v_main", "c", 1, "市政协议事厅", VenueKind.MAIN, "", "", "", None, 1, "h1", 0),
                    Venue("v_qinghe", "c", 2, "青禾县分会场", VenueKind.BRANCH, "", "", "", None, 1, "h2", 0),
                ]
            )
            await unit.audit.append(AuditEntry("c", 0, None, SYSTEM, "test"))
        yield running


async def ask(
    server: Signalling, method: str, path: str, role: Role = Role.ORGANIZER, **options: Any
) -> tuple[int, Any]:
    """Status and body: JSON, or the bytes of a file."""
    headers = {"Authorization": f"Bearer {server.token(role)}"}
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, headers=headers, **options) as response,
    ):
        if "json" in response.content_type:
            return response.status, await response.json(content_type=None)
        return response.status, await response.read()


async def upload(server: Signalling, data: bytes, name: str = "受邀名单 11月17日.xlsx") -> tuple[int, Any]:
    return await ask(server, "POST", LIST, params={"name": name}, data=data)


async def test_import_mend_apply(server: Signalling) -> None:
    status, read = await upload(server, people(*ROWS))
    assert (status, read["counts"]) == (201, {"total": 6, "ok": 3, "bad": 3, "dropped": 0})
    assert read["file_name"] == "受邀名单 11月17日.xlsx"
    assert read["by_role"] == {"chair": 1, "member": 3, "citizen": 1, "department": 1}
    problems = {row["row"]: [each["message"] for each in row["problems"]] for row in read["rows"]}
    assert problems == {
        2: [],
        3: ["没有“青河县分会场”，是不是“青禾县分会场”？"],
        4: [],
        5: ["和第 4 行是同一人（姓名、手机都相同）"],
        6: ["手机号少 1 位，收不到链接短信"],
        7: [],
    }
    assert read["rows"][5]["notes"] == [{"code": "formula_as_text", "message": "公式“=B30”已按文字处理"}]
    assert read["rows"][1]["values"]["large_text"] == "是"
    suggestion = read["rows"][1]["problems"][0]["suggestion"]
    assert suggestion == {"value": "青禾县分会场", "label": "青禾县分会场"}

    status, table = await ask(server, "GET", f"{LIST}/marked.xlsx")
    (sheet,) = opened(table).values()
    assert sheet[0] == [*HEADINGS, "怎么改", "表中位置"]
    assert [row[7] for row in sheet[1:]] == [
        "可以导入",
        "没有“青河县分会场”，是不是“青禾县分会场”？",
        "可以导入",
        "和第 4 行是同一人（姓名、手机都相同）",
        "手机号少 1 位，收不到链接短信",
        "公式“=B30”已按文字处理",
    ]
    assert (await upload(server, table))[1]["counts"] == read["counts"]  # a marked table is a list as well

    mending = [
        {"row": 3, "values": {"venue": "青禾县分会场"}},
        {"row": 5, "dropped": True},
        {"row": 6, "values": {"phone": ""}},
    ]
    status, mended = await ask(server, "PUT", LIST, json={"rows": mending})
    assert (status, mended["counts"]) == (200, {"total": 6, "ok": 5, "bad": 0, "dropped": 1})
    assert await ask(server, "GET", LIST) == (200, mended)
    assert await ask(server, "POST", f"{LIST}/apply") == (200, {"added": 5, "left": 0})
    assert (await ask(server, "GET", LIST))[0] == 404
    async with server.process.database.reading() as unit:
        invited = await unit.invitees.of("c")
    assert [(each.name, each.role, each.venue_id, each.phone, each.large_text) for each in invited] == [
        ("周正明", "chair", "v_main", "13900001102", False),
        ("何春生", "member", "v_qinghe", "13900002217", True),
        ("陈玉兰", "member", None, "13800000466", False),
        ("赵桂芳", "citizen", None, "", False),
        ("钱立", "department", "v_main", "13800007724", False),
    ]


async def test_a_list_is_given_up(server: Signalling) -> None:
    assert (await upload(server, people(*ROWS)))[0] == 201
    assert (await ask(server, "DELETE", LIST))[0] == 204
    assert (await ask(server, "DELETE", LIST))[1]["code"] == "not_found"
    assert (await ask(server, "POST", f"{LIST}/apply"))[1]["code"] == "not_found"


async def test_the_template_comes_back_as_a_list(server: Signalling) -> None:
    status, data = await ask(server, "GET", f"{API}/invitees/template.xlsx")
    assert status == 200
    pages = opened(data)
    assert pages["名单"] == [list(HEADINGS)]
    assert pages["怎么填"][0] == ["列", "说明"]
    assert (await upload(server, data))[1]["code"] == "import_empty"


@pytest.mark.parametrize(
    ("data", "status", "code", "words"),
    [
        (workbook([["甲"]]), 422, "import_no_name_column", "没有找到“姓名”一列"),
        (workbook([["姓名"], *[["某"]] * 10_000]), 422, "import_too_many_rows", "这个表有 10,000 行"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 422, "import_unreadable", "旧版（.xls）"),
        (bomb(people(*ROWS)), 422, "import_unreadable", "展开后太大"),
        (b"x" * (5 * 1024 * 1024 + 1), 413, "too_large", "过大"),
    ],
    ids=["columns", "rows", "xls", "bomb", "size"],
)
async def test_bad_files_are_refused_in_words(
    server: Signalling, data: bytes, status: int, code: str, words: str
) -> None:
    assert (await upload(server, people(*ROWS)))[0] == 201
    before = await ask(server, "GET", LIST)
    answer = await upload(server, data)
    assert (answer[0], answer[1]["code"]) == (status, code)
    assert words in answer[1]["detail"]
    assert await ask(server, "GET", LIST) == before  # what was there is there


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rows": [{"row": 0}]},
        {"rows": [{"row": 2, "values": {"name": "x" * 1_001}}]},
        {"rows": [{"row": 2, "values": {"id": "x"}}]},
        {"rows": "x"},
    ],
)
async def test_bad_mendings(server: Signalling, body: Any) -> None:
    await upload(server, people(*ROWS))
    status, answer = await ask(server, "PUT", LIST, json=body)
    assert (status, answer["code"]) == (400, "bad_request")


async def test_who_may(server: Signalling) -> None:
    doors = [
        ("GET", f"{API}/invitees/template.xlsx"),
        ("POST", f"{LIST}?name=x"),
        ("GET", LIST),
        ("PUT", LIST),
        ("DELETE", LIST),
        ("POST", f"{LIST}/apply"),
        ("GET", f"{LIST}/marked.xlsx"),
    ]
    for role in Role:
        for method, path in doors:
            options: dict[str, Any] = {"json": {"rows": []}} if method == "PUT" else {}
            status, _ = await ask(server, method, path, role, **options)
            assert (status == 403) is not allowed(role, Action.INVITEE_EDIT), (role, method, path)


@pytest.fixture
def own_heap() -> Iterator[None]:
    """What other tests left in this process is not collected here: going through it takes the loop 0.1 s and more."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("own_heap")
async def test_others_are_answered_meanwhile(server: Signalling) -> None:
    """A file of the largest size is read, judged, shown and taken over while the loop keeps turning."""
    large = workbook(
        [HEADINGS, *(("某", "界", "委员", f"第{n}县", f"139{n:08}", "单位") for n in range(2_000))]
    )
    turns: list[float] = []
    answers = 0
    done = asyncio.Event()

    async def watch() -> None:
        """Processor time of the loop's thread, which a busy machine does not lengthen as it does the clock's."""
        while not done.is_set():
            began = time.thread_time()
            await asyncio.sleep(0.001)
            turns.append(time.thread_time() - began)

    async def keep_asking() -> None:
        nonlocal answers
        async with aiohttp.ClientSession() as session:
            while not done.is_set():
                async with session.get(f"{server.url}/healthz") as response:
                    assert response.status == 200
                answers += 1
                await asyncio.sleep(0.005)

    asking = asyncio.gather(keep_asking(), watch())
    status, read = await upload(server, large)
    assert (status, read["counts"]["bad"]) == (201, 2_000)
    mending = {"rows": [{"row": n, "values": {"name": f"某{n}", "venue": ""}} for n in range(2, 502)]}
    assert (await ask(server, "PUT", LIST, json=mending))[1]["counts"]["ok"] == 500
    assert (await ask(server, "POST", f"{LIST}/apply"))[1] == {"added": 500, "left": 1_500}
    done.set()
    await asking
    assert answers > 50
    turns.sort()
    assert turns[len(turns) * 99 // 100] < 0.05, turns[-10:]
    assert turns[-1] < 0.25, turns[-10:]
