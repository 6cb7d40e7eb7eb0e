"""Several cameras of one participant: what each m-line carries, and which of them stands for all."""

from __future__ import annotations

from conference.sfu.publication import Publication, main_camera
from conference.sfu.track_hint import TrackHint, name_sources


def camera(publication_id: str, *, main: bool = False) -> Publication:
    made = Publication(publication_id, "p", "video", "camera", publication_id, is_open=True)
    made.is_main = main
    return made


def test_each_camera_keeps_its_label_and_one_is_the_main_one() -> None:
    lines = [("0", "audio"), ("1", "video"), ("2", "video"), ("3", "video")]
    hints = {
        "1": TrackHint("camera", "全景机位"),
        "2": TrackHint("camera", "发言席", main=True),
        "3": TrackHint("screen", "幻灯片"),
    }
    named = name_sources(lines, hints)
    assert named["1"] == TrackHint("camera", "全景机位")
    assert named["2"] == TrackHint("camera", "发言席", main=True)
    assert named["3"].source == "screen"
    assert named["0"].source == "microphone"


def test_without_a_word_the_first_camera_stands_for_all() -> None:
    one, two = camera("one"), camera("two")
    screen = Publication("s", "p", "video", "screen", "", is_open=True)
    assert main_camera([screen, one, two]) is one
    two.is_main = True
    assert main_camera([screen, one, two]) is two
    assert main_camera([screen]) is None
