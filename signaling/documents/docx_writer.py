"""A document as DOCX. Paragraphs are put together as XML: 4,000 of them one by one take the library a minute."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, Final
from xml.sax.saxutils import escape

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from signaling.documents import docx_styles as styles
from signaling.documents.messages import Block, Document, Style

_PLAIN: Final = {
    Style.HEADING: styles.HEADING,
    Style.TEXT: styles.BODY,
    Style.REMARK: styles.BODY,
    Style.NOTE: styles.NOTE,
}
_LABELLED: Final = {
    Style.POINT: (styles.BODY, styles.KAI_LABEL, ""),
    Style.SPEECH: (styles.SPEECH, styles.LABEL, "："),
    Style.SIGNATURE: (styles.SIGNATURE, styles.LABEL, "："),
}
_SIGNED_CHARS: Final = 8  # of blank for a name, before the date
_MOST_PROPERTY: Final = 255  # characters that a property of a file has at most
_MOST_LABEL: Final = 8  # characters by which lines of a field hang at most


def write(document: Document) -> bytes:
    """The file."""
    made = docx.Document()
    styles.set_up(made)
    made.core_properties.title = _property("".join(document.title))
    made.core_properties.author = _property(document.author)
    made.core_properties.language = "zh-CN"
    made.core_properties.comments = ""
    _name_substitutes(made)
    ids = {each.name: each.style_id for each in made.styles}
    body = made.element.body
    for each in body.findall(qn("w:p")):
        body.remove(each)
    xml = "".join(_paragraphs(document, ids))
    section = body.find(qn("w:sectPr"))
    for paragraph in parse_xml(f"<w:body {nsdecls('w')}>{xml}</w:body>").findall(qn("w:p")):
        section.addprevious(paragraph)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def _property(text: str) -> str:
    return "".join(allowed(text))[:_MOST_PROPERTY]


def _name_substitutes(made: Any) -> None:
    """Fonts that a reader may have instead, as Word looks for them. Windows has 仿宋, not 仿宋_GB2312."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in styles.SUBSTITUTES.items()
    )
    table = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:fonts {nsdecls("w")}>{fonts}</w:fonts>'
    )
    for part in made.part.package.iter_parts():
        if part.partname == "/word/fontTable.xml":
            part._blob = table.encode()


def _paragraphs(document: Document, ids: dict[str, str]) -> Iterator[str]:
    for line in document.title:
        yield _paragraph(ids[styles.TITLE], _run(line))
    if document.state:
        yield _paragraph(ids[styles.STATE], _run(document.state))
    yield _paragraph(ids[styles.BODY], "")
    around = [None, *(each.style for each in document.blocks), None]
    for before, block, after in zip(around, document.blocks, around[2:], strict=False):
        if block.style is Style.FIELD:
            yield from _field(block, ids, is_last=after is not Style.FIELD)
        else:
            yield from _block(block, ids, is_first_note=before is not Style.NOTE)


def _block(block: Block, ids: dict[str, str], *, is_first_note: bool) -> Iterator[str]:
    if block.style is Style.TIMED:
        yield _paragraph(ids[styles.SPEECH], _run(block.label, ids[styles.KAI_LABEL]), "<w:keepNext/>")
        for line in block.text.split("\n"):
            yield _paragraph(ids[styles.TIMED], _run(line))
    elif block.style is Style.SIGNATURE:
        yield _signature(block, ids)
    elif block.style in _LABELLED:
        style, label, mark = _LABELLED[block.style]
        first, *rest = block.text.split("\n")
        yield _paragraph(ids[style], _run(block.label + mark, ids[label]) + _run(first))
        for line in rest:
            yield _paragraph(ids[style], _run(line))
    else:
        extra = _RULE if block.style is Style.NOTE and is_first_note else ""
        for line in block.text.split("\n"):
            yield _paragraph(ids[_PLAIN[block.style]], _run(line), extra)


_RULE: Final = (
    '<w:pBdr><w:top w:val="single" w:sz="4" w:space="6" w:color="808080"/></w:pBdr>'
    '<w:spacing w:before="560" w:line="400" w:lineRule="exact"/>'
)


def _field(block: Block, ids: dict[str, str], *, is_last: bool) -> Iterator[str]:
    """出席：… with further lines below the first character behind the colon; an empty line behind the last one."""
    hang = min(_MOST_LABEL, len(block.label) + 1)
    lines = block.text.split("\n")
    for number, line in enumerate(lines):
        label = "" if number else _run(f"{block.label}：", ids[styles.LABEL])
        space = _SPACE_AFTER if is_last and number == len(lines) - 1 else ""
        indent = _indent(left=2 + hang, hanging=0 if number else hang)
        yield _paragraph(ids[styles.FIELD], label + _run(line), space + indent)


_SPACE_AFTER: Final = '<w:spacing w:after="560" w:line="560" w:lineRule="exact"/>'


def _signature(block: Block, ids: dict[str, str]) -> str:
    """审核：　　　　　　　　年　月　日, together with the line before."""
    name = block.text + "\u3000" * max(1, _SIGNED_CHARS - len(block.text))
    return _paragraph(
        ids[styles.SIGNATURE],
        _run(f"{block.label}：", ids[styles.LABEL])
        + _run(f"{name}\u3000\u3000年\u3000\u3000月\u3000\u3000日"),
        "<w:keepNext/>" if not block.text and block.label != "签字" else "",
    )


def _indent(*, left: int, hanging: int = 0) -> str:
    chars, points = 100, 20 * styles.BODY_PT
    first = (
        f'w:hangingChars="{chars * hanging}" w:hanging="{points * hanging}"'
        if hanging
        else 'w:firstLineChars="0" w:firstLine="0"'
    )
    return f'<w:ind w:leftChars="{chars * left}" w:left="{points * left}" {first}/>'


def _paragraph(style_id: str, runs: str, extra: str = "") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style_id}"/>{extra}</w:pPr>{runs}</w:p>'


def _run(text: str, style_id: str = "") -> str:
    """`hint` again: of a run it decides about quotation marks and dashes, whatever its style says."""
    style = f'<w:rStyle w:val="{style_id}"/>' if style_id else ""
    plain = escape("".join(allowed(text)))
    return (
        f'<w:r><w:rPr>{style}<w:rFonts w:hint="eastAsia"/></w:rPr><w:t xml:space="preserve">{plain}</w:t></w:r>'
        if plain
        else ""
    )


def allowed(text: str) -> Iterable[str]:
    """What XML takes."""
    return (
        each
        for each in text
        if each >= " " and not "\ud800" <= each <= "\udfff" and each not in "\ufffe\uffff"
    )
