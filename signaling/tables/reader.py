"""Reading a table that a stranger sends: XLSX or CSV, by its content. Nothing in it is computed or followed.

Bounds stand before the work: the unpacked size before a workbook is opened, rows, columns and the length of a
cell while it is read. The process it runs in bounds memory and time.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from conference.model.invitee_columns import Cell, NumberedRow

MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 500
MAX_SHEETS: Final = 10
MAX_SCANNED_ROWS: Final = 200_000  # empty ones included
MAX_COLUMNS: Final = 60
MAX_CELL_CHARS: Final = 1_000
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_MARKUP: Final = (b"<", b"%PDF", b"{\\rtf")
_EMPTY: Final = Cell()
_MERGED: Final = re.compile(rb'mergeCell\b[^>]*?\bref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})"')
_MAX_MERGED: Final = 20_000  # a list has few; a hostile one may claim the whole sheet

OLD_EXCEL: Final = "这是旧版（.xls）或加了密码的表格，请另存为不带密码的 Excel 工作簿（.xlsx）再导入。"
TOO_BIG_INSIDE: Final = "这个文件展开后太大，请只留下名单再导入。"


class UnreadableError(Exception):
    """Not a table that can be read. The message is for the person who sent it; empty: the usual one."""


def sheets(data: bytes) -> Iterator[Iterator[NumberedRow]]:
    """The visible sheets of a file, each as its rows. UnreadableError at any point."""
    if data.startswith(_OLE):
        raise UnreadableError(OLD_EXCEL)
    if data.startswith(_ZIP):
        yield from _workbook(data)
    else:
        yield _csv(data)


# ── XLSX ────────────────────────────────────────────────────────────────────────────────────────


def _workbook(data: bytes) -> Iterator[Iterator[NumberedRow]]:
    from openpyxl import load_workbook  # slow to import, and a CSV does not need it

    _require_bounded(data)
    try:
        # read_only streams; formulas stay text (data_only would give what some program computed); no links
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
        visible = [each for each in book.worksheets if each.sheet_state == "visible"]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # whatever a broken file makes of the library
        raise UnreadableError from error
    for sheet in visible[:MAX_SHEETS]:
        yield _sheet(sheet)


def _require_bounded(data: bytes) -> None:
    """The directory of the package says how much comes out; zipfile never gives more than it says."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise UnreadableError from error
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise UnreadableError(TOO_BIG_INSIDE)


def _sheet(sheet: Any) -> Iterator[NumberedRow]:
    """Rows with their numbers. Which cells are merged stands behind all rows, so it is looked for first."""
    try:
        with sheet._get_source() as source:
            repeated = dict(itertools.islice(_repeats(source.read()), _MAX_MERGED))
        sheet.reset_dimensions()  # what a file says about its size is often wrong
        above: dict[int, str] = {}
        rows = itertools.islice(sheet.iter_rows(max_col=MAX_COLUMNS), MAX_SCANNED_ROWS)
        for number, row in enumerate(rows, start=1):
            cells = [_cell(each) for each in row]
            for place, cell in enumerate(cells) if repeated else ():
                top = repeated.get((number, place))
                if top == number:
                    above[place] = cell.text
                elif top is not None:
                    cells[place] = Cell(above.get(place, ""), merged=True)
            yield number, cells
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # the sheets are parsed as they are read
        raise UnreadableError from error


def _repeats(xml: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """For cells merged downwards: (row, column from 0) → the row that bears the text."""
    from openpyxl.worksheet.cell_range import CellRange

    for ref in _MERGED.findall(xml):
        area = CellRange(ref.decode())
        if area.min_col <= MAX_COLUMNS and area.max_row > area.min_row:
            for number in range(area.min_row, area.max_row + 1):
                yield (number, area.min_col - 1), area.min_row


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return _EMPTY
    if cell.data_type == "f":
        return Cell(str(getattr(value, "text", value))[:MAX_CELL_CHARS], formula=True)
    return Cell(_text(value)[:MAX_CELL_CHARS])


def _text(value: Any) -> str:
    """As the spreadsheet program shows it, more or less: whole numbers without a point."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time | timedelta):
        return str(value)
    return str(value)


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────


def _csv(data: bytes) -> Iterator[NumberedRow]:
    text = _decoded(data)
    if "\0" in text or data.lstrip()[:5].startswith(_MARKUP):
        raise UnreadableError
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    delimiter = max(",;\t", key=first[:4_096].count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for number, row in enumerate(rows, start=1):
            yield number, [_csv_cell(each) for each in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise UnreadableError from error


def _decoded(data: bytes) -> str:
    """UTF-8 or GB18030; UTF-16 where a byte order mark says so (Excel's "Unicode text")."""
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError


def _csv_cell(text: str) -> Cell:
    """In a CSV what begins with = is a formula for every program that opens it."""
    return Cell(text[:MAX_CELL_CHARS], formula=text.startswith("="))
