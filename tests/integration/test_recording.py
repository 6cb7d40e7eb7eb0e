"""Recording, end to end: light clients send real frames to the real server; files, rows and downloads are looked at."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import process
from tests.support.encoded import RATE, decoded, pictures, sounds
from tests.support.eventually import eventually, eventually_sync
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.server import Server

FRAMES = [each.data for each in pictures("libvpx", options={"deadline": "realtime", "g": "60"})]
PACKETS = sounds(100)
WORKER = "recording.worker"


class Recorded:
    """A consultation on a server, and what there is of its recording."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.cid = server.create_consultation()
        self.secretariat = server.token(self.cid, "secretariat", "秘书处")

    @property
    def directory(self) -> Path:
        return self.server.data_dir / "recordings" / self.cid

    async def call(
        self, method: str, path: str, token: str = "", **options: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Authorization": f"Bearer {token or self.secretariat}", **options.pop("headers", {})}
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as response,
        ):
            return response.status, response.headers, await response.read()

    async def start(self) -> None:
        assert (await self.call("POST", "/start"))[0] == 200

    async def end(self) -> list[dict[str, Any]]:
        """End it; the rows when all files are finished."""
        assert (await self.call("POST", "/end"))[0] == 200

        async def finished() -> bool:
            return all(each["state"] != "recording" for each in await self.rows()) and not self.workers()

        await eventually(finished, timeout_s=30, what="the end of all files")
        return await self.rows()

    async def rows(self) -> list[dict[str, Any]]:
        status, _, body = await self.call("GET", "/recordings")
        assert status == 200, body
        items: list[dict[str, Any]] = json.loads(body)["items"]
        return items

    async def download(self, row: dict[str, Any], to: Path) -> Path:
        status, headers, body = await self.call("GET", f"/recordings/{row['id']}/file")
        assert status == 200, body
        assert headers["ETag"] == f'"{row["sha256"]}"'
        assert hashlib.sha256(body).hexdigest() == row["sha256"]
        assert len(body) == row["size_bytes"]
        path = to / headers["Content-Disposition"].rpartition("-")[2]
        path.write_bytes(body)
        return path

    def facts(self, life: int = 1) -> list[dict[str, Any]]:
        manifest = self.directory / str(life) / "manifest.jsonl"
        return [json.loads(line) for line in manifest.read_text().splitlines()]

    def files(self) -> set[Path]:
        return {each for each in self.directory.glob("*/*") if each.suffix in (".webm", ".mp4")}

    def workers(self) -> list[int]:
        return [pid for pid in self.server.children() if WORKER in process.command_line(pid)]

    @contextlib.asynccontextmanager
    async def speaker(
        self, name: str = "陈委员", picture: VideoSource | None = None
    ) -> AsyncIterator[RoomClient]:
        """Somebody in the room whom the recorder hears and sees, once it records."""
        token = self.server.token(self.cid, "member", name)
        async with RoomClient(self.server.url, token, receive=False) as client:
            await self.is_on(client)
            sources: list[AudioSource | VideoSource] = [
                AudioSource(packets=PACKETS, level_db=10),
                picture or VideoSource(frames=FRAMES),
            ]
            await client.publish(sources, names=["microphone", "camera"])
            yield client

    @staticmethod
    async def is_on(client: RoomClient, state: str = "on") -> None:
        await eventually(
            lambda: client.consultation.get("recording"), lambda now: now == state, timeout_s=20, what=state
        )

    async def recorded_for(self, seconds: float, life: int | None = None) -> None:
        """Until the files of sound and of pictures have grown by about so much."""
        await eventually(lambda: len(self._of(life)) >= 2, timeout_s=20, what="sound and picture")
        await asyncio.sleep(seconds)  # there is no other way for a recording to become longer

    def _of(self, life: int | None) -> list[Path]:
        return [each for each in self.files() if life is None or each.parent.name == str(life)]


def assert_plays(path: Path) -> int:
    """FFmpeg has nothing to say against the file; how many frames there are."""
    count, complaints, _ = decoded(path)
    assert complaints == []
    probe = subprocess.run(
        # In the file's own time: ffmpeg's null output rounds to a guessed rate, where two frames may fall together.
        ["ffmpeg", "-v", "warning", "-i", str(path), "-enc_time_base", "-1", "-f", "null", "-"],
        capture_output=True,
        check=True,
    )
    assert probe.stderr == b""
    return count


