"""Simulcast through the media process: three real encodings, real SRTP, and what its receivers decode of it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from conference.media.client import MediaClient
from conference.model.media import RECORDING_TAP, LayersNeeded, TrackWish
from conference.rtc.codecs import vp8
from conference.sfu.tap_frames import Height, Open, Packet
from tests.support.encoded import decoded, goes_forward
from tests.support.eventually import eventually
from tests.support.light_client import InboundStream, SimulcastSource, VideoSource
from tests.support.light_client.vp8 import CodeReader, payload_of
from tests.support.media import TEMPORAL, vp8_clip
from tests.support.media_meeting import ROOM, Meeting
from tests.support.picture_code import read_code
from tests.support.tap_reader import TapReader

LAYERS = {"q": (1, (192, 108), 120_000), "h": (2, (320, 180), 250_000), "f": (3, (640, 360), 600_000)}
HEIGHTS = {name: size[1] for name, (_, size, _) in LAYERS.items()}  # of tiles that want it


def camera() -> SimulcastSource:
    """Each layer shows another number, by which a picture tells its layer."""
    return SimulcastSource(
        {
            name: VideoSource(
                fps=30, frames=vp8_clip(number, size, 30, 120, rate, layered=True), temporal=TEMPORAL
            )
            for name, (number, size, rate) in LAYERS.items()
        }
    )


class Watching(CodeReader):
    """Also looks at the numbering."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[tuple[int, int, int]] = []  # picture id, tl0picidx, temporal layer

    def receive(self, stream: InboundStream, packet: bytes, arrival_ns: int) -> None:
        payload = payload_of(packet)
        if vp8.is_start_of_frame(payload):
            found = vp8.parse(payload)
            self.numbers.append((found.picture_id or 0, found.tl0picidx or 0, found.temporal_id or 0))
        super().receive(stream, packet, arrival_ns)

    async def shows(self, layer: str) -> None:
        """Wait for eight pictures of that layer in a row."""
        await eventually(
            lambda: [code and code.participant for code in self.codes[-8:]] == [LAYERS[layer][0]] * 8,
            what=f"pictures of {layer}",
        )


async def watch(meeting: Meeting, name: str) -> Watching:
    await meeting.receive(name)
    await eventually(lambda: name in meeting.receivers, what="the receiver's connection")
    reader = Watching()
    reader.attach(meeting.receivers[name])
    return reader


def camera_of(meeting: Meeting, receiver: str) -> str:
    return next(track.publication_id for track in meeting.offers[receiver][-1].tracks)


