"""Background material (背景材料): files that participants read before and during the meeting."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from conference.model.errors import ConferenceError

MAX_FILES: Final = 20  # of one consultation
MAX_FILE_BYTES: Final = 20 * 1024 * 1024
_MAX_NAME_CHARS: Final = 120
_INVISIBLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
_PACKAGES: Final = {  # extension: media type, and the part by which the package is one
    "docx": (f"{_OFFICE}wordprocessingml.document", b"word/document.xml"),
    "xlsx": (f"{_OFFICE}spreadsheetml.sheet", b"xl/workbook"),
    "pptx": (f"{_OFFICE}presentationml.presentation", b"ppt/presentation.xml"),
}
_MAGIC: Final = {
    "pdf": ("application/pdf", b"%PDF-"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "jpg": ("image/jpeg", b"\xff\xd8\xff"),
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
}


@dataclass(frozen=True, slots=True)
class BriefingFile:
    """One file. Times are UTC ms. Its content is kept by its hash."""

    id: str
    consultation_id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_at_ms: int
    added_by: str
    removed_at_ms: int | None = None

    def removed(self, now_ms: int) -> BriefingFile:
        return replace(self, removed_at_ms=now_ms)


def plain_name(name: str) -> str:
    """The name without folders and invisible characters, shortened before its extension."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = _INVISIBLE.sub("", last).strip()
    stem, dot, extension = clean.rpartition(".")
    if not dot or not stem.strip():
        return clean[:_MAX_NAME_CHARS]
    return f"{stem[: _MAX_NAME_CHARS - len(extension) - 1]}.{extension}"


def media_type_of(name: str, content: bytes) -> str:
    """What kind of file it is; file_type_refused when it is none of ours, or not what its name says."""
    stem, _, extension = name.rpartition(".")
    extension = extension.lower()
    if stem.strip() and extension in _MAGIC:
        media_type, magic = _MAGIC[extension]
        if content.startswith(magic):
            return media_type
    elif stem.strip() and extension in _PACKAGES:
        media_type, part = _PACKAGES[extension]
        if _is_package(content) and part in content and b"vbaProject.bin" not in content:
            return media_type
    elif stem.strip() and extension == "txt" and _is_text(content):
        return "text/plain"
    raise ConferenceError("file_type_refused", extension)


def _is_package(content: bytes) -> bool:
    # Looked for as bytes: opening it would read a directory of as many entries as a stranger likes.
    return content.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in content


def _is_text(content: bytes) -> bool:
    if b"\x00" in content:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
