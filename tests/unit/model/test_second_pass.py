"""What is heard again for a segment, and how far a second pass is."""

from __future__ import annotations

from dataclasses import replace

from conference.model.second_pass import SecondPass, SecondPassState, heard_span, is_still, same_words
from conference.model.transcript_place import Place
from tests.support.transcripts import said

RUN = SecondPass("c", "node", "whisper", "李秘书", 7, total=3)


def test_a_segment_is_heard_with_a_little_around_it_and_never_with_its_neighbours() -> None:
    before, own, behind = (
        replace(said(1, "水"), start_ms=0, end_ms=9_900),
        replace(said(2, "水"), start_ms=10_000, end_ms=12_000),
        replace(said(3, "水"), start_ms=12_050, end_ms=13_000),
    )
    assert heard_span(own, []) == (9_800, 12_200)
    assert heard_span(own, [before, own, behind]) == (9_900, 12_050)
    elsewhere = replace(before, participant_id="p2", end_ms=10_500)
    assert heard_span(own, [elsewhere]) == (9_800, 12_200)
    over = replace(before, end_ms=10_500)
    assert heard_span(own, [over])[0] == 10_000, "its own beginning is its own"
    assert heard_span(replace(own, start_ms=100), [])[0] == 0


def test_what_was_split_since_is_another_stretch() -> None:
    segment = said(1, "老旧", "小区")
    assert is_still(segment, (segment.start_ms, segment.end_ms))
    assert not is_still(replace(segment, end_ms=segment.end_ms - 1), (segment.start_ms, segment.end_ms))


def test_the_same_words() -> None:
    assert same_words("百分之六十，ＯＫ。", "百分之六十 ok")
    assert not same_words("百分之六十", "百分之十六")


def test_how_far_it_is() -> None:
    assert (RUN.after, RUN.is_open) == (None, True)
    on = RUN.went_on(Place(10_000, "seg_1"), done=2, unheard=1, proposals=1)
    assert (on.after, on.done, on.unheard, on.proposals, on.total) == (Place(10_000, "seg_1"), 2, 1, 1, 3)
    on = on.went_on(Place(20_000, "seg_2"), done=2, unheard=0, proposals=0)
    assert (on.done, on.total) == (4, 4), "one was split meanwhile"
    assert (on.ended(9).state, on.ended(9).is_open) == (SecondPassState.DONE, False)
    assert (on.ended(9, "worker_ended").state, on.ended(9).ended_wall_ms) == (SecondPassState.FAILED, 9)
