"""Takes the text track out of a finished MP4 that FFmpeg writes beside the list of chapters.

It says the same again for QuickTime; ffprobe, and whoever checks files with it, warns of a stream that no decoder is
for. Nothing moves: boxes are renamed to `free`.
"""

from __future__ import annotations

import os
from typing import Final

from recording.hls.boxes import Box, find, walk

_HEAD_BYTES: Final = 16


def hide_chapter_track(descriptor: int) -> None:
    """Of a file with its index in front; one without such a track stays as it is."""
    at, size = 0, os.fstat(descriptor).st_size
    while at + _HEAD_BYTES <= size:
        head = os.pread(descriptor, _HEAD_BYTES, at)
        length = int.from_bytes(head[:4], "big")
        if head[4:8] == b"moov":
            for place in _places(os.pread(descriptor, length, at)):
                os.pwrite(descriptor, b"free", at + place)
            return
        if length < 8:
            return
        at += length


def _places(moov: bytes) -> list[int]:
    """Where the names of the boxes stand that nobody is to read: the track, and what refers to it."""
    whole = next(walk(moov))
    tracks = [each for each in walk(moov, whole.body, whole.end) if each.kind == b"trak"]
    texts = [each for each in tracks if _handler(moov, each) == b"text"]
    references = [find(moov, (b"tref",), each.body, each.end) for each in tracks if each not in texts]
    hidden = [*texts, *(each for each in references if each is not None)] if texts else []
    return [each.start + 4 for each in hidden]


def _handler(moov: bytes, track: Box) -> bytes:
    found = find(moov, (b"mdia", b"hdlr"), track.body, track.end)
    return b"" if found is None else moov[found.body + 8 : found.body + 12]
