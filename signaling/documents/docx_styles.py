"""The layout of official documents after GB/T 9704-2012, as styles of a DOCX.

A4 with 37 mm above and 28 mm at the left, so that 156 x 225 mm are written on: 22 lines of 28 characters. Title in
小标宋 of 22 pt, text in 仿宋 of 16 pt on lines of 28 pt, first headings in 黑体, second ones in 楷体, page numbers in
宋体 of 14 pt between dashes, at the outer edge. Fonts are named and not shipped: a reader without them sees others.
"""

from __future__ import annotations

from typing import Any, Final

from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle

SONG_TITLE: Final = "方正小标宋简体"
FANG_SONG: Final = "仿宋_GB2312"
HEI: Final = "黑体"
KAI: Final = "楷体_GB2312"
SONG: Final = "宋体"
SUBSTITUTES: Final = {SONG_TITLE: "华文中宋", FANG_SONG: "仿宋", KAI: "楷体", HEI: "SimHei", SONG: "SimSun"}
LATIN: Final = "Times New Roman"

BODY_PT: Final = 16
LINE_PT: Final = 28
TITLE_PT: Final = 22
NOTE_PT: Final = 12
PAGE_PT: Final = 14
_TITLE_LINE_PT: Final = 36
_NOTE_LINE_PT: Final = 20
# Twentieths of a point between characters, so that 28 of them stand in 156 mm. A grid of the page would say the
# same, but programs differ in what they make of one.
_CLOSER: Final = -5

TITLE: Final = "Title"
STATE: Final = "公文稿别"
BODY: Final = "Normal"
HEADING: Final = "Heading 1"
POINT: Final = "Heading 2"
FIELD: Final = "公文事项"
SPEECH: Final = "公文发言"
SIGNATURE: Final = "公文签署"
NOTE: Final = "公文附注"
TIMED: Final = "公文转写"
LABEL: Final = "公文标识"  # of characters: what stands before a colon
KAI_LABEL: Final = "公文二级"  # of characters: the first sentence of a point


def set_up(document: Any) -> None:
    """Page, styles and page numbers of an empty document."""
    _set_defaults(document)
    _set_page(document)
    _style(document, BODY, FANG_SONG, BODY_PT, indent=True)
    title = _style(document, TITLE, SONG_TITLE, TITLE_PT, line_pt=_TITLE_LINE_PT)
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    state = _style(document, STATE, KAI, BODY_PT)
    state.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for name, font in ((HEADING, HEI), (POINT, KAI)):
        _style(document, name, font, BODY_PT, indent=True).paragraph_format.keep_with_next = True
    for name in (FIELD, SPEECH, TIMED):
        _style(document, name, FANG_SONG, BODY_PT, indent=name != FIELD)
    signature = _style(document, SIGNATURE, FANG_SONG, BODY_PT, indent=True)
    signature.paragraph_format.space_before = Pt(LINE_PT / 2)
    signature.paragraph_format.keep_together = True
    signature.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT
    _style(document, NOTE, FANG_SONG, NOTE_PT, line_pt=_NOTE_LINE_PT)
    for name, font in ((LABEL, HEI), (KAI_LABEL, KAI)):
        label = document.styles.add_style(name, WD_STYLE_TYPE.CHARACTER)
        _set_fonts(label.element.get_or_add_rPr(), font)
    _number_pages(document)


def _set_defaults(document: Any) -> None:
    """Chinese, and no font of a theme."""
    defaults = document.styles.element.find(qn("w:docDefaults"))
    run = defaults.find(qn("w:rPrDefault")).find(qn("w:rPr"))
    _set_fonts(run, FANG_SONG)
    for each in run.findall(qn("w:lang")):
        run.remove(each)
    language = OxmlElement("w:lang")
    for name, value in (("val", "en-US"), ("eastAsia", "zh-CN"), ("bidi", "ar-SA")):
        language.set(qn(f"w:{name}"), value)
    run.append(language)


def _set_page(document: Any) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.left_margin = Mm(37), Mm(28)
    section.bottom_margin, section.right_margin = Mm(35), Mm(26)
    section.header_distance, section.footer_distance = Mm(15), Mm(24)
    properties = section._sectPr
    for each in properties.findall(qn("w:docGrid")):
        properties.remove(each)


