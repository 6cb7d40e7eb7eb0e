"""The columns of a list of invitees: what they are called in the lists of counties, and where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from conference.model.folding import folded

HEADER_WITHIN: Final = 10  # rows from the top
_DECORATION: Final = re.compile(r"\(.*?\)|[*＊:：、/\\\-]|必填|选填")


class Column(StrEnum):
    NAME = "name"
    SECTOR = "sector"
    ROLE = "role"
    VENUE = "venue"
    PHONE = "phone"
    TITLE = "title"
    LARGE_TEXT = "large_text"


LABELS: Final[Mapping[Column, str]] = MappingProxyType(
    {
        Column.NAME: "姓名",
        Column.SECTOR: "界别",
        Column.ROLE: "身份",
        Column.VENUE: "会场",
        Column.PHONE: "手机",
        Column.TITLE: "单位职务",
        Column.LARGE_TEXT: "大字",
    }
)
SYNONYMS: Final[Mapping[Column, tuple[str, ...]]] = MappingProxyType(
    {
        Column.NAME: ("姓名", "名字", "委员姓名", "人员姓名", "参会人员", "参会人", "受邀人", "name"),
        Column.SECTOR: ("界别", "所属界别", "所在界别", "界别组", "界别小组", "sector"),
        Column.ROLE: ("身份", "参会身份", "会议身份", "角色", "人员类别", "类别", "人员类型", "类型", "role"),
        Column.VENUE: (
            "会场",
            "参会会场",
            "所在会场",
            "分会场",
            "连线点",
            "会场连线点",
            "参会地点",
            "参会方式",
            "地点",
            "venue",
        ),
        Column.PHONE: (
            "手机",
            "手机号",
            "手机号码",
            "移动电话",
            "电话",
            "电话号码",
            "联系电话",
            "联系方式",
            "phone",
            "mobile",
        ),
        Column.TITLE: (
            "单位职务",
            "单位及职务",
            "单位和职务",
            "单位与职务",
            "工作单位及职务",
            "工作单位和职务",
            "工作单位职务",
            "工作单位",
            "所在单位",
            "单位",
            "单位名称",
            "职务",
            "职务职称",
            "title",
        ),
        Column.LARGE_TEXT: ("大字", "大字版", "大字模式", "大字号", "适老", "适老化", "largetext"),
    }
)
_COLUMN_OF: Final = {name: column for column, names in SYNONYMS.items() for name in names}


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as text. `formula`: it was one; `merged`: it belongs to a merged cell and repeats its first."""

    text: str = ""
    formula: bool = False
    merged: bool = False


NumberedRow = tuple[int, Sequence[Cell]]  # the number that the spreadsheet program shows, from 1


@dataclass(frozen=True, slots=True)
class Header:
    """Where the columns stand: `row` by number, places from 0. Workplace and post may be two columns."""

    row: int
    places: Mapping[Column, tuple[int, ...]]


def column_called(text: str) -> Column | None:
    """What a heading means."""
    return _COLUMN_OF.get(_DECORATION.sub("", folded(text)))


def find_header(rows: Iterable[NumberedRow]) -> Header | None:
    """The first row that names a column 姓名, within the first ten."""
    for number, cells in rows:
        if number > HEADER_WITHIN:
            return None
        places: dict[Column, tuple[int, ...]] = {}
        for place, cell in enumerate(cells):
            column = column_called(cell.text)
            if column is not None and (column is Column.TITLE or column not in places):
                places[column] = (*places.get(column, ()), place)
        if Column.NAME in places:
            return Header(number, MappingProxyType(places))
    return None
