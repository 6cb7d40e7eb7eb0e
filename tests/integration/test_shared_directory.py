"""Servers that share a directory of recordings: one is killed amid a session, another goes on, nothing is missing."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.archive.verifier import verify_archive
from recording.hls.journal import read_journal
from recording.manifest import read_manifest
from tests.support import process
from tests.support.encoded import decoded, pictures, sounds
from tests.support.eventually import eventually
from tests.support.hls import MediaPlaylist, media_playlist
from tests.support.light_client import AudioSource, RoomClient, SessionRefusedError, VideoSource
from tests.support.postgres_server import postgres_server
from tests.support.redis_server import RedisServer
from tests.support.server import Server, ServerFailedError
from tests.support.several_servers import PASSING_ON, several_servers

PROGRAMS = True

FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "60"})]
PACKETS = sounds(100)
WITHIN_S = 10.0  # of a server's death its rooms are open on another


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture
def database_url() -> Iterator[str]:
    with postgres_server() as url:
        yield url


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    return tmp_path / "shared"


class Session:
    """A consultation that is asked about at any server."""

    def __init__(self, made_at: Server) -> None:
        self.cid = made_at.create_consultation("推进县域养老服务高质量发展")
        self.secretariat = made_at.token(self.cid, "secretariat", "秘书处")
        self.member = made_at.token(self.cid, "member", "陈委员")

    async def call(
        self, server: Server, path: str, method: str = "GET", *, above: str = "/api/v1/consultations"
    ) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.secretariat}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, f"{server.url}{above}/{self.cid}{path}") as response,
        ):
            return response.status, await response.read()

    async def rows(self, server: Server) -> list[dict[str, Any]]:
        status, body = await self.call(server, "/recordings")
        assert status == 200, body
        items: list[dict[str, Any]] = json.loads(body)["items"]
        return items

    async def playlist(self, server: Server, name: str = "720p.m3u8") -> MediaPlaylist | None:
        status, body = await self.call(server, f"/{name}", above="/live")
        return media_playlist(body.decode()) if status == 200 else None

    async def is_on(self, client: RoomClient) -> None:
        await eventually(lambda: client.consultation.get("recording"), lambda now: now == "on", timeout_s=20)

    async def speaks(self, client: RoomClient) -> None:
        await self.is_on(client)
        await client.publish(
            [AudioSource(packets=PACKETS, level_db=10), VideoSource(frames=FRAMES)],
            names=["microphone", "camera"],
        )

    async def back(self, server: Server, resume: dict[str, Any]) -> RoomClient | None:
        client = RoomClient(server.url, self.member, receive=False, resume=resume)
        try:
            await client.connect()
        except SessionRefusedError as refused:
            if refused.code != "other_node":
                raise
            return None
        return client


async def state_of(server: Server) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/readyz") as response:
        return (await response.json())["checks"]["shared_dir"]


async def test_what_a_killed_server_recorded_is_there_at_all_others(
    tmp_path: Path, shared: Path, redis: RedisServer, database_url: str
) -> None:
    more = (*PASSING_ON, "--shared-dir", str(shared))
    async with several_servers(tmp_path, redis.url, database_url, "ab", more, programs=True) as (a, b):
        session = Session(a)
        client = RoomClient(a.url, session.member, receive=False)
        await client.connect()
        assert (await session.call(a, "/start", "POST"))[0] == 200
        await session.speaks(client)

        async def lists(server: Server, segments: int) -> bool:
            found = await session.playlist(server)
            return found is not None and len(found.segments) >= segments

        await eventually(lambda: lists(b, 4), timeout_s=60, what="some seconds of program")
        recorded = shared / "recordings" / session.cid
        before = {path: path.read_bytes() for path in (recorded / "1").glob("*.*") if path.suffix != ".jsonl"}
        assert len(before) == 2
        listed = await session.playlist(b)
        assert listed is not None

        loop = asyncio.get_running_loop()
        died_s = loop.time()
        await asyncio.to_thread(a.kill)
        again = await eventually(
            lambda: session.back(b, client.resume), timeout_s=20, every_s=0.2, what="the room at the other"
        )
        assert again is not None
        assert loop.time() - died_s < WITHIN_S
        assert again.participant_id == client.participant_id
        await client.drop()
        await session.speaks(again)

        async def closed() -> bool:
            dead = [each for each in read_manifest(recorded / "1") if each["fact"] == "closed"]
            return len(dead) == 2

        await eventually(
            closed, timeout_s=20, what="the dead one's files are closed while the session goes on"
        )
        await eventually(lambda: lists(b, len(listed.segments) + 4), timeout_s=60)
        on = await session.playlist(b)
        assert on is not None
        numbers = {each.number: each.discontinuity for each in on.segments}
        for each in listed.segments[-2:]:
            assert each.number in numbers, "who plays what the dead server made goes on"
        assert max(numbers.values()) > numbers[listed.last], "players are told of the gap"
        assert (await session.call(b, "/end", "POST"))[0] == 200

        await asyncio.to_thread(a.start)
        for server in (a, b):

            async def finished() -> bool:
                rows = await session.rows(server)  # noqa: B023 awaited at once
                return len(rows) == 5 and all(each["state"] != "recording" for each in rows)

            await eventually(finished, timeout_s=90, what="every track and the program's file")
        rows = await session.rows(a)
        assert sorted((each["source"], each["state"]) for each in rows) == [
            ("camera", "broken"),
            ("camera", "done"),
            ("microphone", "broken"),
            ("microphone", "done"),
            ("program", "done"),
        ]
        for server in (a, b):
            for row in rows:
                status, body = await session.call(server, f"/recordings/{row['id']}/file")
                assert (status, len(body)) == (200, row["size_bytes"])
                assert hashlib.sha256(body).hexdigest() == row["sha256"]
                path = tmp_path / f"{row['id']}.{'mp4' if row['source'] == 'program' else 'webm'}"
                path.write_bytes(body)
                count, complaints, _ = decoded(path)
                assert complaints == []
                assert count >= 40
        tracks = {(each["source"], each["state"]): each for each in rows}
        for source in ("microphone", "camera"):
            first, second = tracks[source, "broken"], tracks[source, "done"]
            assert first["started_at_ms"] + first["duration_ms"] < second["started_at_ms"]

        status, body = await session.call(a, "/audit?action=program.gap")
        (gap,) = json.loads(body)["items"]
        outage = gap["content"]["from_ms"], gap["content"]["to_ms"]
        made = [each for each in read_journal(shared / "program" / session.cid) if each["fact"] == "gap"]
        assert 0 < outage[1] - outage[0] < 30_000
        assert any(each["from_ms"] < outage[1] <= each["to_ms"] + 1000 for each in made)

        for server in (a, b):
            whole = await eventually(
                lambda: session.playlist(server, "replay/720p.m3u8"),  # noqa: B023 awaited at once
                timeout_s=20,
                what="the replay",
            )
            assert whole is not None
            assert whole.ended
            assert {each.number for each in listed.segments} <= {each.number for each in whole.segments}
            discontinuities = {each.number: each.discontinuity for each in whole.segments}
            assert discontinuities[listed.last] < whole.segments[-1].discontinuity
            async with aiohttp.ClientSession() as http:
                for each in (whole.segments[0], whole.segments[-1]):
                    headers = {"Authorization": f"Bearer {session.secretariat}"}
                    url = f"{server.url}/live/{session.cid}/replay/{each.uri}"
                    async with http.get(url, headers=headers) as answer:
                        assert answer.status == 200
                        assert len(await answer.read()) > 1000
        for path, content in before.items():
            assert path.read_bytes()[1000 : len(content)] == content[1000:]

        for server in (a, b):
            status, body = await session.call(server, "/archive")
            assert status == 200
            package = tmp_path / "archive.zip"
            package.write_bytes(body)
            report = verify_archive(package)
            assert not report.findings
        await again.drop()


async def test_a_server_that_starts_leaves_the_recording_of_another_alone(
    tmp_path: Path, shared: Path, redis: RedisServer, database_url: str
) -> None:
    """Nor does one that is started anew while the other records; and Redis may have forgotten who records."""
    more = (*PASSING_ON, "--shared-dir", str(shared))
    async with several_servers(tmp_path, redis.url, database_url, "abc", more) as (a, b, c):
        await asyncio.to_thread(b.kill)
        await asyncio.to_thread(c.stop)
        session = Session(a)
        async with RoomClient(a.url, session.member, receive=False) as client:
            assert (await session.call(a, "/start", "POST"))[0] == 200
            await session.speaks(client)
            manifest = shared / "recordings" / session.cid / "1"
            await eventually(
                lambda: [each for each in read_manifest(manifest) if each["fact"] == "opened"],
                lambda opened: len(opened) == 2,
                timeout_s=20,
            )
            (worker,) = [each for each in a.children() if "recording.worker" in process.command_line(each)]
            upload = shared / "clips" / session.cid / "another.mp4.00.part"
            half = shared / "recordings" / session.cid / "exports" / "x_other.mp4.part"
            for each in (upload, half):  # as another server has them on their way
                each.parent.mkdir(parents=True, exist_ok=True)
                each.write_bytes(b"half")
            redis.kill()
            await asyncio.to_thread(redis.start)
            for other in (b, c):
                await asyncio.to_thread(other.start)
            await asyncio.sleep(6)  # longer than any look at what was left

            assert process.alive(worker)
            assert [each["fact"] for each in read_manifest(manifest)].count("closed") == 0
            assert upload.exists()
            assert half.exists()
            states = [each["state"] for each in await session.rows(a)]
            assert states == ["recording", "recording"]
            assert client.consultation["recording"] == "on"
            for server in (a, b, c):
                assert await state_of(server) == "ok"
            assert (await session.call(b, "/end", "POST"))[0] == 200

            async def finished() -> list[str]:
                return sorted({each["state"] for each in await session.rows(c)})

            await eventually(finished, lambda states: states == ["done"], timeout_s=30)
            lives = {each.name for each in (shared / "recordings" / session.cid).iterdir()}
            assert lives == {"1", "exports"}


class Mount:
    """A directory that can be taken away, so that the empty place below it is seen."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._away = place.with_name("away")

    def take(self, *, place_stays: bool = True) -> None:
        self.place.rename(self._away)
        if place_stays:
            self.place.mkdir()

    def put_back(self) -> None:
        if self.place.exists():
            self.place.rmdir()  # fails unless it is empty: nothing was written to the disk below
        self._away.rename(self.place)


