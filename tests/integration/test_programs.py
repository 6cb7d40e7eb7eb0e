"""Programs, end to end: a real server makes one of what light clients send; its workers are killed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from recording.hls.journal import read_journal
from tests.support import process
from tests.support.encoded import pictures, sounds
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource, WhepPlayer
from tests.support.server import Metrics, Server
from tests.unit.signaling.harness import Client

PROGRAMS = True
FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "60"})]
PACKETS = sounds(100)
WORKER = "recording.program.worker"
PATIENCE_S = 40.0  # a worker begins within two seconds on a machine that has nothing else to do


class Programmed:
    """A consultation on a server, and what there is of its program."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cid = server.create_consultation()
        self.secretariat = server.token(self.cid, "secretariat", "秘书处")
        self.desk = Client(server.url, "/desk")

    @property
    def directory(self) -> Path:
        return self.server.data_dir / "program" / self.cid

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.secretariat}"}
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as response,
        ):
            body = await response.read()
            return response.status, json.loads(body) if body else None

    @asynccontextmanager
    async def live(self) -> AsyncIterator[RoomClient]:
        """It is live, a desk watches, and somebody is seen and heard."""
        assert (await self.call("POST", "/start"))[0] == 200
        await self.desk.connect({"token": self.secretariat})
        token = self.server.token(self.cid, "member", "陈委员")
        try:
            async with RoomClient(self.server.url, token, receive=False) as client:
                sources: list[AudioSource | VideoSource] = [
                    AudioSource(packets=PACKETS, level_db=10),
                    VideoSource(frames=FRAMES),
                ]
                await client.publish(sources, names=["microphone", "camera"])
                yield client
        finally:
            await self.desk.close()
            await self.call("POST", "/end")  # its worker makes room for that of the next test

    def program(self) -> Mapping[str, Any]:
        """As the desk knows it."""
        told = [body["program"] for body in self.desk.of("program.updated")]
        assert self.desk.state.snapshot is not None
        return (told or [self.desk.state.snapshot["program"]])[-1] or {"state": "off"}

    async def is_state(self, state: str) -> None:
        await eventually(lambda: self.program()["state"] == state, timeout_s=PATIENCE_S, what=state)

    def workers(self) -> list[int]:
        lines = {pid: process.command_line(pid) for pid in self.server.children()}
        return [pid for pid, line in lines.items() if WORKER in line and self.cid in line]

    async def worker(self, other_than: Collection[int] = ()) -> int:
        def found() -> list[int]:
            return [pid for pid in self.workers() if pid not in other_than]

        return (await eventually(found, timeout_s=PATIENCE_S, what="a worker"))[0]

    def segments(self, life: int | None = None) -> list[dict[str, Any]]:
        """Of 720p, as the journal has them."""
        return [
            fact
            for fact in read_journal(self.directory)
            if fact["fact"] == "segment" and fact["rendition"] == "720p" and life in (None, fact["life"])
        ]

    async def has_segments(self, count: int, life: int | None = None) -> None:
        await eventually(
            lambda: len(self.segments(life)) >= count, timeout_s=PATIENCE_S, what=f"{count} segments"
        )

    async def actions(self) -> list[str]:
        _, body = await self.call("GET", "/audit?limit=200")
        return [line["action"] for line in body["items"]]


async def test_from_start_to_end(server: Server) -> None:
    made = Programmed(server)
    async with made.live() as client:
        await made.is_state("on")
        me = client.participant_id
        await eventually(lambda: me in made.program()["people"], timeout_s=PATIENCE_S, what="the speaker")
        await made.has_segments(3)
        await eventually(lambda: made.program()["fps"] > 0, timeout_s=PATIENCE_S, what="its load")
        async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as response:
            metrics = Metrics(await response.text())
        assert metrics.value("yuanshang_programs", state="on") == 1
        assert metrics.value("yuanshang_program_fps", consultation=made.cid) > 0
        assert metrics.value("yuanshang_disk_free_bytes") > 0
        direction = {"mode": "manual", "layout": "speaker", "people": [me]}
        answer = await made.desk.ask("program.direct", direction)
        assert answer["program"]["mode"] == "manual"
        await eventually(lambda: made.program()["layout"] == "speaker", timeout_s=PATIENCE_S)
        assert (await made.call("POST", "/end"))[0] == 200
        await eventually(lambda: not made.workers(), timeout_s=PATIENCE_S, what="the end of the worker")
        assert made.program() == {"state": "off"}
    actions = await made.actions()
    assert [each for each in actions if each.startswith("program.")] == [
        "program.started",
        "program.directed",
        "program.ended",
    ]
    numbers = [each["number"] for each in made.segments()]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_players_receive_it_and_go_on_with_the_next_worker(server: Server) -> None:
    made = Programmed(server)
    url = f"{server.url}/whep/{made.cid}/program"
    async with WhepPlayer(token=server.token(made.cid, "observer", "大屏")) as player, made.live():
        await player.play(url)  # before there is anything to see

        async def gets(more: int) -> None:
            seen = {kind: _packets(player, kind) for kind in ("audio", "video")}
            await eventually(
                lambda: all(_packets(player, kind) >= count + more for kind, count in seen.items()),
                timeout_s=PATIENCE_S,
                what="sound and picture of the program",
            )

        await gets(50)
        worker = await made.worker()
        server.kill9(worker)
        await made.worker(other_than=[worker])
        await gets(50)
        assert len(player.peer.streams) == 2, "the same two, whoever makes them"
        for stream in player.peer.streams.values():
            assert stream.gaps == 0
        await eventually(
            lambda: set(player.peer.last_sender_report) == set(player.peer.streams),
            what="both sender reports",
        )


