"""The direction, with a virtual clock: floor, voices with hysteresis, halls, screens, the desk's choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from recording.program.direction import SILENCE_S, TAKES_OVER_S, Director
from recording.program.layout import Seat, Shot
from recording.program.scene import Direction, Person, Scene

STEP_S = 0.04
MAIN = Person("v_main", "主会场", venue="1", kind="venue", is_main=True, camera=True)
BRANCH = Person("v_branch", "青禾县分会场", venue="2", kind="venue", camera=True)
LIN = Person("p_lin", "林委员", venue="1")
HE = Person("p_he", "何委员", venue="2")
WU = Person("p_wu", "吴委员", camera=True)
CHEN = Person("p_chen", "陈委员", camera=True)
SUN = Person("p_sun", "孙主任")
ROOM = (MAIN, BRANCH, LIN, HE, WU, CHEN, SUN)
ONLINE = (WU, CHEN, SUN)


class Stage:
    """A director and a clock that only this test moves."""

    def __init__(self, people: tuple[Person, ...] = ROOM, **scene: Any) -> None:
        self.scene = Scene(phase="live", people=people, **scene)
        self.director = Director()
        self.now_s = 1000.0
        self.screens: tuple[str, ...] = ()

    def change(self, **changes: Any) -> None:
        self.scene = msgspec.structs.replace(self.scene, **changes)

    def leave(self, *people: str) -> None:
        self.change(people=tuple(p for p in self.scene.people if p.id not in people))

    def manual(self, layout: Any, *people: str) -> Shot:
        self.change(direction=Direction("manual", layout, people))
        return self.run(0)

    def run(self, seconds: float, **levels: float) -> Shot:
        """The shot after so long a time of those levels; who is not named is silent."""
        heard: Mapping[str, float] = {p.id: -90.0 for p in self.scene.people} | levels
        keys = [(p.id, "camera") for p in self.scene.people if p.camera]
        keys += [(person, "screen") for person in self.screens]
        for _ in range(max(1, round(seconds / STEP_S))):
            self.now_s += STEP_S
            shot = self.director.direct(self.scene, keys, heard, self.now_s)
        return shot


def people(shot: Shot) -> tuple[str, list[str]]:
    return shot.layout, [seat.person for seat in shot.seats]


@pytest.mark.parametrize(("phase", "layout"), [("before", "title"), ("break", "break"), ("ended", "end")])
def test_a_phase_other_than_live_is_a_card(phase: str, layout: str) -> None:
    stage = Stage(floor="p_wu")
    stage.change(phase=phase)
    assert stage.run(2, p_wu=-20) == Shot(layout)  # type: ignore[arg-type]


def test_the_floor_holder_is_shown_at_once_whoever_talks() -> None:
    stage = Stage()
    stage.run(3, p_chen=-20)
    stage.change(floor="p_wu")
    assert people(stage.run(0, p_chen=-20)) == ("speaker", ["p_wu"])


def test_a_voice_is_shown_after_a_second_and_a_half() -> None:
    stage = Stage()
    assert people(stage.run(TAKES_OVER_S - 0.1, p_wu=-25)) == ("speaker", ["v_main"])
    assert people(stage.run(0.3, p_wu=-25)) == ("speaker", ["p_wu"])


def test_a_cough_moves_nothing() -> None:
    stage = Stage()
    stage.run(3, p_wu=-25)
    assert people(stage.run(0.8, p_chen=-10)) == ("speaker", ["p_wu"])
    assert people(stage.run(3)) == ("speaker", ["p_wu"])


def test_a_pause_between_two_words_does_not_start_the_time_again() -> None:
    stage = Stage()
    stage.run(0.8, p_wu=-25)
    stage.run(0.3)
    assert people(stage.run(0.6, p_wu=-25)) == ("speaker", ["p_wu"])


def test_of_two_who_talk_at_once_the_first_stays_unless_the_other_is_much_louder() -> None:
    stage = Stage()
    stage.run(3, p_wu=-28)
    assert people(stage.run(5, p_wu=-28, p_chen=-25)) == ("speaker", ["p_wu"])
    assert people(stage.run(5, p_wu=-35, p_chen=-20)) == ("speaker", ["p_chen"])


def test_two_new_voices_do_not_keep_each_other_out() -> None:
    stage = Stage()
    for turn in range(20):
        stage.run(0.12, p_wu=-28 + turn % 2, p_chen=-27 - turn % 2)
    assert stage.director.active in ("p_wu", "p_chen")


def test_after_silence_the_main_venue_is_shown() -> None:
    stage = Stage()
    stage.run(3, p_wu=-25)
    assert people(stage.run(SILENCE_S - 0.5)) == ("speaker", ["p_wu"])
    assert people(stage.run(1)) == ("speaker", ["v_main"])


def test_without_halls_everybody_is_shown_while_nobody_speaks() -> None:
    assert people(Stage(ONLINE).run(1)) == ("grid", ["p_wu", "p_chen", "p_sun"])
    assert people(Stage((SUN,)).run(1)) == ("speaker", ["p_sun"])
    assert Stage(()).run(1).layout == "title"


def test_who_has_no_picture_is_seen_in_their_halls() -> None:
    stage = Stage(floor="p_he")
    assert stage.run(0).seats == (Seat("p_he", ("v_branch", "camera")),)
    stage.change(floor="p_sun")
    assert stage.run(0).seats == (Seat("p_sun", None),)


def test_a_main_venue_without_picture_gives_way_to_who_has_one() -> None:
    stage = Stage((msgspec.structs.replace(MAIN, camera=False), CHEN))
    assert people(stage.run(1)) == ("speaker", ["p_chen"])


def test_main_venue_and_branch_that_talk_freely_are_both_shown() -> None:
    stage = Stage()
    shot = stage.run(3, p_he=-25)
    assert people(shot) == ("side", ["v_main", "v_branch"])
    assert shot.seats[1].guest == "p_he"
    shot = stage.run(3, p_lin=-25)  # the answer is in the picture already
    assert people(shot) == ("side", ["v_main", "v_branch"])
    assert shot.seats[0].guest == "p_lin"
    assert people(stage.run(3, p_wu=-25)) == ("speaker", ["p_wu"])
    assert people(stage.run(3, p_lin=-25)) == ("speaker", ["p_lin"])


def test_a_floor_holder_in_a_branch_has_the_picture_alone() -> None:
    assert people(Stage(floor="p_he").run(3, p_he=-25)) == ("speaker", ["p_he"])


def test_a_shared_screen_comes_first_with_who_speaks_beside_it() -> None:
    stage = Stage(floor="p_wu")
    stage.screens = ("p_chen", "p_wu")
    shot = stage.run(0)
    assert (shot.layout, shot.screen, people(shot)[1]) == ("screen", ("p_wu", "screen"), ["p_wu"])
    stage.screens = ("p_chen",)
    assert stage.run(0).screen == ("p_chen", "screen")
    stage.screens = ()
    assert people(stage.run(0)) == ("speaker", ["p_wu"])


def test_a_second_share_does_not_take_the_place_of_the_first() -> None:
    stage = Stage()
    stage.screens = ("p_chen",)
    stage.run(0)
    stage.screens = ("p_chen", "p_wu")
    assert stage.run(0).screen == ("p_chen", "screen")


def test_who_left_falls_back() -> None:
    stage = Stage(floor="p_wu")
    stage.run(3, p_chen=-25)
    stage.change(people=tuple(msgspec.structs.replace(p, connected=p.id != "p_wu") for p in ROOM))
    assert people(stage.run(0, p_chen=-25)) == ("speaker", ["p_chen"])
    stage.leave("p_chen")
    assert people(stage.run(0)) == ("speaker", ["v_main"])
    stage.leave("v_main", "v_branch", "p_wu")
    assert people(stage.run(0)) == ("speaker", ["p_lin"])


@pytest.mark.parametrize(
    ("layout", "chosen", "shown"),
    [
        ("speaker", ("p_chen",), ("speaker", ["p_chen"])),
        ("speaker", (), ("speaker", ["v_main"])),
        ("speaker", ("p_gone",), ("speaker", ["v_main"])),
        (None, ("p_chen",), ("speaker", ["p_chen"])),
        (None, ("p_chen", "p_wu"), ("grid", ["p_chen", "p_wu"])),
        ("grid", ("p_sun", "p_gone", "p_wu"), ("grid", ["p_sun", "p_wu"])),
        ("grid", (), ("grid", ["v_main", "v_branch", "p_wu", "p_chen", "p_sun"])),
        ("side", ("v_branch", "v_main"), ("side", ["v_branch", "v_main"])),
        ("side", ("v_branch",), ("side", ["v_main", "v_branch"])),
        ("side", (), ("side", ["v_main", "v_branch"])),
        ("strip", ("p_wu", "p_chen"), ("strip", ["p_wu", "p_chen"])),
        ("strip", ("p_wu",), ("strip", ["p_wu", "v_main", "v_branch", "p_chen", "p_sun"])),
        ("screen", ("p_wu",), ("speaker", ["p_wu"])),
    ],
)
def test_the_desk_chooses(layout: Any, chosen: tuple[str, ...], shown: tuple[str, list[str]]) -> None:
    assert people(Stage().manual(layout, *chosen)) == shown


def test_the_desk_chooses_without_anybody_speaking_into_it() -> None:
    stage = Stage(floor="p_chen")
    stage.manual("speaker", "p_wu")
    assert people(stage.run(5, p_chen=-20)) == ("speaker", ["p_wu"])
    stage.change(direction=Direction())
    assert people(stage.run(0)) == ("speaker", ["p_chen"])


def test_two_of_one_hall_take_one_place() -> None:
    assert len(Stage().manual("grid", "p_lin", "v_main", "p_wu").seats) == 2


def test_speaking_is_told_at_once_and_ends_soon() -> None:
    stage = Stage()
    stage.run(0, p_wu=-25)
    assert stage.director.speaking == {"p_wu"}
    stage.run(0.7)
    assert stage.director.speaking == frozenset()


def test_a_film_comes_before_other_screens_and_is_nobody() -> None:
    film = Person("p_film", "宣传片", kind="clip")
    stage = Stage((*ONLINE, film), floor="p_chen")
    stage.screens = ("p_chen", "p_film")
    shot = stage.run(1)
    assert (shot.layout, shot.screen) == ("screen", ("p_film", "screen"))
    assert [seat.person for seat in shot.seats] == ["p_chen"]
    stage.screens = ()
    stage.change(floor=None)
    assert "p_film" not in people(stage.run(SILENCE_S + 1))[1]
    alone = Stage((film,))
    alone.screens = ("p_film",)
    assert alone.run(1).screen == ("p_film", "screen")
    alone.screens = ()
    assert people(alone.run(1)) == ("title", [])