async def test_a_directory_that_is_not_mounted_is_not_written_to(tmp_path: Path, shared: Path) -> None:
    mount = Mount(shared)
    server = Server(data_dir=tmp_path / "data", arguments=["--shared-dir", str(shared)])
    async with server:
        assert await state_of(server) == "ok"
        mount.take()
        await eventually(lambda: state_of(server), lambda state: state == "gone", timeout_s=15)
        session = Session(server)
        async with RoomClient(server.url, session.member, receive=False) as client:
            assert (await session.call(server, "/start", "POST"))[0] == 200
            await eventually(
                lambda: client.consultation.get("recording"), lambda now: now == "trouble", timeout_s=20
            )
            lines = json.loads((await session.call(server, "/audit?action=recording.interrupted"))[1])
            assert lines["items"][0]["content"]["reason"] == "shared_dir_gone"
            mount.put_back()
            await eventually(lambda: state_of(server), lambda state: state == "ok", timeout_s=15)
            await session.is_on(client)


def test_a_wrong_directory_is_refused(tmp_path: Path, shared: Path) -> None:
    mount, other = Mount(shared), tmp_path / "other"
    other.mkdir()
    server = Server(data_dir=tmp_path / "data", arguments=["--shared-dir", str(shared)])
    with server:
        server.stop()
        mount.take()
        with pytest.raises(ServerFailedError, match="没有挂载"):
            server.start()
        shared.rmdir()
        with pytest.raises(ServerFailedError, match="不存在"):
            server.start()
        mount.put_back()
        (other / "shared-directory.json").write_text('{"id": "d_another"}')
        server.arguments[-1] = str(other)
        with pytest.raises(ServerFailedError, match="另一套服务器"):
            server.start()
        server.arguments[-1] = str(shared)
        server.start()
