"""A whole session with program, as long as one likes: nothing grows, drifts, comes apart or is left out.

In `make test` it lasts a little more than a minute; `make soak MINUTES=90` is the same for 90. Figures are printed and
appended to build/soak.jsonl.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import pytest

from recording.hls.journal import read_journal
from tests.support import process
from tests.support.eventually import NeverHappenedError, eventually
from tests.support.growth import Growth
from tests.support.inset import apart, beeps, beeps_in, flashes, flashes_in, inset_clip
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.live_poller import LivePoller
from tests.support.media import ROOT, opus_packets, tone_wav
from tests.support.program_media import but_of_second_beginnings
from tests.support.program_process import on_time
from tests.support.server import Server

PROGRAMS = True

SHORT_MINUTES = 1.2
SOAK_MINUTES = float(os.environ.get("YUANSHANG_SOAK_MINUTES", "0"))  # `make soak` says how many
HALLS = ("主会场", "青禾县分会场", "柳塘街道连线点")
RENDITIONS = ("720p", "360p", "audio")
FLASHING = 0  # the hall whose picture flashes whenever its sound beeps
CLIP_S = 12
CLIP_FPS = 30
WARM_UP_S = 600.0
READ_EVERY_S = 30.0
SETTLE_S = 3.0  # at each end of a turn nothing is measured
PICTURE_MS = 40.0
END_CARD_MS = 3_000  # the program goes on for so long
GROWTH_MB = 24.0  # that a process may take at any time
# Cold, it also takes what its codecs hold when they are full: 10 to 35 MB of the program's. A picture forgotten at
# every frame would still be 1 GB by then; smaller leaks are for the soak to find.
COLD_GROWTH_MB = 96.0
GROWTH_MB_PER_HOUR = {"web": 48.0, "media": 8.0, "recording": 8.0, "program": 24.0}
MORE_DESCRIPTORS = 6


@dataclass(frozen=True)
class Turn:
    """A hall that has the floor, in program time. `monotonic_ms`: what that clock said at program time 0."""

    hall: int
    from_ms: float
    to_ms: float
    monotonic_ms: float


@dataclass
class Session:
    """Three halls, each with the floor for a while; one chair, who gives it."""

    server: Server
    ttl_s: int
    cid: str = ""
    started_wall_ms: int = 0
    halls: list[RoomClient] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    chair: RoomClient | None = None

    @property
    def directory(self) -> Path:
        return self.server.data_dir / "program" / self.cid

    async def enter(self, stack: AsyncExitStack) -> None:
        self.cid = self.server.create_consultation("推进县域养老服务高质量发展")
        self.chair = await stack.enter_async_context(self._client("chair", "刘主持"))
        for number, name in enumerate(HALLS):
            hall = await stack.enter_async_context(self._client("venue_operator", name))
            sources = await asyncio.to_thread(_flashing if number == FLASHING else _coded, number)
            await hall.publish(sources, names=["microphone", "camera"])
            self.halls.append(hall)

    def _client(self, role: str, name: str) -> RoomClient:
        venue = name if role == "venue_operator" else ""
        token = self.server.token(self.cid, role, name, venue=venue, ttl=self.ttl_s)
        return RoomClient(self.server.url, token, receive=False)

    async def call(self, method: str, path: str) -> tuple[int, bytes]:
        token = self.server.token(self.cid, "secretariat", "秘书处")
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession() as http, http.request(method, url, headers=headers) as response:
            return response.status, await response.read()

    async def start(self) -> None:
        status, body = await self.call("POST", "/start")
        assert status == 200, body
        self.started_wall_ms = json.loads((await self.call("GET", ""))[1])["started_at_ms"]

    def now_ms(self) -> float:
        """Program time: the clock of this machine is the server's."""
        return time.time() * 1000 - self.started_wall_ms

    async def turn(self, number: int, for_s: float) -> None:
        """This hall alone is heard, and the program is about it."""
        assert self.chair is not None
        for other, hall in enumerate(self.halls):
            muted = {"participant_id": hall.participant_id, "muted": other != number, "hard": other != number}
            await self.chair.request("participant.mute", muted)
        holder = {"participant_id": self.halls[number].participant_id, "duration_ms": 600_000}
        await self.chair.request("floor.grant", holder)
        until_s = time.monotonic() + for_s
        try:
            await eventually(
                self._shown,
                lambda who: who == [holder["participant_id"]],
                timeout_s=30,
                every_s=0.2,
                what=HALLS[number],
            )
        except NeverHappenedError as error:
            error.add_note(await self._standing())  # the server and its log are gone when this is read
            raise
        began_ms = self.now_ms()
        await asyncio.sleep(
            max(2 * SETTLE_S + 4, until_s - time.monotonic())
        )  # there is no other way for a turn to last
        self.turns.append(Turn(number, began_ms, self.now_ms(), time.monotonic() * 1000 - self.now_ms()))

    async def _standing(self) -> str:
        """What can be asked and read of a session that does not go on."""
        newest = self._journal_tail()[-1:]
        clients = [
            (each.participant_id, each.publisher and each.publisher.connected, each.disconnected)
            for each in (*self.halls, self.chair)
            if each is not None
        ]
        program = [
            line for line in self.server.metrics().text.splitlines() if line.startswith("yuanshang_prog")
        ]
        return "\n".join(
            [
                f"at {self.now_ms():.0f} ms of {self.cid}, processes {self.pids()}",
                f"halls and chair: {clients}",
                f"participants: {(await self.call('GET', '/participants'))[1].decode()}",
                f"journal ends with {newest}",
                *program,
                self.server.logs[-6000:],
            ]
        )

    def _shown(self) -> list[str]:
        """Who is in the newest layout of the program."""
        said = next((line for line in reversed(self._journal_tail()) if b'"layout"' in line), None)
        return [] if said is None else list(json.loads(said)["people"])

    def _journal_tail(self) -> list[bytes]:
        """The newest lines, of minutes."""
        path = self.directory / "journal.jsonl"
        if not path.is_file():
            return []
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 200_000))
            return file.read().split(b"\n")[1:-1]

    def pids(self) -> dict[str, int]:
        """Of what a session runs on."""
        found = {"web": self.server.web_pid(), "media": self.server.media_pid()}
        for pid in self.server.children():
            line = process.command_line(pid)
            if self.cid in line and "recording.program.worker" in line:
                found["program"] = pid
            elif "recording.worker" in line:
                found["recording"] = pid
        return found

    def sources(self) -> tuple[AudioSource, VideoSource]:
        """Those that beep and flash."""
        audio, video = self.halls[FLASHING].sources
        assert isinstance(audio, AudioSource)
        assert isinstance(video, VideoSource)
        return audio, video


