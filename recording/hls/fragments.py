"""Fragments of an MP4 file (moof and mdat) from encoded samples, and read again after a crash. Pure.

A fragment is one part of a segment: some pictures and the sound that belongs to them, or sound alone.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recording.hls.boxes import box, find, full_box, walk
from recording.hls.formats import AUDIO_TIMESCALE, AUDIO_TRACK, VIDEO_TIMESCALE, VIDEO_TRACK

_DEFAULT_BASE_IS_MOOF: Final = 0x020000
_TRUN: Final = 0x000001 | 0x000100 | 0x000200 | 0x000400  # data offset; duration, size, flags of each sample
_KEY: Final = 0x02000000  # depends on no other
_DELTA: Final = 0x01010000  # depends on others, is no starting point
_NO_SYNC: Final = 0x00010000


@dataclass(frozen=True, slots=True)
class Sample:
    """One encoded frame. `time` and `duration` in ticks of its track, `time` from the beginning of the life."""

    data: bytes
    time: int
    duration: int
    is_key: bool = True


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof+mdat as it lies in a file: bytes, and for each track (by its number) where its samples stand."""

    offset: int
    size: int
    sequence: int
    spans: dict[int, Span]

    @property
    def is_independent(self) -> bool:
        """Whether a player can begin here."""
        video = self.spans.get(VIDEO_TRACK)
        return video.begins_with_key if video is not None else True


@dataclass(frozen=True, slots=True)
class Span:
    """`start` (media time) and `duration` in ticks of the track, `samples` so many."""

    start: int
    duration: int
    samples: int
    begins_with_key: bool


def fragment(sequence: int, video: Sequence[Sample], audio: Sequence[Sample], *, origin_ms: int = 0) -> bytes:
    """moof and mdat; a track without samples is left out. Raises ValueError when there are none at all.

    `origin_ms` is what media time is at the beginning of the life.
    """
    tracks = [
        (number, samples) for number, samples in ((VIDEO_TRACK, video), (AUDIO_TRACK, audio)) if samples
    ]
    if not tracks:
        raise ValueError("no samples")
    size = len(_moof(sequence, tracks, 0, origin_ms))
    content = [sample.data for _, samples in tracks for sample in samples]
    return _moof(sequence, tracks, size + 8, origin_ms) + box(b"mdat", *content)


def _moof(
    sequence: int, tracks: Sequence[tuple[int, Sequence[Sample]]], offset: int, origin_ms: int
) -> bytes:
    trafs = []
    for number, samples in tracks:
        origin = origin_ms * (VIDEO_TIMESCALE if number == VIDEO_TRACK else AUDIO_TIMESCALE) // 1000
        entries = b"".join(
            struct.pack("!3I", each.duration, len(each.data), _KEY if each.is_key else _DELTA)
            for each in samples
        )
        trafs.append(
            box(
                b"traf",
                full_box(b"tfhd", 0, _DEFAULT_BASE_IS_MOOF, struct.pack("!I", number)),
                full_box(b"tfdt", 1, 0, struct.pack("!Q", origin + samples[0].time)),
                full_box(b"trun", 0, _TRUN, struct.pack("!II", len(samples), offset), entries),
            )
        )
        offset += sum(len(each.data) for each in samples)
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack("!I", sequence)), *trafs)


def read_fragments(data: bytes) -> list[Fragment]:
    """The whole moof+mdat pairs from the beginning on; what follows the last one is torn. Never raises."""
    found: list[Fragment] = []
    boxes = list(walk(data))
    for moof, mdat in zip(boxes[::2], boxes[1::2], strict=False):
        if (moof.kind, mdat.kind) != (b"moof", b"mdat"):
            break
        try:
            read = _read(data, moof.start, moof.body, moof.end, mdat.end)
        except (struct.error, ValueError):
            break
        found.append(read)
    return found


def _read(data: bytes, start: int, body: int, moof_end: int, end: int) -> Fragment:
    head = find(data, (b"mfhd",), body, moof_end)
    if head is None:
        raise ValueError("no mfhd")
    (sequence,) = struct.unpack_from("!I", data, head.body + 4)
    spans: dict[int, Span] = {}
    for traf in walk(data, body, moof_end):
        if traf.kind != b"traf":
            continue
        tfhd = find(data, (b"tfhd",), traf.body, traf.end)
        tfdt = find(data, (b"tfdt",), traf.body, traf.end)
        trun = find(data, (b"trun",), traf.body, traf.end)
        if tfhd is None or tfdt is None or trun is None:
            raise ValueError("traf without its boxes")
        (number,) = struct.unpack_from("!I", data, tfhd.body + 4)
        wide = data[tfdt.body] == 1
        (time,) = struct.unpack_from("!Q" if wide else "!I", data, tfdt.body + 4)
        spans[number] = _read_trun(data, trun.body, trun.end, time, end - start)
    if not spans:
        raise ValueError("no tracks")
    return Fragment(start, end - start, sequence, spans)


def _read_trun(data: bytes, at: int, end: int, time: int, available: int) -> Span:
    flags, count = struct.unpack_from("!II", data, at)
    if flags & 0xFFFFFF != _TRUN:
        raise ValueError("not one of ours")
    at += 12
    if at + 12 * count > end or not count:
        raise ValueError("trun is cut")
    duration = size = 0
    begins_with_key = False
    for number in range(count):
        length, bytes_, sample_flags = struct.unpack_from("!3I", data, at + 12 * number)
        duration += length
        size += bytes_
        if not number:
            begins_with_key = not sample_flags & _NO_SYNC
    if size > available:
        raise ValueError("samples beyond the end")
    return Span(time, duration, count, begins_with_key)
