"""One file of one track: encoded frames go in as they came, and are on the disk within a second.

VP8 and Opus become WebM, H264 fragmented MP4. The containers are closed off every half second (clusters,
fragments), so that a file whose writer was killed plays up to there.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.container

from recording.manifest import sync_directory

_MICROSECONDS: Final = Fraction(1, 1_000_000)
_CLUSTER_MS: Final = 500
_WEBM: Final = {"cluster_time_limit": str(_CLUSTER_MS), "flush_packets": "1"}
_MP4: Final = {
    "movflags": "frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": str(_CLUSTER_MS * 1000),
    "flush_packets": "1",
}
_OPUS_RATE: Final = 48_000
_REORDERED: Final = 4  # how far frames may stand out of order where the sequence says that they do
_REORDERED_US: Final = _REORDERED * 40_000  # time enough at 25 frames a second
_HASH_CHUNK: Final = 1 << 20

SUFFIXES: Final = {"vp8": ".webm", "h264": ".mp4", "opus": ".webm"}


class UnreadableError(Exception):
    """The first frame does not say what a player needs to know; another keyframe may."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a file is made for. Size in pixels, 0 for sound; `first` is the keyframe that a file of H264 begins with."""

    codec: str
    width: int = 0
    height: int = 0
    first: bytes = b""


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a file."""

    duration_ms: int
    size_bytes: int
    frames: int


class _Disk:
    """The file as the container sees it. FFmpeg's MP4 takes no notice of a disk that refuses the end: kept here."""

    def __init__(self, descriptor: int) -> None:
        self._fd = descriptor
        self.refused: OSError | None = None

    def write(self, data: bytes) -> int:
        if self.refused is not None:
            raise self.refused  # or the header would tell of what is not there
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
        except OSError as error:
            self.refused = self.refused or error
            raise
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)


class TrackWriter:
    """Makes the file, which must not exist. Every method may raise OSError; after that only `abandon` is left."""

    def __init__(self, path: Path, format_: Format) -> None:
        if format_.codec not in SUFFIXES:
            raise UnreadableError(f"no container for {format_.codec}")
        header = _opened(format_.first) if format_.codec == "h264" else None
        self.path = path
        self.shift_us = 0  # so much later than given does everything stand in the file
        self.frames = 0
        self.last_us = 0
        self._whole_bytes = 0
        self._previous_us = -1
        self._step_us = 0
        self._dts_us = -1
        self._recent: deque[int] | None = None
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            is_mp4 = format_.codec == "h264"
            self._disk = _Disk(self._fd)
            self._container = av.open(
                self._disk, "w", format="mp4" if is_mp4 else "webm", options=_MP4 if is_mp4 else _WEBM
            )
            if header is not None:
                template = header.streams.video[0]
                if template.codec_context.has_b_frames:
                    self._recent = deque(maxlen=_REORDERED + 1)
                    self.shift_us = _REORDERED_US
                self._stream: av.stream.Stream = self._container.add_stream_from_template(template)
                header.close()
            elif format_.codec == "vp8":
                self._stream = self._container.add_mux_stream(
                    "vp8", width=format_.width, height=format_.height
                )
            else:
                sound = self._container.add_stream("libopus", rate=_OPUS_RATE, layout="stereo")
                sound.codec_context.open()  # a bare stream lacks what the container's header says of Opus
                self._stream = sound
            sync_directory(path.parent)
        except BaseException:
            os.close(self._fd)
            self._fd = -1
            raise

    def write(self, data: bytes, at_us: int, *, is_key: bool) -> None:
        """The next frame in the order of decoding; `at_us` is when it is shown, from the beginning of the file."""
        at_us = max(0, at_us)
        if self._recent is None:
            at_us = max(at_us, self._previous_us + 1)  # no container takes time that goes back
            decode_us = at_us
        else:
            at_us += self.shift_us
            decode_us = self._decode_time(at_us)
            at_us = max(at_us, decode_us)
        if self.frames:
            self._step_us = abs(at_us - self._previous_us)
        self._previous_us = at_us
        packet = av.Packet(data)
        packet.stream = self._stream
        packet.time_base = _MICROSECONDS
        packet.pts, packet.dts = at_us, decode_us
        packet.is_keyframe = is_key
        self._container.mux(packet)
        self._whole_bytes = self.size_bytes  # whole clusters and fragments alone are ever handed to the disk
        self.frames += 1
        self.last_us = max(self.last_us, at_us)

    def _decode_time(self, at_us: int) -> int:
        """Frames out of order: the time of decoding is the same row of times in order, that much earlier."""
        assert self._recent is not None
        self._recent.append(at_us)
        in_order = sorted(self._recent)
        early = in_order[0] if len(in_order) > _REORDERED else self.frames * 40_000
        self._dts_us = max(self._dts_us + 1, min(early, at_us))
        return self._dts_us

    def sync(self) -> None:
        """What was written is on the disk."""
        os.fsync(self._fd)

    def fileno(self) -> int:
        """For who syncs elsewhere: duplicate it, because it is closed with the file."""
        return self._fd

    @property
    def size_bytes(self) -> int:
        return os.fstat(self._fd).st_size if self._fd >= 0 else 0

    @property
    def duration_ms(self) -> int:
        """Up to the end of the last frame, which is taken to last as long as the one before."""
        return (self.last_us + self._step_us) // 1000 if self.frames else 0

    def close(self) -> Finished:
        """End the file properly; where the disk does not take the end, what is whole stays."""
        try:
            self._container.close()
            if self._disk.refused is not None:
                raise self._disk.refused
            os.fsync(self._fd)
            size_bytes = self.size_bytes
        except (OSError, av.FFmpegError):
            self._leave_whole()
            raise
        os.close(self._fd)
        self._fd = -1
        return Finished(self.duration_ms, size_bytes, self.frames)

    def abandon(self) -> None:
        """Let go of the file without waiting for the disk; what is whole in it stays."""
        if self._fd >= 0:
            with suppress(OSError, av.FFmpegError):  # the end of the file is what the disk did not take
                self._container.close()
                if self._disk.refused is None:
                    self._whole_bytes = self.size_bytes
            self._leave_whole()

    def _leave_whole(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._fd, min(self._whole_bytes, self.size_bytes))
        os.close(self._fd)
        self._fd = -1


def _opened(first: bytes) -> av.container.InputContainer:
    try:
        container = av.open(io.BytesIO(first), "r", format="h264")
        if not container.streams.video or not container.streams.video[0].codec_context.width:
            raise UnreadableError("the keyframe says no size")
    except av.FFmpegError as error:
        raise UnreadableError(f"the keyframe cannot be read: {error}") from error
    return container


def sha256_of(path: Path) -> str:
    """In hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASH_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def measured(path: Path) -> Finished | None:
    """What a file that nobody closed holds; None when no player could open it."""
    frames = end_us = 0
    try:
        with av.open(str(path)) as container:
            for packet in container.demux():
                if packet.pts is not None and packet.time_base is not None and packet.size:
                    frames += 1
                    length = packet.duration or 0
                    end_us = max(end_us, int((packet.pts + length) * packet.time_base * 1_000_000))
    except (av.FFmpegError, OSError):
        if not frames:
            return None
    return Finished(end_us // 1000, path.stat().st_size, frames) if frames else None
