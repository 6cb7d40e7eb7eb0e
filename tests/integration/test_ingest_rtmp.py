"""An encoder's stream that an RTMP server holds, pulled into a room as a camera's is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from conference.ingest_events import IngestReason, IngestRunning
from conference.media.client import MediaClient
from tests.support.eventually import eventually
from tests.support.pulling import Eye, Pulling
from tests.support.rtmp_server import HEIGHT, MODULE, TONE_HZ, WIDTH, RtmpServer


@pytest.fixture
def server() -> Iterator[RtmpServer]:
    assert MODULE.exists(), "nginx' module for RTMP is not installed: see TEST_PACKAGES in the Makefile"
    with RtmpServer() as server:
        yield server


@pytest.fixture
async def pulling(media: MediaClient, tmp_path: Path) -> AsyncIterator[Pulling]:
    pulling = Pulling(media, tmp_path / "run")
    yield pulling
    await pulling.supervisor.close()


async def test_an_encoder_is_seen_and_heard_and_comes_back_by_itself(
    pulling: Pulling, server: RtmpServer
) -> None:
    server.push()
    await pulling.pull(server.url)
    running = await pulling.running()
    assert (running.width, running.height, running.codec) == (WIDTH, HEIGHT, "h264")
    assert not running.transcoding
    eye = await Eye.watch(pulling.media)
    try:
        pictures = await eye.sees(50)
        assert {(frame.width, frame.height) for frame in pictures} == {(WIDTH, HEIGHT)}
        assert len({frame.to_ndarray(format="gray").tobytes() for frame in pictures}) > 25
        await eventually(lambda: len(eye.sounds) > 100, what="sound")
        assert eye.pitch_hz() == pytest.approx(TONE_HZ, abs=15)
        server.cut()
        await pulling.failed(IngestReason.STOPPED)
        before = sum(isinstance(each, IngestRunning) for each in pulling.events)
        await asyncio.to_thread(server.push)
        await eventually(
            lambda: sum(isinstance(each, IngestRunning) for each in pulling.events) > before,
            timeout_s=40,
            what="it runs again",
        )
        await eye.sees(50, timeout_s=40)
    finally:
        await eye.close()


async def test_a_stream_that_nobody_sends_is_told_as_such(pulling: Pulling, server: RtmpServer) -> None:
    await pulling.pull(server.url)
    await pulling.failed(IngestReason.NO_PICTURE)
