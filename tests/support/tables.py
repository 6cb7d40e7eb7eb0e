"""Workbooks for tests: good ones, odd ones, and those that somebody made on purpose."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from openpyxl import Workbook, load_workbook

HEADINGS = ("姓名", "界别", "身份", "会场", "手机", "单位职务", "大字")


def workbook(rows: Iterable[Sequence[Any]], *, merge: Iterable[str] = ()) -> bytes:
    """An XLSX of one sheet."""
    book = Workbook()
    sheet: Any = book.active
    for row in rows:
        sheet.append(list(row))
    for area in merge:
        sheet.merge_cells(area)
    return saved(book)


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def people(*rows: Sequence[Any]) -> bytes:
    """An XLSX with our headings."""
    return workbook([HEADINGS, *rows])


def opened(data: bytes) -> dict[str, list[list[Any]]]:
    """The values of all sheets by their names."""
    book = load_workbook(io.BytesIO(data))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def with_parts(data: bytes, parts: Mapping[str, bytes]) -> bytes:
    """The same package with these parts instead of its own, or beside them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def bomb(data: bytes, unpacked_bytes: int = 200 * 1024 * 1024) -> bytes:
    """A package that unpacks to a multiple of itself."""
    return with_parts(data, {"xl/media/bomb.bin": bytes(unpacked_bytes)})


def lying_bomb(data: bytes, rows: int = 6_000_000) -> bytes:
    """A sheet that is far larger than the directory of the package says."""
    part = "xl/worksheets/sheet1.xml"
    row = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    large = with_parts(data, {part: row * (rows // 20)})
    true_size = len(row) * (rows // 20)
    return large.replace(true_size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))


def entities(data: bytes, part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """Nine levels of ten: a billion laughs."""
    names = "abcdefghi"
    levels = [f'<!ENTITY {name} "{f"&{names[n - 1]};" * 10 if n else "ha"}">' for n, name in enumerate(names)]
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        xml = package.read(part).decode()
    body = xml.split("?>", 1)[1] if xml.startswith("<?xml") else xml
    head = f"<?xml version='1.0'?><!DOCTYPE x [{''.join(levels)}]>"
    return with_parts(data, {part: (head + body.replace("<sheetData>", "<!--&i;--><sheetData>")).encode()})
