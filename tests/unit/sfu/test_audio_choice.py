"""Whose sound is forwarded in a room of many open microphones."""

from __future__ import annotations

from collections.abc import Set

from hypothesis import given
from hypothesis import strategies as st

from conference.sfu.audio_choice import FEW, HOLD_S, PLACES, AudioChoice

PACKET_S = 0.02
MANY = [f"p{number:02}" for number in range(12)]


class Stage:
    """Twelve microphones that send a packet each 20 ms; `update` after each."""

    def __init__(self, ids: list[str] = MANY) -> None:
        self.choice = AudioChoice()
        self.ids = ids
        self.now = 100.0
        self.heard: Set[str] | None = None
        self.pinned: Set[str] = frozenset()

    def forward(self, seconds: float, **levels: int) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += PACKET_S
            for one in self.ids:
                level = levels.get(one, 127)
                self.choice.observe(one, level, level < 127, self.now)
            self.heard = self.choice.update(self.ids, self.pinned, self.now)


def test_few_microphones_are_all_forwarded() -> None:
    stage = Stage(MANY[:FEW])
    stage.forward(1.0, p00=20)
    assert stage.heard is None


def test_who_speaks_is_forwarded_after_two_packets_and_who_is_silent_is_not() -> None:
    stage = Stage()
    stage.forward(1.0)
    assert stage.heard == frozenset()
    stage.forward(2 * PACKET_S - 0.001, p03=30)
    assert stage.heard == {"p03"}


def test_nobody_is_cut_off_in_a_sentence_by_somebody_louder() -> None:
    stage = Stage()
    first = dict.fromkeys(MANY[:PLACES], 45)
    stage.forward(1.0, **first)
    stage.forward(1.0, **first, p07=5, p08=6)
    assert stage.heard == set(first)
    stage.forward(HOLD_S - 0.1, **dict.fromkeys(MANY[1:PLACES], 45), p07=5, p08=6)
    assert stage.heard == set(first), "the first one takes a breath"
    stage.forward(0.2, **dict.fromkeys(MANY[1:PLACES], 45), p07=5, p08=6)
    assert stage.heard == {*MANY[1:PLACES], "p07"}, "the louder one got the place"


def test_a_cough_gives_its_place_back_sooner() -> None:
    stage = Stage()
    speakers = dict.fromkeys(MANY[: PLACES - 1], 30)
    stage.forward(1.0, **speakers)
    stage.forward(0.1, **speakers, p09=20)
    stage.forward(1.2, **speakers, p10=40)
    assert stage.heard == {*speakers, "p10"}


def test_the_last_speakers_stay_while_nobody_needs_their_place() -> None:
    stage = Stage()
    stage.forward(1.0, p01=30)
    stage.forward(60.0)
    assert stage.heard == {"p01"}


def test_floor_holder_and_chair_are_heard_and_take_no_place() -> None:
    stage = Stage()
    stage.pinned = {"p10", "p11"}
    stage.forward(1.0, **dict.fromkeys(MANY[:PLACES], 30), p10=30)
    assert stage.heard == {*MANY[:PLACES], "p10", "p11"}


def test_who_loses_the_floor_in_a_sentence_is_heard_to_its_end() -> None:
    stage = Stage()
    stage.pinned = {"p10"}
    others = dict.fromkeys(MANY[:PLACES], 30)
    stage.forward(1.0, **others, p10=30)
    stage.pinned = frozenset()
    stage.forward(HOLD_S - 0.1, **others)
    assert stage.heard == {*others, "p10"}
    stage.forward(0.2, **others)
    assert stage.heard == set(others)


def test_who_sends_no_levels_is_always_heard() -> None:
    stage = Stage()
    stage.forward(0.1)
    assert stage.choice.update([*MANY, "encoder"], (), stage.now) == frozenset({"encoder"})


def test_who_is_muted_or_leaves_gives_the_place_up_at_once() -> None:
    stage = Stage()
    stage.forward(1.0, **dict.fromkeys(MANY[:PLACES], 30))
    stage.choice.remove("p00")
    others = [one for one in MANY if one not in ("p00", "p01")]
    heard = stage.choice.update(others, (), stage.now)
    assert heard == frozenset(MANY[2:PLACES])


@given(st.lists(st.tuples(st.sampled_from(MANY), st.integers(0, 127), st.floats(0, 1.5)), max_size=80))
def test_never_more_than_there_are_places_and_never_before_the_hold(
    speeches: list[tuple[str, int, float]],
) -> None:
    choice, now, last_loud, heard = AudioChoice(), 0.0, {}, frozenset[str]()
    for who in MANY:
        choice.observe(who, 127, False, now)
    for who, level, pause_s in speeches:
        now += pause_s
        for _ in range(12):
            now += PACKET_S
            choice.observe(who, level, True, now)
        if level <= 50:
            last_loud[who] = now
        before, chosen = heard, choice.update(MANY, (), now)
        assert chosen is not None
        heard = chosen
        assert len(heard) <= PLACES
        assert all(now - last_loud[gone] >= HOLD_S for gone in before - heard)
