"""A list of invitees that somebody brings: its rows, kept as they were read, and how they are found in a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from conference.model.errors import ConferenceError
from conference.model.folding import folded, tidied, tidied_name
from conference.model.invitee_columns import Cell, Column, Header, NumberedRow, column_called

MAX_ROWS: Final = 2_000
_YES: Final = frozenset(["是", "√", "✓", "✔", "对", "要", "需要", "大字", "1", "y", "yes", "true"])
_FOOTER: Final = re.compile(
    r"(?:合计|总计|共计|备注|注|说明|填表人|制表人|联系人)[:：]|(?:合计|总计|共计|备注|说明)$"
)


class TooManyRowsError(ConferenceError):
    """More people than one file may bring."""

    def __init__(self, rows: int) -> None:
        super().__init__("import_too_many_rows", f"{rows} rows")
        self._rows = rows

    @property
    def text(self) -> str:
        return f"这个表有 {self._rows:,} 行，一次最多 {MAX_ROWS:,} 行。请分成几个文件导入。"


@dataclass(frozen=True, slots=True)
class Values:
    """What a row says, as somebody wrote it."""

    name: str = ""
    title: str = ""
    sector: str = ""
    role: str = ""
    venue: str = ""
    phone: str = ""
    large_text: bool = False


@dataclass(frozen=True, slots=True)
class Formula:
    column: Column
    text: str


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row by its number in the file. `separate`: it is not the person that it looks like."""

    row: int
    values: Values
    formulas: tuple[Formula, ...] = ()
    separate: bool = False
    dropped: bool = False

    def mended(self, changes: Mapping[str, Any], separate: bool | None, dropped: bool | None) -> ImportRow:
        """With other values; a formula that was written over is none any more."""
        return replace(
            self,
            values=replace(self.values, **changes),
            formulas=tuple(each for each in self.formulas if each.column not in changes),
            separate=self.separate if separate is None else separate,
            dropped=self.dropped if dropped is None else dropped,
        )


@dataclass(frozen=True, slots=True)
class InviteeImport:
    """A list that was read and not taken over yet: one for a consultation. Times are UTC ms."""

    consultation_id: str
    file_name: str
    created_at_ms: int
    created_by: str
    rows: tuple[ImportRow, ...]


def take_row(header: Header, numbered: NumberedRow) -> ImportRow | None:
    """What a row below the header says; None when it says nothing, or is no person (a sum, the header again)."""
    number, cells = numbered
    found: dict[str, str] = {}
    formulas: list[Formula] = []
    for column, places in header.places.items():
        texts: list[str] = []
        for place in places:
            cell = cells[place] if place < len(cells) else Cell()
            if cell.merged and column is Column.NAME:
                continue  # one name over two rows is one person
            text = tidied_name(cell.text) if column is Column.NAME else tidied(_unquoted(cell.text))
            if text and text not in texts:
                texts.append(text)
            if cell.formula:
                formulas.append(Formula(column, text))
        found[column.value] = "".join(texts)
    own = {column: found.get(column.value, "") for column in Column}
    if not any(text for column, text in own.items() if not _repeats(header, cells, column)):
        return None
    name = own[Column.NAME]
    if _FOOTER.match(name) or column_called(name) is Column.NAME:
        return None
    large_text = means_yes(found.pop(Column.LARGE_TEXT.value, ""))
    return ImportRow(number, Values(**found, large_text=large_text), tuple(formulas))


def means_yes(text: str) -> bool:
    """Whether somebody who writes this wants it."""
    return folded(text) in _YES


def _repeats(header: Header, cells: Sequence[Cell], column: Column) -> bool:
    """Only carried over from a merged cell above: no sign that somebody stands in this row."""
    places = [place for place in header.places.get(column, ()) if place < len(cells)]
    return bool(places) and all(cells[place].merged for place in places)


def _unquoted(text: str) -> str:
    """Without the quote that our exports put before a dangerous beginning."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@") else text