def _flashing(_number: int) -> list[AudioSource | VideoSource]:
    clip = flashes("vp8", CLIP_FPS, CLIP_S, 1)
    # Frames in their own places: the clip does not begin anew for who asks for a keyframe, or sound would not fit.
    picture = VideoSource(fps=CLIP_FPS, frames=clip, shown=range(len(clip)))
    return [AudioSource(packets=beeps(CLIP_S, 1), level_db=20), picture]


def _coded(number: int) -> list[AudioSource | VideoSource]:
    clip = inset_clip(number + 1, "vp8", 15, 15 * 40, 15)
    sound = opus_packets(tone_wav(440 + 220 * number))
    return [AudioSource(packets=sound, level_db=20), VideoSource(fps=15, frames=clip)]


@dataclass(frozen=True)
class Sync:
    """Of one turn of the hall that flashes, in ms: sound behind picture, and picture behind when it was taken.

    The latter is no drift: who sends late is shown later (recording.program.sounds.Delay), and found modulo a second.
    `wall_late_ms` is the same with program time counted by the wall clock instead of the monotonic one.
    """

    pairs: int
    offset_ms: float
    worst_ms: float
    late_ms: float
    wall_late_ms: float


def measure(session: Session, turn: Turn, lit_ms: list[float], heard_ms: list[float]) -> Sync:
    """From what was found in a file whose times are program time."""
    audio, video = session.sources()
    began_apart_ms = (audio.began_s - video.began_s) * 1000
    offsets = [each - began_apart_ms for each in apart(lit_ms, heard_ms)]
    assert len(offsets) >= min(6, (turn.to_ms - turn.from_ms) / 2000), (turn, lit_ms, heard_ms)

    def late(monotonic_ms: float) -> float:
        taken = (video.began_s * 1000 - monotonic_ms) % 1000
        return median((lit - taken + 500) % 1000 - 500 for lit in lit_ms)

    worst_ms: float = max(offsets, key=abs)
    return Sync(
        pairs=len(offsets),
        offset_ms=round(median(offsets), 1),
        worst_ms=round(worst_ms, 1),
        late_ms=round(late(session.turns[0].monotonic_ms), 1),
        wall_late_ms=round(late(turn.monotonic_ms), 1),
    )