def _packets(player: WhepPlayer, kind: str) -> int:
    stream = player.stream(kind)
    return 0 if stream is None else stream.packets


async def test_a_killed_worker_comes_back_in_another_life(server: Server) -> None:
    made = Programmed(server)
    async with made.live() as client:
        await made.has_segments(2)
        await made.is_state("on")
        before = {each["file"]: each["sha256"] for each in made.segments()}
        await asyncio.to_thread(server.kill9, await made.worker())
        await made.is_state("trouble")
        await made.is_state("on")
        await made.has_segments(2, life=2)
        after = {each["file"]: each["sha256"] for each in made.segments(life=1)}
        assert before.items() <= after.items()
        assert [each["discontinuity"] for each in made.segments(life=2)[:2]] == [True, False]
        assert "media.restart" not in [name for name, _ in client.events]
        assert client.version_holes == 0
    assert [each for each in await made.actions() if each.startswith("program.")] == [
        "program.started",
        "program.interrupted",
        "program.started",
    ]


@pytest.mark.parametrize("who", ["media", "web"])
async def test_it_goes_on_when_another_process_is_killed(server: Server, who: str) -> None:
    made = Programmed(server)
    async with made.live() as client:
        await made.has_segments(2)
        if who == "media":
            await asyncio.to_thread(server.kill9, "media")
            await client.wait_event("media.restart", timeout_s=PATIENCE_S)
            await client.publish(
                [AudioSource(packets=PACKETS), VideoSource(frames=FRAMES)], names=["microphone", "camera"]
            )
            count = len(made.segments())
            await made.has_segments(count + 3)
            await eventually(lambda: client.participant_id in made.program()["people"], timeout_s=PATIENCE_S)
            return
        worker = await made.worker()
        await asyncio.to_thread(server.kill9, "web")
        await eventually(lambda: not process.alive(worker), timeout_s=PATIENCE_S, what="an orphan")
        before = len(made.segments())
        await asyncio.to_thread(server.restart)
        await made.has_segments(before + 3)  # one may be what was found of the killed life
        assert made.segments()[-1]["life"] > 1


async def test_one_that_is_killed_again_and_again_is_waited_for_and_the_room_goes_on(server: Server) -> None:
    made = Programmed(server)
    async with made.live() as client:
        begun: list[float] = []
        killed: list[int] = []
        while len(begun) < 4:
            pid = await made.worker(other_than=killed)
            begun.append(time.monotonic())
            await asyncio.to_thread(server.kill9, pid)
            killed.append(pid)
        pauses = [after - before for before, after in pairwise(begun)]
        assert all(pause > least for pause, least in zip(pauses, (0.2, 0.4, 0.8), strict=True))
        await made.is_state("trouble")
        assert made.program()["reason"] == "worker_ended"
        await client.request("participant.update", {"camera": False})
        assert client.consultation["recording"] == "on"
        await made.is_state("on")


async def test_a_pause_is_sent_and_not_kept(server: Server) -> None:
    made = Programmed(server)
    async with made.live() as client:
        await made.has_segments(2)
        await made.desk.ask("recording.pause", {"paused": True})
        await eventually(lambda: client.consultation["recording"] == "paused", timeout_s=PATIENCE_S)
        before = len(made.segments())
        await made.has_segments(before + 3)
        await made.desk.ask("recording.pause", {"paused": False})
        await eventually(lambda: client.consultation["recording"] == "on", timeout_s=PATIENCE_S)
        await made.has_segments(len(made.segments()) + 2)
        assert (await made.call("POST", "/end"))[0] == 200

    async def erased() -> bool:
        return "program.erased" in await made.actions()

    await eventually(erased, timeout_s=PATIENCE_S, what="the erasure")
    _, broadcast = await made.call("GET", "/broadcast")
    (pause,) = broadcast["withdrawn"]
    assert pause["kind"] == "pause"
    for each in made.segments():
        begin, end = each["program_time_ms"], each["program_time_ms"] + each["duration_ms"]
        is_in_it = begin < pause["to_ms"] and end > pause["from_ms"]
        assert (made.directory / each["file"]).exists() is not is_in_it


async def test_the_button_acts_within_a_second(server: Server) -> None:
    made = Programmed(server)
    live = f"{server.url}/live/{made.cid}"
    async with made.live(), aiohttp.ClientSession() as session:

        async def playlist() -> str:
            async with session.get(f"{live}/720p.m3u8") as response:
                return await response.text() if response.status == 200 else ""

        async def status(file: str) -> int:
            async with session.get(f"{live}/{file}") as response:
                return response.status

        await made.has_segments(4)
        last = made.segments()[-1]["file"]
        name = Path(last).name
        await eventually(playlist, lambda text: name in text, timeout_s=PATIENCE_S, what="the segment")
        assert "card=1" not in await playlist()
        assert await status(last) == 200
        pressed_s = time.monotonic()
        shown = await made.desk.ask("broadcast.cut", {"back_s": 60})
        assert "card=1" in await playlist()
        assert await status(last) == 404
        assert time.monotonic() - pressed_s < 1.0
        assert shown["broadcast"]["cut"]["by"] == "秘书处"
        assert (made.directory / last).exists(), "what was recorded is there still"
        await made.desk.ask("broadcast.restore")
        await made.desk.ask(
            "broadcast.reinstate", {"id": shown["broadcast"]["cut"]["id"], "reason": "误操作"}
        )
        assert await status(last) == 200
        broadcasts = [body["broadcast"] for body in made.desk.of("broadcast.updated")]
        assert [each["cut"] is not None for each in broadcasts] == [True, False, False]
        assert broadcasts[-1]["withdrawn"][0]["reinstated_wall_ms"] is not None
