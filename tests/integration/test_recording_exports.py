"""Exports, end to end: what was recorded by a real server becomes files that play, whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_recording import Recorded, assert_plays
from tests.support import process
from tests.support.eventually import eventually, eventually_sync
from tests.support.light_client import RoomClient
from tests.support.program_files import MadeLife, make_program
from tests.support.server import Server

WORKER = "recording.exports"
PATIENCE_S = 60.0


class Exported(Recorded):
    """A consultation whose program is written by the test."""

    def make_program(self, *lives: MadeLife) -> None:
        make_program(self.server.data_dir / "program" / self.cid, list(lives))

    async def exports(self, *states: str) -> list[dict[str, Any]]:
        """When they are all in these states, the newest first."""

        async def probe() -> list[dict[str, Any]]:
            status, _, body = await self.call("GET", "/exports")
            assert status == 200, body
            items: list[dict[str, Any]] = json.loads(body)["items"]
            return items

        return await eventually(
            probe, lambda all_: tuple(each["state"] for each in all_) == states, timeout_s=PATIENCE_S
        )

    async def ask(self, **body: Any) -> tuple[int, dict[str, Any]]:
        status, _, answer = await self.call("POST", "/exports", json=body)
        return status, json.loads(answer)

    async def fetch(self, export: dict[str, Any], to: Path) -> Path:
        status, headers, body = await self.call("GET", f"/exports/{export['id']}/file")
        assert status == 200, body
        assert headers["ETag"] == f'"{export["sha256"]}"'
        assert headers["Content-Type"] == export["media_type"]
        assert len(body) == export["size_bytes"]
        path = to / f"{export['id']}{'.mp4' if export['media_type'] == 'video/mp4' else '.m4a'}"
        path.write_bytes(body)
        return path

    async def said(self) -> list[str]:
        lines = json.loads((await self.call("GET", "/audit?limit=500"))[2])["items"]
        return [line["action"] for line in lines if line["action"].startswith("export.")]

    @property
    def place(self) -> Path:
        return self.directory / "exports"

    def left(self) -> list[str]:
        """Names of all files of exports, whole or not."""
        return [each.name for each in self.place.iterdir()] if self.place.is_dir() else []

    def makers(self) -> list[int]:
        return [pid for pid in self.server.children() if WORKER in process.command_line(pid)]

    def caught_writing(self) -> int:
        """An export process, stopped while its file is half written."""
        pid = eventually_sync(lambda: next(iter(self.makers()), 0), timeout_s=PATIENCE_S, what="a process")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            os.kill(pid, signal.SIGSTOP)
            parts = list(self.place.glob("*.part"))
            if parts and parts[0].stat().st_size > 0:
                return pid
            assert process.alive(pid), "it was too fast"
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.002)
        raise AssertionError("nothing was ever written")


@pytest.fixture
async def exported() -> AsyncIterator[Exported]:
    """A server that makes no programs itself, and a consultation that is live."""
    with Server() as server:
        made = Exported(server)
        await made.start()
        yield made


def chapters(path: Path) -> list[tuple[str, str]]:
    probe = subprocess.run(
        ["ffprobe", "-v", "warning", "-show_streams", "-show_chapters", "-of", "json", str(path)],
        capture_output=True,
        check=True,
    )
    assert probe.stderr == b""
    return [
        (f"{float(each['start_time']):.1f}", each["tags"]["title"])
        for each in json.loads(probe.stdout)["chapters"]
    ]


async def test_everything_that_can_be_made_after_the_end(exported: Exported, tmp_path: Path) -> None:
    agenda = {"items": [{"title": "听取报告", "kind": "report"}]}
    status, _, body = await exported.call("PUT", "/agenda", json=agenda)
    assert status == 200, body
    (item,) = json.loads(body)["items"]
    async with exported.speaker() as client:
        chair = exported.server.token(exported.cid, "chair", "主持人")
        async with RoomClient(exported.server.url, chair, receive=False) as leader:
            await leader.request("agenda.start", {"item_id": item["id"]})
            await exported.recorded_for(3)
        speaker = client.participant_id
        exported.make_program(MadeLife(0, 3), MadeLife(5_000, 2))
        assert (await exported.ask(kind="program"))[0] == 409
        await exported.end()
    (program,) = await exported.exports("done")
    assert (program["kind"], program["requested_by"], program["duration_ms"]) == ("program", "", 7_000)
    path = await exported.fetch(program, tmp_path)
    assert_plays(path)
    assert chapters(path)[-1][1] == "听取报告"
    (row,) = [each for each in await exported.rows() if each["source"] == "program"]
    assert (row["id"], row["sha256"], row["name"]) == (program["id"], program["sha256"], program["title"])
    await exported.download(row, tmp_path)

    asked = [
        await exported.ask(kind="person", participant_id=speaker),
        await exported.ask(kind="person", participant_id=speaker, sound_only=True),
        await exported.ask(kind="clip", item_id=item["id"]),
    ]
    assert [status for status, _ in asked] == [202] * 3
    assert (await exported.ask(kind="clip", item_id=item["id"]))[0] == 200
    made = {each["id"]: each for each in await exported.exports(*["done"] * 4)}
    for _, export in asked:
        assert_plays(await exported.fetch(made[export["id"]], tmp_path))
    assert [made[each["id"]]["title"] for _, each in asked] == ["陈委员", "陈委员", "听取报告"]
    assert [made[each["id"]]["media_type"] for _, each in asked] == ["video/mp4", "audio/mp4", "audio/mp4"]

    file = f"/exports/{program['id']}/file"
    status, headers, part = await exported.call("GET", file, headers={"Range": "bytes=100-199"})
    assert (status, part) == (206, path.read_bytes()[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{program['size_bytes']}"
    assert (await exported.call("GET", file, headers={"If-None-Match": headers["ETag"]}))[0] == 304
    assert (await exported.call("DELETE", f"/exports/{program['id']}"))[0] == 204
    assert (await exported.call("GET", file))[0] == 404
    assert all(each["source"] != "program" for each in await exported.rows())
    assert len(exported.left()) == 3
    said = await exported.said()
    assert said.count("export.requested") == said.count("export.finished") == 4
    assert said.count("export.downloaded") == 5
    assert said.count("export.deleted") == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "whole"},
        {"kind": "person"},
        {"kind": "program", "participant_id": "p_1"},
        {"kind": "clip", "item_id": "a", "turn_id": "b"},
        {"kind": "clip", "item_id": "a", "sound_only": True},
        {"kind": "clip", "item_id": "../a"},
        {"kind": "program", "more": 1},
    ],
)
async def test_requests_that_make_no_sense(exported: Exported, body: dict[str, Any]) -> None:
    status, answer = await exported.ask(**body)
    assert (status, answer["code"]) == (400, "bad_request")


async def test_a_killed_export_is_made_anew(exported: Exported, tmp_path: Path) -> None:
    exported.make_program(MadeLife(0, 60))
    assert (await exported.call("POST", "/end"))[0] == 200
    victim = await asyncio.to_thread(exported.caught_writing)
    assert all(name.endswith(".part") for name in exported.left())
    os.kill(victim, signal.SIGKILL)
    (done,) = await exported.exports("done")
    assert_plays(await exported.fetch(done, tmp_path))
    assert exported.left() == [f"{done['id']}.mp4"]
    assert await exported.said() == ["export.requested", "export.finished", "export.downloaded"]


async def test_a_killed_server_makes_it_anew(exported: Exported, tmp_path: Path) -> None:
    exported.make_program(MadeLife(0, 60))
    assert (await exported.call("POST", "/end"))[0] == 200
    victim = await asyncio.to_thread(exported.caught_writing)
    await asyncio.to_thread(exported.server.kill9, "parent")
    os.kill(victim, signal.SIGCONT)
    await eventually(lambda: not process.alive(victim), timeout_s=10, what="its end")
    assert all(name.endswith(".part") for name in exported.left())
    await asyncio.to_thread(exported.server.restart)
    (done,) = await exported.exports("done")
    assert_plays(await exported.fetch(done, tmp_path))
    assert exported.left() == [f"{done['id']}.mp4"]


async def test_what_is_given_up_leaves_nothing(exported: Exported) -> None:
    exported.make_program(MadeLife(0, 60))
    assert (await exported.call("POST", "/end"))[0] == 200
    victim = await asyncio.to_thread(exported.caught_writing)
    (running,) = await exported.exports("running")
    assert (await exported.call("DELETE", f"/exports/{running['id']}"))[0] == 204
    await eventually(lambda: not process.alive(victim), timeout_s=10, what="its end")
    assert await exported.exports() == []
    await eventually(lambda: exported.left() == [], timeout_s=10, what="an empty directory")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose recordings have 24 MB."""
    recordings = tmp_path / "data" / "recordings"
    recordings.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(recordings)], check=True)
    try:
        yield tmp_path / "data"
    finally:
        subprocess.run(["umount", "-l", str(recordings)], check=True)


