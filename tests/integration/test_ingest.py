"""Cameras of GStreamer's RTSP server, pulled into a room of the media process and received by a real client."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import av
import pytest
from PIL import Image

from conference.ingest_events import (
    IngestConnecting,
    IngestFailed,
    IngestJob,
    IngestLook,
    IngestReady,
    IngestReason,
    IngestRunning,
)
from conference.media.client import MediaClient
from conference.model.media import FeedLost, PublicationsChanged, SpeakersChanged
from conference.sfu.tap_frames import Open
from tests.support.eventually import eventually
from tests.support.media_meeting import ROOM, Meeting
from tests.support.ports import free_port
from tests.support.process import alive, command_line
from tests.support.pulling import CAMERA, Eye, Pulling
from tests.support.rtsp_server import HEIGHT, TONE_HZ, WIDTH, RtspServer, is_installed
from tests.support.tap_reader import TapReader


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    """For tests that leave it alone."""
    assert is_installed("x264enc"), (
        "GStreamer's RTSP server is not installed: see TEST_PACKAGES in the Makefile"
    )
    with RtspServer(free_port()) as server:
        yield server


@pytest.fixture
async def pulling(media: MediaClient, tmp_path: Path) -> AsyncIterator[Pulling]:
    pulling = Pulling(media, tmp_path / "run")
    yield pulling
    await pulling.supervisor.close()


@pytest.fixture
async def eyes() -> AsyncIterator[list[Eye]]:
    opened: list[Eye] = []
    yield opened
    for eye in opened:
        await eye.close()


def moves(pictures: list[av.VideoFrame]) -> bool:
    """A ball flies through them; nothing is torn or grey."""
    grounds = {tuple(frame.to_ndarray(format="rgb24")[5, 5] // 24) for frame in pictures}
    shapes = {frame.to_ndarray(format="gray").tobytes() for frame in pictures}
    return len(grounds) == 1 and len(shapes) > len(pictures) // 2


@pytest.mark.parametrize(
    ("path", "codec", "transcoding", "elements"),
    [
        ("/baseline", "h264", False, ()),
        ("/ulaw", "h264", False, ()),
        ("/opus", "h264", False, ()),
        ("/b-frames", "h264", True, ("voaacenc",)),
    ],
)
async def test_a_camera_is_seen_and_heard(
    pulling: Pulling, meeting: Meeting, server: RtspServer, eyes: list[Eye],
    path: str, codec: str, transcoding: bool, elements: tuple[str, ...],
) -> None:  # fmt: skip
    if not is_installed(*elements):
        pytest.skip(f"no {elements} here")
    await pulling.pull(server.url(path))
    await pulling.running()
    eye = await Eye.watch(pulling.media)
    eyes.append(eye)
    pictures = await eye.sees(75)
    assert {(frame.width, frame.height) for frame in pictures} == {(WIDTH, HEIGHT)}
    assert moves(pictures[10:])
    await eventually(lambda: len(eye.sounds) > 100, what="sound")
    assert eye.pitch_hz() == pytest.approx(TONE_HZ, abs=15)
    running = await eventually(
        lambda: next(
            (e for e in reversed(pulling.events) if isinstance(e, IngestRunning) and e.has_sound and e.codec),
            None,
        ),
        what="the whole of it",
    )
    assert running is not None
    assert (running.width, running.height) == (WIDTH, HEIGHT)
    assert (running.codec, running.transcoding) == (codec, transcoding)
    assert isinstance(pulling.events[0], IngestReady | IngestConnecting)
    published = [
        e for e in meeting.events if isinstance(e, PublicationsChanged) and e.participant_id == CAMERA
    ]
    assert {(each.source, each.label) for each in published[-1].publications} == {
        ("camera", "front"), ("microphone", "front"),
    }  # fmt: skip
    await eventually(
        lambda: any(isinstance(e, SpeakersChanged) and e.speakers for e in meeting.events), what="it speaks"
    )


async def test_h265_goes_through_an_encoder(pulling: Pulling, server: RtspServer, eyes: list[Eye]) -> None:
    if not is_installed("x265enc"):
        pytest.skip("no x265enc here")
    await pulling.pull(server.url("/hevc"))
    running = await pulling.running()
    assert (running.codec, running.transcoding) == ("hevc", True)
    eye = await Eye.watch(pulling.media)
    eyes.append(eye)
    assert moves((await eye.sees(60))[10:])
    busy = await eventually(
        lambda: next(
            (e for e in reversed(pulling.events) if isinstance(e, IngestRunning) and e.cpu_share > 0.005),
            None,
        ),
        what="its cost",
    )
    assert busy is not None
    assert busy.cpu_share < 2


async def test_everybody_in_the_room_and_every_tap_gets_it(
    pulling: Pulling, meeting: Meeting, server: RtspServer
) -> None:
    reader = TapReader()
    await pulling.media.tap(ROOM, reader.path, program_time_ms=0, at_monotonic_s=time.monotonic())
    await meeting.receive("member")
    await pulling.pull(server.url("/baseline"))
    picture = await meeting.flows("member", CAMERA, "camera", packets=100)
    sound = await meeting.flows("member", CAMERA, "microphone", packets=50)
    assert (picture.gaps, sound.gaps) == (0, 0)
    await eventually(lambda: {each.kind for each in reader.of(Open)} == {"audio", "video"}, what="the tap")
    await pulling.media.set_sound(ROOM, CAMERA, is_open=False)
    await asyncio.sleep(0.1)
    heard = sound.packets
    await meeting.flows("member", CAMERA, "camera", packets=50)
    assert sound.packets == heard, "muted"
    await pulling.media.unfeed(ROOM, CAMERA)
    await eventually(
        lambda: any(isinstance(e, PublicationsChanged) and not e.publications for e in meeting.events),
        what="nothing is published",
    )
    reader.close()


async def test_who_comes_later_need_not_wait_for_the_cameras_next_keyframe(
    pulling: Pulling, server: RtspServer, eyes: list[Eye]
) -> None:
    await pulling.pull(server.url("/long"))
    await pulling.running()
    eyes.append(await Eye.watch(pulling.media))
    await eyes[0].sees(60, timeout_s=30)
    began_s = time.monotonic()
    eyes.append(await Eye.watch(pulling.media, name="w_2"))
    pictures = await eyes[1].sees(20)
    took_s = eyes[1].pictures[0][0] - began_s
    assert took_s < 3, "of ten between two keyframes"
    assert moves(pictures[-10:])
    before = len(eyes[0].pictures)
    assert moves((await eyes[0].sees(25))[-20:]), "and nobody else notices"
    assert before


async def test_a_server_that_is_killed_and_comes_back_is_seen_again_within_five_seconds(
    pulling: Pulling, meeting: Meeting
) -> None:
    with RtspServer(free_port()) as server:
        await meeting.receive("member")
        await pulling.pull(server.url("/baseline"))
        await meeting.flows("member", CAMERA, "camera", packets=100)
        server.kill()
        await pulling.failed(IngestReason.STOPPED)
        await pulling.failed(IngestReason.REFUSED)
        await asyncio.sleep(3)
        before = meeting.stream("member", CAMERA, "camera")
        assert before is not None
        seen = before.packets
        server.start()
        began_s = time.monotonic()
        await eventually(lambda: before.packets > seen + 10, what="picture", timeout_s=15)
        assert time.monotonic() - began_s < 5
        assert before.gaps == 0, "the same track goes on"
        lists = [e.publications for e in meeting.events if isinstance(e, PublicationsChanged)]
        assert all(lists[2:]), "it was never withdrawn"


async def test_glitches_pauses_and_another_size_are_survived(pulling: Pulling, eyes: list[Eye]) -> None:
    with RtspServer(free_port()) as server:
        await pulling.pull(server.url("/changing"))
        await pulling.running()
        eyes.append(await Eye.watch(pulling.media))
        for _ in range(5):
            await asyncio.to_thread(server.pause, 0.1)
            await eyes[0].sees(5)
        await eventually(
            lambda: (eyes[0].pictures[-1][1].width, eyes[0].pictures[-1][1].height) == (320, 240)
        )
        await eventually(
            lambda: any(isinstance(e, IngestRunning) and e.width == 320 for e in pulling.events), what="told"
        )
        assert not any(isinstance(e, IngestFailed) for e in pulling.events)
        server.freeze()
        await pulling.failed(IngestReason.STOPPED)
        server.thaw()
        await eyes[0].sees(25)


@pytest.mark.parametrize(
    "trouble", ["nobody", "secret", "path", "rubbish", "silence", "file", "scheme", "host"]
)
async def test_what_is_wrong_is_told_in_words_that_help(
    pulling: Pulling, server: RtspServer, trouble: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if trouble == "rubbish":
                writer.write(os.urandom(5000))
                await writer.drain()
                writer.close()
            else:
                await reader.read()

    with contextlib.ExitStack() as stack:
        other = None
        if trouble == "secret":
            guarded = stack.enter_context(RtspServer(free_port(), user="admin", password="right"))
            url, reason = guarded.url("/baseline", "admin:wr0ng"), IngestReason.PASSWORD_WRONG
        elif trouble in ("rubbish", "silence"):
            other = await asyncio.start_server(say, "127.0.0.1", 0)
            port = other.sockets[0].getsockname()[1]
            url = f"rtsp://127.0.0.1:{port}/x"
            reason = IngestReason.GARBAGE if trouble == "rubbish" else IngestReason.NO_PICTURE
        else:
            url, reason = {
                "nobody": (f"rtsp://127.0.0.1:{free_port()}/x", IngestReason.REFUSED),
                "path": (server.url("/nowhere"), IngestReason.NOT_FOUND),
                "file": ("file:///etc/passwd", IngestReason.ADDRESS_WRONG),
                "scheme": ("concat:a|b", IngestReason.ADDRESS_WRONG),
                "host": ("rtsp://camera.invalid/x", IngestReason.ADDRESS_WRONG),
            }[trouble]
        job = await pulling.pull(url)
        failed = await eventually(
            lambda: next((e for e in pulling.events if isinstance(e, IngestFailed)), None), timeout_s=20
        )
        assert failed is not None
        assert failed.reason is reason
        assert failed.retry_in_s is not None
        looked = await pulling.supervisor.look(replace(job, ingest_id="look"))
        assert isinstance(looked, IngestFailed)
        assert looked.reason is reason
        pid = pulling.supervisor.pids()[CAMERA]
        assert "wr0ng" not in command_line(pid)
        await pulling.supervisor.close()
        if other is not None:
            other.close()
    assert "wr0ng" not in "".join(capfd.readouterr())


async def test_the_right_password_opens_it(pulling: Pulling) -> None:
    with RtspServer(free_port(), user="admin", password="ri:ght") as server:
        await pulling.pull(server.url("/silent", "admin:ri%3Aght"))
        assert not (await pulling.running()).has_sound


async def test_a_look_brings_one_picture(pulling: Pulling, server: RtspServer) -> None:
    for path, transcoding in (("/baseline", False), ("/b-frames", True)):
        looked = await pulling.supervisor.look(IngestJob("look", ROOM, "look", server.url(path)))
        assert isinstance(looked, IngestLook)
        assert (looked.width, looked.height, looked.has_sound) == (WIDTH, HEIGHT, True)
        assert looked.transcoding is transcoding
        assert Image.open(io.BytesIO(looked.picture)).size == (WIDTH, HEIGHT)


async def test_a_killed_process_is_started_again_and_the_track_goes_on(
    pulling: Pulling, meeting: Meeting, server: RtspServer
) -> None:
    await meeting.receive("member")
    await pulling.pull(server.url("/baseline"))
    picture = await meeting.flows("member", CAMERA, "camera", packets=60)
    pid = pulling.supervisor.pids()[CAMERA]
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: FeedLost(ROOM, CAMERA) in meeting.events, what="the feed is lost")
    seen = picture.packets
    await eventually(lambda: picture.packets > seen + 60, what="it goes on", timeout_s=15)
    assert picture.gaps == 0
    assert pulling.supervisor.pids()[CAMERA] != pid
    pulling.supervisor.stop(CAMERA)
    await pulling.supervisor.close()
    assert not pulling.supervisor.pids()


async def test_a_process_that_hangs_is_killed(media: MediaClient, tmp_path: Path, server: RtspServer) -> None:
    pulling = Pulling(media, tmp_path / "run", silent_s=4)
    await pulling.pull(server.url("/silent"))
    await pulling.running()
    pid = pulling.supervisor.pids()[CAMERA]
    os.kill(pid, signal.SIGSTOP)
    await eventually(lambda: not alive(pid), timeout_s=15, what="killed")
    await eventually(lambda: pulling.supervisor.pids().get(CAMERA, pid) != pid, what="another one")
    await pulling.supervisor.close()
