"""Makes of a file that somebody brought one that can be played into a room: H264 and Opus in an MP4, and its poster.

The file is read twice: once for its loudness and whether it can be read at all, once for what is made of it. It comes
from a stranger: FFmpeg is let read containers of sound and film alone, from this one file, no lists that name others.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import av.container
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL.Image import Image

from conference.ingest.clip_picture import NoPictureError, PictureTrack
from conference.ingest.clip_sound import Decoded, Meter, SoundTrack
from conference.model.clip import MAX_DURATION_MS, MadeClip

FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,ogg,wav,w64,mp3,aac,flac,aiff,"
    "amr,rm,mxf,dv,ivf,h264,hevc,m4v"
)
_MIN_MS: Final = 200
_POSTER_WIDTH: Final = 480
_POSTER_AT_S: Final = 4.0
_LOOK_BYTES: Final = 8 << 20
_BAD_SHARE: Final = 0.2  # of the packets: a file that is worse is no film any more
_BAD_LEAST: Final = 25
_MOST_HELD: Final = 1_500  # frames of sound that wait for the first picture

Told = Callable[[str, float], None]


class RefusedError(Exception):
    """`reason`: one of model.clip.REFUSALS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie. Nothing is written that leaves less than `reserve_bytes` on the disk."""

    source: Path
    out: Path
    poster: Path
    reserve_bytes: int


class _Source:
    """A file that is read from its beginning to its end."""

    def __init__(self, path: Path) -> None:
        options = {"protocol_whitelist": "file", "format_whitelist": FORMATS}
        try:
            self.container = av.open(str(path), "r", options=options, metadata_errors="replace")
        except av.FFmpegError as error:
            raise RefusedError("not_media", str(error)) from error
        streams = self.container.streams
        films = [each for each in streams.video if not _is_cover(each)]
        self.video: VideoStream | None = films[0] if films else None
        best = streams.best("audio")
        self.audio = best if isinstance(best, AudioStream) else None
        self._size = max(1, path.stat().st_size)
        self.start_s = (self.container.start_time or 0) / av.time_base
        duration = self.container.duration
        self.duration_s = duration / av.time_base if duration else None
        self.share = 0.0  # of it that was read
        self._good = self._bad = 0

    def frames(self, *streams: VideoStream | AudioStream) -> Iterator[VideoFrame | AudioFrame]:
        """Decoded, in the order of the file. Raises RefusedError when too much of it cannot be read."""
        for stream in streams:
            stream.codec_context.thread_count = 1
        try:
            for packet in self.container.demux(*streams):
                if packet.pos:
                    self.share = min(1.0, packet.pos / self._size)
                for frame in self._decoded(packet):
                    if isinstance(frame, VideoFrame | AudioFrame):
                        yield frame
        except av.error.DecoderNotFoundError as error:
            raise RefusedError("codec_unknown", str(error)) from error
        except av.FFmpegError as error:
            if not self._good:
                raise RefusedError("broken", str(error)) from error
            # It was cut off in the midst: what there is can be shown.
        if self._bad > max(_BAD_LEAST, _BAD_SHARE * self._good):
            raise RefusedError("broken", f"{self._bad} of {self._good + self._bad} packets")

    def _decoded(self, packet: av.Packet[Any]) -> Iterator[object]:
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            self._bad += 1
            return
        self._good += bool(packet.size)
        yield from frames

    def close(self) -> None:
        self.container.close()


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & stream.disposition.__class__.attached_pic)


def make_clip(places: Places, told: Told) -> MadeClip:
    """Make it; both files have their names when it returns. `told` hears step and share. Raises RefusedError."""
    gain = _measured(places, lambda share: told("checking", share))
    part, poster = _part(places.out), _part(places.poster)
    try:
        made = _made(places, part, poster, gain, lambda share: told("transcoding", share))
        _sync(part)
        if made.has_picture:
            poster.replace(places.poster)
        part.replace(places.out)
    finally:
        part.unlink(missing_ok=True)
        poster.unlink(missing_ok=True)
    return made


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _measured(places: Places, told: Callable[[float], None]) -> float:
    """The gain of the sound. Refuses what is none of ours."""
    source = _Source(places.source)
    try:
        if source.video is None and source.audio is None:
            raise RefusedError("not_media", "neither film nor sound")
        for stream in (source.video, source.audio):
            if stream is not None and stream.codec_context.codec is None:
                raise RefusedError("codec_unknown")
        if source.duration_s is not None and source.duration_s * 1000 > MAX_DURATION_MS:
            raise RefusedError("too_long", f"{source.duration_s:.0f} s")
        meter, decoded = Meter(), Decoded()
        if source.audio is not None:
            for frame in source.frames(source.audio):
                assert isinstance(frame, AudioFrame)
                meter.push(decoded.push(frame))
                told(source.share)
        return meter.gain
    finally:
        source.close()


def _made(places: Places, part: Path, poster: Path, gain: float, told: Callable[[float], None]) -> MadeClip:
    source = _Source(places.source)
    try:
        with av.open(str(part), "w", format="mp4") as out:
            return _Making(places, source, out, poster, gain).run(told)
    except NoPictureError as error:
        raise RefusedError("broken", str(error)) from error
    except OSError as error:  # what cannot be read is told by the source: the disk refused
        raise RefusedError("disk_full", str(error)) from error
    except av.FFmpegError as error:
        raise RefusedError("broken", str(error)) from error
    finally:
        source.close()


class _Making:
    """One file being made."""

    def __init__(
        self,
        places: Places,
        source: _Source,
        out: av.container.OutputContainer,
        poster: Path,
        gain: float,
    ) -> None:
        self._places = places
        self._source = source
        self._out = out
        self._poster = poster
        self._gain = gain
        self._pictures: PictureTrack | None = None
        self._sound: SoundTrack | None = None
        self._decoded = Decoded()
        self._has_poster = False
        self._unlooked = _LOOK_BYTES
        self._held: list[tuple[AudioFrame, float]] = []  # before the first picture opened the file
        self._is_blind = source.video is None

    def run(self, told: Callable[[float], None]) -> MadeClip:
        source = self._source
        wanted = [each for each in (source.video, source.audio) if each is not None]
        if source.audio is not None:
            self._sound = SoundTrack(self._out, self._gain)
        for frame in source.frames(*wanted):
            at_s = max(0.0, frame.time - source.start_s) if frame.time is not None else None
            if isinstance(frame, VideoFrame):
                self._take_picture(frame, at_s)
            else:
                self._take_sound(frame, at_s)
            told(source.share)
        return self._finished()

    def _take_picture(self, frame: VideoFrame, at_s: float | None) -> None:
        assert self._source.video is not None
        if self._is_blind:
            return
        if self._pictures is None:
            self._pictures = PictureTrack(self._out, frame, self._source.video)
            held, self._held = self._held, []
            for sound, time_s in held:
                self._take_sound(sound, time_s)
        pictures = self._pictures
        at_s = pictures.end_s if at_s is None else at_s
        self._require_short(at_s)
        self._mux(pictures.push(frame, at_s))
        if not self._has_poster and pictures.end_s >= min(_POSTER_AT_S, (self._source.duration_s or 1) / 4):
            self._keep_poster()

    def _take_sound(self, frame: AudioFrame, at_s: float | None) -> None:
        """A file's header names all its tracks: what is heard before the first picture waits for it."""
        assert self._sound is not None
        if not self._is_blind and self._pictures is None:
            self._held.append((frame, self._sound.end_s if at_s is None else at_s))
            if len(self._held) > _MOST_HELD:
                self._go_blind()
            return
        at_s = self._sound.end_s if at_s is None else at_s
        self._require_short(at_s)
        self._mux(self._sound.push(self._decoded.push(frame), at_s))

    def _go_blind(self) -> None:
        """No picture came: what is heard is all there is."""
        if self._pictures is None:
            self._is_blind = True
            held, self._held = self._held, []
            for frame, at_s in held:
                self._take_sound(frame, at_s)

    def _finished(self) -> MadeClip:
        self._go_blind()
        pictures, sound = self._pictures, self._sound
        end_s = max(0.0 if pictures is None else pictures.last_s, 0.0 if sound is None else sound.end_s)
        if end_s * 1000 < _MIN_MS:
            raise RefusedError("too_short", f"{end_s:.3f} s")
        if pictures is not None:
            self._mux(pictures.finish(end_s))
            self._keep_poster()
        if sound is not None:
            self._mux(sound.finish(end_s))
        return MadeClip(
            duration_ms=round(end_s * 1000),
            width=0 if pictures is None else pictures.shape.width,
            height=0 if pictures is None else pictures.shape.height,
            has_picture=pictures is not None,
            has_sound=sound is not None,
        )

    def _keep_poster(self) -> None:
        frame = None if self._pictures is None else self._pictures.poster()
        if self._has_poster or frame is None:
            return
        image: Image = frame.to_image()  # type: ignore[no-untyped-call]
        image.thumbnail((_POSTER_WIDTH, _POSTER_WIDTH))
        image.save(self._poster, "JPEG", quality=82)
        self._has_poster = True

    def _mux(self, packets: Iterator[av.Packet[VideoStream | AudioStream]]) -> None:
        for packet in packets:
            self._unlooked += packet.size
            self._out.mux(packet)
        if self._unlooked >= _LOOK_BYTES:
            self._unlooked = 0
            if shutil.disk_usage(self._places.out.parent).free < self._places.reserve_bytes:
                raise RefusedError("disk_full")

    @staticmethod
    def _require_short(at_s: float) -> None:
        if at_s * 1000 > MAX_DURATION_MS:
            raise RefusedError("too_long")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
