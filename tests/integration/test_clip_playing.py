"""A prepared clip is played by the real process into a room of the real media process: its pictures by their numbers,
its sound by its beeps, one at each whole second."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from conference.ingest.supervisor import IngestSupervisor
from conference.ingest_events import ClipAt, IngestEvent, IngestFailed, IngestJob, IngestKind, IngestReady
from conference.media.client import MediaClient
from tests.support.clip_watch import ClipWatch, Shown
from tests.support.eventually import eventually
from tests.support.films import prepared_film
from tests.support.media_meeting import ROOM, Meeting
from tests.support.process import command_line
from tests.support.tap_reader import TapReader

CLIP = "clip"
FPS = 30
SECONDS = 8.0


class Playing:
    """A clip in a room, fed as the services do it, and a tap that keeps what everybody gets."""

    def __init__(self, media: MediaClient, directory: Path, reader: TapReader) -> None:
        self.media = media
        self.reader = reader
        self.events: list[IngestEvent] = []
        self.supervisor = IngestSupervisor(directory)
        self.supervisor.listen(self._take)
        self._feeding: set[asyncio.Task[None]] = set()

    def _take(self, event: IngestEvent) -> None:
        self.events.append(event)
        if isinstance(event, IngestReady):
            feeding = asyncio.create_task(self.media.feed(ROOM, event.socket_path, CLIP))
            self._feeding.add(feeding)
            feeding.add_done_callback(self._feeding.discard)

    async def play(self, path: Path, from_ms: int = 0, *, is_paused: bool = False) -> None:
        await self.media.join(ROOM, CLIP, sound_open=True)
        self.supervisor.start(
            IngestJob(
                CLIP,
                ROOM,
                CLIP,
                str(path),
                label="片",
                kind=IngestKind.CLIP,
                from_ms=from_ms,
                is_paused=is_paused,
            )
        )

    def watch(self) -> ClipWatch:
        return ClipWatch(self.reader.frames, CLIP)

    async def at(self, state: str) -> ClipAt:
        """The newest that was told, once it is of this state."""

        def newest() -> ClipAt | None:
            told = [each for each in self.events if isinstance(each, ClipAt)]
            return told[-1] if told and told[-1].state == state else None

        found = await eventually(newest, timeout_s=20, what=f"{state}; {self.events[-4:]}")
        assert found is not None
        return found

    async def shown(self, number: int) -> list[Shown]:
        """Everything that was shown, once this picture was."""

        def seen() -> list[Shown]:
            pictures = self.watch().pictures()
            return pictures if any(each.number >= number for each in pictures[-60:]) else []

        return await eventually(seen, timeout_s=25, every_s=0.5, what=f"picture {number}")


@pytest.fixture
async def playing(media: MediaClient, meeting: Meeting, tmp_path: Path) -> AsyncIterator[Playing]:
    reader = TapReader()
    await media.tap(ROOM, reader.path, program_time_ms=0, at_monotonic_s=time.monotonic())
    made = Playing(media, tmp_path, reader)
    yield made
    await made.supervisor.close()
    reader.close()


def in_sync(watch: ClipWatch, pictures: list[Shown], least: int) -> None:
    """Each beep lies within 40 ms of the picture of its second."""
    seconds = {each.number // FPS: each.at_s for each in pictures if each.number % FPS == 0}
    pairs = []
    for beep in watch.beeps():
        second, at_s = min(seconds.items(), key=lambda each: abs(each[1] - beep))
        if abs(at_s - beep) < 0.4:
            pairs.append((second, beep - at_s))
    assert len({second for second, _ in pairs}) >= least, (pairs, seconds)
    assert all(abs(late_s) <= 0.04 for _, late_s in pairs), pairs


def steady(pictures: list[Shown]) -> None:
    """Every picture once, at its time on the sender's clock."""
    numbers = [each.number for each in pictures]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for each in pictures:
        belongs_s = pictures[0].at_s + (each.number - pictures[0].number) / FPS
        assert abs(each.at_s - belongs_s) < 0.02  # by reports, each of which is exact to some milliseconds