def _style(
    document: Any, name: str, font: str, size_pt: int, *, indent: bool = False, line_pt: int = LINE_PT
) -> ParagraphStyle:
    """A style of paragraphs, made plain: the ones that come with the library are blue and bold."""
    styles = document.styles
    known = name in [each.name for each in styles]
    style: ParagraphStyle = styles[name] if known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    for part in ("w:rPr", "w:pPr"):
        for each in style.element.findall(qn(part)):
            style.element.remove(each)
    if name != BODY:
        style.base_style = styles[BODY]
    run = style.element.get_or_add_rPr()
    _set_fonts(run, font)
    style.font.size = Pt(size_pt)
    style.font.bold = False
    if size_pt == BODY_PT:
        _set_closer(run)
    style.quick_style, style.hidden = True, False
    form = style.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(line_pt)
    form.space_before = form.space_after = Pt(0)
    form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    form.widow_control = False  # 22 lines stand on every page
    set_indent(style.element.get_or_add_pPr(), first=2 if indent else 0, size_pt=size_pt)
    return style


def _set_closer(run: Any) -> None:
    spacing = OxmlElement("w:spacing")
    spacing.set(qn("w:val"), str(_CLOSER))
    run.find(qn("w:sz")).addprevious(spacing)


def _set_fonts(run: Any, font: str) -> None:
    """The East Asian one by its name, Latin letters and digits in another; `hint` makes quotation marks Chinese."""
    for each in run.findall(qn("w:rFonts")):
        run.remove(each)
    fonts = OxmlElement("w:rFonts")
    for name, value in (
        ("ascii", LATIN),
        ("hAnsi", LATIN),
        ("eastAsia", font),
        ("cs", LATIN),
        ("hint", "eastAsia"),
    ):
        fonts.set(qn(f"w:{name}"), value)
    run.insert(0, fonts)


def set_indent(
    properties: Any, *, first: int = 0, left: int = 0, hanging: int = 0, size_pt: int = BODY_PT
) -> None:
    """In characters, as Chinese Word counts them, and in twentieths of a point for everybody else."""
    for each in properties.findall(qn("w:ind")):
        properties.remove(each)
    indent = properties._add_ind() if hasattr(properties, "_add_ind") else OxmlElement("w:ind")
    values = {"left": left, "firstLine": first, "hanging": hanging}
    for name, count in values.items():
        if name == "hanging" and not count:
            continue
        if name == "firstLine" and hanging:
            continue
        indent.set(qn(f"w:{name}Chars"), str(100 * count))
        indent.set(qn(f"w:{name}"), str(20 * size_pt * count))


def _number_pages(document: Any) -> None:
    """— 1 — at the outer edge, one character from it."""
    document.settings.odd_and_even_pages_header_footer = True
    section = document.sections[0]
    for footer, side in (
        (section.footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        footer.is_linked_to_previous = False
        paragraph = footer.paragraphs[0]
        paragraph.style = document.styles[BODY]
        paragraph.alignment = side
        properties = paragraph._p.get_or_add_pPr()
        set_indent(properties, left=1 if side == WD_ALIGN_PARAGRAPH.LEFT else 0)
        if side == WD_ALIGN_PARAGRAPH.RIGHT:
            properties.find(qn("w:ind")).set(qn("w:rightChars"), "100")
            properties.find(qn("w:ind")).set(qn("w:right"), str(20 * PAGE_PT))
        for text in ("— ", None, " —"):
            run = paragraph.add_run("" if text is None else text)
            run.font.size = Pt(PAGE_PT)
            _set_fonts(run._r.get_or_add_rPr(), SONG)
            run._r.get_or_add_rPr().find(qn("w:rFonts")).set(qn("w:ascii"), SONG)
            run._r.get_or_add_rPr().find(qn("w:rFonts")).set(qn("w:hAnsi"), SONG)
            if text is None:
                _add_page_field(run)


def _add_page_field(run: Any) -> None:
    for kind, instruction in (("begin", None), (None, "PAGE"), ("end", None)):
        if kind is not None:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.set(qn("xml:space"), "preserve")
            mark.text = instruction
        run._r.append(mark)
