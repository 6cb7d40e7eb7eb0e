"""Minutes as DOCX in LibreOffice Writer: page, lines and characters as the layout says, and every word of them."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conference.model.minutes import Approval, Minutes, MinutesKind, MinutesState, PrintedGap
from conference.model.minutes_record import record_sections, summary_sections
from conference.model.transcript import GapState
from signaling.documents.docx_writer import write
from signaling.documents.minutes_sheet import minutes_document
from tests.support.sittings import CONSULTATION, END, POINT, STARTED, ZONE, at, segment, sitting

pytestmark = [
    pytest.mark.interop,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("soffice") is None, reason="needs libreoffice-writer-nogui"),
]
DPI = 100
MM = DPI / 25.4


def minutes(kind: MinutesKind) -> Minutes:
    """Long enough for full pages."""
    more = [
        segment(
            n,
            "林晓梅",
            at(25) + n * 4_000,
            at(25) + n * 4_000 + 3_500,
            "村里最缺的不是房子，是能上门、懂护理的人。",
        )
        for n in range(200)
    ]
    made = sitting(segments=[*sitting().segments, *(replace(each, item_id="a_talk") for each in more)])
    build = record_sections if kind is MinutesKind.RECORD else summary_sections
    gap = PrintedGap(POINT, at(70.68), at(70.98), GapState.LOST, "连线中断")
    approval = Approval("周正明", STARTED + END, 1_234, "ab12cd34" * 8, (gap,))
    draft = Minutes("m", "c", kind, 1, MinutesState.DRAFT, 1, build(made, "钱文"), "钱文", STARTED + END)
    return replace(draft, state=MinutesState.APPROVED, reviewed_by="钱文", approval=approval)


def converted(directory: Path, data: bytes) -> Path:
    (directory / "minutes.docx").write_bytes(data)
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{directory}/profile"]
    subprocess.run(
        [*command, "--convert-to", "pdf", "--outdir", str(directory), str(directory / "minutes.docx")],
        check=True,
        capture_output=True,
    )
    return directory / "minutes.pdf"


def pages(pdf: Path) -> list[list[str]]:
    """Lines of each page."""
    done = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, text=True)
    return [
        [line.strip() for line in page.splitlines() if line.strip()]
        for page in done.stdout.split("\f")
        if page.strip()
    ]


def words(text: str) -> str:
    """Without stops, which hang over the ends of lines and are read elsewhere."""
    return "".join(each for each in text if each.isalnum())


def pictures(pdf: Path) -> list[np.ndarray]:
    """Each page in grey."""
    subprocess.run(["pdftoppm", "-r", str(DPI), "-gray", str(pdf), str(pdf.with_suffix(""))], check=True)
    return [np.asarray(Image.open(each)) for each in sorted(pdf.parent.glob("minutes-*.pgm"))]


@pytest.mark.parametrize("kind", MinutesKind)
def test_every_word_is_there_and_pages_are_full(tmp_path: Path, kind: MinutesKind) -> None:
    document = minutes_document(minutes(kind), CONSULTATION, ZONE)
    found = pages(converted(tmp_path, write(document)))
    numbers = [page[-1].replace(" ", "") for page in found]
    assert numbers == [f"—{number}—" for number in range(1, len(found) + 1)]
    said = words("".join(line for page in found for line in page[:-1]))
    for block in document.blocks:
        for line in f"{block.label}\n{block.text}".split("\n"):
            assert words(line) in said, line
    if kind is MinutesKind.RECORD:
        middle = found[2][:-1]
        assert len(middle) == 22, "lines of a full page"
        han = [len(line) for line in middle if re.fullmatch(r"[\u4e00-\u9fff，。、；：]+", line)]
        assert max(han) in (27, 28, 29), "characters of a full line, with a stop that hangs"


def test_it_looks_as_it_should(tmp_path: Path) -> None:
    shown = pictures(
        converted(tmp_path, write(minutes_document(minutes(MinutesKind.RECORD), CONSULTATION, ZONE)))
    )
    assert len(shown) >= 4
    for picture in shown:
        assert picture.shape == pytest.approx((297 * MM, 210 * MM), abs=2)
        rows, columns = np.nonzero(picture < 128)
        assert columns.min() >= 27.5 * MM
        assert columns.max() <= (210 - 25) * MM + 6 * MM, "a stop may hang over"
        assert rows.min() >= 36.5 * MM
    first = shown[0]
    title = first[int(37 * MM) : int(62 * MM)] < 128
    dark = np.nonzero(title.any(axis=0))[0]
    assert (dark.min() + dark.max()) / 2 == pytest.approx((28 + 156 / 2) * MM, abs=3 * MM), (
        "the title is centred"
    )
