"""A clip that is played into a room: read in its own time, paused, moved, and begun again. One thread."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import av

from conference.ingest import messages
from conference.ingest.output import AUDIO_TRACK, VIDEO_TRACK, Output
from conference.ingest.picture import PicturePath, UnreadableError
from conference.ingest.reach import SourceError
from conference.ingest.sound import SoundPath
from conference.ingest.source import Source, open_clip
from conference.ingest.stream_clock import StreamClock
from conference.ingest.telling import Say, Telling
from conference.ingest_events import IngestReason

_STEP_S: Final = 0.1
_TELL_S: Final = 5.0

PLAYING: Final = "playing"
PAUSED: Final = "paused"
ENDED: Final = "ended"


class ClipPlayer:
    """Owned by the worker, which runs it in a thread and hands it what is asked for."""

    def __init__(self, job: messages.Job, output: Output, say: Say) -> None:
        self.beat_s = time.monotonic()
        self._job = job
        self._output = output
        self._say = say
        self._clock = StreamClock()
        self._picture = PicturePath(output, self._clock)
        self._sound = SoundPath(output, self._clock)
        self._telling = Telling(say, self._picture, self._sound, lambda: "opus")
        self._orders: deque[messages.Play | messages.Pause | messages.Seek] = deque()
        self._asked = threading.Condition()
        self._state = PAUSED if job.is_paused else PLAYING
        self._position_s = job.from_ms / 1000
        self._base_s = 0.0  # our time of the clip's time 0, while it plays
        self._told_s = -1e9

    def obey(self, order: messages.Play | messages.Pause | messages.Seek) -> None:
        """The main thread's."""
        with self._asked:
            self._orders.append(order)
            self._asked.notify()

    def run(self) -> None:
        """Until the process ends; a clip that cannot be read is told of, once."""
        try:
            source = open_clip(
                self._job.url, want_video=self._job.want_video, want_sound=self._job.want_sound
            )
            try:
                self._begin(source)
                while True:
                    self._show_from(source)
            finally:
                source.close()
        except (SourceError, UnreadableError, av.FFmpegError) as error:
            reason = error.reason if isinstance(error, SourceError) else IngestReason.GARBAGE
            print(f"ingest: clip: {type(error).__name__} {reason}", file=sys.stderr, flush=True)
            self._output.close_tracks(VIDEO_TRACK, AUDIO_TRACK)
            self._telling.failed(reason, None)
        while True:
            self.beat_s = time.monotonic()
            time.sleep(_STEP_S)

    # ── playing ─────────────────────────────────────────────────────────────────────────────────

    def _begin(self, source: Source) -> None:
        if source.video is not None:
            self._picture.begin(source.video)
        if source.audio is not None:
            self._sound.begin(source.audio)
            self._output.open_audio()  # both are there when it begins to play

    def _show_from(self, source: Source) -> None:
        """Go to the position, and on from there until another one is asked for."""
        position_s = self._position_s
        source.container.seek(round(position_s * av.time_base), backward=True)
        for stream in (source.video, source.audio):
            if stream is not None:
                stream.codec_context.flush_buffers()
        self._picture.jump()
        self._sound.jump()
        self._set_clock(position_s)
        is_there = False
        for packet, at_s, is_video in self._packets(source, _begin_of(source)):
            if is_there:
                if not self._wait_for(at_s):
                    return
            elif source.video is not None and not is_video:
                continue  # its picture comes first
            self._push(packet, at_s, is_video=is_video)
            if not is_there and at_s >= position_s:
                is_there = True
                self._set_clock(at_s)
                self._tell()
        self._state = ENDED
        self._tell()
        self._wait_for(math.inf)

    def _set_clock(self, at_s: float) -> None:
        """Now is this moment of the clip."""
        self._base_s = time.monotonic() - at_s
        self._clock.restart()
        self._clock.on_packet(at_s, self._base_s + at_s)

    def _push(self, packet: av.Packet[Any], at_s: float, *, is_video: bool) -> None:
        self._position_s = at_s
        now_s = self._base_s + at_s
        self._clock.on_packet(at_s, now_s)
        if is_video:
            self._picture.push(packet, at_s, now_s)
        else:
            self._sound.push(packet, at_s, now_s)
        self._telling.on_packet(now_s)
        if time.monotonic() - self._told_s > _TELL_S:
            self._tell()

    def _packets(self, source: Source, begin_s: float) -> Iterator[tuple[av.Packet[Any], float, bool]]:
        """Each with its time in the clip, and whether it is of the picture."""
        streams = [each for each in (source.video, source.audio) if each is not None]
        for packet in source.container.demux(streams):
            self.beat_s = time.monotonic()
            at = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or at is None or packet.time_base is None:
                continue
            yield packet, float(at * packet.time_base) - begin_s, packet.stream is source.video

    def _wait_for(self, at_s: float) -> bool:
        """Until a packet is due; False when another place was asked for meanwhile. Paused, or with nobody to show it
        to, the clip's time stands."""
        while True:
            self.beat_s = before_s = time.monotonic()
            if self._orders and not self._take_orders():
                return False
            is_moving = self._state == PLAYING and self._output.has_reader
            left_s = self._base_s + at_s - before_s if is_moving else _STEP_S
            if left_s <= 0:
                return True
            if not is_moving:
                self._picture.stand(before_s)
            with self._asked:
                if not self._orders:
                    self._asked.wait(min(left_s, _STEP_S))
            if not is_moving:
                self._base_s += time.monotonic() - before_s
                self._clock.restart()
                self._clock.on_packet(self._position_s, self._base_s + self._position_s)

    def _take_orders(self) -> bool:
        """False when the clip is to go on from another place."""
        goes_on = True
        while self._orders:
            match self._orders.popleft():
                case messages.Play():
                    if self._state == ENDED:
                        self._position_s, goes_on = 0.0, False
                    self._state = PLAYING
                case messages.Pause():
                    if self._state == PLAYING:
                        self._state = PAUSED
                case messages.Seek(position_ms):
                    self._position_s, goes_on = max(0, position_ms) / 1000, False
                    if self._state == ENDED:
                        self._state = PAUSED
        self._tell()
        return goes_on

    def _tell(self) -> None:
        self._told_s = time.monotonic()
        self._say(messages.At(self._state, round(1000 * self._position_s), self._told_s))


def _begin_of(source: Source) -> float:
    """Where the clip's time begins."""
    starts = [
        float(each.start_time * each.time_base)
        for each in (source.video, source.audio)
        if each is not None and each.start_time is not None and each.time_base is not None
    ]
    return min(starts, default=0.0)
