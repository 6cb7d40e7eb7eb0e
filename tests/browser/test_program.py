"""A whole session as the public has it: three halls, a page that plays live, everything killed once, the replay."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import numpy.typing as npt
import pytest

from recording.hls.journal import read_journal
from tests.browser.airing import plays, reaches, state
from tests.browser.program_picture import has_card, seen
from tests.support import process
from tests.support.browser import LAPTOP, BrowserClient, BrowserFactory
from tests.support.eventually import eventually
from tests.support.inset import inset_clip, read_inset
from tests.support.light_client import AudioSource, RoomClient, VideoSource
from tests.support.media import SAMPLE_RATE, opus_packets, tone_wav
from tests.support.program_media import but_of_second_beginnings
from tests.support.server import Server

PROGRAMS = True
pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

HALLS = ("主会场", "青禾县分会场", "柳塘街道连线点")
TONES_HZ = (440, 660, 990)
FPS = 15
CLIP_S = 40
PROMOTED = "村里老人不会用手机，助餐点能不能接受现金？"


@dataclass(frozen=True)
class Turn:
    """Who was to be seen and heard when, in program time."""

    hall: int
    from_ms: int
    to_ms: int

    @property
    def middle_ms(self) -> float:
        return (self.from_ms + self.to_ms) / 2


@dataclass
class Session:
    """Three halls on a server, of which one after the other has the floor."""

    server: Server
    cid: str = ""
    halls: list[RoomClient] = field(default_factory=list)
    sources: list[VideoSource] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    chair: RoomClient | None = None
    started_wall_ms: int = 0

    async def open(self) -> None:
        """All are in the room, with picture and sound."""
        if not self.cid:
            self.cid = self.server.create_consultation("推进县域养老服务高质量发展")
        self.chair = RoomClient(
            self.server.url, self.server.token(self.cid, "chair", "刘主持"), receive=False
        )
        await self.chair.connect()
        for number, name in enumerate(HALLS):
            token = self.server.token(self.cid, "venue_operator", name, venue=name)
            hall = RoomClient(self.server.url, token, receive=False)
            await hall.connect()
            frames = await asyncio.to_thread(inset_clip, number + 1, "vp8", FPS, FPS * CLIP_S, FPS)
            packets = await asyncio.to_thread(lambda hz: opus_packets(tone_wav(hz)), TONES_HZ[number])
            picture = VideoSource(fps=FPS, frames=frames)
            await hall.publish(
                [AudioSource(packets=packets, level_db=20), picture], names=["microphone", "camera"]
            )
            self.halls.append(hall)
            self.sources.append(picture)

    async def close(self, *, drop: bool = False) -> None:
        for each in (*self.halls, self.chair):
            if each is not None:
                await (each.drop() if drop else each.close())
        self.halls.clear()
        self.sources.clear()
        self.chair = None

    async def call(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        token = self.server.token(self.cid, "secretariat", "秘书处")
        url = f"{self.server.url}/api/v1/consultations/{self.cid}{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, headers={"Authorization": f"Bearer {token}"}, **options) as response,
        ):
            return response.status, await response.read()

    def now_ms(self) -> int:
        """Program time: the clock of this machine is the server's."""
        return round(time.time() * 1000) - self.started_wall_ms

    async def give_floor(self, number: int) -> None:
        """This hall alone is heard, and the program is about it."""
        assert self.chair is not None
        for other, hall in enumerate(self.halls):
            muted = {"participant_id": hall.participant_id, "muted": other != number, "hard": other != number}
            await self.chair.request("participant.mute", muted)
        holder = {"participant_id": self.halls[number].participant_id, "duration_ms": 600_000}
        await self.chair.request("floor.grant", holder)

    def workers(self, module: str) -> list[int]:
        return [pid for pid in self.server.children() if module in process.command_line(pid)]

    async def worker(self, module: str, *, not_among: list[int]) -> int:
        found = await eventually(
            lambda: [pid for pid in self.workers(module) if pid not in not_among], timeout_s=60, what=module
        )
        return found[0]


async def latency_s(session: Session, viewer: BrowserClient, number: int) -> float:
    """From a camera's frame to the page: by the number that is in the picture."""
    samples = []
    for _ in range(5):
        shown = await seen(viewer)
        assert shown is not None
        late = (session.sources[number].frame_count - 1 - shown[1]) % (FPS * CLIP_S)
        samples.append(late / FPS)
        await asyncio.sleep(0.3)
    return float(np.median(samples))


def complaints(path: Path | str, *options: str) -> str:
    """What FFmpeg and ffprobe have to say against a file."""
    said = b""
    for command in (
        ["ffprobe", "-v", "warning", "-show_format", "-show_streams", "-of", "json", str(path)],
        ["ffmpeg", "-v", "warning", *options, "-i", str(path), "-f", "null", "-"],
    ):
        said += subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL).stderr
    return said.decode()


