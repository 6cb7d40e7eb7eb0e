"""One whole consultation in real browsers: prepared from a list, held in three halls and on telephones, and kept."""

from __future__ import annotations

import asyncio
import zipfile
from pathlib import Path

import pytest

from tests.browser.meeting import muted
from tests.browser.office import Office
from tests.browser.whole import (
    AGENDA,
    BRANCH,
    MAIN,
    PATIENCE_S,
    POINT,
    TOPIC,
    People,
    cells,
    download,
    links,
    list_of_invitees,
    said,
    shows,
)
from tests.support.browser import BrowserClient, BrowserFactory
from tests.support.light_client import RoomClient
from tests.support.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


async def test_a_whole_consultation(server: Server, browsers: BrowserFactory, tmp_path: Path) -> None:
    office = await asyncio.to_thread(Office, server, role="organizer")
    organizer = await browsers.launch(name="刘欣")
    consultation = await prepare(organizer, server, office, tmp_path)
    people = await gather(server, office, consultation, browsers)
    desk = await chair_at_the_desk(people, office, consultation)
    await hold(desk, people, server, consultation)
    archive = await keep(desk, people, organizer, tmp_path)
    await asyncio.to_thread(change_one_byte, server, archive)
    for client in browsers.clients:
        client.assert_quiet()


# ── before ──────────────────────────────────────────────────────────────────────────────────────


async def prepare(organizer: BrowserClient, server: Server, office: Office, folder: Path) -> str:
    """By the pages alone: log in, create, fill in, import, mend, publish. Gives the consultation's id."""
    await organizer.open(server.url)
    await organizer.fill("login-name", office.login)
    await organizer.fill("login-password", office.password)
    await organizer.tap("login-button")
    await organizer.tap("create-consultation")
    await organizer.fill("new-title", TOPIC)
    await organizer.tap("create-act")
    await organizer.wait_until(
        lambda: asyncio.sleep(0, organizer.page.url), lambda url: url.endswith("/prepare"), timeout_s=30
    )
    consultation = organizer.page.url.split("/")[-2]

    await shows(organizer, "edit-day")
    page = organizer.page
    await page.get_by_test_id("edit-day").fill("2027-03-01")
    await page.get_by_test_id("edit-from").fill("14:30")
    await page.get_by_test_id("edit-until").fill("17:00")
    for number, (name, kind) in enumerate(((MAIN, "main"), (BRANCH, "branch"), (POINT, "point"))):
        await organizer.tap("venue-add")
        await organizer.fill("venue-name", name)
        await page.get_by_test_id("venue-kind").select_option(kind)
        await organizer.tap("venue-save")
        await shows(organizer, "venue-row", number + 1)

    await page.get_by_test_id("import-input").set_input_files(list_of_invitees(folder / "受邀名单.xlsx"))
    await shows(organizer, "import-error", 2)
    await said(organizer, "没有“青河县分会场”，是不是“青禾县分会场”？")
    await organizer.tap("import-fix")
    await shows(organizer, "import-error", 1)
    await organizer.tap("import-fix")
    await shows(organizer, "import-error", 0)
    await organizer.tap("import-apply")
    await shows(organizer, "invitee-row", 7)

    for number, title in enumerate(AGENDA):
        await organizer.tap("agenda-add")
        await shows(organizer, "agenda-row", number + 1)
        await page.get_by_test_id("agenda-title").nth(number).fill(title)
        await page.get_by_test_id("agenda-minutes").nth(number).fill("10")
    await organizer.tap("publish", timeout_s=30)
    await organizer.wait_until(
        lambda: asyncio.to_thread(office.call, "GET", f"/consultations/{consultation}"),
        lambda one: one["status"] == "scheduled",
        what="has published",
    )
    return consultation


async def gather(server: Server, office: Office, consultation: str, browsers: BrowserFactory) -> People:
    """Three halls by their operators' links, three members by personal links, one by the code of its hall."""
    people = People(browsers)
    sent = await asyncio.to_thread(links, office, consultation)
    halls = await asyncio.to_thread(office.call, "GET", f"/consultations/{consultation}/venues")
    branch = next(each for each in halls["items"] if each["name"] == BRANCH)
    code = (
        branch["entry_code"]
        or (
            await asyncio.to_thread(
                office.call, "POST", f"/consultations/{consultation}/venues/{branch['id']}/code"
            )
        )["entry_code"]
    )

    async def hall(number: int, name: str) -> None:
        client = await people.launch(name, number)
        await client.open(office.address(sent[name]["link"]))
        await people.enter(name, camera=True)

    async def member(number: int, name: str) -> None:
        client = await people.launch(name, number, phone=name != "陈玉兰")
        await client.open(office.address(sent[name]["link"]))
        await people.enter(name, camera=False, consent=name == "方立新")

    async def in_the_hall(number: int, name: str) -> None:
        phone = await people.launch(name, number, phone=True)
        await phone.open(server.url)
        await phone.fill("entry-code", code)
        await phone.tap("code-next")
        await phone.fill("code-name", name)
        await phone.tap("code-enter")
        await people.enter(name, camera=False)

    # One after the other: eight browsers that start at once leave two cores nothing for those already inside.
    for number, name in enumerate((MAIN, BRANCH, POINT), 1):
        await hall(number, name)
    for number, name in enumerate(("方立新", "吴启航", "陈玉兰"), 4):
        await member(number, name)
    await in_the_hall(7, "沈秋云")

    await people.clients[MAIN].sees({people.ids[BRANCH]: 2, people.ids[POINT]: 3}, timeout_s=60)
    return people


