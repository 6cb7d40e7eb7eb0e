"""Captions and transcript, end to end: real sound over RTP to the real worker with a scripted engine, also killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import process
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient
from tests.support.media import ROOT
from tests.support.scripted_recognizer import FACTORY
from tests.support.server import Metrics, Server
from tests.support.spoken import LONG, MIDDLE, SHORT, script, spoken, text_of
from tests.unit.signaling.harness import Client

WORKER = "transcription.worker"
PATIENCE_S = 60.0  # a machine that has something else to do takes its time


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a model that says prepared sentences."""
    folder = script(tmp_path_factory.mktemp("model") / "zh-script")
    arguments = ["--speech-model", str(folder), "--speech-engine", FACTORY]
    with Server(arguments=arguments, environment={"PYTHONPATH": str(ROOT)}) as running:
        yield running


class Captioned:
    """A consultation on a server, and what is said in it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cid = server.create_consultation()
        self.secretariat = server.token(self.cid, "secretariat", "秘书处")
        self.desk = Client(server.url, "/desk")

    async def call(self, method: str, path: str = "", **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secretariat}"}
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as response,
        ):
            assert response.status < 300, await response.text()
            return await response.json()

    async def switch(self, on: bool) -> None:
        revision = (await self.call("GET"))["revision"]
        await self.call("PATCH", json={"revision": revision, "captions": on})

    @asynccontextmanager
    async def speaker(self, name: str, packets: Sequence[bytes]) -> AsyncIterator[RoomClient]:
        """Somebody who says this over and over, once it is recorded, too."""
        token = self.server.token(self.cid, "member", name)
        async with RoomClient(self.server.url, token, receive=False) as client:
            await self.recording_is(client, "on")
            await client.publish([AudioSource(packets=packets, level_db=10)], names=["microphone"])
            yield client

    @staticmethod
    async def recording_is(client: RoomClient, state: str) -> None:
        await eventually(lambda: client.consultation["recording"] == state, timeout_s=PATIENCE_S, what=state)

    async def segments(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call("GET", "/transcript"))["items"]
        return items

    async def state(self) -> dict[str, Any]:
        state: dict[str, Any] = await self.call("GET", "/transcript/state")
        return state

    async def has_no_gaps(self) -> None:
        await eventually(
            self.state,
            lambda state: not state["gaps"] and not state["jobs"]["running"],
            timeout_s=PATIENCE_S,
            what="a whole transcript",
        )

    def worker(self) -> int:
        (pid,) = [pid for pid in self.server.children() if WORKER in process.command_line(pid)]
        return pid


def of(client: RoomClient | Client, event: str) -> list[dict[str, Any]]:
    return [body for name, body in client.events if name == event]


async def has_finals(client: RoomClient, count: int) -> None:
    await eventually(lambda: len(of(client, "caption.final")) >= count, timeout_s=PATIENCE_S, what="finals")


async def captions_are(client: RoomClient, state: str) -> None:
    await eventually(lambda: client.consultation["captions"], lambda now: now == state, timeout_s=PATIENCE_S)


async def test_two_who_speak_at_once_are_written_down_under_their_names(server: Server) -> None:
    meeting = Captioned(server)
    await meeting.call("POST", "/start")
    await meeting.desk.connect({"token": meeting.secretariat})
    async with (
        meeting.speaker("陈委员", spoken(SHORT, 2.0)) as one,
        meeting.speaker("王代表", spoken(MIDDLE, 2.0)) as other,
    ):
        await captions_are(one, "on")
        for client in (one, other):
            await has_finals(client, 6)
        said = {
            one.participant_id: ("陈委员", text_of(SHORT)),
            other.participant_id: ("王代表", text_of(MIDDLE)),
        }
        finals = of(one, "caption.final")
        names = {(each["participant_id"], each["speaker"]["name"], each["text"]) for each in finals}
        assert names == {(pid, *each) for pid, each in said.items()}
        assert of(one, "caption.partial"), "what is being said is shown before"
        assert one.version_holes == other.version_holes == 0
        rows = {each["id"]: each for each in await meeting.segments()}
        for each in finals:
            row = rows[each["segment_id"]]
            assert (row["text"], row["start_ms"], row["end_ms"]) == (
                each["text"],
                each["start_ms"],
                each["end_ms"],
            )
            assert row["speaker"]["is_certain"]
            assert row["start_ms"] <= row["words"][0][1] <= row["words"][-1][2] <= row["end_ms"]
        told = [each["id"] for body in meeting.desk.of("transcript.changed") for each in body["segments"]]
        assert {each["segment_id"] for each in finals} <= set(told)
        async with RoomClient(server.url, server.token(meeting.cid, "observer", "听众")) as late:
            assert len(late.snapshot["recent_captions"]) == 3
            assert late.consultation["captions"] == "on"
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
            metrics = Metrics(await response.text())
        assert metrics.value("yuanshang_captions", state="on") == 1
        await meeting.call("POST", "/end")
        await captions_are(one, "off")
    await meeting.has_no_gaps()
    await meeting.desk.close()
    times = [
        each["start_ms"] for each in await meeting.segments() if each["participant_id"] == one.participant_id
    ]
    assert times == sorted(set(times))
    actions = [line["action"] for line in (await meeting.call("GET", "/audit?limit=500"))["items"]]
    assert [each for each in actions if each.startswith("captions.")] == [
        "captions.started",
        "captions.ended",
    ]


async def test_a_worker_killed_in_a_sentence_loses_nothing_and_says_nothing_twice(server: Server) -> None:
    meeting = Captioned(server)
    await meeting.call("POST", "/start")
    async with meeting.speaker("陈委员", spoken(SHORT, 3.0, LONG, 8.0, MIDDLE, 600.0)) as client:
        await captions_are(client, "on")
        await has_finals(client, 1)
        before = len(of(client, "caption.partial"))
        await eventually(
            lambda: [each for each in of(client, "caption.partial")[before:] if each["text"]],
            timeout_s=PATIENCE_S,
            what="the beginning of the second sentence",
        )
        await asyncio.to_thread(server.kill9, meeting.worker())
        await eventually(
            lambda: [each["state"] for each in of(client, "captions.updated")][-2:],
            lambda states: states == ["trouble", "on"],
            timeout_s=PATIENCE_S,
            what="another worker",
        )
        assert not all(each["text"] for each in of(client, "caption.partial")), "nobody waits for its end"
        # The third comes when the second is long over, whatever became of that.
        third_ms = of(client, "caption.final")[0]["start_ms"] + SHORT[1] + 3_000 + LONG[1] + 8_000
        await eventually(
            lambda: of(client, "caption.final")[-1]["start_ms"] > third_ms - 1_000,
            timeout_s=PATIENCE_S,
            what="the third sentence",
        )
        await meeting.has_no_gaps()
        first, *second, third = await meeting.segments()
        assert (first["text"], third["text"]) == (text_of(SHORT), text_of(MIDDLE))
        # What was said before the kill comes from the recording; what the next worker heard is not there twice.
        begin_ms = first["start_ms"] + SHORT[1] + 3_000
        assert second[0]["start_ms"] == pytest.approx(begin_ms, abs=1_000)
        assert second[-1]["end_ms"] == pytest.approx(begin_ms + LONG[1], abs=1_000)
        assert all(abs(other["start_ms"] - one["end_ms"]) < 500 for one, other in pairwise(second))
        assert third["start_ms"] == pytest.approx(third_ms, abs=1_000)
        finals = of(client, "caption.final")
        assert len({each["segment_id"] for each in finals}) == len(finals)
        await meeting.call("POST", "/end")
    await meeting.has_no_gaps()
    assert await meeting.segments() == [first, *second, third]


async def test_a_server_that_is_killed_amid_speech_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = script(tmp_path / "zh-script")
    arguments = ["--speech-model", str(folder), "--speech-engine", FACTORY]
    with Server(arguments=arguments, environment={"PYTHONPATH": str(ROOT)}) as server:
        meeting = Captioned(server)
        await meeting.call("POST", "/start")
        async with meeting.speaker("陈委员", spoken(SHORT, 2.0)) as client:
            await captions_are(client, "on")
            await has_finals(client, 2)
            await asyncio.to_thread(server.kill9, "parent")
            await client.drop()
        await asyncio.to_thread(server.restart)
        async with meeting.speaker("陈委员", spoken(SHORT, 2.0)) as client:
            await captions_are(client, "on")
            await has_finals(client, 2)
            await meeting.call("POST", "/end")
        await meeting.has_no_gaps()
        rows = await meeting.segments()
        for who in {each["participant_id"] for each in rows}:
            own = [each for each in rows if each["participant_id"] == who]
            assert all(one["end_ms"] <= other["start_ms"] for one, other in pairwise(own)), own
        texts = [each["text"] for each in rows]
        assert texts.count(text_of(SHORT)) >= 4


async def test_what_was_only_recorded_is_written_down_when_somebody_wants_it(server: Server) -> None:
    meeting = Captioned(server)
    await meeting.switch(on=False)
    await meeting.call("POST", "/start")
    async with meeting.speaker("陈委员", spoken(LONG, 2.0, SHORT, 600.0)) as client:
        (source,) = client.sources
        await eventually(lambda: source.packets > 10 * 50, timeout_s=PATIENCE_S, what="ten seconds of sound")
        assert client.consultation["captions"] == "off"
        assert (await meeting.state())["gaps"] == []
        await meeting.call("POST", "/end")
    assert await meeting.segments() == []
    await meeting.switch(on=True)
    found = await eventually(meeting.state, lambda state: state["gaps"], timeout_s=PATIENCE_S, what="the gap")
    assert found["jobs"]["total_ms"] > 5_000
    await meeting.has_no_gaps()
    assert [each["text"] for each in await meeting.segments()] == [text_of(LONG), text_of(SHORT)]


async def test_nothing_is_written_down_while_the_recording_is_paused(server: Server) -> None:
    meeting = Captioned(server)
    await meeting.call("POST", "/start")
    await meeting.desk.connect({"token": meeting.secretariat})
    async with meeting.speaker("陈委员", spoken(SHORT, 1.5)) as client:
        await captions_are(client, "on")
        await eventually(lambda: of(client, "caption.final"), timeout_s=PATIENCE_S)
        await meeting.desk.ask("recording.pause", {"paused": True})
        await captions_are(client, "paused")
        await meeting.recording_is(client, "paused")
        source = client.sources[0]
        sent = source.packets
        await eventually(
            lambda: source.packets > sent + 300, timeout_s=PATIENCE_S, what="six seconds of sound"
        )
        count = len(await meeting.segments())
        await meeting.desk.ask("recording.pause", {"paused": False})
        await captions_are(client, "on")
        pause_ms = (await meeting.call("GET"))["program_time_ms"]
        finals = len(of(client, "caption.final"))
        await eventually(lambda: len(of(client, "caption.final")) > finals, timeout_s=PATIENCE_S)
        await meeting.call("POST", "/end")
    await meeting.desk.close()
    await meeting.has_no_gaps()
    rows = await meeting.segments()
    before, after = rows[:count], rows[count:]
    assert max(each["end_ms"] for each in before) < pause_ms - 5_000
    assert min(each["start_ms"] for each in after) > pause_ms - 2_000