async def test_a_receiver_is_switched_seven_times_without_a_broken_picture(
    meeting: Meeting, media: MediaClient
) -> None:
    source = camera()
    reader = await watch_first(meeting, source)
    await reader.shows("f")
    publication = camera_of(meeting, "viewer")
    for layer in ("q", "f", "h", "q", "h", "f", "q"):
        height = HEIGHTS[layer]
        await media.wish(ROOM, "viewer", (TrackWish(publication, height * 16 // 9, height),))
        await reader.shows(layer)
    assert reader.broken == 0
    assert None not in reader.codes, "every picture can be read"
    stream = meeting.stream("viewer", "member", "camera")
    assert stream is not None
    assert stream.gaps == 0
    for before, after in zip(reader.numbers, reader.numbers[1:], strict=False):
        assert (after[0] - before[0]) & 0x7FFF == 1
        assert (after[1] - before[1]) & 0xFF == (after[2] == 0)


async def watch_first(meeting: Meeting, source: SimulcastSource) -> Watching:
    """The receiver is there before the camera, and misses nothing."""
    await meeting.media.join(ROOM, "member", sound_open=True)
    await meeting.receive("viewer")
    publishing = asyncio.create_task(meeting.publish_layers("member", source))
    await eventually(lambda: "viewer" in meeting.receivers, what="the receiver's connection")
    reader = Watching()
    reader.attach(meeting.receivers["viewer"])
    await publishing
    return reader


async def test_one_receiver_pauses_and_the_other_goes_on(meeting: Meeting, media: MediaClient) -> None:
    await meeting.publish_layers("member", camera())
    first, second = await watch(meeting, "one"), await watch(meeting, "two")
    await first.shows("f")
    await second.shows("f")
    await media.wish(ROOM, "one", ())
    seen = 0

    def still() -> bool:
        nonlocal seen
        before, seen = seen, len(first.codes)
        return seen == before

    await eventually(still, every_s=0.3, what="nothing more for who shows nothing")
    count = len(second.codes)
    await eventually(lambda: len(second.codes) > count + 30, what="pictures for the other")
    await media.wish(ROOM, "one", (TrackWish(camera_of(meeting, "one"), 192, 108),))
    await first.shows("q")
    assert [code.participant for code in second.codes[count:] if code] == [3] * len(second.codes[count:])


async def test_the_publisher_hears_which_layers_are_needed(meeting: Meeting, media: MediaClient) -> None:
    source = camera()
    await meeting.publish_layers("member", source)
    reader = await watch(meeting, "viewer")
    await reader.shows("f")
    publication = camera_of(meeting, "viewer")

    def told() -> list[tuple[str, ...]]:
        return [event.layers for event in meeting.events if isinstance(event, LayersNeeded)]

    await media.wish(ROOM, "viewer", (TrackWish(publication, 320, 180),))
    await eventually(lambda: told() == [("q", "h")], timeout_s=15.0, what="the largest is not needed")
    source.layers["f"].is_paused = True
    await reader.shows("h")
    await media.wish(ROOM, "viewer", (TrackWish(publication, 640, 360),))
    await eventually(lambda: told() == [("q", "h"), ("q", "h", "f")], what="it is needed again")
    source.layers["f"].is_paused = False
    await reader.shows("f")
    assert reader.broken <= 1, "but for the picture amid which the reader began"


@pytest.fixture
async def reader(tmp_path: Path) -> AsyncIterator[TapReader]:
    reader = TapReader()
    yield reader
    reader.close()


def layers_of(tap: TapReader, source: SimulcastSource) -> list[str]:
    """The layers that a tap was opened with, in turn."""
    by_ssrc = {layer.ssrc: name for name, layer in source.layers.items()}
    return [by_ssrc[opened.ssrc] for opened in tap.of(Open)]


async def test_a_tap_gets_the_best_layer_and_the_one_that_it_asks_for(
    meeting: Meeting, media: MediaClient, reader: TapReader
) -> None:
    source = camera()
    source.layers["f"].is_paused = True
    await meeting.publish_layers("member", source)
    await media.tap(ROOM, reader.path, program_time_ms=0, at_monotonic_s=0.0, name=RECORDING_TAP)
    await eventually(lambda: layers_of(reader, source)[-1:] == ["h"], what="the best that there is")
    source.layers["f"].is_paused = False
    await eventually(lambda: layers_of(reader, source)[-1:] == ["f"], what="the better one")
    await eventually(lambda: len(reader.of(Packet)) > 300, what="some of it")
    reader.send(Height(reader.of(Open)[-1].track, 150))
    await eventually(lambda: layers_of(reader, source)[-1:] == ["h"], what="the one that is large enough")
    frames = list(reader.frames)
    for place, frame in enumerate(frames):
        if isinstance(frame, Open) and place > frames.index(reader.of(Open)[0]):
            following = next(one for one in frames[place:] if isinstance(one, Packet))
            assert vp8.is_keyframe(payload_of(following.packet)), "another layer begins with a keyframe"


@dataclass(frozen=True)
class File:
    """A recorded file: where it is, and the size of its pictures."""

    path: Path
    size: tuple[int, int]


def files_in(directory: Path) -> list[File]:
    """In the order in which they were begun."""
    found = []
    for path in sorted(directory.rglob("*.webm"), key=lambda path: path.name):
        with av.open(str(path)) as container:
            video = container.streams.video[0]
            found.append(File(path, (video.width, video.height)))
    return found


async def test_a_recording_follows_the_best_layer_and_can_be_played(
    meeting: Meeting, media: MediaClient, tmp_path: Path
) -> None:
    source = camera()
    source.layers["f"].is_paused = True
    with tempfile.TemporaryDirectory(prefix="rec-") as directory:  # short: a socket's path has 107 bytes
        socket_path = Path(directory) / "t.sock"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.worker", str(socket_path), str(tmp_path), "c", "0",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            facts = asyncio.create_task(read_facts(process))
            await eventually(socket_path.exists, what="the worker listens")
            await meeting.publish_layers("member", source)
            await media.tap(
                ROOM,
                str(socket_path),
                program_time_ms=0,
                at_monotonic_s=time.monotonic(),
                name=RECORDING_TAP,
            )
            video = source.layers
            await eventually(lambda: video["h"].frame_count > 60, what="two seconds of the smaller layer")
            video["f"].is_paused = False
            await eventually(lambda: video["f"].frame_count > 90, what="three seconds of the better one")
            await media.untap(ROOM, RECORDING_TAP)
            assert process.stdin is not None
            process.stdin.write(b"end\n")
            await process.wait()
            await facts
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    files = files_in(tmp_path)
    sizes = [file.size for file in files]
    assert sizes[-1] == (640, 360)
    assert (320, 180) in sizes[:-1]
    for file in files:
        count, complaints, times = decoded(file.path)
        assert count > 0
        assert complaints == []
        assert goes_forward(times)
    with av.open(str(files[-1].path)) as container:
        codes = [read_code(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert len(codes) > 30
    assert {code and code.participant for code in codes} == {3}


async def read_facts(process: asyncio.subprocess.Process) -> None:
    """What the worker says, so that it is never held up."""
    assert process.stdout is not None
    while await process.stdout.readline():
        pass
