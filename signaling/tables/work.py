"""What the table worker does with each request."""

from __future__ import annotations

from conference.model.invitee_columns import HEADER_WITHIN, Header, find_header
from conference.model.invitee_list import MAX_ROWS, ImportRow, take_row
from signaling.tables import codes, reader, writer
from signaling.tables.messages import (
    Answer,
    Codes,
    DrawCodes,
    File,
    Invitees,
    ReadInvitees,
    ReadTerms,
    Refused,
    Request,
    WriteBook,
)
from signaling.tables.term_rows import read_terms


def done(request: Request) -> Answer:
    """The answer to one request."""
    match request:
        case ReadInvitees(data):
            return read_invitees(data)
        case ReadTerms(data):
            return read_terms(data)
        case WriteBook(file_format, time_zone, sheets):
            return File(writer.write(file_format, time_zone, sheets))
        case DrawCodes(texts):
            return Codes(tuple(codes.draw(text) for text in texts))


def read_invitees(data: bytes) -> Invitees | Refused:
    """The people of the first sheet that has a column 姓名."""
    try:
        for sheet in reader.sheets(data):
            header: Header | None = None
            rows: list[ImportRow] = []
            count = 0
            for numbered in sheet:
                if header is None:
                    if numbered[0] > HEADER_WITHIN:
                        break
                    header = find_header([numbered])
                    continue
                row = take_row(header, numbered)
                if row is not None:
                    count += 1
                    if count <= MAX_ROWS:
                        rows.append(row)
            if header is not None:
                if count > MAX_ROWS:
                    return Refused("import_too_many_rows", rows=count)
                return Invitees(rows) if rows else Refused("import_empty")
    except reader.UnreadableError as error:
        return Refused("import_unreadable", str(error))
    return Refused("import_no_name_column")