async def test_from_start_to_download(server: Server, tmp_path: Path) -> None:
    recorded = Recorded(server)
    await recorded.start()
    async with recorded.speaker() as client:
        await recorded.recorded_for(3)
        sound, picture = client.sources
        sound.stop()
        picture.stop()
        await asyncio.sleep(0.3)  # what is on its way arrives
        assert client.consultation["recording"] == "on"
        sent = {"microphone": sound.packets, "camera": picture.packets}
        rows = await recorded.end()
        await recorded.is_on(client, "off")
    assert {row["source"]: row["state"] for row in rows} == {"microphone": "done", "camera": "done"}
    lost = {fact["file"]: fact["packets_lost"] for fact in recorded.facts() if fact["fact"] == "closed"}
    for row in rows:
        assert row["name"] == "陈委员"
        path = await recorded.download(row, tmp_path)
        missing = sum(n for name, n in lost.items() if row["source"] in name)
        count = assert_plays(path)
        assert count == sent[row["source"]] - missing
        assert row["duration_ms"] == pytest.approx(
            count * (20 if row["source"] == "microphone" else 33), rel=0.1
        )
    starts = [row["started_at_ms"] for row in rows]
    assert max(starts) - min(starts) < 400


@pytest.mark.parametrize("frames_out_of_order", [False, True])
async def test_h264_is_kept_as_it_came(server: Server, tmp_path: Path, frames_out_of_order: bool) -> None:
    recorded = Recorded(server)
    await recorded.start()
    options = {"g": "60", "bf": "2"} if frames_out_of_order else {"profile": "baseline", "g": "60", "bf": "0"}
    units = pictures("libx264", 60, 640, 360, options)
    shown = [round(each.at_us * RATE / 1e6) for each in units]
    assert (shown != sorted(shown)) == frames_out_of_order
    source = VideoSource(frames=[each.data for each in units], codec="H264", shown=shown)
    async with recorded.speaker(picture=source) as client:
        await recorded.recorded_for(4)
        source.stop()
        assert client.sources[1] is source
        await asyncio.sleep(0.3)  # what is on its way arrives
        rows = await recorded.end()
    (row,) = [each for each in rows if each["source"] == "camera"]
    assert (row["codec"], row["state"]) == ("h264", "done")
    (closed,) = [fact for fact in recorded.facts() if fact["fact"] == "closed" and "camera" in fact["file"]]
    assert closed["packets_lost"] == 0
    path = await recorded.download(row, tmp_path)
    assert path.suffix == ".mp4"
    assert assert_plays(path) == closed["frames"] >= source.frame_count - 2
    # Frames out of order begin some frames into their file.
    assert row["duration_ms"] == pytest.approx(closed["frames"] * 1000 / 30, abs=400)


