"""A backup of a real server in the midst of a live session: nothing stops, and what is restored goes on by itself."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa

from conference.storage.database import open_engine, sqlite_url
from recording.hls.journal import read_journal
from recording.manifest import files_of, read_manifest
from tests.support.encoded import decoded, pictures, sounds
from tests.support.eventually import eventually
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.postgres_server import another_database, postgres_server
from tests.support.server import COMMAND, Server

FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "60"})]
PACKETS = sounds(100)
MATERIAL = b"%PDF-1.4 " + b"x" * 5000


async def call(server: Server, cid: str, method: str, path: str, **options: Any) -> tuple[int, Any]:
    token = options.pop("token", None) or server.token(cid, "secretariat", "秘书处")
    headers: Mapping[str, str] = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
    url = f"{server.url}/api/v1/consultations/{cid}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, headers=headers, **options) as response,
    ):
        body = await response.read()
        return response.status, json.loads(body) if "json" in response.content_type else body


def command(*arguments: str | Path) -> str:
    done = subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def rows_of(url: str, query: str) -> list[tuple[Any, ...]]:
    engine = open_engine(url)
    async with engine.connect() as connection:
        found = (await connection.execute(sa.text(query))).all()
    await engine.dispose()
    return [tuple(each) for each in found]


@pytest.fixture(params=["sqlite", "postgresql"])
async def databases(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, str] | None]:
    """PostgreSQL's that is backed up, and an empty one to restore into; None for SQLite's own files."""
    if request.param == "sqlite":
        yield None
        return
    with postgres_server() as url:
        yield url, await another_database(url, "restored")


def at(url: str | None) -> list[str]:
    """The option that names a database."""
    return [] if url is None else ["--database-url", url]


async def assert_recorded(server: Server, cid: str) -> list[dict[str, Any]]:
    """Every row has its file, whole or closed after the event, and it plays."""
    status, body = await call(server, cid, "GET", "/recordings")
    assert status == 200
    items: list[dict[str, Any]] = body["items"]
    for row in items:
        status, content = await call(server, cid, "GET", f"/recordings/{row['id']}/file")
        assert status == 200, row
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
    return items


@pytest.mark.timeout(300)
async def test_a_live_session_is_backed_up_and_goes_on_from_the_backup(
    tmp_path: Path, databases: tuple[str, str] | None
) -> None:
    place = tmp_path / "backup"
    before, after = databases or (None, None)
    with Server(programs=True, arguments=at(before)) as server:
        cid = server.create_consultation("水资源协商")
        added = await call(
            server, cid, "POST", "/files", data=MATERIAL, headers={"Content-Type": "application/octet-stream"},
            params={"name": "材料.pdf"},
        )  # fmt: skip
        assert (await call(server, cid, "POST", "/start"))[0] == 200
        recordings, program = server.data_dir / "recordings" / cid, server.data_dir / "program" / cid

        def segments() -> int:
            return sum(fact["fact"] == "segment" for fact in read_journal(program))

        token = server.token(cid, "member", "陈委员")
        async with RoomClient(server.url, token, receive=False) as client:
            await eventually(
                lambda: client.consultation.get("recording"), lambda now: now == "on", timeout_s=30, what="on"
            )
            sources: list[AudioSource | VideoSource] = [
                AudioSource(packets=PACKETS, level_db=10),
                VideoSource(frames=FRAMES),
            ]
            await client.publish(sources, names=["microphone", "camera"])
            await eventually(lambda: segments() >= 6, timeout_s=60, what="a program with segments")
            await eventually(
                lambda: min((each.stat().st_size for each in recordings.glob("1/*.webm")), default=0) > 4000,
                timeout_s=30,
                what="files that grow",
            )
            worker_before, tree_before = segments(), set(server.children())
            made = await asyncio.to_thread(command, "backup", place, "--json", "--data-dir", server.data_dir)
            assert json.loads(made)["missing"] == []
            # Nothing was killed, nothing stopped: the session goes on.
            assert set(server.children()) >= tree_before
            await eventually(lambda: segments() > worker_before + 2, timeout_s=60, what="the program goes on")
            assert client.consultation["recording"] == "on"
            later = server.token(cid, "member", "后来的人")
            async with RoomClient(server.url, later, receive=False):
                pass
        assert (await call(server, cid, "POST", "/end"))[0] == 200

    assert added[0] == 201, added
    other = tmp_path / "other"
    command("restore", place, "--data-dir", other, *at(after))
    rows = after or sqlite_url(other / "yuanshang.sqlite3")
    # As after kill -9: live in the rows, and ledgers that nobody closed.
    assert await rows_of(rows, "SELECT status FROM consultations") == [("live",)]
    open_files = files_of(read_manifest(other / "recordings" / cid / "1"))
    assert open_files
    assert not all(each["closed"] for each in open_files.values())
    for fact in read_journal(other / "program" / cid):
        if fact["fact"] == "segment":
            content = (other / "program" / cid / fact["file"]).read_bytes()
            assert len(content) >= fact["size"]
            assert hashlib.sha256(content[: fact["size"]]).hexdigest() == fact["sha256"]
    for (path,) in await rows_of(rows, "SELECT path FROM recordings"):
        assert (other / "recordings" / path).stat().st_size > 0

    with Server(programs=True, data_dir=other, arguments=at(after)) as restored:
        status, consultation = await call(restored, cid, "GET", "")
        assert (status, consultation["title"], consultation["status"]) == (200, "水资源协商", "live")
        status, files = await call(restored, cid, "GET", "/files")
        assert [each["name"] for each in files["items"]] == ["材料.pdf"]
        status, content = await call(restored, cid, "GET", f"/files/{files['items'][0]['id']}")
        assert (status, content) == (200, MATERIAL)
        # The token of the first server opens the second: it has the same key. It is live, and recorded again.
        async with RoomClient(restored.url, token, receive=False) as client:
            await eventually(
                lambda: client.consultation.get("recording"), lambda now: now == "on", timeout_s=30, what="on"
            )
            names = [each["name"] for each in (await call(restored, cid, "GET", "/participants"))[1]["items"]]
            assert "后来的人" not in names
            await client.publish([AudioSource(packets=PACKETS, level_db=10)], names=["microphone"])
            await eventually(
                lambda: list((other / "recordings" / cid / "2").glob("*.webm")), timeout_s=30, what="life 2"
            )
        assert (await call(restored, cid, "POST", "/end"))[0] == 200

        async def finished() -> bool:
            _, body = await call(restored, cid, "GET", "/recordings")
            rows = body["items"]
            return len(rows) > len(open_files) and all(each["state"] != "recording" for each in rows)

        await eventually(finished, timeout_s=60, what="the end of all files")
        items = await assert_recorded(restored, cid)
        broken = [each for each in items if each["state"] == "broken"]
        assert {each["source"] for each in broken} == {"microphone", "camera"}
        for path, file in open_files.items():
            count, complaints, _ = decoded(other / "recordings" / cid / "1" / path)
            assert complaints == [], file
            assert count > 20
        package = tmp_path / "package.zip"
        await asyncio.to_thread(
            command, "archive", "export", package, "--consultation", cid, "--data-dir", other
        )
        assert "完好：留痕" in await asyncio.to_thread(command, "archive", "verify", package)