def heard(samples: npt.NDArray[np.float32]) -> int | None:
    """The hall whose tone is there alone."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    energy = [float(spectrum[np.abs(hertz - tone) < 12].sum()) for tone in TONES_HZ]
    loudest = int(np.argmax(energy))
    return loudest if energy[loudest] > 8 * (sum(energy) - energy[loudest]) else None


def at_times(path: Path, times_s: list[float]) -> Iterator[tuple[int | None, int | None]]:
    """Hall in the picture and hall in the sound at each of these times of a file."""
    for wanted in times_s:
        with av.open(str(path)) as container:
            container.seek(int(max(0.0, wanted - 2) * 1_000_000))
            code = None
            for frame in container.decode(video=0):
                if frame.time is not None and frame.time >= wanted:
                    code = read_inset(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
                    break
        with av.open(str(path)) as container:
            container.seek(int(max(0.0, wanted - 2) * 1_000_000))
            pieces: list[npt.NDArray[np.float32]] = []
            for sound in container.decode(audio=0):
                if sound.time is not None and sound.time >= wanted - 0.1:
                    pieces.append(sound.to_ndarray()[0])
                if sum(map(len, pieces)) >= SAMPLE_RATE // 5:
                    break
        yield (None if code is None else code.participant - 1), heard(np.concatenate(pieces))


async def test_three_halls_from_live_to_replay(
    server: Server, browsers: BrowserFactory, tmp_path: Path
) -> None:
    session = Session(server)
    await session.open()
    try:
        await play_through(session, browsers, tmp_path)
    finally:
        await session.close(drop=True)


async def play_through(session: Session, browsers: BrowserFactory, folder: Path) -> None:
    server = session.server
    assert session.chair is not None
    items = [
        {"kind": "speech", "title": "各会场发言"},
        {"kind": "promotion", "title": PROMOTED, "speaker": "市民政局"},
        {"kind": "discussion", "title": "互动讨论"},
    ]
    await session.chair.request("agenda.set", {"items": items})
    viewer = await browsers.launch(name="viewer", screen=LAPTOP)
    await viewer.open(f"{server.url}/live/{session.cid}")
    await reaches(viewer, "before")
    assert (await session.call("POST", "/start"))[0] == 200
    await session.chair.request("agenda.next", {})
    await session.give_floor(0)
    await reaches(viewer, "live", timeout_s=60)
    await plays(viewer)
    _, body = await session.call("GET", "")
    session.started_wall_ms = json.loads(body)["started_at_ms"]

    # Layouts follow the floor, and the page shows it within seconds.
    async def turn(number: int, for_s: float = 4.0) -> None:
        await session.give_floor(number)
        shown = await viewer.wait_until(
            lambda: seen(viewer),
            lambda now: now is not None and now[0] == number,
            timeout_s=60,
            what=f"shows {HALLS[number]}",
        )
        assert shown is not None
        began_ms = session.now_ms()
        await asyncio.sleep(for_s)  # there is no other way for a turn to last
        session.turns.append(Turn(number, began_ms, session.now_ms()))

    for number in (0, 1, 2, 0):
        await turn(number)
    late_s = await latency_s(session, viewer, 0)
    assert late_s < 5

    # What is put to the session stands in the picture beside the speaker.
    await session.chair.request("agenda.next", {})
    await viewer.wait_until(
        lambda: viewer.evaluate(
            "() => document.querySelector('[data-testid=promotion-card]')?.innerText ?? ''"
        ),
        lambda text: PROMOTED in text,
        what="has a promotion",
    )
    await viewer.wait_until(lambda: has_card(viewer, 0), timeout_s=30, what="shows the card")
    await session.chair.request("agenda.next", {})

    # The makers of recording and program are killed, and go on.
    for module in ("recording.program.worker", "recording.worker"):
        before = session.workers(module)
        assert len(before) == 1, before
        await asyncio.to_thread(server.kill9, before[0])
        await session.worker(module, not_among=before)
    await turn(1)
    await turn(2)

    # So is the whole server.
    await asyncio.to_thread(server.kill9, "parent")
    await session.close(drop=True)
    await asyncio.to_thread(server.restart)
    await session.open()
    for number in (0, 1, 2, 0):
        await turn(number)
    assert len(session.turns) == 10

    # The end: the page turns into the replay and plays it to its end.
    assert (await session.call("POST", "/end"))[0] == 200
    await reaches(viewer, "replay", timeout_s=60)
    await viewer.tap("tap-to-play")
    await plays(viewer)
    await viewer.evaluate("() => { document.querySelector('video').playbackRate = 8 }")
    await viewer.wait_until(
        lambda: viewer.evaluate("() => document.querySelector('video').ended"),
        timeout_s=90,
        what="plays to its end",
    )
    assert (await state(viewer))["at_s"] > 60
    assert viewer.page_errors == []

    # Every file is whole, and holds what was to be seen and heard.
    async def recordings() -> list[dict[str, Any]]:
        _, body = await session.call("GET", "/recordings?limit=500")
        return list(json.loads(body)["items"])

    rows = await eventually(
        recordings,
        lambda rows: (
            any(row["source"] == "program" for row in rows)
            and all(row["state"] != "recording" for row in rows)
        ),
        timeout_s=90,
        what="the program's file",
    )
    for number, row in enumerate(rows):
        status, content = await session.call("GET", f"/recordings/{row['id']}/file")
        assert status == 200
        path = folder / f"{number}-{row['source']}"
        await asyncio.to_thread(path.write_bytes, content)
        assert await asyncio.to_thread(complaints, path) == "", row
    program = next(row for row in rows if row["source"] == "program")
    film = folder / f"{rows.index(program)}-program"
    middles = [(turn.middle_ms - program["started_at_ms"]) / 1000 for turn in session.turns]
    found = await asyncio.to_thread(lambda: list(at_times(film, middles)))
    assert found == [(turn.hall, turn.hall) for turn in session.turns]
    replay = f"{server.url}/live/{session.cid}/replay/720p.m3u8"
    facts = await asyncio.to_thread(read_journal, server.data_dir / "program" / session.cid)
    said = but_of_second_beginnings(await asyncio.to_thread(complaints, replay), facts, "720p")
    assert said == ""
