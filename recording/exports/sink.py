"""The file that is being made: under another name until it is whole, hashed and on the disk."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeAlias

import av
import av.container

from recording.exports.chapter_track import hide_chapter_track
from recording.manifest import sync_directory
from recording.segments import DiskError
from recording.track_writer import sha256_of

Packet: TypeAlias = "av.Packet[Any]"

PART: Final = ".part"
_SYNC_BYTES: Final = 32 << 20  # so that a meeting's own fsync does not wait for gigabytes of this
_BUFFER_BYTES: Final = 1 << 18
_HEAD_BYTES: Final = 1 << 16
_SAMPLE_BYTES: Final = 32  # what a sample may take in the index at the beginning of the file


class NothingRecordedError(Exception):
    """There is nothing to make the file of."""


class UnreadableError(Exception):
    """What was recorded cannot be read."""


class Sink:
    """Takes an MP4 through FFmpeg. `path` is the name in the end; what a killed process left there is made anew.

    Every method but `discard` may raise DiskError: when the disk refuses, and when fewer than `reserve_bytes` are left
    for meetings that are being recorded.
    """

    def __init__(self, path: Path, *, reserve_bytes: int) -> None:
        self.path = path
        self._part = path.with_name(path.name + PART)
        self._reserve_bytes = reserve_bytes
        self._refused: OSError | None = None
        self._unsynced = 0
        self._container: av.container.OutputContainer | None = None
        try:
            self._fd = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise DiskError(*error.args) from error
        try:
            self._check_space()
        except OSError as error:
            self.discard()
            raise DiskError(*error.args) from error

    def begin(self, samples: int) -> av.container.OutputContainer:
        """The container to mux into. `samples` is the most that it will take: room for their index is left in
        front, so that a player begins at once."""
        index_bytes = _HEAD_BYTES + _SAMPLE_BYTES * samples
        self._container = av.open(
            self,
            "w",
            format="ipod" if self.path.suffix == ".m4a" else "mp4",
            options={"moov_size": str(index_bytes)},
            buffer_size=_BUFFER_BYTES,
        )
        return self._container

    def finish(self) -> tuple[int, str]:
        """Size and SHA-256 of the file, which has its name now."""
        container, self._container = self._container, None
        assert container is not None
        try:
            container.close()
            self.require_taken()
            hide_chapter_track(self._fd)
            os.fsync(self._fd)
            size_bytes = os.fstat(self._fd).st_size
            self._require_whole(size_bytes)
            os.close(self._fd)
            self._fd = -1
            digest = sha256_of(self._part)
            self._part.replace(self.path)
            sync_directory(self.path.parent)
        except (OSError, av.FFmpegError) as error:
            self.require_taken()
            raise DiskError(*error.args) from error
        return size_bytes, digest

    def discard(self) -> None:
        """Nothing is left of it. Idempotent."""
        container, self._container = self._container, None
        if container is not None:
            self._refused = self._refused or OSError(errno.ECANCELED, "given up")
            with suppress(OSError, av.FFmpegError):
                container.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._part.unlink(missing_ok=True)

    # ── the file as FFmpeg sees it ──────────────────────────────────────────────────────────────

    def write(self, data: bytes) -> int:
        """FFmpeg takes no notice of a disk that refuses the end of a file: kept for `finish`."""
        if self._refused is not None:
            raise self._refused
        left = memoryview(data)
        try:
            while left:
                left = left[os.write(self._fd, left) :]
            self._unsynced += len(data)
            if self._unsynced >= _SYNC_BYTES:
                self._unsynced = 0
                os.fsync(self._fd)
                self._check_space()
        except OSError as error:
            self._refused = error
            raise
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._fd, offset, whence)

    def tell(self) -> int:
        return os.lseek(self._fd, 0, os.SEEK_CUR)

    # ── checks ──────────────────────────────────────────────────────────────────────────────────

    def require_taken(self) -> None:
        """Raise what the disk refused, if it did."""
        if self._refused is not None:
            raise DiskError(*self._refused.args) from self._refused

    def _check_space(self) -> None:
        found = os.fstatvfs(self._fd)
        if found.f_bavail * found.f_frsize < self._reserve_bytes:
            raise OSError(errno.ENOSPC, "what is left is for meetings")

    def _require_whole(self, size_bytes: int) -> None:
        end, kinds = 0, set()
        with self._part.open("rb") as file:
            while head := file.read(16):
                size = int.from_bytes(head[:4], "big")
                size = int.from_bytes(head[8:16], "big") if size == 1 else size
                kinds.add(head[4:8])
                if size < 8:
                    break
                end += size
                file.seek(end)
        if end != size_bytes or not {b"moov", b"mdat"} <= kinds:
            raise OSError(errno.EIO, "the file is not whole")
