"""The files of one track, one after the other: a new one wherever a player could not go on in the old one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import av

from recording.track_writer import SUFFIXES, Format, TrackWriter, UnreadableError

Fact = Mapping[str, Any]
_NOT_PLAIN: Final = re.compile(r"[^A-Za-z0-9_]")
_LONGEST_PAUSE_US: Final = 600_000_000  # a track that was silent for longer begins a new file


class Ledger(Protocol):
    """Takes the facts. Either may raise DiskError."""

    def tell(self, fact: Fact) -> None: ...

    def tell_hashed(self, fact: Fact, path: Path) -> None:
        """The same with `sha256` of the file, when it is known."""


class DiskError(OSError):
    """The disk does not take any more, or cannot be written at all."""


@dataclass(slots=True)
class Names:
    """Numbers for the files of one life: none is given twice."""

    directory: Path
    _given: dict[str, int] = field(default_factory=dict)

    def next(self, participant_id: str, source: str, codec: str) -> Path:
        stem = f"{_NOT_PLAIN.sub('_', participant_id)}-{_NOT_PLAIN.sub('_', source)}"
        self._given[stem] = self._given.get(stem, 0) + 1
        return self.directory / f"{stem}-{self._given[stem]}{SUFFIXES[codec]}"


@dataclass(frozen=True, slots=True)
class Track:
    """What is recorded: who sends it, what it is, in which coding, and what it is called."""

    participant_id: str
    publication_id: str
    source: str
    codec: str
    label: str = ""

    @property
    def is_video(self) -> bool:
        return self.codec != "opus"


class Segments:
    """Feed it frames in the order of decoding. Facts go to the ledger, times in them are program time in ms.

    Every method may raise DiskError.
    """

    def __init__(self, track: Track, names: Names, ledger: Ledger) -> None:
        self.track = track
        self._names = names
        self._ledger = ledger
        self._writer: TrackWriter | None = None
        self._size = (0, 0)
        self._start_us = 0
        self.lost = 0  # packets, since the file was opened

    @property
    def writer(self) -> TrackWriter | None:
        """The file that is open."""
        return self._writer

    def write(self, data: bytes, program_us: int, *, is_key: bool, size: tuple[int, int] = (0, 0)) -> bool:
        """Whether the frame was taken: a file of pictures begins with a keyframe that says its size.

        A file that the disk refuses to go on with is let go of, with what is whole in it.
        """
        writer = self._writer
        if writer is not None:
            changed = self.track.is_video and is_key and size not in ((0, 0), self._size)
            if changed or program_us - self._start_us - writer.last_us > _LONGEST_PAUSE_US:
                self.close("size" if changed else "pause")
                writer = None
        if writer is None:
            if self.track.is_video and (not is_key or size == (0, 0)):
                return False
            try:
                writer = self._open(data, program_us, size)
            except UnreadableError:
                return False
        try:
            writer.write(data, program_us - self._start_us, is_key=is_key)
        except (OSError, av.FFmpegError) as error:
            self.abandon()
            raise DiskError(*error.args) from error
        return True

    def _open(self, first: bytes, program_us: int, size: tuple[int, int]) -> TrackWriter:
        track = self.track
        path = self._names.next(track.participant_id, track.source, track.codec)
        try:
            writer = TrackWriter(path, Format(track.codec, *size, first))
        except (OSError, av.FFmpegError) as error:
            raise DiskError(*error.args) from error
        self._writer, self._size, self._start_us, self.lost = writer, size, program_us, 0
        fact: dict[str, Any] = {
            "fact": "opened",
            "file": path.name,
            "participant_id": track.participant_id,
            "publication_id": track.publication_id,
            "source": track.source,
            "codec": track.codec,
            "label": track.label,
            "started_at_ms": max(0, (program_us - writer.shift_us) // 1000),
        }
        if track.is_video:
            fact |= {"width": size[0], "height": size[1]}
        self._ledger.tell(fact)
        return writer

    def gap(self, packets: int, program_us: int | None) -> None:
        """So many packets are missing here."""
        self.lost += packets
        if self._writer is not None:
            at = {} if program_us is None else {"at_ms": program_us // 1000}
            self._ledger.tell({"fact": "gap", "file": self._writer.path.name, "packets": packets, **at})

    def gate(self, *, is_open: bool) -> None:
        """The sound was shut off or let through."""
        track = self.track
        self._ledger.tell(
            {"fact": "gate", "participant_id": track.participant_id, "source": track.source, "open": is_open}
        )

    def close(self, reason: str) -> None:
        """End the open file, if there is one; the next frame begins another."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            finished = writer.close()
        except (OSError, av.FFmpegError) as error:
            raise DiskError(*error.args) from error
        self._ledger.tell_hashed(
            {
                "fact": "closed",
                "file": writer.path.name,
                "reason": reason,
                "duration_ms": finished.duration_ms,
                "size_bytes": finished.size_bytes,
                "frames": finished.frames,
                "packets_lost": self.lost,
            },
            writer.path,
        )

    def abandon(self) -> None:
        """Let go of a file that cannot be written any more."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.abandon()
