"""A session with a transcript, put into the database by the real repositories, and its secretariat at the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from conference.model.agenda import Agenda, AgendaItem, AgendaKind, ItemState
from conference.model.audit import CLI, AuditEntry
from conference.model.ids import new_id
from conference.model.permissions import Role
from conference.model.second_pass import SecondPass
from conference.model.transcript import SpeakerLabel, TranscriptSegment, Word
from conference.model.transcript_edit import joined_words, render
from signaling.data_dir import DataDirectory
from signaling.database import open_database
from tests.browser.office import TITLE, Json, Office
from tests.browser.settled import present
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient
from tests.support.media import opus_packets, speech_wav
from tests.support.server import Server

CHAIR: Final = SpeakerLabel("周主持人", Role.CHAIR, "主会场")
CIVIL: Final = SpeakerLabel("市民政局", Role.DEPARTMENT, "主会场", "部门代表")
LIN: Final = SpeakerLabel("林委员", Role.MEMBER, None, "医药卫生界")
HALL: Final = SpeakerLabel("青禾县分会场", Role.VENUE_OPERATOR, "青禾县分会场", is_certain=False)
FINANCE: Final = SpeakerLabel("市财政局", Role.DEPARTMENT, "主会场", "部门代表")

MINUTE_MS: Final = 60_000
ITEMS: Final = (
    (AgendaKind.REPORT, "主持人介绍协商议题", 0),
    (AgendaKind.REPORT, "市民政局通报情况", 12 * MINUTE_MS),
    (AgendaKind.DISCUSSION, "互动讨论", 69 * MINUTE_MS),
)
# Who, when, and the words with the pauses before them.
Said = tuple[SpeakerLabel, int, tuple[str | tuple[str, int], ...]]
SAID: Final[Sequence[Said]] = (
    (CHAIR, 5_000, ("现在", "开会", ("今天", 600), "协商", "县域", "养老", "服务")),
    (
        CIVIL,
        13 * MINUTE_MS,
        ("全市", "有", "助餐", "点", "三百", "二十", "个", ("覆盖", 500), "百分之", "六十"),
    ),
    (
        CHAIR,
        69 * MINUTE_MS + 30_000,
        ("刚才", "有", "网友", "问到", "助餐", "点", "的", "事", ("请", 700), "民政局", "回应"),
    ),
    (
        CIVIL,
        69 * MINUTE_MS + 58_000,
        ("助餐", "点", "可以", "用", "现金", ("也", 500), "可以", "刷", "社保卡"),
    ),
    (
        CIVIL,
        70 * MINUTE_MS + 20_000,
        ("行动", "不便", "的", "老人", ("由", 600), "村", "助餐", "员", "送餐", "上门"),
    ),
    (
        LIN,
        70 * MINUTE_MS + 59_000,
        ("村里", "的", "互助", "养老", "点", ("最", 500), "缺", "的", "不是", "房子"),
    ),
    (HALL, 73 * MINUTE_MS + 51_000, ("我们", "县", "的", "做法", "是", ("医养", 500), "结合")),
    (
        FINANCE,
        81 * MINUTE_MS + 10_000,
        ("目前", "持证", "上岗", "的", ("每人", 500), "每月", "补贴", "三百", "元"),
    ),
)


def spoken(
    cid: str, number: int, who: SpeakerLabel, start_ms: int, said: Sequence[str | tuple[str, int]]
) -> TranscriptSegment:
    """A segment as it is heard: one microphone a speaker, 200 ms a character."""
    at_ms, words = start_ms, list[Word]()
    for each in said:
        text, pause_ms = each if isinstance(each, tuple) else (each, 0)
        at_ms += pause_ms
        words.append(Word(text, at_ms, at_ms + 200 * len(text), 0.3 if text == "医养" else 0.9))
        at_ms = words[-1].end_ms
    rendered = render(words)
    return TranscriptSegment(
        id=f"seg_{cid[-8:]}_{number:05}",
        consultation_id=cid,
        participant_id=f"p_{who.name}",
        speaker=who,
        start_ms=start_ms,
        end_ms=at_ms,
        text=rendered.text,
        raw=joined_words(words),
        words=tuple(words),
        engine="scripted",
        automatic=rendered.automatic,
    )


def segments_of(cid: str) -> list[TranscriptSegment]:
    return [spoken(cid, number, *each) for number, each in enumerate(SAID)]


def long_transcript(cid: str, count: int) -> list[TranscriptSegment]:
    """Hours of speech: what is said again and again, in segments of many lengths."""
    found = []
    for number in range(count):
        who, _, said = SAID[number % len(SAID)]
        words = said * (1 + number * 7 % 5)
        found.append(spoken(cid, number, who, number * 2_700, words))
    return found


class Transcribed:
    """An ended session whose transcript is there, and its secretariat's office. All methods block."""

    def __init__(self, server: Server, *, over: bool = True) -> None:
        self.server = server
        self.cid = server.create_consultation(TITLE)
        self.office = Office(server, login=f"liuxin-{self.cid[-8:].lower()}")
        self.segments: list[TranscriptSegment] = []
        self.call("POST", "/start")
        if over:
            self.call("POST", "/end")

    def call(self, method: str, path: str = "", body: Json | None = None) -> Any:
        return self.office.call(method, f"/consultations/{self.cid}{path}", body)

    def keep(self, segments: Sequence[TranscriptSegment] | None = None, *, agenda: bool = True) -> None:
        """Put them where what is heard is kept."""
        self.segments = segments_of(self.cid) if segments is None else list(segments)
        asyncio.run(self._keep(agenda))

    async def _keep(self, agenda: bool) -> None:
        database = open_database(DataDirectory(self.server.data_dir), None)
        try:
            async with database.transaction() as unit:
                if agenda:
                    await unit.agenda.save(self.cid, agenda_of())
                await unit.transcript.save(self.segments)
                await unit.audit.append(AuditEntry(self.cid, 1, 0, CLI, "transcript.heard"))
        finally:
            await database.close()

    def heard_again(self, run: SecondPass) -> None:
        """A second pass as it is kept."""
        asyncio.run(self._heard_again(run))

    async def _heard_again(self, run: SecondPass) -> None:
        database = open_database(DataDirectory(self.server.data_dir), None)
        try:
            async with database.transaction() as unit:
                await unit.second_passes.save(run)
                await unit.audit.append(AuditEntry(self.cid, 1, 0, CLI, "transcript.second_pass_ended"))
        finally:
            await database.close()

    def texts(self) -> list[str]:
        return [str(each["text"]) for each in self.call("GET", "/transcript?brief=1&limit=5000")["items"]]

    def actions(self) -> list[str]:
        return [str(each["action"]) for each in self.call("GET", "/audit?newest=true&limit=200")["items"]]

    def colleague(self, name: str, query: str = "") -> str:
        """The address of the desk for another member of the secretariat."""
        token = self.server.token(self.cid, "secretariat", name)
        return f"{self.server.url}/desk/{self.cid}/minutes{query}#token={token}"


