"""The choice of a layer: never more than wanted where that can be, always something where anything is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.rtc.layer_selector import BEST, LayerSelector, choose

ORDER = ("q", "h", "f")


@given(st.sampled_from(["q", "h", "f", BEST, "x"]), st.sets(st.sampled_from(ORDER)))
def test_a_choice_is_active_and_not_larger_than_wanted_where_that_can_be(
    target: str, active: set[str]
) -> None:
    chosen = choose(target, ORDER, active)
    assert (chosen is None) == (not active)
    if chosen is None:
        return
    assert chosen in active
    wanted = ORDER.index(target) if target in ORDER else 2
    smaller = [ORDER.index(name) for name in active if ORDER.index(name) <= wanted]
    assert ORDER.index(chosen) == (max(smaller) if smaller else min(map(ORDER.index, active)))


def test_nothing_is_chosen_for_who_wants_nothing() -> None:
    assert choose(None, ORDER, ORDER) is None


def test_a_change_needs_a_keyframe_of_another_layer() -> None:
    selector = LayerSelector()
    assert not selector.may_switch("q", is_keyframe=False)
    assert selector.may_switch("q", is_keyframe=True)
    selector.switched("q")
    assert not selector.may_switch("q", is_keyframe=True)
    assert selector.may_switch("f", is_keyframe=True)
    selector.target = None
    assert not selector.may_switch("f", is_keyframe=True)