def in_segments(session: Session, turn: Turn, to: Path) -> Sync:
    """Of the turn, in the segments of 720p as they lie on the disk."""
    facts = read_journal(session.directory)
    listed = [
        fact
        for fact in facts
        if fact["fact"] == "segment"
        and fact["rendition"] == "720p"
        and fact["program_time_ms"] >= turn.from_ms + SETTLE_S * 1000
        and fact["program_time_ms"] + fact["duration_ms"] <= turn.to_ms - SETTLE_S * 1000
    ]
    life = Counter(fact["life"] for fact in listed).most_common(1)[0][0]
    (init,) = (f for f in facts if f["fact"] == "init" and (f["life"], f["rendition"]) == (life, "720p"))
    names = [init["file"], *(fact["file"] for fact in listed if fact["life"] == life)]
    path = to / f"{round(turn.from_ms)}.mp4"
    path.write_bytes(b"".join((session.directory / name).read_bytes() for name in names))
    return measure(session, turn, flashes_in(path), beeps_in(path))


def in_file(session: Session, turn: Turn, path: Path, begins_ms: int) -> Sync:
    """Of the turn, in the program's one file."""
    part = (
        (turn.from_ms - begins_ms) / 1000 + SETTLE_S,
        (turn.to_ms - begins_ms) / 1000 - SETTLE_S,
    )
    lit, heard = flashes_in(path, *part), beeps_in(path, *part)
    return measure(session, turn, [each + begins_ms for each in lit], [each + begins_ms for each in heard])


def assert_without_a_gap(facts: list[dict[str, Any]]) -> tuple[int, int]:
    """Numbers and program time go on from segment to segment, in all renditions; from when to when."""
    assert [fact for fact in facts if fact["fact"] == "gap"] == []
    spans = set()
    for rendition in RENDITIONS:
        listed = [fact for fact in facts if fact["fact"] == "segment" and fact["rendition"] == rendition]
        assert [fact["number"] for fact in listed] == list(range(len(listed)))
        for before, after in pairwise(listed):
            end_ms = before["program_time_ms"] + before["duration_ms"]
            assert after["program_time_ms"] == end_ms, (rendition, before["number"])
        last = listed[-1]
        spans.add((listed[0]["program_time_ms"], last["program_time_ms"] + last["duration_ms"]))
    (span,) = spans
    return span


