"""What the web process and the table worker say to each other: msgpack of these types, one request a process."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from conference.model.invitee_list import ImportRow

Value = str | int | float | None


class Kind(StrEnum):
    """What stands in a column, and so how it is shown."""

    TEXT = "text"
    NUMBER = "number"
    MOMENT = "moment"  # UTC milliseconds, shown as date and time of the book's zone
    DURATION = "duration"  # milliseconds, shown as hours, minutes and seconds


class Heading(msgspec.Struct, frozen=True):
    """`width` in characters; `choices` are offered in a list below the heading."""

    title: str
    kind: Kind = Kind.TEXT
    width: int = 12
    choices: tuple[str, ...] = ()


class Sheet(msgspec.Struct, frozen=True):
    """A table. `marked`: cells to be seen at once, by row and column from 0."""

    name: str
    headings: tuple[Heading, ...]
    rows: list[tuple[Value, ...]]
    marked: tuple[tuple[int, int], ...] = ()


class Format(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"  # the first sheet, UTF-8 with a byte order mark, as Excel wants it


class ReadInvitees(msgspec.Struct, frozen=True, tag=True):
    """Read a list of invitees."""

    data: bytes


class WriteBook(msgspec.Struct, frozen=True, tag=True):
    """Write sheets into one file. `time_zone` is an IANA name."""

    format: Format
    time_zone: str
    sheets: tuple[Sheet, ...]


class DrawCodes(msgspec.Struct, frozen=True, tag=True):
    """Draw a QR code for each text."""

    texts: tuple[str, ...]


class ReadTerms(msgspec.Struct, frozen=True, tag=True):
    """Read a list of terms."""

    data: bytes


Request = ReadInvitees | ReadTerms | WriteBook | DrawCodes


class Code(msgspec.Struct, frozen=True):
    """A QR code: modules a side, quiet zone included, and the path of an SVG in modules."""

    size: int
    path: str


class Invitees(msgspec.Struct, frozen=True, tag=True):
    rows: list[ImportRow]


class TermRow(msgspec.Struct, frozen=True):
    """A row by its number in the file. `fault`: why it cannot be used, no_term or too_long."""

    row: int
    wrong: str
    right: str
    fault: str = ""


class TermRows(msgspec.Struct, frozen=True, tag=True):
    rows: list[TermRow]


class File(msgspec.Struct, frozen=True, tag=True):
    data: bytes


class Codes(msgspec.Struct, frozen=True, tag=True):
    codes: tuple[Code, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """It cannot be done, for a reason that is the file's. `rows`: how many there are, when they are too many."""

    code: str
    text: str = ""
    rows: int = 0


Answer = Invitees | TermRows | File | Codes | Refused

REQUEST: Final = msgspec.msgpack.Decoder(Request)
ANSWER: Final = msgspec.msgpack.Decoder(Answer)


def encode(message: Request | Answer) -> bytes:
    return msgspec.msgpack.encode(message)
