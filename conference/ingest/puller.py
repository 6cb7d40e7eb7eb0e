"""A camera or stream: opened, read, and opened again for as long as the process lives. One thread."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import av
import av.error

from conference.ingest import messages
from conference.ingest.output import AUDIO_TRACK, VIDEO_TRACK, Output
from conference.ingest.picture import PicturePath, UnreadableError
from conference.ingest.reach import SourceError
from conference.ingest.sound import SoundPath
from conference.ingest.source import Source, open_stream
from conference.ingest.stream_clock import StreamClock
from conference.ingest.telling import Say, Telling
from conference.ingest_events import UNSUITABLE, IngestReason

_FIRST_WAIT_S: Final = 0.3
_LAST_WAIT_S: Final = 2.0
_UNSUITABLE_WAIT_S: Final = 15.0  # cameras lock out who tries a wrong password too often
_MOST_UNSUITABLE_WAIT_S: Final = 120.0
_STEADY_S: Final = 10.0  # a connection that lasted so long has its waiting forgiven
_CLOSE_S: Final = 15.0  # so long a picture stands before its tile says that there is none
_NO_PICTURE_S: Final = 8.0  # while sound goes on
_MOST_LATE_S: Final = 2.0
_STEP_S: Final = 0.1


class Puller:
    """Owned by the worker, which runs it in a thread and looks at `beat_s`."""

    def __init__(self, job: messages.Job, output: Output, say: Say) -> None:
        self.beat_s = time.monotonic()  # the thread's last sign of life
        self._job = job
        self._output = output
        self._clock = StreamClock()
        self._picture = PicturePath(output, self._clock)
        self._sound = SoundPath(output, self._clock)
        self._sound_codec = ""
        self._telling = Telling(say, self._picture, self._sound, lambda: self._sound_codec)
        self._logged = ""
        self._gone_s: float | None = None  # since when nothing comes
        self._base_s: float | None = None  # of a source without a time of its own

    def run(self) -> None:
        """For ever."""
        wait_s, unsuitable_wait_s = _FIRST_WAIT_S, _UNSUITABLE_WAIT_S
        while True:
            self.beat_s = began_s = time.monotonic()
            self._telling.connecting()
            reason = self._pull_once()
            if time.monotonic() - began_s > _STEADY_S:
                wait_s, unsuitable_wait_s = _FIRST_WAIT_S, _UNSUITABLE_WAIT_S
            if reason in UNSUITABLE:
                now_wait_s = unsuitable_wait_s
                unsuitable_wait_s = min(2 * unsuitable_wait_s, _MOST_UNSUITABLE_WAIT_S)
            else:
                now_wait_s, wait_s = wait_s, min(2 * wait_s, _LAST_WAIT_S)
            self._telling.failed(reason, now_wait_s)
            self._wait(now_wait_s)

    def _pull_once(self) -> IngestReason:
        """One connection to its end, and why it ended."""
        job = self._job
        try:
            source = open_stream(job.url, job.transport, want_video=job.want_video, want_sound=job.want_sound)
            try:
                self._pull(source)
            finally:
                self._picture.end()
                self._sound.end()
                source.close()
        except SourceError as error:
            if str(error) != self._logged:  # a camera may be away for days
                self._logged = str(error)
                print(f"ingest: {error}", file=sys.stderr, flush=True)
            return error.reason
        return IngestReason.STOPPED

    def _pull(self, source: Source) -> None:
        """Raises SourceError."""
        self._clock.restart()
        self._base_s = None
        if source.video is not None:
            self._picture.begin(source.video)
        else:
            self._output.close_tracks(VIDEO_TRACK)
        if source.audio is None:
            self._output.close_tracks(AUDIO_TRACK)
        else:
            self._sound.begin(source.audio)
            self._sound_codec = source.audio.codec_context.name
        streams = [each for each in (source.video, source.audio) if each is not None]
        came = False
        picture_s = time.monotonic()
        try:
            for packet in source.container.demux(streams):
                self.beat_s = now_s = time.monotonic()
                if not packet.size:
                    break  # the end
                came = True
                is_video = packet.stream is source.video
                if is_video:
                    picture_s = now_s
                elif source.video is not None and now_s - picture_s > _NO_PICTURE_S:
                    raise SourceError(IngestReason.STOPPED, "sound alone goes on")
                self._push(packet, is_video=is_video, is_live=source.is_live)
        except UnreadableError as error:
            raise SourceError(IngestReason.GARBAGE, str(error)) from None
        except av.FFmpegError as error:
            reason = IngestReason.STOPPED if came else IngestReason.NO_PICTURE
            if isinstance(error, av.error.InvalidDataError):
                reason = IngestReason.GARBAGE
            raise SourceError(reason, type(error).__name__) from None
        if not came:
            raise SourceError(IngestReason.NO_PICTURE)

    def _push(self, packet: av.Packet[Any], *, is_video: bool, is_live: bool) -> None:
        at = packet.pts if packet.pts is not None else packet.dts
        if at is None or packet.time_base is None:
            return
        stream_s = float(at * packet.time_base)
        now_s = time.monotonic() if is_live else self._paced(stream_s)
        self._clock.on_packet(stream_s, now_s)
        if is_video:
            self._picture.push(packet, stream_s, now_s)
        else:
            self._sound.push(packet, stream_s, now_s)
        if self._gone_s is not None and (self._picture.is_shown or self._sound.is_heard):
            self._gone_s, self._logged = None, ""
        self._telling.on_packet(now_s)

    def _paced(self, stream_s: float) -> float:
        """When a packet is due that came as fast as it could be read."""
        now_s = time.monotonic()
        if self._base_s is None or not -_MOST_LATE_S < now_s - self._base_s - stream_s < _MOST_LATE_S:
            self._base_s = now_s - stream_s
        due_s = self._base_s + stream_s
        while (left_s := due_s - time.monotonic()) > 0:
            self.beat_s = time.monotonic()
            time.sleep(min(left_s, _STEP_S))
        return due_s

    def _wait(self, wait_s: float) -> None:
        until_s = time.monotonic() + wait_s
        if self._gone_s is None:
            self._gone_s = time.monotonic()
        while (left_s := until_s - time.monotonic()) > 0:
            self.beat_s = time.monotonic()
            if self.beat_s - self._gone_s > _CLOSE_S:
                self._output.close_tracks(VIDEO_TRACK, AUDIO_TRACK)
            time.sleep(min(left_s, _STEP_S))
