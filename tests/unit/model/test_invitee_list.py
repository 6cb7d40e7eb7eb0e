"""Lists of invitees: headings, rows, and the judgement on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.folding import PhoneFault, folded, folded_name, masked, phone_of, tidied, tidied_name
from conference.model.invitee import Invitee
from conference.model.invitee_check import CheckedRow, check
from conference.model.invitee_columns import LABELS, SYNONYMS, Cell, Column, find_header
from conference.model.invitee_list import ImportRow, Values, take_row
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind


def cells(*texts: str) -> list[Cell]:
    return [Cell(text) for text in texts]


def venue(name: str, kind: VenueKind = VenueKind.BRANCH) -> Venue:
    return Venue(f"v_{name}", "c", 1, name, kind, "", "", "", None, 1, "", 0)


def invitee(name: str, phone: str = "") -> Invitee:
    return Invitee(f"i_{name}", "c", 1, name, "", "", Role.MEMBER, None, phone, False, False, 1, "", 0)


VENUES = [venue("议事厅", VenueKind.MAIN), venue("青禾县分会场"), venue("柳塘街道连线点", VenueKind.POINT)]


def row(number: int = 2, **values: str) -> ImportRow:
    return ImportRow(number, Values(**{"name": f"某{number}", "role": "委员", **values}))  # type: ignore[arg-type]


def judged(*rows: ImportRow, invitees: tuple[Invitee, ...] = ()) -> tuple[CheckedRow, ...]:
    return check(rows, VENUES, invitees)


def codes(checked: CheckedRow) -> list[str]:
    return [problem.code for problem in checked.problems]


# ── headings ────────────────────────────────────────────────────────────────────────────────────


def test_every_heading_means_one_column() -> None:
    names = [name for group in SYNONYMS.values() for name in group]
    assert len(names) == len(set(names))
    assert all(LABELS[column] in SYNONYMS[column] for column in Column)


def test_the_header_is_found_below_a_title_and_in_any_order() -> None:
    rows = [
        (1, cells("2026 年受邀名单")),
        (2, []),
        (4, cells("序号", "手机号码（必填）", "姓　名*", "工作单位", "职务")),
    ]
    header = find_header(rows)
    assert header is not None
    assert (header.row, dict(header.places)) == (4, {"phone": (1,), "name": (2,), "title": (3, 4)})
    taken = take_row(header, (5, cells("1", "139 0000 1102", "王 伟", "市民政局", "副局长")))
    assert taken is not None
    assert taken.values == Values(name="王伟", title="市民政局副局长", phone="139 0000 1102")


@pytest.mark.parametrize("rows", [[], [(1, cells("甲", "乙"))], [(11, cells("姓名"))]])
def test_without_a_name_column_there_is_no_header(rows: list[tuple[int, list[Cell]]]) -> None:
    assert find_header(rows) is None


def test_rows_that_are_no_people_are_passed_over() -> None:
    header = find_header([(1, cells("序号", "姓名", "会场"))])
    assert header is not None
    for texts in [
        ("", "", ""),
        ("7", " ", ""),
        ("", "姓 名", "会场"),
        ("", "合计：36 人", ""),
        ("", "备注：无", ""),
    ]:
        assert take_row(header, (2, cells(*texts))) is None
    assert take_row(header, (2, cells("", "", "主会场"))) is not None


def test_what_is_merged_downwards_belongs_to_each_row_but_the_name() -> None:
    header = find_header([(1, cells("会场", "姓名"))])
    assert header is not None
    merged = Cell("青禾县分会场", merged=True)
    taken = take_row(header, (3, [merged, Cell("何春生")]))
    assert taken is not None
    assert taken.values.venue == "青禾县分会场"
    assert take_row(header, (4, [merged, Cell()])) is None
    assert take_row(header, (4, [Cell(), Cell("何春生", merged=True)])) is None


# ── the judgement ───────────────────────────────────────────────────────────────────────────────


def test_a_good_row_is_taken_as_it_is_meant() -> None:
    good = row(name="何春生", role="部门代表 ", venue="青禾县", phone="＋86 １３９－0000 2217")
    (checked,) = judged(good)
    assert checked.ok
    assert (checked.role, checked.venue_id, checked.phone) == (
        Role.DEPARTMENT,
        "v_青禾县分会场",
        "13900002217",
    )


@pytest.mark.parametrize("place", ["", "手机参会", " 线 上 ", "远程"])
def test_those_from_afar_have_no_venue(place: str) -> None:
    (checked,) = judged(row(venue=place))
    assert (checked.ok, checked.venue_id) == (True, None)


def test_the_only_main_venue_is_meant_whatever_its_name() -> None:
    assert judged(row(venue="主会场"))[0].venue_id == "v_议事厅"


def test_an_unknown_venue_brings_the_nearest() -> None:
    near, none = judged(row(2, venue="青河县分会场"), row(3, venue="月球"))
    assert near.problems[0].message == "没有“青河县分会场”，是不是“青禾县分会场”？"
    assert near.problems[0].suggestion is not None
    assert near.problems[0].suggestion.value == "青禾县分会场"
    assert (codes(none), none.problems[0].suggestion) == (["venue_unknown"], None)
    mended = near.source.mended({"venue": "青禾县分会场"}, None, None)
    assert judged(mended)[0].ok


def test_roles() -> None:
    assumed, near, far, operator = judged(
        row(2, role=""), row(3, role="委 圆"), row(4, role="xyz"), row(5, role="会场操作员")
    )
    assert (assumed.role, [note.code for note in assumed.notes]) == (Role.MEMBER, ["role_assumed"])
    assert near.problems[0].suggestion is not None
    assert near.problems[0].suggestion.value == "委员"
    assert (codes(far), far.problems[0].suggestion) == (["role_unknown"], None)
    assert "操作员链接" in operator.problems[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1390000217", "手机号少 1 位，收不到链接短信"),
        ("139000022170", "手机号多 1 位，收不到链接短信"),
        ("0571-88880120", "不是手机号，收不到链接短信"),
        ("139000o2217", "手机号里有不是数字的字，收不到链接短信"),
        ("13900002217/13800002217", "一格里有几个号码，请只留一个"),
    ],
)
def test_numbers_that_no_message_reaches(text: str, message: str) -> None:
    (checked,) = judged(row(phone=text))
    assert [problem.message for problem in checked.problems] == [message]


def test_the_same_person_twice() -> None:
    first = row(12, name="陈玉兰", phone="13800000466")
    again = row(17, name="陈 玉兰", phone="１３８００００ 0466")
    _, checked = judged(first, again)
    assert checked.problems[0].message == "和第 12 行是同一人（姓名、手机都相同）"
    assert checked.problems[0].other_row == 12
    assert all(each.ok for each in judged(first, again.mended({}, True, None)))
    dropped, left = judged(first.mended({}, None, True), again)
    assert (dropped.ok, left.ok) == (False, True)
    other = row(18, name="陈玉兰", phone="13900000000")
    assert judged(first, other)[1].ok
    assert codes(judged(first, row(19, name="陈玉兰"))[1]) == ["duplicate_in_file"]


def test_somebody_who_is_in_the_list_already() -> None:
    (checked,) = judged(row(name="陈玉兰"), invitees=(invitee("陈玉兰", "13800000466"),))
    assert checked.problems[0].message == "名单里已有“陈玉兰”（姓名相同）"
    assert codes(checked) == ["duplicate_existing"]


def test_empty_and_long() -> None:
    (checked,) = judged(row(name="", title="长" * 201, phone="1" * 33))
    assert codes(checked) == ["name_missing", "too_long", "too_long"]


def test_a_formula_is_text_until_it_is_written_over() -> None:
    header = find_header([(1, cells("姓名", "单位职务"))])
    assert header is not None
    taken = take_row(header, (31, [Cell("钱立"), Cell("=B30", formula=True)]))
    assert taken is not None
    (checked,) = judged(taken)
    assert (checked.ok, checked.notes[-1].message) == (True, "公式“=B30”已按文字处理")
    assert "formula_as_text" not in [
        each.code for each in judged(taken.mended({"title": "局长"}, None, None))[0].notes
    ]


# ── laws ────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(max_size=60))
def test_folding_and_tidying_are_idempotent(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert tidied(tidied(text)) == tidied(text)
    assert tidied_name(tidied_name(text)) == tidied_name(text)
    assert "\x00" not in tidied(text)
    tidied(text).encode()


@given(st.text(alphabet="王小明 　·•．\u200b", min_size=1, max_size=12))
def test_a_name_equals_itself_with_blanks_and_other_dots(name: str) -> None:
    assert folded_name(name) == folded_name(name.replace("·", "•"))
    assert folded_name(f" {name}　") == folded_name(name)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.sampled_from(["", "+86 ", "86", "0086-"]))
def test_a_mobile_number_is_found_however_it_is_written(number: str, prefix: str) -> None:
    wide = "".join(chr(ord(each) + 0xFEE0) for each in number)
    for text in (number, wide, f"{number[:3]}-{number[3:7]} {number[7:]}"):
        assert phone_of(prefix + text).digits == number
        assert phone_of(prefix + text).fault is None


@given(st.integers(1, 9))
def test_how_many_digits_are_missing(count: int) -> None:
    phone = phone_of("13900002217"[:-count])
    assert (phone.fault, phone.off_by) == (PhoneFault.SHORT, count)


@given(st.lists(st.tuples(*[st.text(max_size=20)] * 6), max_size=30))
def test_any_rows_are_judged(texts: list[tuple[str, ...]]) -> None:
    names = ("name", "title", "sector", "role", "venue", "phone")
    rows = [ImportRow(n, Values(**dict(zip(names, each, strict=True)))) for n, each in enumerate(texts, 2)]  # type: ignore[arg-type]
    checked = judged(*rows)
    assert [each.source for each in checked] == rows
    assert all(each.role is not None and each.source.values.name for each in checked if each.ok)


def test_a_number_is_masked() -> None:
    assert masked("13900002217") == "139****2217"
    assert masked("0120") == "****"