@asynccontextmanager
async def speaking(session: Transcribed, token: str = "") -> AsyncIterator[str]:
    """Somebody in the live session whose microphone is on and recorded; the id of the participant."""
    token = token or session.server.token(session.cid, "member", LIN.name)
    client = RoomClient(session.server.url, token, receive=False)
    await client.connect()
    try:
        packets = await asyncio.to_thread(opus_packets, speech_wav())
        await client.publish([AudioSource(packets=packets, level_db=25)], names=["microphone"])
        yield client.participant_id
    finally:
        await client.close()


async def missing(session: Transcribed, least_ms: int) -> list[Json]:
    """Wait until so much was recorded of which there is no text, as this server has no speech model; the gaps."""
    state = await eventually(
        lambda: asyncio.to_thread(session.call, "GET", "/transcript/state"),
        lambda now: sum(each["to_ms"] - each["from_ms"] for each in now["gaps"]) >= least_ms,
        timeout_s=60,
        what="something is missing in the transcript",
    )
    return list(state["gaps"])


def agenda_of() -> Agenda:
    last = len(ITEMS) - 1
    return Agenda(
        tuple(
            AgendaItem(
                id=new_id("ag"),
                title=title,
                kind=kind,
                state=ItemState.DONE,
                started_at_ms=at_ms,
                ended_at_ms=ITEMS[number + 1][2] if number < last else 91 * MINUTE_MS,
            )
            for number, (kind, title, at_ms) in enumerate(ITEMS)
        )
    )


async def at_minutes(
    browsers: BrowserFactory, session: Transcribed, name: str = "刘秘书", **options: Any
) -> BrowserClient:
    """A member of the secretariat at 记录; the transcript is there."""
    desk = await browsers.launch(name=name, **({"screen": LAPTOP} | options))
    await desk.open(session.colleague(name))
    await present(desk, "transcript-segment")
    return desk
