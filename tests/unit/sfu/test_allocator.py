"""The allocator: what it may spend, whom it serves first, and that it neither flaps nor forgets."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from conference.sfu.allocator import HOLD_S, Allocation, Given, Layer, Reason, Wanted, allocate

THIRDS = (0.4, 0.6, 1.0)
CAMERA = (
    Layer("q", 180, 150_000, temporal=THIRDS),
    Layer("h", 360, 500_000, temporal=THIRDS),
    Layer("f", 720, 1_500_000, temporal=THIRDS),
)
NOTHING = Allocation()
SOUND_BPS = 40_000


def share(
    available_bps: int | None, *wanted: Wanted, before: Allocation = NOTHING, now: float = 0.0
) -> Allocation:
    return allocate(available_bps, SOUND_BPS, wanted, before, now)


def layers_of(allocation: Allocation) -> dict[str, tuple[str | None, int | None]]:
    return {name: (one.layer, one.max_temporal) for name, one in allocation.given.items()}


def camera(name: str, shown: int = 0, rank: int = 0) -> Wanted:
    return Wanted(name, shown, CAMERA, rank)


@st.composite
def wanted_lists(draw: st.DrawFn) -> list[Wanted]:
    pictures = []
    for number in range(draw(st.integers(1, 8))):
        rates = sorted(draw(st.sets(st.integers(20_000, 3_000_000), min_size=1, max_size=3)))
        layers = tuple(
            Layer(
                "qhf"[place],
                180 << place,
                rate,
                is_active=draw(st.booleans()),
                temporal=draw(st.sampled_from([(1.0,), THIRDS, (0.6, 1.0)])),
            )
            for place, rate in enumerate(rates)
        )
        shown = draw(st.sampled_from([0, 90, 180, 300, 720, 1080]))
        pictures.append(Wanted(f"p{number}", shown, layers, draw(st.integers(0, 2))))
    return pictures


bandwidths = st.one_of(st.integers(0, 300_000), st.integers(0, 20_000_000))


@given(wanted_lists(), st.lists(bandwidths, min_size=1, max_size=12), st.floats(0.05, 3.0))
def test_never_more_than_there_is_but_for_the_least_of_the_dearest(
    wanted: list[Wanted], available: list[int], interval_s: float
) -> None:
    allocation, dearest = NOTHING, max(wanted, key=lambda one: one.rank).publication_id
    for turn, bps in enumerate(available):
        allocation = allocate(bps, SOUND_BPS, wanted, allocation, turn * interval_s)
        served = [one for one in allocation.given.values() if one.cost_bps]
        over = allocation.used_bps - SOUND_BPS > max(0, bps - SOUND_BPS)
        assert not over or (
            [allocation.given[dearest]] == served
            and allocation.used_bps - SOUND_BPS <= 1.25 * (bps - SOUND_BPS)
        )
        assert allocation.used_bps == SOUND_BPS + sum(one.cost_bps for one in served)


@given(wanted_lists(), st.one_of(st.none(), bandwidths))
def test_nothing_is_larger_than_it_is_shown_and_each_reason_is_true(
    wanted: list[Wanted], available: int | None
) -> None:
    allocation = allocate(available, SOUND_BPS, wanted, NOTHING, 0.0)
    assert allocation.given.keys() == {one.publication_id for one in wanted}
    for one in wanted:
        sent = allocation.given[one.publication_id]
        names = [each.name for each in one.layers]
        large = [
            each.name for each in one.layers if one.shown_height and each.height >= 0.75 * one.shown_height
        ]
        needed = large[0] if large else names[-1]
        if sent.layer is not None:
            assert names.index(sent.layer) <= names.index(needed)
        assert (sent.reason is Reason.SIZE) == (sent.layer == needed and sent.max_temporal is None)
        assert available is not None or sent.reason is Reason.SIZE


@given(wanted_lists(), bandwidths, bandwidths)
def test_more_bandwidth_decides_for_more_where_it_first_decides_otherwise(
    wanted: list[Wanted], one_bps: int, other_bps: int
) -> None:
    flat = [
        replace(
            one,
            layers=tuple(replace(each, is_active=True, temporal=(1.0,)) for each in one.layers),
            shown_height=0,
        )
        for one in wanted
    ]
    ranked = sorted(flat, key=lambda one: -one.rank)

    def decisions(bps: int) -> list[bool]:
        given_ = allocate(bps, SOUND_BPS, flat, NOTHING, 0.0).given
        out = []
        for _, group in groupby(ranked, key=lambda one: one.rank):
            members = list(group)
            for step in range(3):
                out += [
                    given_[m.publication_id].cost_bps >= m.layers[step].bitrate_bps
                    for m in members
                    if step < len(m.layers)
                ]
        return out

    less, more = sorted((one_bps, other_bps))
    assert decisions(less) <= decisions(more)


@given(wanted_lists(), st.lists(bandwidths, min_size=2, max_size=12), st.floats(0.05, 1.9))
def test_what_was_short_rises_after_two_seconds_of_headroom_and_not_before(
    wanted: list[Wanted], available: list[int], interval_s: float
) -> None:
    steady = [
        replace(one, layers=tuple(replace(each, is_active=True) for each in one.layers)) for one in wanted
    ]
    allocation = allocate(available[0], SOUND_BPS, steady, NOTHING, 0.0)
    for turn, bps in enumerate(available[1:], 1):
        now = turn * interval_s
        before, allocation = allocation, allocate(bps, SOUND_BPS, steady, allocation, now)
        rose = [
            name
            for name, one in allocation.given.items()
            if before.given[name].reason is Reason.BANDWIDTH and one.cost_bps > before.given[name].cost_bps
        ]
        if rose:
            assert before.rising_since is not None
            assert now - before.rising_since >= HOLD_S


def test_without_a_limit_each_picture_comes_as_large_as_it_is_shown() -> None:
    allocation = share(
        None, camera("big", 700), camera("middle", 300), camera("small", 120), camera("unsaid")
    )
    assert layers_of(allocation) == {
        "big": ("f", None),
        "middle": ("h", None),
        "small": ("q", None),
        "unsaid": ("f", None),
    }
    assert not allocation.is_short


def test_a_picture_loses_frames_before_size() -> None:
    given_layers = [
        layers_of(share(bps + SOUND_BPS, camera("a")))["a"] for bps in range(1_600_000, 0, -10_000)
    ]
    assert list(dict.fromkeys(given_layers)) == [
        ("f", None),
        ("f", 1),
        ("h", None),
        ("h", 1),
        ("q", None),
        ("q", 1),
        ("q", 0),
        (None, None),
    ]


def test_a_screen_of_one_encoding_loses_frames_and_is_paused_with_its_reason_where_they_do_not_help() -> None:
    def given(bps: int, *temporal: float) -> Given:
        screen = Wanted("s", 720, (Layer("", 1080, 800_000, temporal=temporal),), rank=2)
        return share(bps + SOUND_BPS, screen).given["s"]

    layered = [given(bps, *THIRDS) for bps in (800_000, 500_000, 330_000, 250_000)]
    assert [(one.layer, one.max_temporal) for one in layered] == [("", None), ("", 1), ("", 0), (None, None)]
    assert [one.reason for one in layered] == [Reason.SIZE, *[Reason.BANDWIDTH] * 3]
    flat = [given(bps, 1.0) for bps in (800_000, 650_000, 500_000)]
    assert [(one.layer, one.max_temporal) for one in flat] == [("", None), ("", None), (None, None)]
    assert [one.reason for one in flat] == [Reason.SIZE, Reason.SIZE, Reason.BANDWIDTH]


def test_the_first_rank_is_served_whole_before_the_second_and_equals_share() -> None:
    allocation = share(740_000, camera("s1", 150), camera("speaker", 300, rank=2), camera("s2", 150))
    assert layers_of(allocation) == {"speaker": ("h", None), "s1": ("q", 1), "s2": ("q", 1)}


def test_a_link_too_narrow_for_any_picture_carries_sound_only_and_recovers() -> None:
    two = (camera("a", 300, rank=1), camera("b", 300))
    good = share(2_000_000, *two, now=0.0)
    assert not good.is_short
    collapsed = share(80_000, *two, before=good, now=0.1)
    assert collapsed.sound_only
    assert collapsed.is_short
    narrow = share(95_000, *two, before=good, now=0.1)
    assert layers_of(narrow) == {"a": ("q", 0), "b": (None, None)}, (
        "its least, although it takes a little more"
    )
    recovering, now = collapsed, 0.2
    while recovering.sound_only:
        recovering = share(2_000_000, *two, before=recovering, now=now)
        now += 0.1
    assert now - 0.2 <= HOLD_S + 0.2
    assert not recovering.is_short


def test_small_swings_of_the_estimate_change_nothing() -> None:
    allocation, seen = share(900_000, camera("a"), now=0.0), set()
    for turn in range(200):
        swing = 1.0 + 0.08 * (-1) ** (turn // 7)
        allocation = share(int(900_000 * swing), camera("a"), before=allocation, now=turn / 2)
        seen.add(layers_of(allocation)["a"])
    assert len(seen) == 1


def test_a_tile_that_the_viewer_makes_larger_does_not_wait() -> None:
    small = share(1_000_000, camera("a", 100))
    assert layers_of(share(1_000_000, camera("a", 300), before=small, now=0.1)) == {"a": ("h", None)}


def test_a_layer_that_does_not_come_is_asked_for_with_what_is_left() -> None:
    paused = (CAMERA[0], replace(CAMERA[1], is_active=False), replace(CAMERA[2], is_active=False))
    tile = Wanted("a", 700, paused)
    assert share(None, tile).given["a"] == Given("f", None, 180, 150_000, Reason.SIZE)
    assert share(1_000_000, tile).given["a"] == Given("h", None, 180, 150_000, Reason.BANDWIDTH)
    both = share(700_000, tile, camera("b", 300))
    assert layers_of(both) == {"a": ("q", None), "b": ("h", None)}, "what comes is served before"
    silent = Wanted("a", 300, tuple(replace(each, is_active=False) for each in CAMERA))
    assert layers_of(share(1_000_000, silent)) == {"a": ("h", None)}


def test_a_hole_between_layers_that_come_is_asked_for() -> None:
    holed = (CAMERA[0], replace(CAMERA[1], is_active=False), CAMERA[2])
    assert layers_of(share(SOUND_BPS + 580_000, Wanted("a", 700, holed))) == {"a": ("h", None)}


def test_a_larger_layer_comes_until_the_small_one_does() -> None:
    no_small = (replace(CAMERA[0], is_active=False), CAMERA[1], CAMERA[2])
    assert share(1_000_000, Wanted("a", 100, no_small)).given["a"].cost_bps == 500_000
    assert layers_of(share(1_000_000, Wanted("a", 100, no_small))) == {"a": ("q", None)}


def test_what_is_kept_is_never_paused() -> None:
    program = Wanted("program", 0, (Layer("", 720, 2_500_000),), is_kept=True)
    assert layers_of(share(100_000, program)) == {"program": ("", None)}


def test_as_much_is_asked_of_the_link_as_all_would_take() -> None:
    assert share(300_000, camera("a", 300), camera("b", 700)).wished_bps == SOUND_BPS + 500_000 + 1_500_000
