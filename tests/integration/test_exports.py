"""What leaves as a table, opened again and compared with what took place; and the figures of the desk."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from conference.model.media import Speaker, SpeakersChanged
from conference.model.permissions import Action, Role, allowed
from conference.services.rooms import RoomLimits
from tests.integration.test_imports import ask, upload
from tests.support.eventually import eventually
from tests.support.tables import opened, people
from tests.unit.signaling.harness import Signalling, signalling

API = "/api/v1/consultations/c"
HEADINGS = [
    "姓名",
    "界别",
    "单位职务",
    "身份",
    "会场",
    "进入方式",
    "进入",
    "离开",
    "在会时长",
    "发言时长",
    "说明",
]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Signalling]:
    async with signalling(tmp_path, RoomLimits(max_participants=20), time_zone="Asia/Shanghai") as running:
        yield running


async def hold_a_session(server: Signalling) -> None:
    """A chair and a member with a dangerous name; one turn, two statements, and one who does not come."""
    await upload(server, people(("罗明", "经济界", "列席", "", "", "", "")))
    assert (await ask(server, "POST", f"{API}/invitees/import/apply"))[0] == 200
    chair, member = await server.join(Role.CHAIR, "周正明"), await server.join(name="=1+1")
    assert (await ask(server, "POST", f"{API}/start", Role.CHAIR))[0] == 200
    await member.ask("floor.request")
    await chair.ask("floor.grant", {"participant_id": member.me})
    server.media.emit(SpeakersChanged("c", (Speaker(member.me, -20),)))
    await eventually(lambda: (chair.state.floor["holder"] or {}).get("state") == "running", every_s=0.01)
    await chair.ask("floor.end")
    await member.ask("statement.add", {"text": "@建议", "key": "k" * 8})
    await member.ask("statement.add", {"text": "只给秘书处", "key": "l" * 8, "private": True})
    await member.ask("room.leave")
    assert (await ask(server, "POST", f"{API}/end", Role.CHAIR))[0] == 200


async def test_attendance_and_its_tables(server: Signalling) -> None:
    await hold_a_session(server)
    status, attendance = await ask(server, "GET", f"{API}/attendance")
    assert status == 200
    chair, member, absent = attendance["items"]
    assert (chair["name"], chair["present"], chair["entered_by"], chair["turns"]) == (
        "周正明",
        True,
        "token",
        [],
    )
    assert (member["notes"], member["late"]) == ([{"code": "throughout", "ms": None, "count": None}], False)
    assert len(member["turns"]) == 1
    assert member["turns"][0]["to_ms"] - member["turns"][0]["from_ms"] == member["spoken_ms"]
    assert (absent["name"], absent["participant_id"], absent["present"]) == ("罗明", None, False)
    assert absent["notes"] == [{"code": "absent", "ms": None, "count": None}]
    assert (absent["sector"], absent["role"], absent["sessions"]) == ("经济界", "observer", [])

    status, data = await ask(server, "GET", f"{API}/attendance.xlsx")
    (sheet,) = opened(data).values()
    expected: list[list[Any]] = [list(HEADINGS)]
    for person in (chair, member):
        stays = person["sessions"]
        expected.append(
            [
                person["name"],
                None,
                None,
                {"chair": "主持人", "member": "委员"}[person["role"]],
                "手机参会",
                "入会链接",
                clock(stays[0]["from_wall_ms"]),
                clock(stays[-1]["to_wall_ms"]),
                dt.timedelta(seconds=round(person["present_ms"] / 1000)),
                dt.timedelta(seconds=round(person["spoken_ms"] / 1000)),
                "全程",
            ]
        )
    expected.append(
        ["罗明", "经济界", None, "列席", "手机参会", None, None, None, None, dt.timedelta(0), "未到"]
    )
    assert [[cell or None for cell in row] for row in sheet] == [
        [cell or None for cell in row] for row in expected
    ]

    status, data = await ask(server, "GET", f"{API}/attendance.csv")
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert data.startswith(b"\xef\xbb\xbf")
    assert rows[0] == HEADINGS
    assert [row[0] for row in rows[1:]] == ["周正明", "'=1+1", "罗明"]
    assert rows[2][6] == f"{clock(member['sessions'][0]['from_wall_ms']):%Y-%m-%d %H:%M:%S}"


def clock(moment_ms: int | None) -> dt.datetime | None:
    """As the clock in Shanghai showed it."""
    if moment_ms is None:
        return None
    zone = dt.timezone(dt.timedelta(hours=8))
    return dt.datetime.fromtimestamp(moment_ms // 1000, zone).replace(tzinfo=None)


async def test_duty_records(server: Signalling) -> None:
    await hold_a_session(server)
    status, data = await ask(server, "GET", f"{API}/duty-records.xlsx")
    assert status == 200
    sheets = opened(data)
    assert list(sheets) == ["履职档案", "在会", "发言", "书面发言"]
    head, *rows = sheets["履职档案"]
    found = [dict(zip(head, row, strict=True)) for row in rows]
    counts = ("姓名", "出席", "申请发言", "请到发言", "书面发言", "说明")
    assert [tuple(row[name] for name in counts) for row in found] == [
        ("周正明", "出席", 0, 0, 0, "全程"),
        ("=1+1", "出席", 1, 1, 1, "全程"),
        ("罗明", "未到", 0, 0, 0, "未到"),
    ]
    assert [row[0] for row in sheets["在会"][1:]] == ["周正明", "=1+1"]
    assert [row[0] for row in sheets["发言"][1:]] == ["=1+1"]
    assert [(row[0], row[2]) for row in sheets["书面发言"][1:]] == [("=1+1", "@建议")]


async def test_statistics(server: Signalling) -> None:
    await hold_a_session(server)
    status, found = await ask(server, "GET", f"{API}/statistics")
    assert status == 200
    assert found["gauge"] == {
        "present": 0,
        "expected": 1,
        "throughout": 0,
        "late": 0,
        "left_early": 0,
        "dropped_and_back": 0,
        "spoke": 0,
    }
    assert found["peak"]["count"] == 2
    assert (found["requests"], found["grants"], found["statements"], found["statement_authors"]) == (
        1,
        1,
        1,
        1,
    )
    assert 0 <= found["median_wait_ms"] < 10_000
    assert [(each["key"], each["label"]) for each in found["speaking"]["by_role"]] == [("member", "委员")]
    assert [(each["key"], each["label"]) for each in found["speaking"]["by_venue"]] == [
        ("remote", "手机和电脑")
    ]
    assert found["total_speaking_ms"] == found["outside_ms"] == found["speaking"]["by_person"][0]["ms"] > 0


async def test_a_file_has_a_name_and_a_type(server: Signalling) -> None:
    headers = {"Authorization": f"Bearer {server.token(Role.CHAIR)}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{server.url}{API}/attendance.csv") as response,
    ):
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert quote("签到表 协商会.csv") in response.headers["Content-Disposition"]
        assert response.headers["Content-Disposition"].startswith("attachment;")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


DOORS: list[Any] = ["attendance", "statistics", "attendance.xlsx", "attendance.csv", "duty-records.xlsx"]


async def test_who_may(server: Signalling) -> None:
    for role in Role:
        may = allowed(role, Action.ATTENDANCE_READ)
        for door in DOORS[:2] if may and role is not Role.CHAIR else DOORS:  # a table takes its time
            status, _ = await ask(server, "GET", f"{API}/{door}", role)
            assert status == (200 if may else 403), (role, door)


async def test_links_with_codes_page_by_page_and_as_a_table(server: Signalling) -> None:
    await upload(server, people(("罗明", "经济界", "列席", "", "13800000466", "", "是"), ("何春生",)))
    await ask(server, "POST", f"{API}/invitees/import/apply")
    venue = {"name": "青禾县分会场", "kind": "branch", "operator_name": "马干事"}
    assert (await ask(server, "POST", f"{API}/venues", json=venue))[0] == 201
    status, first = await ask(server, "GET", f"{API}/links", params={"qr": "1", "limit": "2"})
    assert (status, first["public"]) == (200, None)
    status, second = await ask(server, "GET", f"{API}/links", params={"after": first["next"]})
    items = first["items"] + second["items"]
    assert second["next"] is None
    assert [(each["kind"], each["name"], each["role"], each["large_text"]) for each in items] == [
        ("venue", "青禾县分会场", "venue_operator", False),
        ("invitee", "罗明", "observer", True),
        ("invitee", "何春生", "member", False),
    ]
    assert items[0]["qr"]["path"].startswith("M4 4h7v1h-7z")
    assert items[2]["qr"] is None
    for each in items:  # each of them opens what it says
        async with (
            aiohttp.ClientSession() as session,
            session.get(server.url + "/api/v1/links/" + each["link"][3:]) as r,
        ):
            assert (r.status, (await r.json())["kind"]) == (200, each["kind"])
    status, data = await ask(server, "GET", f"{API}/links.xlsx")
    sheets = opened(data)
    whole = [server.url + each["link"] for each in items]
    assert [(row[0], row[5], row[7]) for row in sheets["个人链接"][1:]] == [
        ("罗明", "13800000466", whole[1]),
        ("何春生", None, whole[2]),
    ]
    assert [(row[0], row[1], row[4]) for row in sheets["会场"][1:]] == [("青禾县分会场", "马干事", whole[0])]
    for role in Role:
        status, _ = await ask(server, "GET", f"{API}/links", role)
        assert (status == 200) is allowed(role, Action.LINK_READ), role
