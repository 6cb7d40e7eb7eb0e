"""What the search reads of a text, and what it wants of one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conference.text.bigrams import folded, grams, wanted_grams, wanted_words


def test_punctuation_width_and_case_do_not_count() -> None:
    assert folded(" 老旧小区，改造。ＷＩ-Fi\u200b") == "老旧小区改造wifi"
    assert grams("水利水") == ["水", "利", "水利", "利水"]
    assert wanted_words(" 老旧、小区  改造 改造 ，") == ["老旧小区", "改造"]
    assert wanted_grams(["老旧小", "水"]) == ["老旧", "旧小", "水"]


@given(st.text(), st.data())
def test_whatever_stands_in_a_text_is_found_by_its_grams(text: str, data: st.DataObject) -> None:
    found = folded(text)
    assert folded(found) == found or not found.isascii()
    if found:
        first = data.draw(st.integers(0, len(found) - 1))
        word = found[first : data.draw(st.integers(first + 1, len(found)))]
        assert set(wanted_grams([word])) <= set(grams(found))
