"""A job: one microphone's sound from its recorded files, which may still be written.

A job may begin deep in a long file, so it is sought in it; a file that is not closed has no index, and FFmpeg finds the
way by its clusters.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av

from conference.model.gap_reasons import GapReason
from conference.worker_events import ListenJob
from transcription.line import Line, Part, Skip
from transcription.source import Source

_PACKETS: Final = 50  # a read; a second of sound
_SEEK_MS: Final = 10_000.0
_OVERLAP_MS: Final = 30.0
_RAGGED_MS: Final = 1_000.0  # a file that is still written, or whose writer was killed, may end anyhow


class FileSource(Source):
    """Read in the thread of a lane. Voice is handed out in the order of time, whatever lane asks."""

    def __init__(self, job: ListenJob, recordings: Path) -> None:
        super().__init__(job.consultation_id, job.participant_id, job.id)
        self.is_cancelled = False
        self.is_over = False  # all was read
        self.is_told = False  # that it is over
        self.reason = ""  # of ListenEnded
        self._job = job
        self._recordings = recordings
        self._line = Line()
        self._packets = self._read_packets()
        self.until_ms = job.to_ms
        self.begin(job.from_ms)

    def read(self) -> list[Part]:
        """The next second or so; what is voice in it."""
        parts: list[Part] = []
        for _ in range(_PACKETS):
            found = next(self._packets, None)
            if found is None:
                self.is_over = True
                parts += self._line.pause()
                self.quiet_to_ms = max(self.quiet_to_ms, self._job.to_ms)
                return parts
            if isinstance(found, Skip):
                parts += [*self._line.pause(), found]
                self.reason = GapReason.UNREADABLE
            else:
                parts += self._line.push(*found)
        if not self._line.is_voiced:
            self.quiet_to_ms = max(self.quiet_to_ms, self._line.quiet_to_ms)
        return parts

    def _read_packets(self) -> Iterator[tuple[bytes, float] | Skip]:
        job = self._job
        files = [each for each in job.files if each.started_at_ms < job.to_ms]
        reached_ms = float(job.from_ms)
        for number, file in enumerate(files):
            following = files[number + 1].started_at_ms if number + 1 < len(files) else job.to_ms
            end_ms, trouble = min(following, job.to_ms), "it ends early"
            try:
                for data, at_ms in packets_of(
                    self._recordings / file.path, file.started_at_ms, reached_ms - _OVERLAP_MS
                ):
                    if at_ms >= job.to_ms:
                        reached_ms = job.to_ms  # whatever pause was before it
                        break
                    reached_ms = max(reached_ms, at_ms)
                    yield data, at_ms
            except (av.FFmpegError, OSError) as error:
                trouble = str(error)
            if end_ms - reached_ms > _RAGGED_MS:
                # FFmpeg reads a file that was cut off without a word: what is not there was not heard.
                print(f"transcription worker: {file.path}: {trouble}", file=sys.stderr)
                yield Skip(max(reached_ms, self._line.end_ms), end_ms)


def packets_of(path: Path, started_at_ms: int, from_ms: float) -> Iterator[tuple[bytes, float]]:
    """Opus packets from then on, with their program time. Raises av.FFmpegError, OSError."""
    with av.open(str(path)) as container:
        if from_ms - started_at_ms > _SEEK_MS:
            container.seek(round((from_ms - started_at_ms - _SEEK_MS) * 1000), backward=True)
        for packet in container.demux(audio=0):
            if packet.pts is None or packet.time_base is None or not packet.size:
                continue
            at_ms = (
                started_at_ms + packet.pts * 1000 * packet.time_base.numerator / packet.time_base.denominator
            )
            if at_ms >= from_ms:
                yield bytes(packet), at_ms
