"""Minutes as they were made, read back: paragraphs with styles and fonts out of a DOCX, words out of a PDF."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

import pypdf

from tests.support.docx_files import W, opened


@dataclass(frozen=True)
class Paragraph:
    """`runs`: the text of each with the font that its Chinese characters have."""

    style: str
    runs: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)

    @property
    def fonts(self) -> tuple[str, ...]:
        return tuple(font for _, font in self.runs)


def paragraphs(data: bytes) -> list[Paragraph]:
    """Empty ones left out."""
    return [
        Paragraph(each.style.name, tuple((run.text, _font(each, run)) for run in each.runs if run.text))
        for each in opened(data).paragraphs
        if each.text
    ]


def _font(paragraph: Any, run: Any) -> str:
    """The East Asian font: of the run, else of its style, else of the paragraph's style and of those it follows."""
    style = paragraph.style
    elements = [run._r.rPr, run.style.element.rPr]
    while style is not None:
        elements.append(style.element.rPr)
        style = style.base_style
    for element in elements:
        fonts = None if element is None else element.rFonts
        font = None if fonts is None else fonts.get(f"{W}eastAsia")
        if font is not None:
            return str(font)
    raise AssertionError(f"no font of {run.text}")


def printed(data: bytes) -> str:
    """All characters of a PDF but blanks and page numbers."""
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    return "".join(re.sub(r"—\d+—", "", unblanked(each)) for each in pages)


def unblanked(text: str) -> str:
    return re.sub(r"\s", "", text)
