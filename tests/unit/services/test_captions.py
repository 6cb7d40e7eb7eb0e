"""Captions of a room: what stands in the picture, and for how long."""

from __future__ import annotations

from conference.events import CaptionFinal
from conference.model.permissions import Role
from conference.model.transcript import SpeakerLabel
from conference.services.captions import Captions


def final(text: str, segment_id: str, microphone_id: str = "p") -> CaptionFinal:
    return CaptionFinal(segment_id, microphone_id, SpeakerLabel("某", Role.MEMBER), text, 0, 1)


def texts(captions: Captions, now_s: float) -> list[str]:
    return [each.text for each in captions.lines(now_s)]


def test_a_final_stands_where_its_partials_stood() -> None:
    captions = Captions()
    captions.partial("p", "p", "我", 0.0)
    captions.partial("q", "q", "他", 0.1)
    captions.partial("p", "p", "我们", 0.3)
    assert texts(captions, 0.3) == ["我们", "他"]
    captions.final(final("我们同意。", "s1"), "p", 0.5)
    captions.partial("p", "p", "另外", 0.8)
    assert texts(captions, 0.8) == ["他", "另外"], "the newest two"
    captions.partial("q", "q", "", 0.9)
    assert texts(captions, 0.9) == ["我们同意。", "另外"]


def test_lines_go_by_themselves() -> None:
    captions = Captions()
    captions.final(final("第一句。", "s1"), "p", 0.0)
    captions.partial("q", "q", "断线的人", 1.0)
    assert texts(captions, 5.9) == ["第一句。", "断线的人"]
    assert texts(captions, 6.1) == ["断线的人"]
    assert texts(captions, 11.1) == []


def test_a_long_one_shows_its_end() -> None:
    captions = Captions()
    captions.partial("p", "p", "一" * 300 + "完", 0.0)
    (line,) = texts(captions, 0.0)
    assert len(line) < 200
    assert line.endswith("完")


def test_a_correction_reaches_the_picture_and_those_who_come_in() -> None:
    captions = Captions()
    for number in range(4):
        captions.final(final(f"第{number}句。", f"s{number}"), "p", 0.0)
    captions.correct("s3", "改过的。")
    captions.correct("s2", "")
    captions.correct("s0", "太早了。")
    assert texts(captions, 0.0) == ["第1句。", "改过的。"]
    assert [each.text for each in captions.recent] == ["第1句。", "改过的。"]
