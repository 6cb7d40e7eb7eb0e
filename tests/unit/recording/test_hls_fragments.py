"""Fragments and init segments: what is written is what FFmpeg reads, and what is read again after a crash."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.hls.boxes import walk
from recording.hls.cutter import Cutter
from recording.hls.formats import AUDIO_TRACK, VIDEO_TRACK, Format, init_segment
from recording.hls.fragments import Sample, fragment, read_fragments
from tests.support.program_media import complaints, encoded, packets, push_all

samples = st.lists(
    st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 100_000), st.booleans()),
    min_size=1,
    max_size=12,
)


def track(rows: list[tuple[bytes, int, bool]], start: int) -> list[Sample]:
    found = []
    for data, duration, is_key in rows:
        found.append(Sample(data, start, duration, is_key))
        start += duration
    return found


@given(st.lists(st.tuples(samples, samples, st.integers(0, 1 << 40)), min_size=1, max_size=4), st.data())
@settings(deadline=None)
def test_what_was_written_is_read_again_however_much_of_it_is_left(
    rows: list[tuple[list[tuple[bytes, int, bool]], list[tuple[bytes, int, bool]], int]], data: st.DataObject
) -> None:
    whole = b""
    written = []
    for number, (video, audio, start) in enumerate(rows):
        pictures, sounds = track(video, start), track(audio, start)
        piece = fragment(number + 1, pictures, sounds)
        written.append((len(whole), len(piece), pictures, sounds))
        whole += piece
    cut = data.draw(st.integers(0, len(whole)))
    found = read_fragments(whole[:cut])
    assert [(each.offset, each.size) for each in found] == [
        (at, size) for at, size, *_ in written if at + size <= cut
    ]
    for each, (_, _, pictures, sounds) in zip(found, written, strict=False):
        for number, wanted in ((VIDEO_TRACK, pictures), (AUDIO_TRACK, sounds)):
            span = each.spans[number]
            assert span.start == wanted[0].time
            assert span.duration == sum(one.duration for one in wanted)
            assert span.samples == len(wanted)
        assert each.is_independent == pictures[0].is_key


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_rubbish_is_no_fragment_and_no_error(data: bytes) -> None:
    read_fragments(data)


@given(st.data())
@settings(deadline=None)
def test_a_byte_that_was_hit_raises_nothing(data: st.DataObject) -> None:
    piece = bytearray(fragment(1, [Sample(b"picture", 0, 3600)], [Sample(b"sound", 0, 1024)]))
    piece[data.draw(st.integers(0, len(piece) - 1))] = data.draw(st.integers(0, 255))
    for each in read_fragments(bytes(piece)):
        assert each.size <= len(piece)


def test_a_fragment_needs_samples() -> None:
    with pytest.raises(ValueError, match="no samples"):
        fragment(1, [], [])


def test_mdat_holds_the_samples_where_the_offsets_say() -> None:
    piece = fragment(1, [Sample(b"VV", 0, 1), Sample(b"WWW", 1, 1)], [Sample(b"aaaa", 0, 1)])
    moof, mdat = walk(piece)
    assert (moof.kind, mdat.kind) == (b"moof", b"mdat")
    assert piece[mdat.body : mdat.end] == b"VVWWWaaaa"


@pytest.mark.parametrize(
    ("name", "part_ms", "segment_ms"), [("720p", 200, 1000), ("audio", 200, 1000), ("720p", 400, 2000)]
)
def test_ffmpeg_has_nothing_to_say_against_init_and_segments(
    name: str, part_ms: int, segment_ms: int, tmp_path: Path
) -> None:
    formats, pictures, sounds = encoded(4.0, every_key=segment_ms // 40)
    cutter = Cutter(formats, part_ms=part_ms, segment_ms=segment_ms)
    push_all(cutter, pictures, sounds)
    format_ = next(each for each in formats if each.name == name)
    path = tmp_path / "joined.mp4"
    path.write_bytes(init_segment(format_) + b"".join(cut.parts[name].data for cut in cutter.finish()))
    assert complaints(path) == ""
    if format_.video is not None:
        times = [float(each["pts_time"]) for each in packets(path, "v")]
        assert times == pytest.approx([number / 25 for number in range(100)], abs=1e-6)
    sound = [float(each["pts_time"]) for each in packets(path, "a")]
    steps = {round((later - earlier) * 48_000) for earlier, later in itertools.pairwise(sound)}
    assert (sound[0], steps) == (0.0, {1024})


def test_codecs_are_named_as_players_know_them() -> None:
    formats, _, _ = encoded()
    both, sound = formats
    assert both.codecs.startswith("avc1.42c0")
    assert both.codecs.endswith(",mp4a.40.2")
    assert sound.codecs == "mp4a.40.2"
    assert isinstance(both, Format)
    assert sound.bandwidth < both.bandwidth