def complaints(source: Path | str) -> str:
    """What FFmpeg says against a file or an address while it decodes all of it."""
    command = ["ffmpeg", "-v", "warning", "-i", str(source), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return done.stderr.decode() + ("" if done.returncode == 0 else " failed")


def share(values: list[float], of: float) -> float:
    """That quantile."""
    return round(sorted(values)[min(len(values) - 1, int(len(values) * of))], 1)


@pytest.mark.parametrize(
    "minutes",
    [
        pytest.param(SHORT_MINUTES, id="short", marks=pytest.mark.timeout(300)),
        pytest.param(
            SOAK_MINUTES,
            id="soak",
            marks=[
                pytest.mark.soak,
                pytest.mark.timeout(0),
                pytest.mark.skipif(not SOAK_MINUTES, reason="make soak MINUTES=90"),
            ],
        ),
    ],
)
async def test_nothing_grows_drifts_or_is_left_out(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], minutes: float
) -> None:
    session = Session(server, ttl_s=int(minutes * 60) + 3600)
    turns = 3 * math.ceil((minutes - 1) / 3) + 1  # the first and the last are those of the hall that flashes
    if minutes < 4:
        turns = 4
    warm_s = min(WARM_UP_S, minutes * 60 / 3)
    async with AsyncExitStack() as stack:
        await session.enter(stack)
        await session.start()
        pids = await eventually(session.pids, lambda found: len(found) == 4, timeout_s=40, what="the workers")
        if minutes < 4:
            for pid in (pids["program"], pids["media"]):
                on_time(pid)  # other tests may run beside this one
        growth = Growth(pids)
        poller = LivePoller(f"{server.url}/live/{session.cid}")
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(poller.run())
            reading = group.create_task(growth.run(min(READ_EVERY_S, minutes * 60 / 24)))
            for number in range(turns):
                await session.turn(number % len(HALLS), minutes * 60 / turns)
            reading.cancel()
            assert session.pids() == pids, "a process was started anew"
            assert not any(each.disconnected or each.version_holes for each in session.halls)
            assert (await session.call("POST", "/end"))[0] == 200
            ended_ms = session.now_ms()
            await asyncio.wait_for(watching, 60)

    facts = await asyncio.to_thread(read_journal, session.directory)
    begins_ms, ends_ms = assert_without_a_gap(facts)
    assert begins_ms < 30_000
    assert abs(ends_ms - ended_ms) < END_CARD_MS + 2_000
    stored = {f["number"]: f["sha256"] for f in facts if f["fact"] == "segment" and f["rendition"] == "720p"}
    assert sorted(poller.digests) == list(range(min(poller.digests), len(stored)))
    assert {number: stored[number] for number in poller.digests} == poller.digests

    path, program = await program_file(session, tmp_path, patience_s=60 + minutes * 10)
    first, last = ([turn for turn in session.turns if turn.hall == FLASHING][place] for place in (0, -1))
    found: dict[str, tuple[Sync, Sync]] = {}
    found["segments"] = await _both(lambda turn: in_segments(session, turn, tmp_path), first, last)
    found["file"] = await _both(
        lambda turn: in_file(session, turn, path, program["started_at_ms"]), first, last
    )
    grown = growth.after(warm_s)
    lives = [fact for fact in facts if fact["fact"] == "life"]
    # Media time against the wall clock: how old the newest part is by its date, where nothing held it up.
    tenth = len(poller.behind_ms) // 10
    drift_ms = round(share(poller.behind_ms[-tenth:], 0.1) - share(poller.behind_ms[:tenth], 0.1), 1)
    figures: dict[str, Any] = {
        "minutes": round((ends_ms - begins_ms) / 60_000, 2),
        "turns": turns,
        "segments": len(stored),
        "lives": len(lives),
        "warm_s": warm_s,
        "grown": {name: vars(each) for name, each in grown.items()},
        "sync": {
            name: {
                "begin": vars(begin),
                "end": vars(end),
                "drift_ms": round(end.offset_ms - begin.offset_ms, 1),
            }
            for name, (begin, end) in found.items()
        },
        "media_time_drift_ms": drift_ms,
        "viewer": {
            "parts": len(poller.behind_ms),
            "plain_answers": poller.plain,
            "whole_segments": len(poller.whole),
            "behind_ms_p50": share(poller.behind_ms, 0.5),
            "behind_ms_p99": share(poller.behind_ms, 0.99),
            "behind_ms_p50_of_first_and_last_tenth": [
                share(poller.behind_ms[:tenth], 0.5),
                share(poller.behind_ms[-tenth:], 0.5),
            ],
        },
    }
    report(figures, capsys)

    for begin, end in found.values():
        assert abs(begin.offset_ms) < PICTURE_MS
        assert abs(end.offset_ms) < PICTURE_MS
    assert abs(drift_ms) < PICTURE_MS, "media time drifts"
    for name, each in grown.items():
        assert each.more_descriptors <= MORE_DESCRIPTORS, (name, each)
        allowed_mb = GROWTH_MB if warm_s >= WARM_UP_S else COLD_GROWTH_MB
        assert each.more_mb <= allowed_mb + GROWTH_MB_PER_HOUR[name] * each.hours, (name, each)
        if each.hours >= 0.5:  # over less than that a line says nothing
            assert each.mb_per_hour <= GROWTH_MB_PER_HOUR[name], (name, each)
    assert await asyncio.to_thread(complaints, path) == ""
    replay = f"{server.url}/live/{session.cid}/replay/720p.m3u8"
    said = await asyncio.to_thread(complaints, replay)
    said = but_of_second_beginnings(said, facts, "720p")
    assert said == ""
    assert abs(program["duration_ms"] - (ends_ms - begins_ms)) < 100
    assert "Traceback" not in server.logs


async def _both(of: Callable[[Turn], Sync], first: Turn, last: Turn) -> tuple[Sync, Sync]:
    return await asyncio.to_thread(of, first), await asyncio.to_thread(of, last)


async def program_file(session: Session, to: Path, *, patience_s: float) -> tuple[Path, dict[str, Any]]:
    """The program's file, once it is made, and its row."""

    async def made() -> dict[str, Any] | None:
        _, body = await session.call("GET", "/recordings?limit=500")
        rows = json.loads(body)["items"]
        return next((row for row in rows if row["source"] == "program"), None)

    row = await eventually(made, timeout_s=patience_s, every_s=0.5, what="the program's file")
    assert row is not None
    path = to / "program.mp4"
    token = session.server.token(session.cid, "secretariat", "秘书处")
    url = f"{session.server.url}/api/v1/consultations/{session.cid}/recordings/{row['id']}/file"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http,
        http.get(url, headers={"Authorization": f"Bearer {token}"}, raise_for_status=True) as answer,
    ):
        with path.open("wb") as file:
            async for chunk in answer.content.iter_chunked(1 << 20):
                file.write(chunk)
    return path, row


def report(figures: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """To the terminal, and to build/soak.jsonl."""
    line = json.dumps(figures)
    with capsys.disabled():
        print(f"\n{line}", flush=True)
    path = ROOT / "build" / "soak.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line + "\n")
