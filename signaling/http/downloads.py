"""Recorded files handed out: whole or in ranges, with their hash as entity tag."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import ETag, web

from conference.model.errors import NotFoundError

_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]+')


class _HashedFile(web.FileResponse):
    """A file that never changes: its entity tag is its hash."""

    def __init__(self, path: Path, sha256: str | None, headers: dict[str, str]) -> None:
        super().__init__(path, headers=headers)
        self._sha256 = sha256

    @property
    def etag(self) -> ETag | None:
        return super().etag

    @etag.setter
    def etag(self, value: ETag | str | None) -> None:
        web.FileResponse.etag.fset(self, value if self._sha256 is None else self._sha256)  # type: ignore[attr-defined]


def begins(request: web.Request) -> bool:
    """Whether the beginning of the file is asked for: one line of the trace for a download in many pieces."""
    try:
        return (request.http_range.start or 0) == 0
    except ValueError:
        return True  # answered with 416


async def hashed_file(
    request: web.Request, path: Path, sha256: str | None, media_type: str, name: str
) -> web.StreamResponse:
    """The file, or that the caller has it. NotFoundError when it is gone."""
    if not await asyncio.to_thread(path.is_file):  # a file server may not answer
        raise NotFoundError(f"{path.name} is gone")
    if sha256 is not None and any(tag.value == sha256 for tag in request.if_none_match or ()):
        return web.Response(status=304, headers={"ETag": f'"{sha256}"'})
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, no-cache",
    }
    return _HashedFile(path, sha256, headers)


def file_name(who: str, what: str, at_ms: int, suffix: str) -> str:
    """Who, what and when in program time: `张三-camera-00h12m05s.webm`."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    name = _NOT_IN_NAMES.sub("_", who).strip(" .")
    what = _NOT_IN_NAMES.sub("_", what).strip(" .")
    return f"{name}-{what}-{hours:02}h{minutes:02}m{seconds:02}s{suffix}"
