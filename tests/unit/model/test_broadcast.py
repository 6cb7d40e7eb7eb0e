"""What the public may see: cuts, spans and the delay, as values."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.broadcast import Cut, CutKind, PublicView, running, spans_of
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError

LIVE = Consultation("c", "x", Status.LIVE, Mode.FREE, True, False, True, 1, started_at_ms=1_000)
ENDED = replace(LIVE, status=Status.ENDED, ended_at_ms=500_000)


def cut(from_ms: int, to_ms: int | None, kind: CutKind = CutKind.CUT, at: int | None = None) -> Cut:
    return Cut(f"b_{from_ms}", "c", kind, from_ms, to_ms, 0, "某", reinstated_wall_ms=at)


@pytest.mark.parametrize(
    ("cuts", "spans"),
    [
        ([], ()),
        ([cut(5, 9), cut(1, 2)], ((1, 2), (5, 9))),
        ([cut(1, 6), cut(5, 9)], ((1, 9),)),
        ([cut(1, 9), cut(5, 6)], ((1, 9),)),
        ([cut(1, 5), cut(5, 9)], ((1, 9),)),
        ([cut(1, None), cut(5, 9)], ((1, None),)),
        ([cut(1, 5), cut(4, None), cut(9, 10)], ((1, None),)),
        ([cut(1, 5, at=7), cut(9, 10)], ((9, 10),)),
    ],
)
def test_spans_are_in_order_and_do_not_overlap(cuts: list[Cut], spans: object) -> None:
    assert spans_of(cuts, CutKind) == spans


spans = st.lists(st.tuples(st.integers(0, 50), st.none() | st.integers(1, 30)), max_size=6)


@given(spans, st.integers(0, 90))
def test_a_moment_is_withdrawn_if_any_cut_has_it(pairs: list[tuple[int, int | None]], at: int) -> None:
    cuts = [cut(begin, None if length is None else begin + length) for begin, length in pairs]
    view = PublicView.of(LIVE, cuts, 100)
    expected = any(each.from_ms <= at and (each.to_ms is None or at < each.to_ms) for each in cuts)
    assert view.is_withdrawn(at, at + 1) is expected
    assert list(view.withdrawn) == sorted(view.withdrawn, key=lambda span: span[0])


def test_a_pause_is_seen_live_and_not_kept() -> None:
    pause = cut(5, 9, CutKind.PAUSE)
    assert not PublicView.of(LIVE, [pause], 20).is_withdrawn(6, 7)
    assert PublicView.of(ENDED, [pause], 20).is_withdrawn(6, 7)
    with pytest.raises(ConferenceError, match="recorded"):
        pause.reinstated(1)


def test_what_is_cut_off_is_restored_before_it_is_shown_again() -> None:
    begun = cut(5, None)
    assert running([begun], CutKind.CUT) is begun
    assert running([begun], CutKind.PAUSE) is None
    with pytest.raises(ConferenceError, match="still cut"):
        begun.reinstated(1)
    over = begun.ended(3)
    assert (over.to_ms, running([over], CutKind.CUT)) == (5, None)
    assert over.reinstated(8).reinstated(9).reinstated_wall_ms == 8


def test_the_delay_holds_back_and_runs_out_after_the_end() -> None:
    delayed = replace(LIVE, public_delay_s=40)
    assert PublicView.of(delayed, [], None).shown_until_ms(0) == 0
    assert PublicView.of(delayed, [], 30_000).shown_until_ms(0) == 0
    assert PublicView.of(delayed, [], 90_000).shown_until_ms(0) == 50_000
    over = PublicView.of(replace(delayed, status=Status.ENDED, ended_at_ms=500_000), [], 90_000)
    assert over.shown_until_ms(500_000) == 50_000
    assert over.shown_until_ms(490_000) == 50_000, "the wall clock stepped back"
    assert over.shown_until_ms(530_000) == 80_000
    assert over.shown_until_ms(540_000) is None
    assert PublicView.of(ENDED, [], 90_000).shown_until_ms(500_000) is None


def test_a_delay_that_runs_only_grows() -> None:
    before = replace(LIVE, public_delay_s=10)
    assert before.edited(1, {"public_delay_s": 20}).public_delay_s == 20
    with pytest.raises(ConferenceError) as refused:
        before.edited(1, {"public_delay_s": 9})
    assert refused.value.code == "invalid_state"
    assert replace(before, status=Status.SCHEDULED).edited(1, {"public_delay_s": 0}).public_delay_s == 0
