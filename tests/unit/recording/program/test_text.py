"""Chinese line breaking, ellipses, cleaning, and life without fonts."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recording.program import text
from recording.program.text import NO_END, NO_START, Fonts, break_lines, clean, ellipsize


def ems(part: str) -> float:
    """A wide character is one wide, others a half."""
    return sum(1.0 if ord(c) > 0x2E7F or c in "…—·“”‘’" else 0.5 for c in part)


@pytest.mark.parametrize(
    ("words", "width", "lines"),
    [
        ("", 5, [""]),
        ("一二三四五六", 3, ["一二三", "四五六"]),
        ("一二三，四五", 3, ["一二", "三，四", "五"]),
        ("一二三。", 3, ["一二", "三。"]),
        ("一二（三四）", 3, ["一二", "（三", "四）"]),
        ("他说：“好！”", 4, ["他说：", "“好！”"]),
        ("发展WebRTC会", 4, ["发展", "WebRTC会"]),
        ("共3,200人", 3, ["共", "3,200", "人"]),
        ("ABCDEFGH", 2, ["ABCD", "EFGH"]),
        ("one two three", 4, ["one two", "three"]),
        ("《中共中央》《国务院》", 6, ["《中共中央》", "《国务院》"]),
    ],
)
def test_lines_are_broken_where_a_reader_expects_it(words: str, width: float, lines: list[str]) -> None:
    assert break_lines(words, width, ems) == lines


def test_the_first_line_may_be_shorter() -> None:
    assert break_lines("一二三四五六", 4, ems, first=2) == ["一二", "三四五六"]


@pytest.mark.parametrize(
    ("words", "most", "lines"),
    [
        ("一二三四五六七", 2, ["一二三", "四五…"]),
        ("一二三四，五六七", 2, ["一二三", "四…"]),
        ("一二三", 2, ["一二三"]),
    ],
)
def test_what_is_left_over_becomes_an_ellipsis(words: str, most: int, lines: list[str]) -> None:
    assert break_lines(words, 3, ems, most=most) == lines


MIXED = st.text(alphabet="一二三四。，、；：？！（）《》“”…ab1 7·\u3000", max_size=60)


@given(MIXED, st.integers(5, 12), st.integers(1, 12))
def test_no_line_is_too_wide_and_no_character_is_lost(words: str, width: int, first: int) -> None:
    lines = break_lines(words, width, ems, first=min(first, width))
    assert "".join("".join(lines).split()) == "".join(words.split())
    assert all(ems(line) <= width for line in lines)


# A run of marks that is wider than a line has to be cut somewhere: these have none.
READABLE = st.lists(
    st.sampled_from(["一", "委员", "好。", "（是）", "《论》", "“对，”", "3,200", "web", "吗？", "、"]),
    max_size=40,
).map(
    lambda parts: "".join(
        p for p, q in zip(parts, ["x", *parts], strict=False) if not (p == "、" and q[-1] in NO_START)
    )
)


@example("3,2003,2003,2003,200", 8)
@given(READABLE, st.integers(7, 14))
def test_no_line_begins_with_a_stop_or_ends_with_a_bracket(words: str, width: int) -> None:
    for number, line in enumerate(break_lines(words, width, ems)):
        assert number == 0 or line[0] not in NO_START
        assert line == "" or line[-1] not in NO_END or line[-1] in "“‘"


@given(MIXED, st.integers(1, 20))
def test_a_shortened_text_fits_and_is_a_beginning(words: str, width: int) -> None:
    short = ellipsize(words, width, ems)
    if short != words:
        assert ems(short) <= width
        assert short.endswith("…")
        assert words.startswith(short[:-1])
        assert len(short) == 1 or short[-2] not in NO_START


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  林\n委员\t ", "林 委员"),
        ("好\u202e的\u0000", "好的"),
        ("支持👍🏽❤️！", "支持！"),
        ("青禾县　何委员", "青禾县　何委员"),
        ("é", "é"),
    ],
)
def test_what_cannot_be_drawn_is_left_out(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_the_chinese_of_the_mainland_is_taken_from_the_collection() -> None:
    assert Fonts().get("serif", 30, bold=True).getname() == ("Noto Serif CJK SC", "Bold")
    assert Fonts().get("sans", 30).getname() == ("Noto Sans CJK SC", "Regular")


def test_missing_fonts_are_said_once_and_hurt_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        first, second = Fonts([tmp_path]), Fonts([tmp_path / "nowhere"])
    assert first.get("serif", 30, bold=True).getlength("林委员") > 0
    assert second.get("sans", 12).getlength("abc") > 0
    assert [record.message for record in caplog.records] == [
        "fonts-noto-cjk is not installed: Chinese text in the program is not legible"
    ]


def test_a_broken_font_file_counts_as_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text._warn_once.cache_clear()
    (tmp_path / "NotoSansSC-Regular.otf").write_bytes(b"no font")
    with caplog.at_level(logging.WARNING):
        assert Fonts([tmp_path]).get("sans", 20).getlength("abc") > 0
    assert "cannot be read" in caplog.text
