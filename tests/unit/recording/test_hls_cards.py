"""Cards in the place of withdrawn segments: the same time line, and players that notice nothing but the picture."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from recording.hls.card_maker import SIZES, make_card
from recording.hls.card_segments import Card, Cards
from recording.hls.cutter import Cutter
from recording.hls.formats import AUDIO_TRACK, VIDEO_TRACK
from recording.hls.fragments import read_fragments
from recording.program.text import Fonts
from tests.support.program_media import complaints, encoded, packets, push_all


@pytest.fixture(scope="module")
def card() -> Card:
    return make_card("720p", (160, 96), Fonts())


def test_a_card_has_the_time_line_of_what_it_stands_for(card: Card) -> None:
    formats, pictures, sounds = encoded()
    cutter = Cutter(formats, part_ms=200, segment_ms=1000)
    push_all(cutter, pictures, sounds)
    for cut in cutter.take():
        (real,) = read_fragments(cut.parts["720p"].data)
        (made,) = read_fragments(card.segment(7, 0, cut.start_ms, cut.duration_ms))
        assert made.is_independent
        for track in (VIDEO_TRACK, AUDIO_TRACK):
            there, here = real.spans[track], made.spans[track]
            assert (here.start, here.duration, here.samples) == (there.start, there.duration, there.samples)


def test_odd_ends_are_met_to_the_millisecond(card: Card) -> None:
    (made,) = read_fragments(card.segment(1, 500, 2_000, 530))
    assert made.spans[VIDEO_TRACK].start == 2_000 * 90
    assert made.spans[VIDEO_TRACK].duration == 530 * 90
    assert (
        made.spans[AUDIO_TRACK].start == 500 * 48 + 71 * 1024
    )  # the first frame of the life at or behind 1.5 s


def test_players_go_from_the_program_to_the_card_and_back(card: Card, tmp_path: Path) -> None:
    """In one file with the program's init: whoever reads no other init in the middle sees the card all the same."""
    formats, pictures, sounds = encoded()
    cutter = Cutter(formats, part_ms=200, segment_ms=1000)
    push_all(cutter, pictures, sounds)
    data = card.init
    for cut in cutter.take():
        withdrawn = 1_000 <= cut.start_ms < 2_000
        data += card.segment(0, 0, cut.start_ms, cut.duration_ms) if withdrawn else cut.parts["720p"].data
    path = tmp_path / "both.mp4"
    path.write_bytes(data)
    assert complaints(path) == ""
    assert len(packets(path, "v")) >= 70
    with av.open(str(path)) as container:
        means = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    card_means = means[25:50]
    assert max(card_means) - min(card_means) < 3
    assert abs(means[24] - (24 * 3 % 200 + 20)) < 20
    assert abs(means[60] - (60 * 3 % 200 + 20)) < 20
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    assert np.abs(sound[52_000:94_000]).max() < 0.001
    assert np.abs(sound[10_000:40_000]).max() > 0.1


async def test_cards_are_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "program" / "cards.bin"
    cards = Cards(path)
    assert cards.renditions == frozenset()
    await cards.prepare()
    assert cards.renditions == frozenset(SIZES)
    made = path.stat().st_mtime_ns
    again = Cards(path)
    await again.prepare()
    assert path.stat().st_mtime_ns == made
    assert again.get("360p") == cards.get("360p")
    path.write_bytes(b"torn")
    await again.prepare()
    assert path.stat().st_mtime_ns != made
    for name in SIZES:
        found = again.get(name)
        assert found is not None
        file = tmp_path / f"{name}.mp4"
        file.write_bytes(found.init + found.segment(0, 100, 500, 600) + found.segment(1, 100, 1100, 200))
        assert complaints(file) == ""
    assert again.get("1080p") is None
