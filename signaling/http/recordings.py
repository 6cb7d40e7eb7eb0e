"""Recordings over HTTP: the list, the files in ranges, deletion."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r204, r401, r403, r404, r409

from conference.model.permissions import Action
from conference.model.recording import FileState
from signaling.http.context import CONTEXT
from signaling.http.downloads import begins, file_name, hashed_file
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing, page_size

_MEDIA_TYPES: Final = {("opus", ".webm"): "audio/webm", ("vp8", ".webm"): "video/webm"}


class RecordingResource(Resource):
    """A recorded file: one track from one beginning to one end. `started_at_ms` is program time; `label` says which of
    several cameras it is.

    Size, duration and hash of a file are known when it ends; `broken` is one whose writer was killed: it plays up to
    about its last second.
    """

    id: str
    participant_id: str
    name: str
    source: str
    label: str
    codec: str
    started_at_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str | None
    state: FileState
    created_at_ms: int


class RecordingList(Resource):
    """A page of recordings; `next` is the `after` of the next page."""

    items: list[RecordingResource]
    next: str | None


@documented
async def list_recordings(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None
) -> r200[RecordingList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The recorded files, by their beginning.

    Security: BearerToken: []
    Tags: recordings
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.RECORDING_READ)
    size = page_size(limit)
    found = await context.recordings.list(cid, after=after, limit=size + 1)
    items = [RecordingResource.model_validate(each) for each in found[:size]]
    return json_of(RecordingList(items=items, next=items[-1].id if len(found) > size else None))


@documented
async def get_recording(
    request: web.Request, cid: str, rid: str, /
) -> r200 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    A recorded file, whole or in ranges; the entity tag is its SHA-256.

    Security: BearerToken: []
    Tags: recordings
    Status Codes:
        409: it is still being recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RECORDING_READ)
    recording, path = await context.recordings.open(cid, rid, grant.bearer, is_traced=begins(request))
    media_type = _MEDIA_TYPES.get((recording.codec, path.suffix), "video/mp4")
    who = recording.name or recording.participant_id
    what = f"{recording.source}-{recording.label}" if recording.label else recording.source
    name = file_name(who, what, recording.started_at_ms, path.suffix)
    return await hashed_file(request, path, recording.sha256, media_type, name)


@documented
async def delete_recording(
    request: web.Request, cid: str, rid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Delete a recorded file for good.

    Security: BearerToken: []
    Tags: recordings
    Status Codes:
        409: it is still being recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RECORDING_DELETE)
    await context.recordings.delete(cid, rid, grant.bearer)
    return nothing()


def add_to(app: web.Application) -> None:
    """The routes of recordings."""
    path = f"{PREFIX}/consultations/{{cid}}/recordings"
    app.router.add_get(path, list_recordings, allow_head=False)
    app.router.add_get(f"{path}/{{rid}}/file", get_recording, allow_head=False)
    app.router.add_delete(f"{path}/{{rid}}", delete_recording)