async def chair_at_the_desk(people: People, office: Office, consultation: str) -> BrowserClient:
    """The chair's own link leads to the desk."""
    sent = await asyncio.to_thread(links, office, consultation)
    desk = await people.launch("周正明", 8)
    await desk.open(office.address(sent["周正明"]["link"]))
    await desk.tap("open-desk", timeout_s=30)
    await shows(desk, "agenda-item", len(AGENDA))
    await shows(desk, "desk-participant", 7)
    return desk


# ── the meeting ─────────────────────────────────────────────────────────────────────────────────


async def hold(desk: BrowserClient, people: People, server: Server, consultation: str) -> None:
    """Four items, five requests from halls and telephones, a turn whose time runs out, statements."""
    main, talking = people.clients[MAIN], people.clients["方立新"]
    await desk.tap("start-consultation")
    await desk.tap("agenda-next", timeout_s=30)
    await said(main, AGENDA[0])
    for number, name in enumerate((BRANCH, "方立新", "吴启航", POINT, "沈秋云"), 1):
        await people.clients[name].tap("raise-hand")
        await shows(desk, "floor-queue-item", number)
    order = await desk.evaluate(
        "() => [...document.querySelectorAll('[data-testid=floor-queue-item]')].map((e) => e.dataset.participantId)"
    )
    asked = [people.ids[name] for name in (BRANCH, "方立新", "吴启航", POINT, "沈秋云")]
    assert order == asked, "one queue across halls and telephones"

    await desk.tap("floor-grant")
    await main.hears(people.ids[BRANCH], timeout_s=PATIENCE_S)
    await desk.tap("agenda-next")
    await said(main, AGENDA[1])

    # Agreed on the join page: opened without a tap, heard in the hall, and on everybody's clock.
    await desk.tap("floor-grant")
    await main.hears(people.ids["方立新"], timeout_s=PATIENCE_S)
    await muted(talking, is_muted=False)
    for client in (desk, main, talking, people.clients["陈玉兰"]):
        await shows(client, "floor-clock")
    await desk.tap("floor-end")
    await muted(talking, is_muted=True)

    # Did not agree: one large button, then the hall hears.
    await desk.tap("agenda-next")
    await desk.tap("floor-grant")
    await people.clients["吴启航"].tap("turn-open", timeout_s=30)
    await main.hears(people.ids["吴启航"], timeout_s=PATIENCE_S)
    await desk.tap("floor-grant")
    await main.hears(people.ids[POINT], timeout_s=PATIENCE_S)

    # The telephone in a hall speaks while the loudspeaker beside it is lowered; the time of its turn runs out.
    secretary = RoomClient(server.url, server.token(consultation, "secretariat", "秘书处"), receive=False)
    await secretary.connect()
    await secretary.request(
        "floor.grant", {"participant_id": people.ids["沈秋云"], "duration_ms": 12_000, "ending": "hard"}
    )
    await people.clients["沈秋云"].tap("turn-open", timeout_s=30)
    await main.hears(people.ids["沈秋云"], timeout_s=PATIENCE_S)
    await shows(people.clients[BRANCH], "ducked")
    await shows(people.clients["沈秋云"], "in-hall")
    await shows(desk, "floor-queue-item", 0)
    await shows(people.clients[BRANCH], "ducked", 0)
    await secretary.close()

    await talking.page.locator(".rctl .ctl", has_text="更多").tap()
    await talking.tap("open-statements")
    await talking.fill("statement-input", "助餐点能不能错峰开放？")
    await talking.tap("statement-send")
    await desk.tap("statement-take", timeout_s=30)
    await said(talking, "已带到会上")

    await desk.tap("agenda-next")
    await said(main, AGENDA[3])
    await desk.tap("end-consultation")
    await desk.fill("end-word", "结束")
    await desk.tap("end-confirm")


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────


async def keep(desk: BrowserClient, people: People, organizer: BrowserClient, folder: Path) -> Path:
    """Attendance as a workbook, and the archive package."""
    await organizer.tap("place-attendance", timeout_s=30)
    await shows(organizer, "attendance-row")
    rows = cells(await download(organizer, "attendance-export"))
    named = {row[0]: row for row in rows if row and row[0]}
    for name in ("方立新", "吴启航", "陈玉兰", "沈秋云"):
        assert name in named, rows
    assert any("未到" in cell for cell in named["罗明"]), named["罗明"]
    assert any(BRANCH in cell for cell in named["沈秋云"]), named["沈秋云"]

    await organizer.tap("place-trace")
    await shows(organizer, "trace-line")
    archive = folder / "archive.zip"
    await asyncio.to_thread(archive.write_bytes, await download(organizer, "archive"))
    return archive


def change_one_byte(server: Server, archive: Path) -> None:
    """The package verifies; with one byte of one line changed the verifier names that line."""
    assert server.run("archive", "verify", str(archive))
    with zipfile.ZipFile(archive) as package:
        name = next(each for each in package.namelist() if each.endswith("audit_lines.jsonl"))
        lines = package.read(name).splitlines(keepends=True)
    line_number = len(lines) // 2
    line = lines[line_number - 1]
    at = line.index(b'"at_ms"') + len(b'"at_ms":')
    digit = next(i for i in range(at, len(line)) if 0x30 <= line[i] <= 0x39)
    changed = bytearray(line)
    changed[digit] = 0x31 if changed[digit] != 0x31 else 0x32
    content = archive.read_bytes()
    assert content.count(line) == 1
    archive.write_bytes(content.replace(line, bytes(changed)))
    with pytest.raises(AssertionError) as refused:
        server.run("archive", "verify", str(archive))
    assert str(line_number) in str(refused.value)
