"""The places of the desk as named scenes: 筹备 empty, with a list to mend and published; who waits; 签到; 留痕.

python -m tests.browser.scenes_prepare FOLDER [SCENE …] [--screens phone,laptop]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from tests.browser.office import TITLE, Json, Office, prepare
from tests.browser.scenes import SCENES, Stage
from tests.browser.scenes_floor import AGENDA, chair_of, running, take
from tests.browser.settled import present, reads
from tests.support.eventually import eventually
from tests.support.light_client import RoomClient
from tests.support.tables import people, workbook

LARGE = "?size=large"
STARTS_AT_MS: Final = 1_795_069_800_000  # 2026-11-19 14:30 in China
VENUES = (
    ("main", "主会场", "市政协议事厅", "孙师傅"),
    ("branch", "青禾县分会场", "县政协委员之家", "马干事"),
    ("point", "柳塘街道连线点", "街道养老服务中心", "许干事"),
    ("point", "石桥村连线点", "村互助养老点", "丁会计"),
)
GUESTS = (
    ("周正明", "", "主持人", "主会场", "13900001102", "市政协副主席", ""),
    ("林文博", "医药卫生界", "委员", "主会场", "13600005871", "市人民医院", ""),
    ("吴启航", "经济界", "委员", "", "13900003390", "启航纺织", ""),
    ("郑晓雯", "", "专家", "", "13700004108", "省老龄研究院研究员", ""),
    ("陈玉兰", "教育界", "委员", "", "13800000466", "澄川市第二中学", "是"),
    ("钱立", "", "部门代表", "主会场", "13800007724", "市民政局副局长", ""),
    ("冯建国", "经济界", "委员", "主会场", "13500002651", "冯记食品", ""),
    ("罗明", "", "列席", "主会场", "13300009012", "市政协研究室", ""),
)
TO_MEND = (
    ("何春生", "农业界", "委员", "青河县分会场", "13900002217", "青禾县种粮合作社", ""),
    ("陈玉兰", "教育界", "委员", "", "13800000466", "澄川市第二中学", ""),
    ("赵桂芳", "", "群众代表", "柳塘街道连线点", "1390000217", "柳塘街道居民", ""),
)


def upload(office: Office, path: str, name: str, data: bytes) -> Any:
    """The bytes of a file as the body."""
    request = urllib.request.Request(
        f"{office.server.url}/api/v1{path}?name={urllib.parse.quote(name)}",
        method="POST",
        data=data,
        headers={"Content-Type": "application/octet-stream", "Authorization": f"Bearer {office.token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def new_draft(stage: Stage) -> Office:
    """A draft of a new secretariat's takes the place of the stage's consultation."""
    office = Office(stage.server, login=f"wangmei-{stage.consultation[-8:].lower()}")
    stage.consultation = str(office.call("POST", "/consultations", {"title": TITLE})["id"])
    return office


def add_venues(office: Office, cid: str) -> None:
    names = ("kind", "name", "place", "operator_name")
    for venue in VENUES:
        office.call("POST", f"/consultations/{cid}/venues", dict(zip(names, venue, strict=True)))


def fill(office: Office, cid: str) -> None:
    """Time, briefing, venues, agenda, one file; no invitees yet."""
    add_venues(office, cid)
    path = f"/consultations/{cid}"
    fields: Json = {
        "revision": 1,
        "scheduled_at_ms": STARTS_AT_MS,
        "ends_at_ms": STARTS_AT_MS + 9_000_000,
        "closing_at_ms": STARTS_AT_MS + 617_400_000,
        "waiting_room": True,
        "briefing": "围绕助餐、护理队伍和农村互助养老三个方面协商，请先阅读调研报告。",
    }
    office.call("PATCH", path, fields)
    columns = ("kind", "title", "planned_minutes", "speaker")
    office.call(
        "PUT", f"{path}/agenda", {"items": [dict(zip(columns, item, strict=True)) for item in AGENDA]}
    )
    upload(office, f"{path}/files", "调研报告.txt", "调研报告正文。\n".encode() * 900)


def invite(office: Office, cid: str) -> None:
    """Everybody who needs no mending, by an import. The main venue has to be there."""
    path = f"/consultations/{cid}/invitees/import"
    upload(office, path, "受邀名单.xlsx", people(*GUESTS))
    office.call("POST", f"{path}/apply")


async def at_desk(stage: Stage, office: Office, place: str, query: str = "") -> None:
    """Open a place of the desk as the one who is logged in."""
    session = json.dumps({"token": office.token, "expires_at_ms": 4_102_444_800_000})
    await stage.client.open(stage.server.url + "/")
    await stage.client.evaluate("(kept) => localStorage.setItem('yuanshang.staff', kept)", session)
    path = "" if place == "run" else f"/{place}"
    await stage.client.open(f"{stage.server.url}/desk/{stage.consultation}{path}{query}")


async def show(stage: Stage, part: str) -> None:
    await stage.client.evaluate(
        """(part) => { document.documentElement.style.scrollBehavior = 'auto'
             for (const e of document.querySelectorAll('.page-scroll')) e.style.scrollBehavior = 'auto'
             document.getElementById(part).scrollIntoView() }""",
        part,
    )


async def prepare_empty(stage: Stage) -> None:
    office = await asyncio.to_thread(new_draft, stage)
    await at_desk(stage, office, "prepare")
    await present(stage.client, "edit-title")


async def to_mend(stage: Stage, query: str = "") -> Office:
    """A list with three rows to mend was read."""
    office = await asyncio.to_thread(new_draft, stage)

    def ready() -> None:
        fill(office, stage.consultation)
        rows = people(*TO_MEND, *GUESTS)
        upload(office, f"/consultations/{stage.consultation}/invitees/import", "受邀名单 11月17日.xlsx", rows)

    await asyncio.to_thread(ready)
    await at_desk(stage, office, "prepare", query)
    await present(stage.client, "import-error", len(TO_MEND))
    await present(stage.client, "venue-row", len(VENUES))
    return office


async def prepare_basics(stage: Stage) -> None:
    await to_mend(stage)


async def prepare_large(stage: Stage) -> None:
    await to_mend(stage, LARGE)


async def prepare_import(stage: Stage) -> None:
    await to_mend(stage)
    await show(stage, "invitees")


async def prepare_import_large(stage: Stage) -> None:
    await to_mend(stage, LARGE)
    await show(stage, "invitees")


async def prepare_unread(stage: Stage) -> None:
    """A table without a column of names."""
    office = await asyncio.to_thread(new_draft, stage)
    await at_desk(stage, office, "prepare")
    await present(stage.client, "invitee-import")
    chooser = stage.client.page.get_by_test_id("import-input")
    table = workbook([("编号", "单位"), (1, "市人民医院")])
    await chooser.set_input_files(
        {"name": "通讯录.xlsx", "mimeType": "application/octet-stream", "buffer": table}
    )
    await present(stage.client, "import-unread")
    await show(stage, "invitees")


async def published(stage: Stage, query: str = "") -> Office:
    office = await asyncio.to_thread(new_draft, stage)

    def ready() -> None:
        fill(office, stage.consultation)
        invite(office, stage.consultation)
        for venue in office.call("GET", f"/consultations/{stage.consultation}/venues")["items"][:2]:
            office.call("POST", f"/consultations/{stage.consultation}/venues/{venue['id']}/code")
        office.call("POST", f"/consultations/{stage.consultation}/publish")

    await asyncio.to_thread(ready)
    await at_desk(stage, office, "prepare", query)
    await present(stage.client, "invitee-row", len(GUESTS))
    await present(stage.client, "entry-code", 2)
    await stage.client.wait_until(
        lambda: stage.client.evaluate("() => !document.querySelector('#links button:disabled')"),
        what="has everybody's links to print",
    )
    return office


async def prepare_invitees(stage: Stage) -> None:
    await published(stage)
    await show(stage, "invitees")


async def prepare_agenda(stage: Stage) -> None:
    await published(stage)
    await show(stage, "agenda")


async def prepare_links(stage: Stage) -> None:
    await published(stage)
    await show(stage, "links")


async def prepare_links_large(stage: Stage) -> None:
    await published(stage, LARGE)
    await show(stage, "links")


async def waiting(stage: Stage) -> None:
    """Two in front of the door, one of them on no list."""
    done = await asyncio.to_thread(lambda: prepare(stage.server, waiting_room=True))
    stage.consultation = done.consultation
    for link in (done.member, done.remote):
        code = str(link["link"]).rsplit("/", 1)[-1]
        entered = await asyncio.to_thread(done.office.call, "POST", f"/links/{code}/enter")
        await wait_at_door(stage, entered["token"])
    body: Json = {"code": done.code, "name": "黄老师", "device": "scene-device-0001"}
    entered = await asyncio.to_thread(done.office.call, "POST", "/entry-codes/enter", body)
    await wait_at_door(stage, entered["token"])
    await at_desk(stage, done.office, "run")
    await present(stage.client, "waiting-person", 3)


async def wait_at_door(stage: Stage, token: str) -> None:
    person = RoomClient(stage.server.url, token, receive=False)
    stage.people.append(person)
    await person.connect()


async def attended(stage: Stage, query: str = "") -> None:
    """A meeting that runs, seen on 签到."""
    await running(stage)
    office = await asyncio.to_thread(
        lambda: Office(stage.server, login=f"li-{stage.consultation[-8:].lower()}")
    )

    def ready() -> None:
        add_venues(office, stage.consultation)
        invite(office, stage.consultation)

    await asyncio.to_thread(ready)
    path = f"/consultations/{stage.consultation}/statistics"
    await eventually(
        lambda: asyncio.to_thread(office.call, "GET", path),
        lambda sums: sums["total_speaking_ms"] > 3000,
        what="somebody has spoken long enough to be seen in a plot",
    )
    await at_desk(stage, office, "attendance", query)
    await present(stage.client, "attendance-row", len(GUESTS))


async def attendance_large(stage: Stage) -> None:
    await attended(stage, LARGE)


async def attendance_empty(stage: Stage) -> None:
    office = await asyncio.to_thread(new_draft, stage)
    await at_desk(stage, office, "attendance")
    await present(stage.client, "gauge")


async def traced(stage: Stage, query: str = "") -> None:
    await running(stage)
    office = await asyncio.to_thread(
        lambda: Office(stage.server, login=f"li-{stage.consultation[-8:].lower()}")
    )
    await at_desk(stage, office, "trace", query)
    await present(stage.client, "trace-line")


async def trace_large(stage: Stage) -> None:
    await traced(stage, LARGE)


async def ended(stage: Stage) -> None:
    await chair_of(stage)
    office = await asyncio.to_thread(
        lambda: Office(stage.server, login=f"li-{stage.consultation[-8:].lower()}")
    )
    for step in ("start", "end"):
        await asyncio.to_thread(office.call, "POST", f"/consultations/{stage.consultation}/{step}")
    await at_desk(stage, office, "run")
    await present(stage.client, "place-attendance")
    await reads(stage.client, "协商会已结束")


PREPARE_SCENES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "prepare-empty": prepare_empty,
    "prepare": prepare_basics,
    "prepare-large": prepare_large,
    "prepare-import": prepare_import,
    "prepare-import-large": prepare_import_large,
    "prepare-unread": prepare_unread,
    "prepare-invitees": prepare_invitees,
    "prepare-agenda": prepare_agenda,
    "prepare-links": prepare_links,
    "prepare-links-large": prepare_links_large,
    "desk-waiting": waiting,
    "attendance": attended,
    "attendance-large": attendance_large,
    "attendance-empty": attendance_empty,
    "trace": traced,
    "trace-large": trace_large,
    "desk-ended": ended,
}
SCENES.update(PREPARE_SCENES)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("scenes", nargs="*", default=list(PREPARE_SCENES))
    parser.add_argument("--screens", default="phone,laptop")
    options = parser.parse_args()
    asyncio.run(take(options.folder, options.scenes, options.screens.split(",")))


if __name__ == "__main__":
    main()
