"""Prepared clips over HTTP: uploading, the list, cueing, posters, deletion."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409, r413, r429, r503, r507
from pydantic import BaseModel, Field

from conference.model.clip import ClipScope, ClipState
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action
from signaling.auth.access import Grant
from signaling.http.context import CONTEXT
from signaling.http.files import FileName
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing

_PIECE_BYTES = 1 << 16


class ClipResource(Resource):
    """A clip. `progress` is in percent of what its state says; `reason` says why it was refused: not_media, broken,
    codec_unknown, too_long, too_short, disk_full or worker_ended. `venue_id`: whose operator brought it."""

    id: str
    venue_id: str | None
    name: str
    size_bytes: int
    added_at_ms: int
    added_by: str
    state: ClipState
    reason: str | None
    progress: int
    duration_ms: int
    width: int
    height: int
    has_picture: bool
    has_sound: bool
    cue_ms: int


class ClipList(Resource):
    """All of them, in the order of being added. `max_bytes`: of a file that is taken."""

    items: list[ClipResource]
    max_bytes: int


class ClipEdit(BaseModel):
    """Where it begins when nobody says otherwise."""

    cue_ms: Annotated[int, Field(ge=0, le=24 * 3600 * 1000)]


def _scope(grant: Grant) -> ClipScope:
    claims = grant.claims
    return ClipScope.of(claims.role, claims.venue_id, claims.venue, claims.name)


@documented
async def list_clips(
    request: web.Request, cid: str, /
) -> r200[ClipList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The clips, for a venue's operator its own.

    Security: BearerToken: []
    Tags: clips
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CLIP_ADD)
    found = await context.clips.list(cid, _scope(grant))
    items = [ClipResource.model_validate(each) for each in found]
    return json_of(ClipList(items=items, max_bytes=context.clips.max_bytes))


@documented
async def add_clip(
    request: web.Request, cid: str, /, name: FileName
) -> (
    r201[ClipResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
    | r429[Problem]
    | r503[Problem]
    | r507[Problem]
):
    """
    Add a clip: any film or sound, its content is the body. It is prepared afterwards, see `state`.

    Security: BearerToken: []
    Tags: clips
    Status Codes:
        409: too_many_clips, or the consultation has ended
        413: the file is too large
        507: the disk has no room for it
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.CLIP_ADD)
    size_bytes = request.content_length
    clip = await context.clips.add(
        consultation, grant.bearer, _scope(grant), name, _body(request), size_bytes
    )
    return json_of(ClipResource.model_validate(clip), 201)


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """What comes, to its end. Whoever hangs up has sent nothing."""
    try:
        async for piece in request.content.iter_chunked(_PIECE_BYTES):
            yield piece
    except (web.RequestPayloadError, ConnectionError) as error:
        raise ConferenceError("bad_request", "the body broke off") from error


@documented
async def edit_clip(
    request: web.Request, cid: str, kid: str, /, body: ClipEdit
) -> r200[ClipResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Set the cue point of a clip.

    Security: BearerToken: []
    Tags: clips
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.CLIP_ADD)
    clip = await context.clips.cue(consultation, grant.bearer, _scope(grant), kid, body.cue_ms)
    return json_of(ClipResource.model_validate(clip))


@documented
async def get_poster(
    request: web.Request, cid: str, kid: str, /
) -> r200 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A picture of the clip (JPEG).

    Security: BearerToken: []
    Tags: clips
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CLIP_ADD)
    path = await context.clips.poster(cid, kid, _scope(grant))
    if not await asyncio.to_thread(path.is_file):
        raise NotFoundError(f"the poster of clip {kid} is gone")
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "private, max-age=3600"}
    return web.FileResponse(path, headers=headers)


@documented
async def remove_clip(
    request: web.Request, cid: str, kid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Delete a clip for good.

    Security: BearerToken: []
    Tags: clips
    Status Codes:
        409: it is being played
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.CLIP_ADD)
    await context.clips.remove(consultation, grant.bearer, _scope(grant), kid)
    return nothing()


def add_to(app: web.Application) -> None:
    """The routes of clips."""
    path = f"{PREFIX}/consultations/{{cid}}/clips"
    app.router.add_get(path, list_clips, allow_head=False)
    app.router.add_post(path, add_clip)
    app.router.add_patch(f"{path}/{{kid}}", edit_clip)
    app.router.add_delete(f"{path}/{{kid}}", remove_clip)
    app.router.add_get(f"{path}/{{kid}}/poster", get_poster, allow_head=False)
