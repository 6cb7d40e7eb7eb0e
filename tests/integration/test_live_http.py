"""The livestream over HTTP from a real port: playlists that wait, caches, cuts, who may see what, and FFmpeg's eyes."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conference.model.permissions import Action, Role, allowed
from tests.support.eventually import eventually
from tests.support.hls import MediaPlaylist, media_playlist, variants
from tests.support.program_writer import REAL, SMALL, ProgramWriter, grey_of
from tests.unit.services.fakes import ManualClock
from tests.unit.signaling.harness import Signalling, signalling

WRITTEN_MS = 10_000  # at the beginning of each test, which is program time, too


# FFmpeg reads one init for all, but every keyframe says what it needs; raw pictures have no bit rate
HARMLESS = ("duplicated MOOV", "repeated", "bitrate parameter")


@dataclass
class Stage:
    """A consultation that is live, its program, and a viewer."""

    server: Signalling
    session: aiohttp.ClientSession
    directory: Path
    clock: ManualClock
    writer: ProgramWriter = field(init=False)

    async def begin(self, *, public: bool = True, sizes: Any = SMALL, **changes: Any) -> None:
        await self.patch(is_public=public, **changes)
        await self.post("start")
        self.writer = self.written(sizes)
        self.writer.begin(0)
        self.writer.seconds(WRITTEN_MS // 1000)
        self.clock.forward(WRITTEN_MS / 1000)

    def written(self, sizes: Any) -> ProgramWriter:
        """What writes the program, and tells the server."""
        take = self.server.process.stores.take
        return ProgramWriter(self.directory / "program" / "c", lambda fact: take("c", fact), sizes=sizes)

    async def patch(self, **changes: Any) -> None:
        path = "/api/v1/consultations/c"
        now = await (await self.request(path, role=Role.SECRETARIAT)).json()
        body = {"revision": now["revision"], **changes}
        response = await self.request(path, method="PATCH", role=Role.SECRETARIAT, json=body)
        assert response.status == 200, await response.text()

    async def post(self, what: str, **body: Any) -> None:
        path = f"/api/v1/consultations/c/{what}"
        response = await self.request(path, method="POST", role=Role.SECRETARIAT, json=body or None)
        assert response.status == 200, await response.text()

    async def request(
        self, path: str, *, method: str = "GET", role: Role | None = None, **options: Any
    ) -> aiohttp.ClientResponse:
        headers = dict(options.pop("headers", {}))
        if role is not None:
            headers["Authorization"] = f"Bearer {self.server.token(role)}"
        response = await self.session.request(method, self.server.url + path, headers=headers, **options)
        await response.read()
        return response

    async def get(self, path: str, **options: Any) -> aiohttp.ClientResponse:
        return await self.request(f"/live/c/{path}", **options)

    async def status(self, path: str, **options: Any) -> int:
        return (await self.get(path, **options)).status

    async def playlist(self, path: str = "720p.m3u8", **options: Any) -> MediaPlaylist:
        response = await self.get(path, **options)
        assert response.status == 200, await response.text()
        assert response.content_type == "application/vnd.apple.mpegurl"
        return media_playlist(await response.text())

    async def ends(self) -> None:
        """The consultation and its program end."""
        await self.post("end")
        self.writer.end()
        await self.is_replayed()

    async def is_replayed(self) -> None:
        """Wait until the public hears that it is over."""

        async def is_there() -> bool:
            self.clock.forward(1)
            return await self.status("replay/720p.m3u8") == 200

        await eventually(is_there)

    def write(self, parts: int) -> None:
        """So many more parts in time: when they are there, their time has passed."""
        self.writer.parts(parts)
        self.clock.forward(parts * 0.2 + 0.001)  # clocks count in floating point


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    clock = ManualClock()
    async with signalling(tmp_path, clock=clock) as server, aiohttp.ClientSession() as session:
        yield Stage(server, session, tmp_path, clock)


async def test_from_the_master_to_the_last_byte(stage: Stage) -> None:
    await stage.begin()
    answer = await stage.get("index.m3u8")
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert list(variants(await answer.text())) == ["720p.m3u8", "360p.m3u8", "audio.m3u8"]
    for rendition in ("720p", "360p", "audio"):
        found = await stage.playlist(f"{rendition}.m3u8")
        assert [each.number for each in found.segments] == list(range(10))
        init = await stage.get(found.segments[0].map or "")
        assert init.headers["Cache-Control"] == "public, max-age=3600"
        last = found.segments[-1]
        segment = await stage.get(last.uri)
        assert segment.headers["Cache-Control"] == "public, max-age=10"
        assert segment.content_type == "video/mp4"
        parts = [await (await stage.get(each.uri)).read() for each in last.parts]
        assert await segment.read() == b"".join(parts)
        assert await segment.read() == (stage.writer.directory / last.uri).read_bytes()


async def test_conditions_ranges_and_head(stage: Stage) -> None:
    await stage.begin()
    for path in (
        "index.m3u8",
        "720p.m3u8",
        "1/720p/init.mp4",
        "1/720p/00000003.m4s",
        "1/720p/00000003.2.m4s",
    ):
        whole = await stage.get(path)
        assert whole.status == 200
        again = await stage.get(path, headers={"If-None-Match": whole.headers["ETag"]})
        assert again.status == 304
        assert again.headers["Cache-Control"] == whole.headers["Cache-Control"]
        head = await stage.get(path, method="HEAD")
        assert (head.status, await head.read()) == (200, b"")
        assert head.headers["Content-Length"] == whole.headers["Content-Length"]
        assert "Access-Control-Allow-Origin" not in whole.headers
    piece = await stage.get("1/720p/00000003.m4s", headers={"Range": "bytes=10-19"})
    assert piece.status == 206
    assert await piece.read() == (stage.writer.directory / "1/720p/00000003.m4s").read_bytes()[10:20]


async def test_a_reload_waits_for_its_part_and_no_longer(stage: Stage) -> None:
    await stage.begin()
    await stage.playlist()
    waiting = [
        asyncio.create_task(stage.get("720p.m3u8?_HLS_msn=10&_HLS_part=0")),
        asyncio.create_task(stage.get("360p.m3u8?_HLS_msn=10&_HLS_part=1")),
        asyncio.create_task(stage.get("audio.m3u8?_HLS_msn=10")),
        asyncio.create_task(stage.get("1/720p/00000010.0.m4s")),
    ]
    await eventually(lambda: stage.server.process.crowd.waiting == 4)
    assert not any(each.done() for each in waiting)
    stage.write(1)
    first = await asyncio.wait_for(waiting[0], 2)
    assert first.headers["Cache-Control"] == "public, max-age=4"
    found = media_playlist(await first.text())
    assert found.begun is not None
    assert [each.uri for each in found.begun.parts] == ["1/720p/00000010.0.m4s"]
    assert (await asyncio.wait_for(waiting[3], 2)).status == 200
    assert not waiting[1].done()
    stage.write(1)
    await asyncio.wait_for(waiting[1], 2)
    assert not waiting[2].done()
    stage.write(3)
    assert media_playlist(await (await asyncio.wait_for(waiting[2], 2)).text()).last == 10


async def test_a_reload_ends_when_nothing_comes(stage: Stage) -> None:
    await stage.begin()
    began = time.monotonic()
    answer = await stage.get("720p.m3u8?_HLS_msn=10&_HLS_part=0")
    assert 2.5 < time.monotonic() - began < 10
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert await stage.status("1/720p/00000012.0.m4s") == 404
    assert await stage.status("1/720p/00000009.7.m4s") == 404


@pytest.mark.parametrize(
    "query",
    [
        "_HLS_msn=x",
        "_HLS_msn=-1",
        "_HLS_part=1",
        "_HLS_msn=1&_HLS_part=a",
        "_HLS_msn=13",
        "_HLS_msn=" + "9" * 30,
    ],
)
async def test_what_nobody_can_want_is_refused(stage: Stage, query: str) -> None:
    await stage.begin()
    assert await stage.status(f"720p.m3u8?{query}") == 400


@pytest.mark.parametrize(
    "path",
    [
        "1080p.m3u8", "replay/720p.m3u8", "1/720p/3.m4s", "1/720p/000000003.m4s", "2/720p/00000003.m4s",
        "1/1080p/init.mp4",
        "1/720p/00000010.m4s", "1/720p/00000010.m4s?card=1", "1/stills/00000000.jpg", "../../token.key",
        "1/720p/..%2f..%2fjournal.jsonl", "journal.jsonl",
    ],
)  # fmt: skip
async def test_what_there_is_not(stage: Stage, path: str) -> None:
    await stage.begin()
    assert await stage.status(path) == 404


async def test_before_there_is_a_program(stage: Stage) -> None:
    assert await stage.status("index.m3u8") == 404
    await stage.patch(is_public=True)
    await stage.post("start")
    answer = await stage.get("index.m3u8")
    assert answer.status == 404
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert (await stage.request("/live/nothing/index.m3u8")).status == 404


async def test_an_internal_consultation_is_for_those_who_may_read_programs(stage: Stage) -> None:
    await stage.begin(public=False)
    for path in (
        "index.m3u8",
        "720p.m3u8",
        "1/720p/init.mp4",
        "1/720p/00000003.m4s",
        "1/720p/00000003.0.m4s",
    ):
        assert await stage.status(path) == 404
        for role in Role:
            answer = await stage.get(path, role=role)
            if allowed(role, Action.PROGRAM_READ):
                assert (answer.status, answer.headers["Cache-Control"]) == (200, "private, no-store")
            else:
                assert answer.status == 404, role
    assert await stage.status("index.m3u8", headers={"Authorization": "Bearer nonsense"}) == 404
    other = stage.server.token(Role.CHAIR, cid="other")
    assert await stage.status("index.m3u8", headers={"Authorization": f"Bearer {other}"}) == 404


async def test_nothing_is_named_or_given_before_the_delay_is_over(stage: Stage) -> None:
    await stage.begin(public_delay_s=1)
    assert (await stage.playlist()).last == 8
    stage.writer.parts(4)
    stage.writer.still(0, 10_100)
    stage.clock.forward(1)
    before = await stage.playlist()
    assert (before.last, before.begun) == (9, None)
    assert await stage.status("1/720p/00000010.m4s") == 404
    assert await stage.status("1/720p/00000010.3.m4s") == 404
    assert await stage.status("1/stills/00000000.jpg") == 404
    inside = await stage.playlist(role=Role.CHAIR)
    assert inside.begun is not None
    assert len(inside.begun.parts) == 4
    waiting = asyncio.create_task(stage.playlist("720p.m3u8?_HLS_msn=10&_HLS_part=1"))
    await eventually(lambda: stage.server.process.crowd.waiting)
    stage.clock.forward(0.41)
    found = await asyncio.wait_for(waiting, 2)  # nothing is written, time alone uncovers it
    assert found.begun is not None
    assert len(found.begun.parts) == 2
    assert await stage.status("1/720p/00000010.1.m4s") == 200
    assert await stage.status("1/stills/00000000.jpg") == 200


async def test_a_longer_delay_stops_the_stream_and_takes_nothing_back(stage: Stage) -> None:
    await stage.begin()
    before = await stage.playlist()
    await stage.patch(public_delay_s=3)
    stage.write(10)
    assert (await stage.playlist()).text.split("#EXT-X-RENDITION")[0] == before.text.split(
        "#EXT-X-RENDITION"
    )[0]
    stage.write(10)
    assert (await stage.playlist()).last == 10


async def test_a_cut_takes_effect_at_once_and_is_taken_back(stage: Stage) -> None:
    await stage.begin()
    stage.write(5)
    before = await stage.playlist()
    assert before.last == 10
    await eventually(lambda: stage.server.process.cards.renditions)
    await stage.post("broadcast/cut", back_s=2)
    for withdrawn in ("9", "10"):
        assert await stage.status(f"1/720p/{withdrawn:0>8}.m4s") == 404
        assert await stage.status(f"1/720p/{withdrawn:0>8}.4.m4s") == 404
    found = await stage.playlist()
    assert [each.number for each in found.segments if each.is_card] == [9, 10]
    assert (found.sequence, found.discontinuity_sequence) == (before.sequence, before.discontinuity_sequence)
    card = found.segments[-1]
    for path in (card.map, card.uri, *(each.uri for each in card.parts)):
        assert await stage.status(path or "") == 200
    assert await stage.status("1/720p/00000010.m4s", role=Role.CHAIR) == 200
    stage.write(2)
    waited = await stage.playlist("720p.m3u8?_HLS_msn=11&_HLS_part=0")
    assert waited.begun is not None
    assert waited.begun.is_card
    assert await stage.status("1/720p/00000011.0.m4s") == 404
    await stage.post("broadcast/restore")
    stage.write(8)
    again = await stage.playlist()
    assert [each.number for each in again.segments if each.is_card] == [9, 10, 11]
    assert again.last == 12


async def test_the_end_and_the_replay(stage: Stage) -> None:
    await stage.begin()
    stage.write(5)
    assert await stage.status("replay/720p.m3u8") == 404
    await stage.post("end")
    waiting = asyncio.create_task(stage.playlist("720p.m3u8?_HLS_msn=11&_HLS_part=0"))
    await eventually(lambda: stage.server.process.crowd.waiting)
    stage.clock.forward(1)
    stage.writer.end()
    assert (await asyncio.wait_for(waiting, 3)).ended
    await stage.is_replayed()
    master = variants(await (await stage.get("index.m3u8")).text())
    assert list(master) == ["replay/720p.m3u8", "replay/360p.m3u8", "replay/audio.m3u8"]
    found = await stage.playlist("replay/720p.m3u8")
    assert found.is_vod
    assert len(found.segments) == 11
    for each in found.segments:
        assert (await stage.request(f"/live/c/replay/{each.uri}")).status == 200
    packed = await stage.get("replay/720p.m3u8", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert media_playlist(await packed.text()).text == found.text


async def test_more_viewers_than_the_limit_get_the_plain_playlist(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        signalling(tmp_path, clock=clock, live_ll_limit=3) as server,
        aiohttp.ClientSession() as session,
    ):
        stage = Stage(server, session, tmp_path, clock)
        await stage.begin()
        path = "720p.m3u8?_HLS_msn=10&_HLS_part=0"
        low = [asyncio.create_task(stage.get(path)) for _ in range(3)]
        await eventually(lambda: server.process.crowd.waiting == 3)
        for each in (path, "720p.m3u8"):
            plain = await stage.get(each)
            assert plain.headers["X-Live-Latency"] == "plain"
            assert "CAN-BLOCK-RELOAD" not in media_playlist(await plain.text()).control
        stage.write(1)
        for answer in await asyncio.gather(*low):
            assert answer.headers["X-Live-Latency"] == "low"


@pytest.mark.parametrize("with_cut", [False, True])
async def test_ffmpeg_plays_the_replay_over_http(stage: Stage, with_cut: bool) -> None:
    await stage.begin(sizes=REAL)
    stage.write(20)
    await stage.playlist()
    await eventually(lambda: stage.server.process.cards.renditions)
    if with_cut:
        await stage.post("broadcast/withdraw", from_ms=11_000, to_ms=11_500, reason="误播")
    await stage.ends()
    said, frames = await asyncio.to_thread(_played, f"{stage.server.url}/live/c/replay/720p.m3u8")
    assert [line for line in said if not any(each in line for each in HARMLESS)] == []
    assert len(frames) == 14 * 25
    for second in range(14):
        is_card = with_cut and second == 11
        assert (abs(frames[second * 25 + 12] - grey_of(second)) < 6) != is_card


async def test_ffmpeg_plays_the_replay_over_a_restart_of_the_worker(stage: Stage) -> None:
    await stage.begin(sizes=REAL)
    stage.write(7)
    stage.writer.kill()
    stage.clock.forward(3)
    stage.writer.begin(14_400)
    stage.write(15)
    await stage.ends()
    said, frames = await asyncio.to_thread(_played, f"{stage.server.url}/live/c/replay/720p.m3u8")
    assert [line for line in said if not any(each in line for each in HARMLESS)] == []
    shown = [(value, len(list(same))) for value, same in groupby(frames)]
    counts = [*[25] * 11, 10, *[25] * 3]
    assert shown == [(grey_of(n), count) for n, count in zip((*range(12), *range(3)), counts, strict=True)]


def _played(url: str) -> tuple[list[str], list[float]]:
    """What ffmpeg says, and the same spot of every picture that it shows."""
    command = [
        "ffmpeg",
        "-v",
        "warning",
        "-i",
        url,
        "-map",
        "0:a",
        "-f",
        "null",
        "-",
        "-map",
        "0:v",
        "-f",
        "rawvideo",
    ]
    command += ["-fps_mode", "passthrough", "-vf", "crop=2:2:20:20,extractplanes=y", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return done.stderr.decode().splitlines(), [float(value) for value in done.stdout[::4]]


async def test_ffprobe_follows_the_live_playlist(stage: Stage) -> None:
    await stage.begin(sizes=REAL)
    command = [
        "ffprobe",
        "-v",
        "error",
        "-read_intervals",
        "%+4",
        "-show_entries",
        "packet=pts_time,stream_index",
    ]
    url = f"{stage.server.url}/live/c/index.m3u8"
    running = await asyncio.create_subprocess_exec(
        *command, "-select_streams", "v:0", "-of", "csv=p=0", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    task = asyncio.create_task(running.communicate())
    while not task.done():
        stage.write(1)
        await asyncio.wait({task}, timeout=0.15)
    out, errors = await task
    assert errors == b""
    times = [float(line.split(b",")[1]) for line in out.split() if line.count(b",") >= 1]
    assert len(times) > 80
    assert all(abs(after - before - 0.04) < 0.001 for before, after in pairwise(times))
