"""A body's own template: looked through before anything of it is believed, then filled by docxtpl in a sandbox.

A DOCX is a ZIP of XML that a stranger made: how large it becomes is bounded before it is unpacked, what it would fetch
from elsewhere, macros and embedded objects are refused, and its words run in Jinja's sandbox without a loader.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, Final
from xml.etree.ElementTree import Element, ParseError

import jinja2
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from docx.opc.exceptions import OpcError
from docxtpl import DocxTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment
from lxml.etree import LxmlError

from signaling.documents.docx_writer import allowed

MOST_PARTS: Final = 500
MOST_BYTES: Final = 40 << 20  # of all parts, unpacked
MOST_PART_BYTES: Final = 20 << 20
MOST_MADE_BYTES: Final = 64 << 20
_MOST_SAID: Final = 200
_MAIN: Final = "word/document.xml"
_HYPERLINK: Final = "/hyperlink"  # the one thing outside that nobody fetches before it is clicked
_FORBIDDEN: Final = re.compile(r"(?i)vbaproject|activex|(^|/)embeddings/|\.(bin|exe|dll|vbs|js)$")
# Fields that say something of the document itself. Others fetch files, start programs or run code.
_FIELDS: Final = frozenset(
    {"PAGE", "NUMPAGES", "SECTIONPAGES", "DATE", "TIME", "REF", "PAGEREF", "TOC", "SEQ", "STYLEREF"}
)
_ENTITY: Final = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


class TemplateError(Exception):
    """It cannot be used. `reason` and `said` as in messages.Refused."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.said = said[:_MOST_SAID]


def fill(template: bytes, words: dict[str, Any]) -> bytes:
    """The file. Raises TemplateError."""
    require_harmless(template)
    made, out = DocxTemplate(io.BytesIO(template)), io.BytesIO()
    try:
        made.init_docx()
    except (OpcError, LxmlError, zipfile.BadZipFile, zlib.error, OSError, LookupError, ValueError) as error:
        raise TemplateError("not_docx") from error
    try:
        made.render(_plain(words), _sandbox(), autoescape=True)
        made.save(out)
    except jinja2.TemplateError as error:
        raise TemplateError("wrong_words", _told(error)) from error
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, LxmlError) as error:
        raise TemplateError("wrong_words", str(error)) from error  # of an expression in it
    data = out.getvalue()
    if len(data) > MOST_MADE_BYTES:
        raise TemplateError("too_large")
    try:
        _require_plain_fields(data)  # an expression may have written markup
    except (DefusedXmlException, ParseError) as error:
        raise TemplateError("wrong_words", str(error)) from error
    return data


def _require_plain_fields(made: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        for name in package.namelist():
            if name.endswith(".xml"):
                _require_known_fields(name, fromstring(package.read(name), forbid_dtd=True))


def require_harmless(template: bytes) -> None:
    """Raise TemplateError unless it is a DOCX of a bearable size that fetches and runs nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(template)) as package:
            _require_bearable(package)
            for name in package.namelist():
                if _FORBIDDEN.search(name):
                    raise TemplateError("unsafe", name)
                if name.endswith((".xml", ".rels")):
                    _require_plain(name, package.read(name))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise TemplateError("not_docx") from error  # damaged, encrypted, or packed in an unknown way


def _require_bearable(package: zipfile.ZipFile) -> None:
    """By what the directory says; reading stops at what it says, too."""
    parts = package.infolist()
    if _MAIN not in package.namelist():
        raise TemplateError("not_docx")
    too_many = len(parts) > MOST_PARTS or len({each.filename for each in parts}) != len(parts)
    if too_many or sum(each.file_size for each in parts) > MOST_BYTES:
        raise TemplateError("too_large")
    if any(each.file_size > MOST_PART_BYTES for each in parts):
        raise TemplateError("too_large")


def _require_plain(name: str, content: bytes) -> None:
    if _ENTITY.search(content):
        raise TemplateError("unsafe", name)
    try:
        root = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        raise TemplateError("unsafe", name) from error
    except (ParseError, ValueError) as error:
        raise TemplateError("not_docx", name) from error
    _require_known_fields(name, root)
    if name.endswith(".rels"):
        for each in root:
            if each.get("TargetMode") == "External" and not each.get("Type", "").endswith(_HYPERLINK):
                raise TemplateError("unsafe", each.get("Target", ""))
    if name == "[Content_Types].xml" and b"macroEnabled" in content:
        raise TemplateError("unsafe", name)


def _require_known_fields(name: str, root: Element) -> None:
    """Codes of fields may be cut into pieces, and stand in each other."""
    open_codes: list[str] = []
    for each in root.iter():
        said = {_local(key): value for key, value in each.attrib.items()}
        match _local(each.tag):
            case "fldSimple":
                _require_known_field(name, said.get("instr", ""))
            case "fldChar":
                match said.get("fldCharType"):
                    case "begin":
                        open_codes.append("")
                    case "end" if open_codes:
                        _require_known_field(name, open_codes.pop())
            case "instrText" | "delInstrText":
                if not open_codes:
                    open_codes.append("")
                open_codes[-1] += each.text or ""
    for code in open_codes:
        _require_known_field(name, code)


def _local(name: str) -> str:
    """Without its namespace: that of the strict format is another one."""
    return name.rpartition("}")[2]


def _require_known_field(name: str, code: str) -> None:
    said = code.split()
    if said and said[0].upper() not in _FIELDS:
        raise TemplateError("unsafe", f"{name}: {said[0]}")


def _sandbox() -> jinja2.Environment:
    """No loader, no extension, and a name that is not known is a fault that is told."""
    environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=True)
    environment.globals.clear()
    environment.globals["range"] = _range
    return environment


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > 10_000:
        raise OverflowError("a range of 10,000 at most")
    return found


def _plain(value: Any) -> Any:
    """Words without what XML does not take. Ends of lines stay: docxtpl makes them lines of the document."""
    match value:
        case str():
            return "\n".join("".join(allowed(line)) for line in value.split("\n"))
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value


_KNOWN: Final[tuple[tuple[type[Exception], Callable[[str], str]], ...]] = (
    (jinja2.UndefinedError, lambda said: f"没有这个名称：{_name_in(said)}"),
    (jinja2.TemplateSyntaxError, lambda said: f"写法不对：{said}"),
)


def _told(error: jinja2.TemplateError) -> str:
    said = error.message or type(error).__name__
    for kind, words in _KNOWN:
        if isinstance(error, kind):
            return words(said)
    return said


def _name_in(said: str) -> str:
    found = re.search(r"'([^']{1,60})' is undefined", said)
    return found[1] if found else said