async def test_a_full_disk_is_said_and_leaves_no_half_file(small_disk: Path, tmp_path: Path) -> None:
    arguments = ["--recording-reserve-mb", "4"]
    with Server(data_dir=small_disk, arguments=arguments) as server:
        exported = Exported(server)
        await exported.start()
        exported.make_program(MadeLife(0, 10))
        filler = small_disk / "recordings" / "filler"
        with contextlib.suppress(OSError), filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        assert (await exported.call("POST", "/end"))[0] == 200
        (failed,) = await exported.exports("failed")
        assert failed["reason"] == "disk_full"
        assert exported.left() == []
        filler.unlink()
        status, again = await exported.ask(kind="program")
        assert (status, again["id"]) == (202, failed["id"])
        (done,) = await exported.exports("done")
        assert_plays(await exported.fetch(done, tmp_path))


async def test_what_was_kept_long_enough_is_cleared_away() -> None:
    with Server(arguments=["--recording-retention-days", "30"]) as server:
        exported, live = Exported(server), Exported(server)
        await exported.start()
        async with exported.speaker():
            await exported.recorded_for(1)
            exported.make_program(MadeLife(0, 2))
            await exported.end()
        await exported.exports("done")
        await live.start()
        live.make_program(MadeLife(0, 1))
        await asyncio.to_thread(server.stop)
        with contextlib.closing(sqlite3.connect(server.data_dir / "yuanshang.sqlite3")) as database:
            month_ms = 31 * 86_400_000
            database.execute(
                "UPDATE consultations SET ended_at_ms = ended_at_ms - ?, started_at_ms = started_at_ms - ?",
                (month_ms, month_ms),
            )
            database.commit()
        await asyncio.to_thread(server.restart)
        await eventually(lambda: not exported.directory.exists(), timeout_s=PATIENCE_S, what="the sweep")
        await eventually(
            lambda: not (server.data_dir / "program" / exported.cid).exists(), what="the program's end"
        )
        assert (server.data_dir / "program" / live.cid).exists()
        assert await exported.rows() == []
        assert await exported.exports() == []
        lines = json.loads((await exported.call("GET", "/audit?limit=500"))[2])["items"]
        said = [line["action"] for line in lines if line["action"].endswith(".deleted")]
        assert sorted(said) == ["export.deleted", "program.deleted", *["recording.deleted"] * 2]
        assert (await exported.ask(kind="program"))[1]["code"] == "nothing_recorded"


async def test_the_program_of_a_real_session_becomes_one_file(tmp_path: Path) -> None:
    with Server(programs=True) as server:
        exported = Exported(server)
        await exported.start()
        journal = server.data_dir / "program" / exported.cid / "journal.jsonl"
        async with exported.speaker():
            await eventually(
                lambda: journal.exists() and journal.read_text().count('"fact":"segment"') >= 6,
                timeout_s=PATIENCE_S,
                what="some seconds of the program",
            )
            assert (await exported.call("POST", "/end"))[0] == 200
        (done,) = await exported.exports("done")
        path = await exported.fetch(done, tmp_path)
        assert done["duration_ms"] >= 2_000
        # Of 25 pictures a second a busy machine draws every other one; what was drawn is in the file.
        assert assert_plays(path) >= done["duration_ms"] * 12 // 1000 - 3
        assert len(chapters(path)) >= 1
