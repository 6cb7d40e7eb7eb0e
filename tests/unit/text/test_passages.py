"""Passages beside a heading: by its words, by what people say when they promise something, in their order."""

from __future__ import annotations

from conference.text.passages import relevant

SAID = (
    "各位委员，现在开会。",
    "建议由市人民医院牵头，与县职教中心合办护理员培训班。",
    "助餐点可以用现金，也可以刷社保卡。",
    "护理员岗位补贴每人每月三百元，下一步考虑分档。",
    "好。",
    "我们决定明年一月起覆盖全部行政村。",
)


def places(section: str, words: str = "", limit: int = 10) -> list[int]:
    return [each.place for each in relevant(SAID, section, words, limit)]


def test_what_was_settled_is_found_by_how_people_say_so() -> None:
    assert places("decisions") == [1, 3, 5]
    assert relevant(SAID, "decisions", "", 10)[1].cues == ("下一步",)


def test_words_of_a_heading_find_what_shares_them() -> None:
    assert places("decisions", "（二）护理员岗位补贴") == [1, 3]
    assert places("opening", "助餐点保留现金支付") == [2]


def test_the_best_are_kept_in_the_order_of_being_said() -> None:
    assert places("decisions", "护理员岗位补贴", limit=1) == [3]


def test_nothing_is_found_where_nothing_is_looked_for() -> None:
    assert places("opening") == []
    assert places("findings", "？！") == []
