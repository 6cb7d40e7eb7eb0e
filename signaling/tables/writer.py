"""Writing sheets as XLSX or CSV, so that no program takes a cell for a formula."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from conference.model.folding import tidied
from signaling.tables.messages import Format, Heading, Kind, Sheet, Value

if TYPE_CHECKING:
    from openpyxl import Workbook

DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOMENT: Final = "yyyy-mm-dd hh:mm:ss"
_DURATION: Final = "[h]:mm:ss"
_LIST_ROWS: Final = 2_000  # how far down the choices of a column are offered
_MARK: Final = "FFF3C4"
_HEAD: Final = "E8EEF0"


def write(file_format: Format, time_zone: str, sheets: tuple[Sheet, ...]) -> bytes:
    """The file. Moments are written as they read on a clock in `time_zone`."""
    zone = ZoneInfo(time_zone)
    return _csv(sheets[0], zone) if file_format is Format.CSV else _xlsx(sheets, zone)


def local(moment_ms: int, zone: ZoneInfo) -> datetime:
    """A moment as the clock on the wall shows it, in whole seconds: spreadsheets know no zones."""
    return datetime.fromtimestamp(moment_ms // 1000, UTC).astimezone(zone).replace(tzinfo=None)


# ── XLSX ────────────────────────────────────────────────────────────────────────────────────────


def _xlsx(sheets: tuple[Sheet, ...], zone: ZoneInfo) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        _add(book, sheet, zone)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _add(book: Workbook, sheet: Sheet, zone: ZoneInfo) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    page: Any = book.create_sheet(sheet.name)
    page.freeze_panes = "A2"
    for place, heading in enumerate(sheet.headings, start=1):
        cell = page.cell(1, place, heading.title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor=_HEAD)
        letter = get_column_letter(place)
        page.column_dimensions[letter].width = heading.width
        listed = ",".join(each for each in heading.choices if not set(each) & set(',"'))
        if listed and len(listed) <= 255:  # what the format allows
            offered = DataValidation("list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=False)
            offered.add(f"{letter}2:{letter}{_LIST_ROWS + 1}")
            page.add_data_validation(offered)
    for number, row in enumerate(sheet.rows, start=2):
        for place, (heading, value) in enumerate(zip(sheet.headings, row, strict=True), start=1):
            if value is not None:
                _fill(page.cell(number, place), heading.kind, value, zone)
    for number, place in sheet.marked:
        page.cell(number + 2, place + 1).fill = PatternFill("solid", fgColor=_MARK)
    for row in page.iter_rows(min_row=2):
        for cell in row:
            cell.alignment = Alignment(vertical="top", wrap_text=cell.data_type == "s")


def _fill(cell: Any, kind: Kind, value: Value, zone: ZoneInfo) -> None:
    if kind is Kind.MOMENT and isinstance(value, int):
        cell.value, cell.number_format = local(value, zone), _MOMENT
    elif kind is Kind.DURATION and isinstance(value, int):
        cell.value, cell.number_format = timedelta(seconds=round(value / 1000)), _DURATION
    elif isinstance(value, int | float):
        cell.value = value
    else:
        cell.value = plain(str(value))
        cell.data_type = "s"  # text, whatever it begins with
        cell.number_format = "@"
        cell.quotePrefix = True


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────


def _csv(sheet: Sheet, zone: ZoneInfo) -> bytes:
    file = io.StringIO()
    out = csv.writer(file, lineterminator="\r\n")
    out.writerow([heading.title for heading in sheet.headings])
    for row in sheet.rows:
        out.writerow([_shown(h, value, zone) for h, value in zip(sheet.headings, row, strict=True)])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _shown(heading: Heading, value: Value, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and heading.kind is Kind.MOMENT:
        return f"{local(value, zone):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int) and heading.kind is Kind.DURATION:
        seconds = round(value / 1000)
        return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return harmless(plain(str(value))) if isinstance(value, str) else str(value)


def plain(text: str) -> str:
    """Text that a cell can hold: no control characters; lines stay lines."""
    return "\n".join(tidied(line) for line in text.splitlines())[:32_000]


def harmless(text: str) -> str:
    """With a quote before what a spreadsheet program would compute."""
    return f"'{text}" if text.startswith(DANGEROUS) else text
