"""Rehearsals, end to end: real media is recorded and composed, the public is told nothing, and nothing is left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from recording.hls.journal import read_journal
from tests.support import process
from tests.support.encoded import pictures, sounds
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server
from tests.unit.signaling.harness import Client

PROGRAMS = True
FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "60"})]
PACKETS = sounds(100)
PATIENCE_S = 40.0


class Rehearsed:
    """A scheduled consultation on a server, with a desk and somebody who is seen and heard."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cid = server.create_consultation()
        self.secretariat = server.token(self.cid, "secretariat", "秘书处")
        self.desk = Client(server.url, "/desk")

    def places(self, cid: str = "") -> list[Path]:
        return [self.server.data_dir / kind / (cid or self.cid) for kind in ("recordings", "program")]

    async def get(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """Below the server's address, as somebody of the public unless there is a token."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.server.url}{path}", headers=headers) as response,
        ):
            body = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            return response.status, json.loads(body) if is_json else body

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.secretariat}"}
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as response,
        ):
            return response.status, await response.json()

    async def items(self, what: str, cid: str = "", token: str = "") -> list[dict[str, Any]]:
        path = f"/api/v1/consultations/{cid or self.cid}/{what}"
        status, body = await self.get(path, token or self.secretariat)
        assert status == 200, body
        items: list[dict[str, Any]] = body["items"]
        return items

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[RoomClient]:
        """A rehearsal with sound and picture in it."""
        await self.desk.connect({"token": self.secretariat})
        await self.desk.ask("rehearsal.start")
        token = self.server.token(self.cid, "member", "陈委员")
        try:
            async with RoomClient(self.server.url, token, receive=False) as client:
                await client.publish(
                    [AudioSource(packets=PACKETS, level_db=10), VideoSource(frames=FRAMES)],
                    names=["microphone", "camera"],
                )
                yield client
        finally:
            await self.desk.close()

    async def is_made(self, life: int | None = None) -> None:
        """Tracks and program grow on the disk."""
        recordings, program = self.places()

        def grows() -> bool:
            tracks = [each for each in recordings.glob("*/*.webm") if each.stat().st_size > 10_000]
            segments = [
                each
                for each in read_journal(program)
                if each["fact"] == "segment" and life in (None, each["life"])
            ]
            return len(tracks) >= 2 and len(segments) >= 6

        await eventually(grows, timeout_s=PATIENCE_S, what="tracks and segments")

    async def is_hidden(self) -> None:
        """What the public is told and given: that it is scheduled, and nothing."""
        status, page = await self.get(f"/api/v1/public/consultations/{self.cid}")
        assert (status, page["status"], page["live"], page["started_wall_ms"]) == (
            200,
            "scheduled",
            None,
            None,
        )
        assert (page["cut"], page["speaker"], page["promotion"], page["captions"]) == (
            False,
            None,
            None,
            None,
        )
        segment = next(each for each in read_journal(self.places()[1]) if each["fact"] == "segment")
        files = ["index.m3u8", "720p.m3u8", "replay/720p.m3u8", segment["file"]]
        for name in files:
            assert (await self.get(f"/live/{self.cid}/{name}"))[0] == 404, name
        member = self.server.token(self.cid, "member", "委员")
        assert (await self.get(f"/live/{self.cid}/index.m3u8", member))[0] == 404
        for name in ("index.m3u8", "720p.m3u8", segment["file"]):
            assert (await self.get(f"/live/{self.cid}/{name}", self.secretariat))[0] == 200, name

    async def is_gone(self) -> None:
        def gone() -> bool:
            return not any(each.exists() for each in self.places())

        await eventually(gone, timeout_s=PATIENCE_S, what="the end of all files")
        for what in ("recordings", "exports", "transcript", "statements"):
            assert await self.items(what) == [], what

    async def actions(self) -> list[str]:
        return [each["action"] for each in await self.items("audit?limit=300")]

    def workers(self) -> list[str]:
        lines = [process.command_line(pid) for pid in self.server.children()]
        return [each for each in lines if self.cid in each]


async def test_nothing_is_public_and_nothing_is_left(server: Server) -> None:
    rehearsed = Rehearsed(server)
    async with rehearsed.begun() as client:
        await rehearsed.is_made()
        await client.request("statement.add", {"text": "演练发言", "key": "k" * 20})
        await rehearsed.desk.ask("floor.grant", {"participant_id": client.participant_id})
        assert client.consultation["status"] == "rehearsal"
        added = await rehearsed.desk.ask("rehearsal.comment", {"text": "停车太难了"})
        card = await rehearsed.desk.ask("comment.promote", {"id": added["comment"]["id"]})
        assert card["promotion"]["phase"] == "current"
        await rehearsed.is_hidden()
        assert (await rehearsed.get(f"/api/v1/public/consultations/{rehearsed.cid}/comments"))[1][
            "items"
        ] == []
        status, ended = await rehearsed.call("POST", "/rehearsal/end", json={"keep": False})
        assert (status, ended["status"]) == (200, "scheduled")
        assert [ended[each] for each in ("started_at_ms", "program_time_ms", "kept_id")] == [None] * 3
        await eventually(lambda: client.consultation["status"] == "scheduled", timeout_s=PATIENCE_S)
        await rehearsed.is_gone()
        assert await rehearsed.items("responses") == []
        assert not await rehearsed.items("agenda")
        actions = await rehearsed.actions()
        assert {"statement.added", "floor.granted", "rehearsal.ended", "rehearsal.cleared"} <= set(actions)
        # The same people go on into the meeting, which begins from zero.
        status, live = await rehearsed.call("POST", "/start")
        assert (status, live["status"]) == (200, "live")
        assert live["program_time_ms"] < 2_000
        await rehearsed.is_made()
        assert (await rehearsed.get(f"/live/{rehearsed.cid}/index.m3u8"))[0] == 200
        tracks = await rehearsed.items("recordings")
        assert {each["participant_id"] for each in tracks} == {client.participant_id}
        await rehearsed.call("POST", "/end")


async def test_the_meeting_begins_out_of_a_rehearsal(server: Server) -> None:
    rehearsed = Rehearsed(server)
    async with rehearsed.begun() as client:
        await rehearsed.is_made()
        status, live = await rehearsed.call("POST", "/start")
        assert (status, live["status"]) == (200, "live")
        assert live["program_time_ms"] < 2_000
        await eventually(lambda: client.consultation["status"] == "live", timeout_s=PATIENCE_S)
        actions = await rehearsed.actions()
        assert actions.index("rehearsal.cleared") < actions.index("consultation.started")
        await rehearsed.is_made(life=1)
        first = min(each["started_at_ms"] for each in await rehearsed.items("recordings"))
        assert first < 5_000
        await rehearsed.call("POST", "/end")


async def test_a_killed_server_goes_on_rehearsing_and_still_tells_nothing(server: Server) -> None:
    rehearsed = Rehearsed(server)
    async with rehearsed.begun() as client:
        await rehearsed.is_made()
        await asyncio.to_thread(server.kill9, "web")
        await asyncio.to_thread(server.restart)
        status, now = await rehearsed.call("GET", "")
        assert (status, now["status"]) == (200, "rehearsal")
        await rehearsed.is_hidden()
        assert client.participant_id
        assert (await rehearsed.call("POST", "/rehearsal/end", json={}))[0] == 200
        await asyncio.to_thread(server.kill9, "web")  # amid clearing, or just behind it
        await asyncio.to_thread(server.restart)
        await rehearsed.is_gone()
        await eventually(lambda: not rehearsed.workers(), timeout_s=PATIENCE_S, what="the end of its workers")
        assert (await rehearsed.call("GET", ""))[1]["status"] == "scheduled"


async def test_one_that_is_kept_can_be_looked_at(server: Server) -> None:
    rehearsed = Rehearsed(server)
    async with rehearsed.begun():
        await rehearsed.is_made()
        kept_id = (await rehearsed.desk.ask("rehearsal.end", {"keep": True}))["kept_id"]
        await rehearsed.is_gone()
    token = server.token(kept_id, "secretariat", "秘书处")

    async def whole() -> bool:
        rows = await rehearsed.items("recordings", kept_id, token)
        return len(rows) >= 2 and all(each["state"] == "done" for each in rows)

    await eventually(whole, timeout_s=PATIENCE_S, what="all tracks with their hashes")
    row = (await rehearsed.items("recordings", kept_id, token))[0]
    status, body = await rehearsed.get(f"/api/v1/consultations/{kept_id}/recordings/{row['id']}/file", token)
    assert (status, len(body)) == (200, row["size_bytes"])
    assert (await rehearsed.get(f"/api/v1/public/consultations/{kept_id}"))[0] == 404
    assert (await rehearsed.get(f"/live/{kept_id}/index.m3u8"))[0] == 404
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.url}/api/v1/consultations/{kept_id}/minutes/record",
            headers={"Authorization": f"Bearer {token}"},
        ) as response,
    ):
        assert (response.status, (await response.json())["code"]) == (409, "invalid_state")
