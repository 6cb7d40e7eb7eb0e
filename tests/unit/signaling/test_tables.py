"""Tables in their own process: what is read, what is refused and with which words, what is written."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import os
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from conference.model.errors import ConferenceError
from conference.model.invitee_list import ImportRow
from signaling.tables.client import TableWorkers
from signaling.tables.messages import Format, Heading, Kind, Sheet
from signaling.tables.reader import OLD_EXCEL, TOO_BIG_INSIDE
from tests.support.tables import (
    HEADINGS,
    bomb,
    entities,
    lying_bomb,
    opened,
    people,
    saved,
    with_parts,
    workbook,
)

ONE = ("何春生", "农业界", "委员", "青禾县分会场", "139 0000 2217", "种粮合作社", "是")


@pytest.fixture
def tables() -> TableWorkers:
    return TableWorkers("Asia/Shanghai")


async def names(tables: TableWorkers, data: bytes) -> list[str]:
    return [row.values.name for row in await tables.read_invitees(data)]


async def refusal(tables: TableWorkers, data: bytes) -> ConferenceError:
    with pytest.raises(ConferenceError) as caught:
        await tables.read_invitees(data)
    return caught.value


# ── what is read ────────────────────────────────────────────────────────────────────────────────


async def test_a_workbook(tables: TableWorkers) -> None:
    (row,) = await tables.read_invitees(people(ONE))
    assert (row.row, row.values.name, row.values.phone) == (2, "何春生", "139 0000 2217")
    assert (row.values.large_text, row.values.title, row.formulas) == (True, "种粮合作社", ())


async def test_an_odd_workbook(tables: TableWorkers) -> None:
    rows = [
        ("2026 年协商会受邀名单",),
        (),
        ("（单位：人）",),
        ("序号", "姓　名", "手机号", "会场", "单位职务", "职务说明"),
        (1, "王 伟", 13900001102, "青禾县分会场", "=B30"),
        (2, "陈玉兰", 13800000466.0, None, '=HYPERLINK("http://x","点我")'),
        (),
        (3, "丁守田", "１３９００００２２１７", None, "=cmd|' /C calc'!A0"),
        (None, "合计：3 人"),
    ]
    read = await tables.read_invitees(workbook(rows, merge=("A1:F1", "D5:D8")))
    assert [(row.row, row.values.name, row.values.phone, row.values.venue) for row in read] == [
        (5, "王伟", "13900001102", "青禾县分会场"),
        (6, "陈玉兰", "13800000466", "青禾县分会场"),
        (8, "丁守田", "１３９００００２２１７", "青禾县分会场"),
    ]
    assert [row.formulas[0].text for row in read] == [
        "=B30",
        '=HYPERLINK("http://x","点我")',
        "=cmd|' /C calc'!A0",
    ]


async def test_the_first_visible_sheet_with_names_is_taken(tables: TableWorkers) -> None:
    book = Workbook()
    first: Any = book.active
    first.append(["填表说明"])
    hidden: Any = book.create_sheet("旧名单")
    hidden.append(["姓名"])
    hidden.append(["旧人"])
    hidden.sheet_state = "hidden"
    third: Any = book.create_sheet("名单")
    third.append(["姓名"])
    third.append(["新人"])
    assert await names(tables, saved(book)) == ["新人"]


async def test_a_workbook_that_lies_about_its_size(tables: TableWorkers) -> None:
    data = people(ONE, ONE)
    part = "xl/worksheets/sheet1.xml"
    xml = zipfile.ZipFile(io.BytesIO(data)).read(part)
    lying = with_parts(data, {part: xml.replace(b'ref="A1:G3"', b'ref="A1"')})
    assert len(await names(tables, lying)) == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
async def test_a_csv(tables: TableWorkers, encoding: str, delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(row) for row in (HEADINGS, ONE, ("",) * 7, ("=1+1", *ONE[1:])))
    rows = await tables.read_invitees(text.encode(encoding))
    assert [(row.row, row.values.name) for row in rows] == [(2, "何春生"), (4, "=1+1")]
    assert [len(row.formulas) for row in rows] == [0, 1]


async def test_two_thousand_rows_are_the_most(tables: TableWorkers) -> None:
    fit = await tables.read_invitees(workbook([["姓名"], *([f"某{n}"] for n in range(2_000))]))
    assert len(fit) == 2_000
    error = await refusal(tables, workbook([["姓名", "手机"], *([f"某{n}", n] for n in range(10_000))]))
    assert error.code == "import_too_many_rows"
    assert error.text == "这个表有 10,000 行，一次最多 2,000 行。请分成几个文件导入。"


# ── what is refused ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import_no_name_column"),
        (workbook([["甲", "乙"], ["1", "2"]]), "import_no_name_column"),
        (workbook([[], *[["题目"]] * 10, ["姓名"], ["某"]]), "import_no_name_column"),
        (people(), "import_empty"),
        (workbook([["姓名"], [None], ["　"]]), "import_empty"),
        (b"PK\x03\x04 no package", "import_unreadable"),
        (with_parts(people(ONE), {"xl/workbook.xml": b"<broken"}), "import_unreadable"),
        (
            with_parts(people(ONE), {"xl/worksheets/sheet1.xml": b"<worksheet><sheetData><row"}),
            "import_unreadable",
        ),
        (entities(people(ONE)), "import_unreadable"),
        (entities(people(ONE), "xl/workbook.xml"), "import_unreadable"),
        ("姓名\n张\0三\n".encode(), "import_unreadable"),
        (b"<html><table><tr><td>\xe5\xa7\x93\xe5\x90\x8d", "import_unreadable"),
        (b"\x81\xff\xff\x00", "import_unreadable"),
        (b"x" * 5_000_000, "import_unreadable"),
        (b"x," * 2_500_000, "import_no_name_column"),
        (b'\xe5\xa7\x93\xe5\x90\x8d\n"' + b"y" * 300_000, "import_unreadable"),
    ],
    ids=range(16),
)
async def test_bad_files(tables: TableWorkers, data: bytes, code: str) -> None:
    error = await refusal(tables, data)
    assert error.code == code
    assert "请" in error.text


async def test_an_old_or_locked_workbook_is_named_as_what_it_is(tables: TableWorkers) -> None:
    error = await refusal(tables, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000))
    assert (error.code, error.text) == ("import_unreadable", OLD_EXCEL)


async def test_bombs_cost_little(tables: TableWorkers) -> None:
    error = await refusal(tables, bomb(people(ONE)))
    assert (error.code, error.text) == ("import_unreadable", TOO_BIG_INSIDE)
    assert (await refusal(tables, lying_bomb(people(ONE)))).code == "import_unreadable"


async def test_a_worker_that_takes_too_long_is_killed() -> None:
    tables = TableWorkers("Asia/Shanghai", patience_s=0.05)
    began = time.monotonic()
    assert (await refusal(tables, people(ONE))).code == "import_unreadable"
    assert time.monotonic() - began < 5
    assert _children("signaling.tables.worker") == []


async def test_a_worker_has_a_bound_on_its_memory() -> None:
    program = (
        "import signaling.tables.worker as w; w._bound()\n"
        "try:\n    bytearray(w.MEMORY_BYTES)\nexcept MemoryError:\n    print('bounded')"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
    )
    assert (await process.communicate())[0] == b"bounded\n"


async def test_few_may_wait(tables: TableWorkers) -> None:
    waiting = [asyncio.create_task(tables.read_invitees(people(ONE))) for _ in range(12)]
    await asyncio.sleep(0)
    assert (await refusal(tables, people(ONE))).code == "rate_limited"
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await names(tables, people(ONE)) == ["何春生"]


def _children(module: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = entry.joinpath("stat").read_text().rsplit(")", 1)[1].split()[1]
                if int(parent) == os.getpid() and module in entry.joinpath("cmdline").read_text():
                    found.append(entry.name)
            except OSError:
                continue
    return found


# ── what is written ─────────────────────────────────────────────────────────────────────────────

HEADS = (
    Heading("姓名", width=10, choices=("甲", "乙")),
    Heading("进入", Kind.MOMENT),
    Heading("在会", Kind.DURATION),
    Heading("次数", Kind.NUMBER),
)
MOMENT_MS = 1_795_156_200_000  # 2026-11-20 14:30:00 in Shanghai
DANGEROUS = ["=1+1", "+1", "-1", "@sum", "=cmd|' /C calc'!A0"]


async def test_xlsx_cell_by_cell(tables: TableWorkers) -> None:
    rows: list[tuple[str | int | float | None, ...]] = [
        ("王伟", MOMENT_MS, 5_025_400, 3),
        ("李", None, None, None),
    ]
    rows += [(text, None, None, None) for text in DANGEROUS]
    data = await tables.write(Format.XLSX, [Sheet("签到", HEADS, rows, marked=((0, 0),))])
    moment = dt.datetime(2026, 11, 20, 14, 30)  # noqa: DTZ001 spreadsheets know no zones
    assert opened(data)["签到"][:3] == [
        ["姓名", "进入", "在会", "次数"],
        ["王伟", moment, dt.timedelta(seconds=5_025), 3],
        ["李", None, None, None],
    ]
    sheet: Any = load_workbook(io.BytesIO(data)).active
    shown = [sheet.cell(4 + n, 1) for n in range(len(DANGEROUS))]
    assert [(cell.value, cell.data_type) for cell in shown] == [(text, "s") for text in DANGEROUS]
    assert all(cell.quotePrefix for cell in shown)
    assert sheet["A2"].fill.fgColor.rgb.endswith("FFF3C4")
    assert sheet.data_validations.dataValidation[0].formula1 == '"甲,乙"'


async def test_csv_opens_in_excel_and_computes_nothing(tables: TableWorkers) -> None:
    rows: list[tuple[str | int | float | None, ...]] = [
        ("王,伟", MOMENT_MS, 5_025_400, 3),
        ("a\x00\x1bb", None, None, None),
    ]
    rows += [(text, None, None, None) for text in DANGEROUS]
    data = await tables.write(Format.CSV, [Sheet("签到", HEADS, rows)])
    assert data.startswith(b"\xef\xbb\xbf")
    read = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert read[1] == ["王,伟", "2026-11-20 14:30:00", "1:23:45", "3"]
    assert read[2] == ["ab", "", "", ""]
    assert [row[0] for row in read[3:]] == [f"'{text}" for text in DANGEROUS]


async def test_what_was_written_is_read_again(tables: TableWorkers) -> None:
    heads = tuple(Heading(title) for title in HEADINGS)
    row = ("=何春生", "+农业界", "委员", "", "13900002217", "-社", "是")
    for file_format in Format:
        data = await tables.write(file_format, [Sheet("名单", heads, [row])])
        (read,) = await tables.read_invitees(data)
        assert isinstance(read, ImportRow)
        assert (read.values.sector, read.values.title) == ("+农业界", "-社")
        assert read.values.name.endswith("=何春生")


async def test_codes_are_drawn_once_and_right(tables: TableWorkers) -> None:
    first, again, other = await tables.draw(["https://x.example/j/abc", "https://x.example/j/abc", "其他"])
    assert first == again != other
    assert first.size == 25 + 2 * 4
    assert first.path.startswith("M4 4h7v1h-7z")
    assert await tables.draw(["其他"]) == [other]
