"""What stands where in the tables that leave: headings, widths, and the words in the cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from conference.model.invitee import Invitee
from conference.model.invitee_check import ROLE_LABELS, CheckedRow
from conference.model.invitee_columns import LABELS, Column
from conference.model.permissions import Role
from conference.model.venue import Venue
from signaling.tables.messages import Heading, Sheet, Value

REMOTE: Final = "手机参会"
ROLE_NAMES: Final = {
    **ROLE_LABELS,
    Role.VENUE_OPERATOR: "会场",
    Role.ORGANIZER: "会务",
    Role.ADMINISTRATOR: "管理员",
}
_WIDTHS: Final = {
    Column.NAME: 12,
    Column.SECTOR: 16,
    Column.ROLE: 12,
    Column.VENUE: 20,
    Column.PHONE: 16,
    Column.TITLE: 28,
    Column.LARGE_TEXT: 8,
}
_ADVICE: Final = (
    ("姓名", "必填。其余各列可以不填，列的先后不限。"),
    ("界别", "如：农业界、教育界。"),
    ("身份", "主持人、委员、部门代表、专家、群众代表、列席、秘书处、审核员。不填按委员。"),
    ("会场", f"和“会场”里的名称相同。不填或写“{REMOTE}”，就是用手机或电脑参会。"),
    ("手机", "11 位手机号。"),
    ("大字", "需要大字的写“是”。"),
    ("会场操作员", "不用写在名单里，每个会场有自己的操作员链接。"),
    ("行数", "一次最多 2,000 行。"),
)


def template(venues: Iterable[str]) -> tuple[Sheet, ...]:
    """An empty list with choices below 身份, 会场 and 大字, and a page that explains it."""
    choices = {
        Column.ROLE: tuple(ROLE_LABELS.values()),
        Column.VENUE: (REMOTE, *venues),
        Column.LARGE_TEXT: ("是",),
    }
    headings = tuple(Heading(LABELS[c], width=_WIDTHS[c], choices=choices.get(c, ())) for c in Column)
    advice: list[tuple[Value, ...]] = list(_ADVICE)
    return (
        Sheet("名单", headings, []),
        Sheet("怎么填", (Heading("列", width=14), Heading("说明", width=70)), advice),
    )


def marked(rows: Iterable[CheckedRow]) -> Sheet:
    """The list as it was read, with what is wrong beside it and the cells that are meant marked."""
    columns = list(Column)
    headings = (
        *(Heading(LABELS[column], width=_WIDTHS[column]) for column in columns),
        Heading("怎么改", width=60),
        Heading("表中位置", width=12),
    )
    lines: list[tuple[Value, ...]] = []
    cells: list[tuple[int, int]] = []
    for number, row in enumerate(rows):
        said = row.source.values
        values = [said.name, said.sector, said.role, said.venue, said.phone, said.title]
        values.append("是" if said.large_text else "")
        lines.append((*values, _advice(row), f"第 {row.source.row} 行"))
        places = {columns.index(problem.column) for problem in row.problems if not row.source.dropped}
        cells += [(number, place) for place in sorted(places)]
    return Sheet("名单", headings, lines, tuple(cells))


def _advice(row: CheckedRow) -> str:
    if row.source.dropped:
        return "不导入"
    notes = [note.message for note in row.notes]
    return "；".join([problem.message for problem in row.problems] + notes) or "可以导入"


def links(
    people: Iterable[tuple[Invitee, str | None, str]], venues: Iterable[tuple[Venue, str]]
) -> tuple[Sheet, ...]:
    """Personal links, and those of operators with the entry codes of their halls."""
    personal = (
        Heading("姓名"),
        Heading("身份"),
        Heading("界别", width=16),
        Heading("单位职务", width=28),
        Heading("会场", width=20),
        Heading("手机", width=16),
        Heading("大字", width=8),
        Heading("链接", width=60),
    )
    rows: list[tuple[Value, ...]] = [
        (
            each.name,
            ROLE_NAMES[each.role],
            each.sector,
            each.title,
            venue or REMOTE,
            each.phone,
            "是" if each.large_text else "",
            link,
        )
        for each, venue, link in people
    ]
    operated = (
        Heading("会场", width=20),
        Heading("操作员"),
        Heading("手机", width=16),
        Heading("会议码"),
        Heading("操作员链接", width=60),
    )
    halls: list[tuple[Value, ...]] = [
        (each.name, each.operator_name, each.operator_phone, each.entry_code or "", link)
        for each, link in venues
    ]
    return Sheet("个人链接", personal, rows), Sheet("会场", operated, halls)
