"""The tracks of one person on one time line: MP4 with picture and sound, or M4A where there is no picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import pairwise
from pathlib import Path
from typing import Final

import av
import av.container
import av.stream

from conference.export_job import TrackFile
from recording.exports import aac, pictures
from recording.exports.sink import NothingRecordedError, Packet, Sink
from recording.exports.sound import Voice, mixed

_SAMPLES_PER_S: Final = 120  # pictures and frames of sound: the most that a second holds
_SEAMLESS_MS: Final = 2000  # a picture may stand for so long between two files that are copied

Progress = Callable[[float], None]


def write_person(
    directory: Path, tracks: Sequence[TrackFile], sink: Sink, title: str, progress: Progress
) -> tuple[int, int]:
    """Fill the sink; from and duration in ms. `directory`: of recordings. Raises DiskError,
    NothingRecordedError."""
    origin_ms = min(each.started_at_ms for each in tracks)
    duration_ms = max(each.ends_at_ms for each in tracks) - origin_ms
    shown = [each for each in tracks if each.codec != "opus" and sink.path.suffix == ".mp4"]
    heard = [each for each in tracks if each.codec == "opus"]
    seconds = duration_ms // 1000 + 1
    size = pictures.size_of([directory / each.path for each in shown])
    is_copied = size is not None and _can_be_copied(directory, shown)
    extra = sum(_count(directory / each.path) for each in shown) if is_copied else 0
    container = sink.begin(seconds * _SAMPLES_PER_S + extra)
    container.metadata["title"] = title
    rows: list[Iterable[Packet]] = []
    if is_copied:
        rows.append(_copied(container, directory, shown, origin_ms))
    elif size is not None:
        reels = [
            pictures.Reel(directory / each.path, each.started_at_ms - origin_ms, each.source == "screen")
            for each in shown
        ]
        rows.append(pictures.Encoder(container, size).packets(reels, duration_ms))
    if heard:
        voices = [Voice(directory / each.path, each.started_at_ms - origin_ms) for each in heard]
        rows.append(aac.Encoder(container).packets(mixed(voices, 0, duration_ms)))
    if not rows:
        raise NothingRecordedError("nothing to put in")
    for packet in merge(*rows, key=_time_s):
        container.mux(packet)
        progress(_time_s(packet) * 1000 / (duration_ms or 1))
    return origin_ms, duration_ms


def _time_s(packet: Packet) -> float:
    if packet.dts is None or packet.time_base is None:
        return 0.0
    return float(packet.dts * packet.time_base)


def _can_be_copied(directory: Path, files: Sequence[TrackFile]) -> bool:
    """Whether one decoder can go through them without a word between them, and nothing is to be seen in between."""
    if {(each.codec, each.source) for each in files} not in ({("h264", "camera")}, {("h264", "screen")}):
        return False
    in_order = sorted(files, key=lambda each: each.started_at_ms)
    if any(not -1 <= b.started_at_ms - a.ends_at_ms <= _SEAMLESS_MS for a, b in pairwise(in_order)):
        return False
    configs = set()
    for each in in_order:
        try:
            with av.open(str(directory / each.path)) as container:
                context = container.streams.video[0].codec_context
                configs.add((bytes(context.extradata or b""), context.has_b_frames))
        except (av.FFmpegError, OSError, IndexError):
            return False
    return len(configs) == 1 and not next(iter(configs))[1]


def _count(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.demux(container.streams.video[0]))


def _copied(
    container: av.container.OutputContainer, directory: Path, files: Sequence[TrackFile], origin_ms: int
) -> Iterator[Packet]:
    """Their packets, one file behind the other."""
    ordered = sorted(files, key=lambda each: each.started_at_ms)
    with av.open(str(directory / ordered[0].path)) as first:
        stream = container.add_stream_from_template(first.streams.video[0])
    return _shifted(stream, directory, ordered, origin_ms)


def _shifted(
    stream: av.stream.Stream, directory: Path, files: Sequence[TrackFile], origin_ms: int
) -> Iterator[Packet]:
    end_s = -1.0
    for each in files:
        with av.open(str(directory / each.path)) as source:
            for packet in source.demux(source.streams.video[0]):
                if packet.pts is None or packet.dts is None or packet.time_base is None:
                    continue
                shift = int((each.started_at_ms - origin_ms) / 1000 / packet.time_base)
                packet.pts += shift
                packet.dts += shift
                if _time_s(packet) <= end_s:
                    continue
                end_s = _time_s(packet)
                moved: Packet = packet
                moved.stream = stream
                yield moved
