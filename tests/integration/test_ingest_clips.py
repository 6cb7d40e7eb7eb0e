"""Clips: a prepared file is played into a room, paused, moved, and begun again, its sound beside its picture."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from aiohttp import web

from conference.ingest_events import ClipAt, IngestFailed, IngestKind, IngestReason, IngestRunning
from conference.media.client import MediaClient
from conference.model.media import PublicationsChanged
from tests.support.eventually import eventually
from tests.support.media_meeting import Meeting
from tests.support.pulling import Eye, Pulling

LONG_S, RATE, TONE_HZ = 8, 25, 600
CLIP = "clip"


def shade(second: float) -> int:
    """The grey of that second of the film."""
    return 30 + 25 * int(second)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every second is brighter than the one before; it sounds in the second half of each second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as out:
        picture = out.add_stream("libx264", rate=RATE)
        picture.width, picture.height, picture.pix_fmt = 320, 180, "yuv420p"
        picture.options = {"profile": "baseline", "g": str(RATE), "bf": "0", "sc_threshold": "0", "crf": "30"}
        sound = out.add_stream("libopus", rate=48_000, layout="stereo")
        for number in range(LONG_S * RATE):
            grey = np.full((270, 320), 128, np.uint8)
            grey[:180] = shade(number / RATE)
            frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(picture.encode(frame))
        for number in range(LONG_S * 50):
            times = (np.arange(960) + number * 960) / 48_000
            loud = 9000 if number % 50 >= 25 else 0
            tone = (np.sin(times * TONE_HZ * 2 * np.pi) * loud).astype(np.int16)
            heard = av.AudioFrame.from_ndarray(np.repeat(tone, 2)[None], format="s16", layout="stereo")
            heard.sample_rate, heard.pts, heard.time_base = 48_000, number * 960, Fraction(1, 48_000)
            out.mux(sound.encode(heard))
        out.mux(picture.encode(None))
        out.mux(sound.encode(None))
    return path


@pytest.fixture
async def pulling(media: MediaClient, tmp_path: Path) -> AsyncIterator[Pulling]:
    pulling = Pulling(media, tmp_path / "run")
    yield pulling
    await pulling.supervisor.close()


@pytest.fixture
async def eye(media: MediaClient, pulling: Pulling, film: Path) -> AsyncIterator[Eye]:
    """Who watches the clip, which stands at its beginning."""
    eye = Eye()
    media.listen(eye.take)
    await eye.attend(media, "w_1")
    await pulling.pull(str(film), CLIP, kind=IngestKind.CLIP, is_paused=True)
    yield eye
    await eye.close()


async def shows(eye: Eye, second: float) -> None:
    await eventually(
        lambda: abs(eye.brightness() - shade(second)) < 8, what=f"second {second}", timeout_s=20, every_s=0.01
    )


async def state(pulling: Pulling, wanted: str) -> ClipAt:
    found = await eventually(
        lambda: at if (at := pulling.last(ClipAt)) is not None and at.state == wanted else None,
        timeout_s=20,
        what=wanted,
    )
    assert found is not None
    return found


async def watch_screen(media: MediaClient, meeting: Meeting) -> None:
    await meeting.receive("member")
    for source in ("screen", "screen_sound"):
        assert (await meeting.flows("member", CLIP, source, packets=30)).gaps == 0


async def test_it_is_a_screen_with_sound_in_the_room(
    media: MediaClient, pulling: Pulling, meeting: Meeting, film: Path
) -> None:
    await pulling.pull(str(film), CLIP, kind=IngestKind.CLIP)
    await watch_screen(media, meeting)
    published = [event for event in meeting.events if isinstance(event, PublicationsChanged)]
    assert {each.source for each in published[-1].publications} == {"screen", "screen_sound"}


async def test_it_stands_plays_is_paused_moved_ends_and_begins_again(
    media: MediaClient, meeting: Meeting, pulling: Pulling, film: Path
) -> None:
    await meeting.receive("member")
    await pulling.pull(str(film), CLIP, kind=IngestKind.CLIP, is_paused=True)
    picture = await eventually(lambda: meeting.stream("member", CLIP, "screen"), what="its first picture")
    assert picture is not None
    assert (await state(pulling, "paused")).position_ms == 0

    async def stands() -> bool:
        before = picture.packets
        await asyncio.sleep(0.5)
        return picture.packets == before

    # Its first picture comes again for a receiver that asked for one.
    await eventually(stands, what="it stands")
    seen = picture.packets
    pulling.supervisor.play(CLIP)
    began = await state(pulling, "playing")
    assert began.position_ms < 200
    await eventually(lambda: picture.packets > seen + 30)
    pulling.supervisor.pause(CLIP)
    paused = await state(pulling, "paused")
    assert abs(paused.position_ms - 1000 * (paused.monotonic_s - began.monotonic_s)) < 150
    pulling.supervisor.seek(CLIP, 6500)
    await eventually(lambda: (at := pulling.last(ClipAt)) is not None and abs(at.position_ms - 6500) < 60)
    assert pulling.last(ClipAt).state == "paused"  # type: ignore[union-attr]
    pulling.supervisor.play(CLIP)
    ended = await state(pulling, "ended")
    assert abs(ended.position_ms - 1000 * LONG_S) < 100
    assert not any(isinstance(event, IngestFailed) for event in pulling.events)
    pulling.supervisor.play(CLIP)
    again = await state(pulling, "playing")
    assert again.position_ms < 100
    assert picture.gaps == 0


async def test_the_right_pictures_are_seen_and_sound_is_heard_with_them(pulling: Pulling, eye: Eye) -> None:
    pulling.supervisor.seek(CLIP, 240)  # aiortc decodes a picture when the next one comes
    await shows(eye, 0)
    pulling.supervisor.seek(CLIP, 5200)
    await shows(eye, 5)
    assert eye.loudness() == 0
    pulling.supervisor.seek(CLIP, 3050)
    pulling.supervisor.play(CLIP)
    await shows(eye, 3)
    # The film is silent in the first half of each second: what is heard belongs to what is seen.
    await eventually(lambda: eye.loudness() > 2000, every_s=0.01)
    assert abs(eye.brightness() - shade(3)) < 8
    assert eye.pitch_hz() == pytest.approx(TONE_HZ, abs=30)
    pulling.supervisor.pause(CLIP)
    await state(pulling, "paused")
    standing = eye.brightness()
    late = Eye()
    pulling.media.listen(late.take)
    await late.attend(pulling.media, "w_2")
    await eventually(
        lambda: abs(late.brightness() - standing) < 8, what="who comes while it stands sees it, too"
    )
    await late.close()


async def test_a_player_that_dies_goes_on_where_it_was(pulling: Pulling, eye: Eye) -> None:
    pulling.supervisor.seek(CLIP, 4100)
    await shows(eye, 4)
    os.kill(pulling.supervisor.pids()[CLIP], signal.SIGKILL)
    seen = len(eye.pictures)
    await eventually(lambda: len(eye.pictures) > seen, what="another life", timeout_s=15)
    await shows(eye, 4)
    assert (await state(pulling, "paused")).position_ms == pytest.approx(4100, abs=60)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, IngestReason.NOT_FOUND), (b"no film at all" * 99, IngestReason.GARBAGE)]
)
async def test_what_cannot_be_played_is_told_once(
    pulling: Pulling, tmp_path: Path, content: bytes | None, reason: IngestReason
) -> None:
    path = tmp_path / "broken.mp4"
    if content is not None:
        path.write_bytes(content)
    await pulling.pull(str(path), CLIP, kind=IngestKind.CLIP)
    await pulling.failed(reason)
    failed = pulling.last(IngestFailed)
    assert failed == IngestFailed(CLIP, reason, None)


async def test_a_film_on_a_web_server_is_a_camera_that_shows_it_in_its_own_time_again_and_again(
    pulling: Pulling, meeting: Meeting, film: Path
) -> None:
    async def give(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(film)

    app = web.Application()
    app.router.add_get("/live.mp4", give)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        await meeting.receive("member")
        await pulling.pull(f"http://127.0.0.1:{port}/live.mp4", CLIP)
        running = await pulling.running()
        assert (running.width, running.height, running.transcoding) == (320, 180, False)
        picture = await meeting.flows("member", CLIP, "camera", packets=LONG_S * RATE + 20)
        assert picture.gaps == 0
        fps = await eventually(
            lambda: (
                found.frames_per_second
                if (found := pulling.last(IngestRunning)) is not None and found.has_sound
                else None
            )
        )
        assert fps == pytest.approx(RATE, rel=0.3)
    finally:
        await runner.cleanup()
