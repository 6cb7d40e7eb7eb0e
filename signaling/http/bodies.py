"""Raw bodies: read with a bound of their own, and files that are handed out."""

from __future__ import annotations

from typing import Final, TypeVar
from urllib.parse import quote

from aiohttp import web
from pydantic import BaseModel, ValidationError

from conference.model.errors import ConferenceError
from signaling.tables.messages import Format

_Body = TypeVar("_Body", bound=BaseModel)
MEDIA_TYPES: Final = {
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv; charset=utf-8",
}


async def read_body(request: web.Request, most: int) -> bytes:
    """The body; too_large when it has more bytes than that."""
    if (request.content_length or 0) > most:
        raise ConferenceError("too_large")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > most:
            raise ConferenceError("too_large")
    return bytes(body)


def parsed(model: type[_Body], raw: bytes) -> _Body:
    """What a raw body says; bad_request when it is not what it should be."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise ConferenceError("bad_request", model.__name__) from error


def download(data: bytes, name: str, file_format: Format) -> web.Response:
    """A table to keep."""
    return attachment(data, MEDIA_TYPES[file_format], f"table.{file_format}", f"{name}.{file_format}")


def attachment(data: bytes, media_type: str, plain: str, name: str) -> web.Response:
    """A file to keep, under its Chinese name for browsers that know them and a plain one for the others."""
    full = quote(name, safe="")
    return web.Response(
        body=data,
        headers={
            "Content-Type": media_type,
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}",
            "Cache-Control": "no-store",
        },
    )
