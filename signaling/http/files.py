"""Background material over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import quote

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409, r413, r415, r429, r503
from pydantic import Field

from conference.model.briefing import MAX_FILE_BYTES
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import PLAIN_PATTERN
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing

FileName = Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN_PATTERN)]


class FileResource(Resource):
    """A file of the background material."""

    id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_at_ms: int
    added_by: str


class FileList(Resource):
    items: list[FileResource]


@documented
async def list_files(
    request: web.Request, cid: str, /
) -> r200[FileList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The background material.

    Security: BearerToken: []
    Tags: files
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    files = await context.files.list(cid)
    return json_of(FileList(items=[FileResource.model_validate(each) for each in files]))


@documented
async def add_file(
    request: web.Request, cid: str, /, name: FileName
) -> (
    r201[FileResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
    | r415[Problem]
    | r429[Problem]
    | r503[Problem]
):
    """
    Add a file: its content is the body. PDF, Word, Excel, PowerPoint, PNG, JPEG or text, up to 20 MB.

    Security: BearerToken: []
    Tags: files
    Status Codes:
        409: too_many_files
        413: the file is too large
        415: not one of these kinds, or not what its name says
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.CONSULTATION_EDIT)
    if context.uploads.locked():
        raise ConferenceError("rate_limited", "uploads")
    async with context.uploads:
        content = await _body(request)
        file = await context.files.add(consultation, grant.bearer, name, content)
    return json_of(FileResource.model_validate(file), 201)


@documented
async def get_file(
    request: web.Request, cid: str, fid: str, /
) -> r200 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The content of a file, whole or in ranges.

    Security: BearerToken: []
    Tags: files
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    file, path = await context.files.open(cid, fid)
    if not await asyncio.to_thread(path.is_file):
        raise NotFoundError(f"the content of file {fid} is gone")
    headers = {
        "Content-Type": file.media_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Cache-Control": "private, no-cache",
    }
    return web.FileResponse(path, headers=headers)


@documented
async def remove_file(
    request: web.Request, cid: str, fid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Take a file away.

    Security: BearerToken: []
    Tags: files
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.CONSULTATION_EDIT)
    await context.files.remove(consultation, grant.bearer, fid)
    return nothing()


async def _body(request: web.Request) -> bytes:
    """The body, bounded."""
    if (request.content_length or 0) > MAX_FILE_BYTES:
        raise ConferenceError("too_large")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_FILE_BYTES:
            raise ConferenceError("too_large")
    return bytes(body)


def add_to(app: web.Application) -> None:
    """The routes of files."""
    path = f"{PREFIX}/consultations/{{cid}}/files"
    app.router.add_get(path, list_files, allow_head=False)
    app.router.add_post(path, add_file)
    app.router.add_get(f"{path}/{{fid}}", get_file, allow_head=False)
    app.router.add_delete(f"{path}/{{fid}}", remove_file)
