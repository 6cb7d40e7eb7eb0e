"""Captions of the livestream for native players: WebVTT beside the segments, with the delay, without what was cut."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import av
import pytest

from conference.model.audit import SYSTEM, AuditEntry
from conference.model.permissions import Role
from conference.model.transcript import Coverage, SpeakerLabel, TranscriptSegment
from tests.integration.test_live_http import Stage
from tests.support.hls import media_playlist, variants
from tests.support.program_writer import REAL
from tests.unit.services.fakes import ManualClock
from tests.unit.signaling.harness import signalling

SPEAKER = SpeakerLabel("林文博", Role.MEMBER)


class Captioned(Stage):
    """A program, and what was said in it."""

    async def said(self, text: str, from_ms: int, to_ms: int, *, is_confidential: bool = False) -> None:
        row = TranscriptSegment(
            f"seg_{from_ms}",
            "c",
            "p",
            SPEAKER,
            from_ms,
            to_ms,
            text,
            text,
            (),
            "e",
            is_confidential=is_confidential,
        )
        async with self.server.process.database.transaction() as unit:
            await unit.transcript.save([row])
            await unit.transcript.cover(Coverage("c", "p", from_ms, to_ms))
            await unit.audit.append(AuditEntry("c", 1, None, SYSTEM, "transcript.heard"))

    async def cues(self, path: str, role: Role | None = None) -> list[str]:
        """Times and text of each."""
        answer = await self.get(path, role=role)
        assert answer.status == 200, path
        assert answer.content_type == "text/vtt"
        head, *blocks = (await answer.text()).split("\n\n")
        assert head.strip() == "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
        return [each.strip().replace("\n", " ") for each in blocks]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Captioned]:
    clock = ManualClock()
    async with signalling(tmp_path, clock=clock) as server, aiohttp.ClientSession() as session:
        yield Captioned(server, session, tmp_path, clock)


async def test_nobody_is_offered_captions_where_nobody_listens(stage: Captioned) -> None:
    await stage.begin()
    assert "SUBTITLES" not in await (await stage.get("index.m3u8")).text()
    for path in ("captions.m3u8", "replay/captions.m3u8", "1/captions/00000003.vtt"):
        assert await stage.status(path) == 404


async def test_a_sentence_is_shown_once_it_is_known(stage: Captioned) -> None:
    await stage.begin()
    await stage.said("上午好，<各位>委员。", 1_000, 3_000)
    await stage.said("秘密。", 3_000, 3_500, is_confidential=True)
    master = await (await stage.get("index.m3u8")).text()
    assert 'URI="captions.m3u8"' in master
    assert list(variants(master)) == ["720p.m3u8", "360p.m3u8", "audio.m3u8"]
    found = await stage.playlist("captions.m3u8")
    assert [each.uri for each in found.segments] == [f"1/captions/{number:08d}.vtt" for number in range(10)]
    shown = {each.number: await stage.cues(each.uri) for each in found.segments}
    cue = "00:00:08.000 --> 00:00:10.000 <v 林文博>上午好，&lt;各位&gt;委员。</v>"
    assert shown == {**{number: [] for number in range(8)}, 8: [cue], 9: [cue]}
    assert await stage.status("1/captions/00000010.vtt") == 404, "it is not written yet"
    assert await stage.status("1/captions/00000008.vtt?x=1", method="HEAD") == 200


async def test_delay_and_cuts_hold_for_captions_too(stage: Captioned) -> None:
    await stage.begin(public_delay_s=5)
    for at_ms in (1_000, 4_000):
        await stage.said(f"第{at_ms}句。", at_ms, at_ms + 500)
    found = await stage.playlist("captions.m3u8")
    assert len(found.segments) == 5
    stage.write(50)
    await stage.post("broadcast/cut", back_s=0)
    await stage.post("broadcast/restore")
    await stage.post("broadcast/withdraw", from_ms=900, to_ms=1_200, reason="说错了")
    found = await stage.playlist("captions.m3u8")
    shown = [cue for each in found.segments for cue in await stage.cues(each.uri)]
    assert len(set(shown)) == 1
    assert "第4000句。" in shown[0]
    inside = [cue for each in found.segments for cue in await stage.cues(each.uri, Role.SECRETARIAT)]
    assert len(set(inside)) == 2, "who directs sees the program as it is"


async def test_an_internal_one_is_for_those_who_may_read_programs(stage: Captioned) -> None:
    await stage.begin(public=False)
    await stage.said("上午好。", 1_000, 3_000)
    assert await stage.status("captions.m3u8") == 404
    assert (await stage.playlist("captions.m3u8", role=Role.SECRETARIAT)).segments
    answer = await stage.get("1/captions/00000008.vtt", role=Role.SECRETARIAT)
    assert answer.headers["Cache-Control"] == "private, no-store"


async def test_the_replay_says_it_when_it_was_said(stage: Captioned) -> None:
    await stage.begin(sizes=REAL)
    for at_ms in (1_000, 6_000):
        await stage.said(f"第{at_ms}句。", at_ms, at_ms + 1_500)
    await stage.ends()
    master = await (await stage.get("index.m3u8")).text()
    assert 'URI="replay/captions.m3u8"' in master
    found = media_playlist(await (await stage.get("replay/captions.m3u8")).text())
    (whole,) = found.segments
    assert await stage.cues(whole.uri.removeprefix("../")) == [
        "00:00:01.000 --> 00:00:02.500 <v 林文博>第1000句。</v>",
        "00:00:06.000 --> 00:00:07.500 <v 林文博>第6000句。</v>",
    ]
    # FFmpeg knows no subtitles in HLS, but it reads the file.
    url = f"{stage.server.url}/live/c/{whole.uri.removeprefix('../')}"
    command = ["ffmpeg", "-v", "error", "-i", url, "-f", "srt", "-"]
    read = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True, timeout=60)
    assert read.stderr == b""
    assert "00:00:06,000 --> 00:00:07,500\n第6000句。" in read.stdout.decode().replace("\r", "")


async def test_cues_are_in_the_time_of_the_pictures_in_every_life_of_the_worker(stage: Captioned) -> None:
    await stage.begin(sizes=REAL)
    stage.writer.kill()
    stage.clock.forward(4)
    stage.writer.begin(14_000)
    stage.write(15)
    await stage.said("后来说的。", 15_000, 16_000)
    await stage.ends()
    found = media_playlist(await (await stage.get("replay/captions.m3u8")).text())
    one, other = (each.uri.removeprefix("../") for each in found.segments)
    assert [each.discontinuity for each in found.segments] == [0, 1]
    assert await stage.cues(one) == []
    assert await stage.cues(other) == ["00:00:15.000 --> 00:00:16.000 <v 林文博>后来说的。</v>"]
    pictures = await stage.playlist("replay/720p.m3u8")
    segment = next(each for each in pictures.segments if each.discontinuity)
    data = b""
    for path in (segment.map, segment.uri):
        data += await (await stage.get((path or "").removeprefix("../"))).read()
    with av.open(io.BytesIO(data), "r") as container:
        first = next(container.decode(video=0))
    assert first.time == pytest.approx(14.0, abs=0.1)
