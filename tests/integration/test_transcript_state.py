"""How the transcript comes about, through its doors: the model, captions, gaps, and what is decided about them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Role
from conference.worker_events import Heard, RecordedFile, TranscriberLoad, TranscriberReady
from tests.support.eventually import eventually
from tests.unit.services.fakes import MODEL, NO_MODEL
from tests.unit.services.test_transcription import said
from tests.unit.signaling.harness import Client, Signalling, signalling

PATH = "/api/v1/consultations/c"


@dataclass
class Stage:
    """A consultation that is live, somebody in it, and a recorder and a transcriber that do what the test says."""

    server: Signalling
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, role: Role = Role.SECRETARIAT, **body: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.server.token(role)}"}
        url = f"{self.server.url}{PATH}{path}"
        async with self.session.request(method, url, headers=headers, json=body or None) as response:
            return response.status, await response.json()

    async def state(self) -> dict[str, Any]:
        status, body = await self.ask("GET", "/transcript/state")
        assert status == 200, body
        found: dict[str, Any] = body
        return found

    async def begin(self) -> Client:
        client = await self.server.join()
        assert (await self.ask("POST", "/start"))[0] == 200
        await eventually(lambda: self.server.transcriber.begun)
        return client

    def records(self, who: str, to_ms: int) -> None:
        file = RecordedFile("c", "c/1/m.webm", who, "microphone", "opus", 0, 7)
        self.server.recorder.emit(file)
        ended = replace(file, is_ended=True, is_whole=True, duration_ms=to_ms, sha256="a" * 64)
        self.server.recorder.emit(ended)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with signalling(tmp_path) as server, aiohttp.ClientSession() as session:
        yield Stage(server, session)


async def test_before_and_without_a_model(stage: Stage) -> None:
    found = await stage.state()
    assert (found["state"], found["model"]["reason"], found["gaps"]) == ("off", "no_model", [])
    assert found["jobs"] == {"waiting": 0, "running": 0, "done_ms": 0, "total_ms": 0}
    client = await stage.begin()
    await eventually(lambda: client.state.consultation["captions"] == "no_model")
    assert (await stage.state())["state"] == "no_model"
    client.state.comparable()


async def test_a_server_that_listens_to_nobody(tmp_path: Path) -> None:
    async with signalling(tmp_path, captions=False) as server, aiohttp.ClientSession() as session:
        stage = Stage(server, session)
        found = await stage.state()
        assert (found["state"], found["model"]) == ("off", {"engine": "", "name": "", "reason": "off"})


async def test_who_may_know_and_who_may_decide(stage: Stage) -> None:
    gap = {"participant_id": "p", "from_ms": 0, "to_ms": 9, "action": "waive", "note": "休息"}
    for role, may_read, may_decide in (
        (Role.SECRETARIAT, 200, 404),
        (Role.ORGANIZER, 200, 404),
        (Role.CHAIR, 200, 403),
        (Role.MODERATOR, 200, 403),
        (Role.MEMBER, 403, 403),
        (Role.OBSERVER, 403, 403),
    ):
        assert (await stage.ask("GET", "/transcript/state", role))[0] == may_read, role
        assert (await stage.ask("POST", "/transcript/gaps", role, **gap))[0] == may_decide, role


@pytest.mark.parametrize(
    "wrong", [{"note": ""}, {"note": "长" * 201}, {"to_ms": 0}, {"from_ms": -1}, {"action": "forget"}]
)
async def test_what_cannot_be_meant_is_refused(stage: Stage, wrong: dict[str, Any]) -> None:
    gap = {"participant_id": "p", "from_ms": 0, "to_ms": 9, "action": "waive", "note": "休息", **wrong}
    assert (await stage.ask("POST", "/transcript/gaps", **gap))[0] == 400


async def test_from_what_is_said_to_what_is_missing(stage: Stage) -> None:
    transcriber = stage.server.transcriber
    transcriber.now = MODEL
    client = await stage.begin()
    desk = await stage.server.desk(Role.SECRETARIAT, "秘书处")
    transcriber.emit(TranscriberReady("c", "/run/t.sock"))
    transcriber.emit(TranscriberLoad(1, 700, 0.3))
    await eventually(lambda: client.state.consultation["captions"] == "on")
    transcriber.emit(Heard("c", client.me, 0, 3_000, (said("我们同意", 500),), "scripted"))
    await eventually(lambda: client.of("caption.final"))
    (final,) = client.of("caption.final")
    assert (final["text"], final["speaker"]["name"]) == ("我们同意。", "张三")
    await eventually(lambda: desk.of("transcript.changed"))
    (changed,) = desk.of("transcript.changed")
    assert [each["id"] for each in changed["segments"]] == [final["segment_id"]]
    assert client.of("transcript.changed") == []
    stage.records(client.me, 60_000)
    assert (await stage.ask("POST", "/end"))[0] == 200
    found = await eventually(stage.state, lambda state: state["gaps"], what="a gap")
    (gap,) = found["gaps"]
    assert (gap["from_ms"], gap["to_ms"], gap["name"], found["lag_ms"]) == (3_000, 60_000, "张三", 700)
    transcriber.becomes(NO_MODEL)
    note: dict[str, Any] = {"participant_id": client.me, "from_ms": 0, "to_ms": 10**9}
    status, body = await stage.ask("POST", "/transcript/gaps", **note, action="waive", note="休息")
    assert status == 200
    assert [(each["state"], each["note"]) for each in body["gaps"]] == [("waived", "休息")]
    # No more is waived than is missing: what would be said later is not.
    assert [(each["from_ms"], each["to_ms"]) for each in body["gaps"]] == [(3_000, 60_000)]
    async with stage.server.process.database.reading() as unit:
        (noted,) = await unit.transcript.gaps_noted("c")
    assert (noted.from_ms, noted.to_ms) == (3_000, 60_000)
    status, body = await stage.ask("POST", "/transcript/gaps", **note, action="recognise")
    assert (status, body["gaps"][0]["state"]) == (200, "waiting")


async def test_snapshot_and_events_are_a_fresh_snapshot(stage: Stage) -> None:
    stage.server.transcriber.now = MODEL
    client = await stage.begin()
    for _ in range(2):
        stage.server.transcriber.emit(TranscriberReady("c", "/run/t.sock"))
        await eventually(lambda: client.state.consultation["captions"] == "on")
        stage.server.transcriber.becomes(replace(MODEL, reason="worker_ended"))
        await eventually(lambda: client.state.consultation["captions"] == "trouble")
    late = await stage.server.join(name="李四")
    await eventually(lambda: client.state.version == late.state.version)
    assert client.state.comparable() == late.state.comparable()
