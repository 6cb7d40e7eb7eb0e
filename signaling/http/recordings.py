"""Recordings over HTTP: the list, the files in ranges, deletion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aiohttp import ETag, web
from aiohttp_pydantic.oas.typing import r200, r204, r401, r403, r404, r409

from conference.model.errors import NotFoundError
from conference.model.permissions import Action
from conference.model.recording import FileState, Recording
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing, page_size

_MEDIA_TYPES: Final = {("opus", ".webm"): "audio/webm", ("vp8", ".webm"): "video/webm"}
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f"*/:<>?\\|]+')


class RecordingResource(Resource):
    """A recorded file: one track from one beginning to one end. `started_at_ms` is program time.

    Size, duration and hash of a file are known when it ends; `broken` is one whose writer was killed: it plays up to
    about its last second.
    """

    id: str
    participant_id: str
    name: str
    source: str
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
    begins = (request.http_range.start or 0) == 0 if _has_range(request) else True
    recording, path = await context.recordings.open(cid, rid, grant.bearer, is_traced=begins)
    if not path.is_file():
        raise NotFoundError(f"the file of recording {rid} is gone")
    tags = request.if_none_match or ()
    if recording.sha256 is not None and any(tag.value == recording.sha256 for tag in tags):
        return web.Response(status=304, headers={"ETag": f'"{recording.sha256}"'})
    headers = {
        "Content-Type": _MEDIA_TYPES.get((recording.codec, path.suffix), "video/mp4"),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(_file_name(recording, path), safe='')}",
        "Cache-Control": "private, no-cache",
    }
    return _HashedFile(path, recording.sha256, headers)


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


def _has_range(request: web.Request) -> bool:
    try:
        return request.http_range.start is not None
    except ValueError:
        return False  # answered with 416


def _file_name(recording: Recording, path: Path) -> str:
    """Who, what and when: `张三-camera-00h12m05s.webm`."""
    minutes, seconds = divmod(recording.started_at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    name = _NOT_IN_NAMES.sub("_", recording.name).strip(" .") or recording.participant_id
    return f"{name}-{recording.source}-{hours:02}h{minutes:02}m{seconds:02}s{path.suffix}"


def add_to(app: web.Application) -> None:
    """The routes of recordings."""
    path = f"{PREFIX}/consultations/{{cid}}/recordings"
    app.router.add_get(path, list_recordings, allow_head=False)
    app.router.add_get(f"{path}/{{rid}}/file", get_recording, allow_head=False)
    app.router.add_delete(f"{path}/{{rid}}", delete_recording)