def cued(pictures: list[Shown], number: int) -> None:
    """It goes on from this picture; those since the keyframe before it, which it is made of, come all at once."""
    first = next(each for each in pictures if each.number >= number - 1)
    assert number - FPS <= pictures[0].number <= first.number <= number + 1
    assert first.arrived_s - pictures[0].arrived_s < 0.3


async def test_picture_and_sound_come_together_in_their_own_time(playing: Playing, meeting: Meeting) -> None:
    await meeting.receive("member")
    await playing.play(prepared_film(SECONDS))
    pictures = await playing.shown(5 * FPS)
    watch = playing.watch()
    assert watch.sources == {"video": "screen", "audio": "screen_sound"}
    steady(pictures)
    in_sync(watch, pictures, least=4)
    lates = [each.arrived_s - each.at_s for each in pictures]
    assert max(lates) - min(lates) < 0.25, "sent in its own time"
    stream = await meeting.flows("member", CLIP, "screen", packets=30)
    assert stream.gaps == 0
    await meeting.flows("member", CLIP, "screen_sound", packets=30)


async def test_a_pause_keeps_the_last_picture_and_goes_on_from_it(playing: Playing) -> None:
    await playing.play(prepared_film(SECONDS))
    await playing.shown(2 * FPS)
    playing.supervisor.pause(CLIP)
    told = await playing.at("paused")
    await asyncio.sleep(1.5)  # the length of the pause, which is what this is about
    standing = playing.watch()
    stands = standing.pictures()
    last = stands[-1]
    assert told.position_ms == pytest.approx(1000 * last.number / FPS, abs=60)
    assert standing.loudness_since(standing.pictures()[-1].at_s + 0.2) < 0.01
    playing.supervisor.play(CLIP)
    pictures = await playing.shown(last.number + 2 * FPS)
    after = [each for each in pictures if each.number > last.number]
    assert after[0].number - last.number <= 2
    gone = [each.number for each in after]
    assert gone == list(range(gone[0], gone[0] + len(gone)))
    assert after[0].at_s > last.at_s
    in_sync(playing.watch(), after, least=1)


async def test_it_goes_to_a_cue_point_and_is_in_sync_there(playing: Playing) -> None:
    await playing.play(prepared_film(SECONDS), from_ms=1_500)
    cued(await playing.shown(2 * FPS), 45)
    playing.supervisor.seek(CLIP, 5_250)
    pictures = await playing.shown(7 * FPS)
    after = [each for each in pictures if each.number > 4 * FPS]
    cued(after, 157)
    in_sync(playing.watch(), [each for each in after if each.number > 157], least=2)


async def test_at_the_end_the_last_picture_stands(playing: Playing) -> None:
    await playing.play(prepared_film(SECONDS), from_ms=6_500)
    ended = await playing.at("ended")
    assert ended.position_ms == pytest.approx(1000 * SECONDS, abs=80)
    pictures = await playing.shown(round(SECONDS * FPS) - 1)
    assert pictures[-1].number == round(SECONDS * FPS) - 1
    playing.supervisor.play(CLIP)  # and begins anew
    assert (await playing.at("playing")).position_ms < 500


async def test_who_comes_while_it_stands_sees_it(playing: Playing, meeting: Meeting) -> None:
    await playing.play(prepared_film(SECONDS), is_paused=True, from_ms=3_000)
    await playing.at("paused")
    await eventually(lambda: len(playing.watch().pictures()) > 0, every_s=0.3, timeout_s=15, what="a picture")
    assert abs(playing.watch().pictures()[0].number - 90) <= 1
    await meeting.receive("late")
    await meeting.flows("late", CLIP, "screen", packets=1)


async def test_a_player_that_is_killed_is_told_of(playing: Playing) -> None:
    await playing.play(prepared_film(SECONDS))
    await playing.shown(FPS)
    (pid,) = [
        int(each)
        for each in os.listdir("/proc")
        if each.isdigit() and "conference.ingest.worker" in command_line(int(each)) and _is_ours(int(each))
    ]
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: any(isinstance(each, IngestFailed) for each in playing.events), timeout_s=15)


def _is_ours(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return f"PPid:\t{os.getpid()}\n" in status
