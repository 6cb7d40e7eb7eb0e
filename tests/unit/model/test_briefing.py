"""Background material: names and kinds."""

import pytest

from conference.model.briefing import media_type_of, plain_name
from conference.model.errors import ConferenceError

PACKAGE = b"PK\x03\x04..[Content_Types].xml.."


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("材料.pdf", "材料.pdf"),
        ("C:\\桌面\\材料.pdf", "材料.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a\u202efdp.exe", "afdp.exe"),
        (" \x07材料\n.txt ", "材料.txt"),
        ("x" * 300 + ".docx", "x" * 115 + ".docx"),
        ("无后缀", "无后缀"),
        (".pdf", ".pdf"),
    ],
)
def test_names_lose_folders_and_what_cannot_be_seen(given: str, kept: str) -> None:
    assert plain_name(given) == kept


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("x.PDF", b"%PDF-1.4", "application/pdf"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("x.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("x.txt", "说明".encode(), "text/plain"),
        ("x.txt", "说明".encode("gb18030"), "text/plain"),
        ("x.xlsx", PACKAGE + b"xl/workbook.xml", "spreadsheetml.sheet"),
        ("x.docx", PACKAGE + b"word/document.xml", "wordprocessingml.document"),
        ("x.pptx", PACKAGE + b"ppt/presentation.xml", "presentationml.presentation"),
    ],
)
def test_what_is_taken(name: str, content: bytes, media_type: str) -> None:
    assert media_type_of(name, content).endswith(media_type)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.pdf", b"<html>"),
        ("x.png", b"\xff\xd8\xff"),
        ("x.docx", PACKAGE + b"xl/workbook.xml"),
        ("x.docx", b"word/document.xml[Content_Types].xml"),
        ("x.xlsx", PACKAGE + b"xl/workbook.xml xl/vbaProject.bin"),
        ("x.txt", b"\xff\xff\xff"),
        ("x.txt", b"a\x00b"),
        ("x.html", b"<html>"),
        ("x.svg", b"<svg/>"),
        ("pdf", b"%PDF-1.4"),
        (".pdf", b"%PDF-1.4"),
    ],
)
def test_what_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(ConferenceError) as caught:
        media_type_of(name, content)
    assert caught.value.code == "file_type_refused"
