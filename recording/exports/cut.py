"""The process that cuts a stretch of one microphone out of its files: `python -m recording.exports.cut`.

Nothing is decoded: packets of Opus go from the recorded WebM into a small one. A JSON line on standard input asks, the
file is the answer on standard output, empty when there is no sound in the stretch. Files may be still written.
"""

from __future__ import annotations

import io
import resource
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.container
import msgspec

from conference.export_job import TrackFile

MOST_MS: Final = 1_800_000  # of one cut
MEMORY_BYTES: Final = 1024 * 1024 * 1024
CPU_S: Final = 30
_PREROLL_US: Final = 80_000  # what a decoder of Opus needs to find its feet
_NEAR_US: Final = 1_000_000  # a seek that ends further behind than that passed something over
_MICROSECONDS: Final = Fraction(1, 1_000_000)

Packet = tuple[int, bytes]  # when, in microseconds of the file, and what


class CutRequest(msgspec.Struct, frozen=True):
    """`recordings`: where the files lie. Times are program time in milliseconds."""

    recordings: str
    files: tuple[TrackFile, ...]
    from_ms: int
    to_ms: int


def cut(directory: Path, files: Sequence[TrackFile], from_ms: int, to_ms: int) -> bytes:
    """A WebM whose time 0 is `from_ms`; empty when nothing of it was recorded."""
    out = io.BytesIO()
    made: av.container.OutputContainer | None = None
    stream: Any = None
    last_us = -1
    for file in sorted(files, key=lambda each: each.started_at_ms):
        shift_us = (file.started_at_ms - from_ms) * 1000
        for at_us, data in _packets(
            directory / file.path, -shift_us, to_ms * 1000 - from_ms * 1000 - shift_us
        ):
            place_us = at_us + shift_us
            if place_us < 0 or place_us <= last_us:
                continue  # the end of one file and the beginning of the next may lie one upon the other
            if made is None:
                made = av.open(out, "w", format="webm")
                stream = made.add_stream("libopus", rate=48_000, layout="stereo")
                stream.codec_context.open()
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, _MICROSECONDS
            packet.pts = packet.dts = place_us
            packet.is_keyframe = True
            made.mux(packet)
            last_us = place_us
    if made is None:
        return b""
    made.close()
    return out.getvalue()


def _packets(path: Path, from_us: int, to_us: int) -> Iterator[Packet]:
    """What lies in the stretch, in order. A file that cannot be read has nothing."""
    with suppress(av.FFmpegError, OSError), av.open(str(path)) as container:
        if from_us > 0:
            with suppress(av.FFmpegError):  # of a file without an index, as one that is still written
                container.seek(from_us - _PREROLL_US)
        first = next(_demuxed(container), None)
        if first is not None and (from_us <= 0 or first[0] <= from_us + _NEAR_US):
            if from_us <= first[0] < to_us:
                yield first
            yield from _within(container, from_us, to_us)
            return
    with suppress(av.FFmpegError, OSError), av.open(str(path)) as container:
        yield from _within(container, from_us, to_us)


def _within(container: av.container.InputContainer, from_us: int, to_us: int) -> Iterator[Packet]:
    for at_us, data in _demuxed(container):
        if at_us >= to_us:
            return
        if at_us >= from_us:
            yield at_us, data


def _demuxed(container: av.container.InputContainer) -> Iterator[Packet]:
    if not container.streams.audio:
        return
    for packet in container.demux(container.streams.audio[0]):
        if packet.pts is not None and packet.time_base is not None and packet.size:
            yield int(packet.pts * packet.time_base * 1_000_000), bytes(packet)


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=CutRequest)
    if not 0 < asked.to_ms - asked.from_ms <= MOST_MS:
        sys.stderr.write("cut: no such stretch\n")
        return 1
    sys.stdout.buffer.write(cut(Path(asked.recordings), asked.files, asked.from_ms, asked.to_ms))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
