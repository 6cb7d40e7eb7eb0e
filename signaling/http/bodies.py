"""Raw bodies: read with a bound of their own, and files that are handed out."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from aiohttp import web

from conference.model.errors import ConferenceError
from signaling.tables.messages import Format

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


def download(data: bytes, name: str, file_format: Format) -> web.Response:
    """A table to keep, under a Chinese name for browsers that know them and a plain one for the others."""
    plain, full = f"table.{file_format}", quote(f"{name}.{file_format}", safe="")
    return web.Response(
        body=data,
        headers={
            "Content-Type": MEDIA_TYPES[file_format],
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{full}",
            "Cache-Control": "no-store",
        },
    )
