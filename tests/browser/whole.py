"""The people and papers of one whole consultation, as the test of it uses them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl

from tests.browser.meeting import connected
from tests.browser.office import Json, Office
from tests.support.browser import BrowserClient, BrowserFactory, Screen
from tests.support.media import participant_video, speech_wav

TOPIC = "推进县域养老服务高质量发展"
MAIN, BRANCH, POINT = "主会场", "青禾县分会场", "石桥村连线点"
AGENDA = ("主持人介绍协商议题", "市民政局通报情况", "委员发言", "主持人小结")
HEADER = ("姓名", "界别", "身份", "会场", "手机", "单位职务")
# Eight browsers draw on two cores.
SMALL, SMALL_PHONE = Screen(1024, 640), Screen(390, 844, 1.0, True)
PATIENCE_S = 60.0
LIST = (
    ("周正明", "", "主持人", MAIN, "13900001102", "市政协副主席"),
    ("方立新", "经济界", "委员", "", "13900003390", "启航纺织"),
    ("吴启航", "医药卫生界", "委员", "", "13600005871", "市人民医院"),
    ("沈秋云", "农业界", "委员", BRANCH, "13900002217", "青禾县种粮合作社"),
    ("何春生", "农业界", "委员", "青河县分会场", "13900002218", "青禾县农技站"),  # no such venue, but nearly
    ("方立新", "经济界", "委员", "", "13900003390", "启航纺织"),  # twice
    ("陈玉兰", "教育界", "委员", "", "13800000466", "澄川市第二中学"),
    ("罗明", "", "列席", "", "", ""),  # does not come
)


def list_of_invitees(path: Path) -> Path:
    """The table that the office was sent, as a workbook."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADER, *LIST):
        sheet.append(row)
    book.save(path)
    return path


def cells(content: bytes) -> list[list[str]]:
    """Every row of a workbook's first sheet as text."""
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [["" if value is None else str(value) for value in row] for row in sheet.values]


async def said(client: BrowserClient, words: str) -> None:
    """Wait until the page says so."""

    async def there() -> bool:
        return bool(await client.evaluate("(words) => document.body.innerText.includes(words)", words))

    await client.wait_until(there, timeout_s=PATIENCE_S, what=f"says {words}")


async def shows(client: BrowserClient, test_id: str, count: int | None = None) -> None:
    """Wait until there are so many of them, or at least one."""

    def enough(seen: int) -> bool:
        return seen > 0 if count is None else seen == count

    await client.wait_until(
        lambda: client.count(test_id),
        enough,
        timeout_s=PATIENCE_S,
        what=f"shows {test_id} ({count or 'some'})",
    )


async def download(client: BrowserClient, test_id: str) -> bytes:
    """What a button of the page hands out, when a server with several browsers beside it has made it."""
    async with client.page.expect_download(timeout=180_000) as waiting:
        await client.tap(test_id)
    path = await (await waiting.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)


@dataclass
class People:
    """Everybody at a screen, and their participant ids."""

    browsers: BrowserFactory
    clients: dict[str, BrowserClient] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def launch(self, name: str, number: int, *, phone: bool = False) -> BrowserClient:
        """A browser with a camera that shows `number`, and a voice."""
        speech, video = await asyncio.gather(
            asyncio.to_thread(speech_wav),
            asyncio.to_thread(participant_video, number, (320, 180), 5, 4.0, "y4m"),
        )
        client = await self.browsers.launch(
            name=name, video=video, audio=speech, screen=SMALL_PHONE if phone else SMALL
        )
        self.clients[name] = client
        return client

    async def enter(self, name: str, *, camera: bool, consent: bool = False) -> None:
        """From the join page into the room, with the microphone off where it is not the room's own choice."""
        client = self.clients[name]
        await client.wait_until(
            lambda: client.count("join-button"), bool, timeout_s=30, what="has the join page"
        )
        if not camera:
            await client.tap("join-camera")
        if consent:
            await client.tap("consent")
        await client.tap("join-button", timeout_s=30)
        await connected(client, timeout_s=60)
        self.ids[name] = await client.own_id()


def links(office: Office, consultation: str) -> dict[str, Json]:
    """Everything that can be sent out, by the name it is for."""
    items: Iterable[Any] = office.call("GET", f"/consultations/{consultation}/links?limit=100")["items"]
    return {each["name"]: each for each in items}
