"""The second pass through its doors, and with the real process on a real recorded file, killed amid it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from conference.model.audit import CLI, AuditEntry
from conference.model.consultation import Status
from conference.model.permissions import Role
from conference.model.transcript import TranscriptSegment
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.services.second_passes import SecondPasses
from conference.services.term_lists import TermLists
from conference.services.transcript_news import TranscriptNews
from conference.storage.database import Database, open_engine, sqlite_url
from conference.worker_events import Reheard
from recording.track_writer import Format, TrackWriter
from tests.support.eventually import eventually
from tests.support.media import opus_packets, speech, write_wav
from tests.support.scripted_second_engine import FACTORY, heard, write_second_script
from tests.support.trace_law import enforce_trace_law
from tests.support.transcriber_process import leveled, silence
from tests.support.transcripts import keep, recorded, said
from tests.unit.services.conftest import World
from tests.unit.services.fakes import MODEL, ManualClock, ScriptedRecorder
from tests.unit.signaling.harness import Signalling, signalling
from transcription.second_pass_supervisor import SecondPassSupervisor

PATH = "/api/v1/consultations/c"
SEGMENTS = (said(1, "老旧", "小曲"), said(2, "住餐", "点"), said(3, "同意"))


async def over(database: Database, recordings: Path, segments: tuple[TranscriptSegment, ...]) -> None:
    """The consultation has ended; one microphone was recorded."""
    await keep(database, segments)
    async with database.transaction() as unit:
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, status=Status.ENDED, captions=False))
        await unit.recordings.save([recorded("p1", "m.webm", 40_000)])
        await unit.audit.append(AuditEntry("c", 1, 0, CLI, "recording.file_closed"))
    await asyncio.to_thread(recordings.mkdir, exist_ok=True)
    await asyncio.to_thread((recordings / "m.webm").touch)


# ── the doors ───────────────────────────────────────────────────────────────────────────────────


class Doors:
    def __init__(self, server: Signalling, session: aiohttp.ClientSession) -> None:
        self.server = server
        self._session = session

    async def ask(
        self, method: str, path: str, role: Role = Role.SECRETARIAT, **body: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.server.token(role)}"}
        url = f"{self.server.url}{PATH}/transcript{path}"
        async with self._session.request(method, url, headers=headers, json=body or None) as response:
            return response.status, await response.json()

    async def state(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ask("GET", "/state"))[1]["second_pass"]
        return found


@pytest.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as session:
        yield Doors(server, session)


async def test_who_may_ask_and_what_is_said_where_none_can_be_had(doors: Doors, tmp_path: Path) -> None:
    status, body = await doors.ask("POST", "/second-pass")
    assert (status, body["code"]) == (409, "invalid_state"), "before the end"
    await over(doors.server.process.database, tmp_path / "recordings", SEGMENTS)
    for role, expected in (
        (Role.SECRETARIAT, 409),
        (Role.ORGANIZER, 409),
        (Role.CHAIR, 403),
        (Role.MEMBER, 403),
    ):
        status, body = await doors.ask("POST", "/second-pass", role)
        assert status == expected, role
        assert body["code"] == ("forbidden" if expected == 403 else "second_pass_unavailable")
    status, body = await doors.ask("POST", "/second-pass")
    assert (body["reason"], "录音复核" in body["title"]) == ("no_model", True)
    found = await doors.state()
    assert (found["unavailable"], found["state"]) == ("no_model", "none")


async def test_from_the_button_to_everything_taken_and_back(doors: Doors, tmp_path: Path) -> None:
    await over(doors.server.process.database, tmp_path / "recordings", SEGMENTS)
    listener = doors.server.second_listener
    listener.now = MODEL
    listener.says = {
        "seg_0001": Reheard("seg_0001", "老旧小区。"),
        "seg_0003": Reheard("seg_0003", "我同意。"),
    }
    desk = await doors.server.desk(Role.SECRETARIAT, "秘书处")
    listener.may_answer.clear()
    for _ in range(2):
        status, body = await doors.ask("POST", "/second-pass")
        assert (status, body["total"], body["state"] in ("waiting", "running")) == (202, 3, True)
    listener.may_answer.set()
    await eventually(doors.state, lambda now: now["state"] == "done")
    told = desk.of("transcript.second_pass")
    assert (told[-1]["state"], told[-1]["done"], told[-1]["proposals"]) == ("done", 3, 2)
    segments = (await doors.ask("GET", "?brief=1"))[1]["items"]
    seen = [{"id": each["id"], "revision": each["revision"]} for each in segments if each["proposal"]]
    stale = [*seen, {"id": "seg_0002", "revision": 9}]
    status, body = await doors.ask("POST", "/proposals", accept=True, segments=stale)
    assert status == 200
    assert ([each["text"] for each in body["items"]], body["conflicts"]) == (
        ["老旧小区。", "我同意。"],
        ["seg_0002"],
    )
    made = [{"id": each["id"], "revision": each["revision"]} for each in body["items"]]
    status, body = await doors.ask("POST", "/proposals/undo", segments=made)
    assert [(each["text"], each["proposal"]) for each in body["items"]] == [
        ("老旧小曲。", "老旧小区。"),
        ("同意。", "我同意。"),
    ]
    status, body = await doors.ask("POST", "/proposals", Role.CHAIR, accept=True, segments=made)
    assert status == 403
    assert (await doors.ask("POST", "/proposals", accept="so", segments=3))[0] == 400


# ── the process ─────────────────────────────────────────────────────────────────────────────────

SAID = ("各位 代表 上午 好", "今天 的 议题 是 城乡 供水", "老旧 管网 改造 列入 计划", "月底 以前 答复 群众")
BETTER = ["各位代表上午好。", "今天的议题是城乡供水。", "老旧管网改造列入计划。", "月底以前答复群众。"]
LENGTHS = (1_000, 1_800, 2_600, 3_400)


class Killed:
    """Four sentences of different lengths in one recorded file, and a transcript that got all of them wrong."""

    def __init__(self, folder: Path, database: Database, **script: Any) -> None:
        self.folder = folder
        self.database = database
        self.script = write_second_script(
            folder / "model", *((text, ms + 400) for text, ms in zip(SAID, LENGTHS, strict=True)), **script
        )

    @asynccontextmanager
    async def life(self) -> AsyncIterator[SecondPassSupervisor]:
        """Of a server: leaving the block is kill -9 for it as for what it started."""
        world = World(self.database, ManualClock(), RoomLimits())
        supervisor = SecondPassSupervisor(self.folder, model=self.script, engine=FACTORY, yields=False)
        news = TranscriptNews(world.rooms)
        recorder = ScriptedRecorder(self.folder)
        passes = SecondPasses(world.rooms, supervisor, recorder, TermLists(self.database), news)
        async with self.database.reading() as unit:
            is_asked = await unit.second_passes.get("c") is not None
        if not is_asked:
            await passes.ask("c", World.bearer(Role.SECRETARIAT, "李秘书"))
        task = asyncio.ensure_future(passes.run())
        try:
            yield supervisor
        finally:
            task.cancel()
            await asyncio.wait([task])
            await supervisor.close()

    async def state(self) -> str:
        async with self.database.reading() as unit:
            run = await unit.second_passes.get("c")
        assert run is not None
        return f"{run.state.value} {run.done}/{run.total}"

    async def rows(self) -> list[TranscriptSegment]:
        async with self.database.reading() as unit:
            return await unit.transcript.of("c")

    def asked(self) -> list[int]:
        """How long the passages were, in the order in which they were heard."""
        return [each["ms"] - 400 for each in heard(self.script)]


@asynccontextmanager
async def killed(folder: Path, **script: Any) -> AsyncIterator[Killed]:
    engine = open_engine(sqlite_url(folder / "db.sqlite3"))
    database = Database(engine)
    await database.migrate()
    enforce_trace_law(engine)
    world = World(database, ManualClock(), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    voice = leveled(speech("各位代表大家上午好今天的会议现在开始请大家发言"))
    sound, segments, at_ms = [], list[TranscriptSegment](), 0
    for number, ms in enumerate(LENGTHS, start=1):
        sound += [silence(1.5), voice[48 * 150 : 48 * (150 + ms)]]
        at_ms += 1_500
        segments.append(replace(said(number, "听错了"), start_ms=at_ms, end_ms=at_ms + ms))
        at_ms += ms
    write_wav(folder / "m.wav", np.concatenate((*sound, silence(1))))
    writer = TrackWriter(folder / "m.webm", Format("opus"))
    for number, packet in enumerate(opus_packets(folder / "m.wav")):
        writer.write(packet, number * 20_000, is_key=True)
    writer.close()
    await over(database, folder, tuple(segments))
    try:
        yield Killed(folder, database, **script)
    finally:
        await database.close()


async def test_the_real_process_hears_a_real_file_and_proposes(tmp_path: Path) -> None:
    async with killed(tmp_path) as on, on.life() as supervisor:
        await eventually(on.state, lambda now: now == "done 4/4", timeout_s=60)
        await eventually(lambda: supervisor.pid is None, what="the process ends when nothing is left")
        rows = await on.rows()
        assert [each.proposal for each in rows] == BETTER
        assert {each.text for each in rows} == {"听错了。"}
        assert all(each.start_ms - 200 <= each.other_words[0].start_ms < each.end_ms for each in rows)
        assert "".join(each.text for each in rows[1].other_words) == BETTER[1][:-1]
        for told, ms in zip(heard(on.script), LENGTHS, strict=True):
            first, last = told["loud"]
            assert 150 <= first < 500, "the voice begins where the segment does"
            assert abs(last - first - ms) < 500


async def test_a_process_that_is_killed_loses_and_repeats_nothing(tmp_path: Path) -> None:
    async with killed(tmp_path, s_each=0.3) as on, on.life() as supervisor:
        await eventually(lambda: len(on.asked()) == 3, timeout_s=60)
        assert supervisor.pid is not None
        os.kill(supervisor.pid, signal.SIGKILL)
        await eventually(on.state, lambda now: now == "done 4/4", timeout_s=60)
        assert on.asked() == [1_000, 1_800, 2_600, 2_600, 3_400], "the one amid which it died"
        rows = await on.rows()
        assert [(each.proposal, each.revision) for each in rows] == [(text, 2) for text in BETTER]


async def test_a_server_that_is_killed_goes_on(tmp_path: Path) -> None:
    """Its process is gone with it; what was a row is not heard again."""
    async with killed(tmp_path, s_each=0.5) as on:
        async with on.life():
            await eventually(lambda: len(on.asked()) == 2, timeout_s=60)
        lives = len(on.asked())
        async with on.life():
            await eventually(on.state, lambda now: now == "done 4/4", timeout_s=60)
        assert on.asked()[lives:] in ([1_000, 1_800, 2_600, 3_400], [1_800, 2_600, 3_400])
        rows = await on.rows()
        assert [(each.proposal, each.revision) for each in rows] == [(text, 2) for text in BETTER]
        async with on.database.reading() as unit:
            asked = await unit.audit.lines("c", action="transcript.second_pass_asked")
        assert len(asked) == 1


async def test_the_process_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """A server that dies of SIGKILL closes nothing by itself but what it held."""
    script = write_second_script(tmp_path / "model", ("好", 1_000), load_s=600)
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from conference.worker_events import Passage\n"
        "from transcription.second_pass_supervisor import SecondPassSupervisor\n"
        "async def main():\n"
        f"    made = SecondPassSupervisor(Path({str(tmp_path)!r}), model=Path({str(script)!r}), engine={FACTORY!r})\n"
        "    asyncio.ensure_future(made.hear(Passage('x', (), 0, 1000)))\n"
        "    while made.pid is None:\n"
        "        await asyncio.sleep(0.01)\n"
        "    print(made.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await eventually(lambda: not Path(f"/proc/{child}").exists(), timeout_s=30)