async def test_ranges_rights_and_deletion(server: Server) -> None:
    recorded = Recorded(server)
    await recorded.start()
    async with recorded.speaker():
        await recorded.recorded_for(1)
        (row, _) = await eventually(recorded.rows, lambda rows: len(rows) == 2, what="rows")
        assert row["state"] == "recording"
        assert (await recorded.call("GET", f"/recordings/{row['id']}/file"))[0] == 409
        assert (await recorded.call("DELETE", f"/recordings/{row['id']}"))[0] == 409
        row, other = await recorded.end()
    file = f"/recordings/{row['id']}/file"
    whole = (await recorded.call("GET", file))[2]
    status, headers, part = await recorded.call("GET", file, headers={"Range": "bytes=100-199"})
    assert (status, part) == (206, whole[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert (await recorded.call("GET", file, headers={"Range": f"bytes={len(whole)}-"}))[0] == 416
    assert (await recorded.call("GET", file, headers={"If-None-Match": f'"{row["sha256"]}"'}))[0] == 304
    for role, may_read, may_delete in (("member", 403, 403), ("chair", 403, 403), ("organizer", 200, 403)):
        token = server.token(recorded.cid, role)
        assert (await recorded.call("GET", file, token))[0] == may_read
        assert (await recorded.call("DELETE", f"/recordings/{row['id']}", token))[0] == may_delete
    assert len(recorded.files()) == 2
    assert (await recorded.call("DELETE", f"/recordings/{row['id']}"))[0] == 204
    assert (await recorded.call("DELETE", f"/recordings/{row['id']}"))[0] == 404
    assert (await recorded.call("GET", file))[0] == 404
    assert [each["id"] for each in await recorded.rows()] == [other["id"]]
    assert len(recorded.files()) == 1
    lines = json.loads((await recorded.call("GET", "/audit?limit=200"))[2])["items"]
    said = [line["action"] for line in lines if line["action"].startswith("recording.")]
    assert said.count("recording.started") == said.count("recording.ended") == 1
    assert said.count("recording.file_opened") == said.count("recording.file_closed") == 2
    assert said.count("recording.downloaded") == 3  # by whom it may, from its beginning
    assert said.count("recording.deleted") == 1


async def test_a_consultation_that_is_not_to_be_recorded_is_not(server: Server) -> None:
    recorded = Recorded(server)
    _, _, body = await recorded.call("GET", "")
    revision = json.loads(body)["revision"]
    edit = {"revision": revision, "recording": False}
    assert (await recorded.call("PATCH", "", json=edit))[0] == 200
    other = Recorded(server)
    await recorded.start()
    await other.start()
    token = server.token(recorded.cid, "member", "陈委员")
    async with RoomClient(server.url, token, receive=False) as client, other.speaker():
        assert client.consultation["recording"] == "off"
        assert not recorded.directory.exists()
        await other.end()


@pytest.mark.parametrize("who", ["worker", "media"])
async def test_a_killed_process_costs_the_open_second_and_nothing_else(
    server: Server, tmp_path: Path, who: str
) -> None:
    recorded = Recorded(server)
    await recorded.start()
    async with recorded.speaker() as client:
        await recorded.recorded_for(3)
        before = {path: path.read_bytes() for path in recorded.files()}
        assert len(before) == 2
        (victim,) = recorded.workers()
        await asyncio.to_thread(server.kill9, victim if who == "worker" else "media")
        if who == "media":
            await client.wait_event("media.restart", timeout_s=20)
            await client.publish(
                [AudioSource(packets=PACKETS), VideoSource(frames=FRAMES)], names=["microphone", "camera"]
            )
        await eventually(
            lambda: len([path for path in recorded.files() if path.stat().st_size > 2000]) >= 4,
            timeout_s=30,
            what="new files",
        )
        await recorded.is_on(client)
        await asyncio.sleep(1.5)
        rows = await recorded.end()
    for path, content in before.items():
        assert path.read_bytes()[1000 : len(content)] == content[1000:]  # only its header may be completed
    assert len({row["id"] for row in rows}) == len(recorded.files()) >= 4
    states = [row["state"] for row in rows]
    assert states.count("broken") == (2 if who == "worker" else 0)
    for row in rows:
        count = assert_plays(await recorded.download(row, tmp_path))
        assert count >= (50 if row["source"] == "microphone" else 15) if row in rows[:2] else count > 0


async def test_the_whole_server_is_killed_and_goes_on(tmp_path: Path) -> None:
    with Server() as server:
        recorded = Recorded(server)
        await recorded.start()
        async with recorded.speaker() as client:
            await recorded.recorded_for(3)
            (worker,) = recorded.workers()
            await asyncio.to_thread(server.kill9, "parent")
            await asyncio.to_thread(
                eventually_sync, lambda: not process.alive(worker), timeout_s=3, what="end of the worker"
            )
            await client.drop()
        before = {path: path.read_bytes() for path in recorded.files()}
        await asyncio.to_thread(server.restart)
        async with recorded.speaker():
            await recorded.recorded_for(1.5, life=2)
            rows = await recorded.end()
        assert {path: path.read_bytes() for path in before} == before
        assert sorted(row["state"] for row in rows) == ["broken", "broken", "done", "done"], rows
        for row in rows:
            count = assert_plays(await recorded.download(row, tmp_path))
            assert count >= (100 if row["source"] == "microphone" else 60) or row["state"] == "done"


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


async def test_a_full_disk_leaves_the_room_alone_and_keeps_what_was_written(
    small_disk: Path, tmp_path: Path
) -> None:
    with Server(data_dir=small_disk, arguments=["--recording-reserve-mb", "4"]) as server:
        recorded = Recorded(server)
        await recorded.start()
        token = server.token(recorded.cid, "member", "听众")
        async with recorded.speaker() as client, RoomClient(server.url, token) as listener:
            await recorded.recorded_for(2)
            filler = small_disk / "recordings" / "filler"
            with contextlib.suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            await recorded.is_on(client, "trouble")
            await listener.receives(client.participant_id, "camera", packets=30)
            before = recorded.files()
            filler.unlink()
            await recorded.is_on(client)
            await recorded.recorded_for(1.5, life=2)
            rows = await recorded.end()
        assert before <= recorded.files()
        for row in rows:
            assert_plays(await recorded.download(row, tmp_path))
