"""Exports over HTTP: what is made out of recordings, how far it is, the files, deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r202, r204, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field, model_validator

from conference.model.export import ExportKind, ExportState
from conference.model.ids import ID_PATTERN
from conference.model.permissions import Action
from conference.services.exports import ExportRequest
from signaling.http.context import CONTEXT
from signaling.http.downloads import begins, file_name, hashed_file
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing, page_size

Id = Annotated[str, Field(pattern=ID_PATTERN)]
_WORDS: Final = {ExportKind.PROGRAM: "program", ExportKind.PERSON: "tracks", ExportKind.CLIP: "sound"}


class ExportResource(Resource):
    """A file that is made out of recordings. `from_ms` is the program time of its beginning, `…_at_ms` are UTC.

    `subject` is the id of the participant, agenda item or turn that it is of. Size, duration and hash are known
    when it is done; `reason` says why it failed: disk_full, disk_failed, nothing_recorded, unreadable or
    worker_ended. `requested_by` is empty for what makes itself.
    """

    id: str
    kind: ExportKind
    subject: str | None
    title: str
    media_type: str
    state: ExportState
    progress: int
    reason: str | None
    from_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str | None
    requested_by: str
    requested_at_ms: int
    finished_at_ms: int | None


class ExportList(Resource):
    """A page of exports; `next` is the `after` of the next page."""

    items: list[ExportResource]
    next: str | None


class ExportBody(BaseModel):
    """What is to be made: the program; a person's tracks; the sound of an agenda item or of a speech."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["program", "person", "clip"]
    participant_id: Id | None = None
    sound_only: bool = False
    item_id: Id | None = None
    turn_id: Id | None = None

    @model_validator(mode="after")
    def _one_subject(self) -> ExportBody:
        given = {name for name in ("participant_id", "item_id", "turn_id") if getattr(self, name) is not None}
        wanted: dict[str, list[set[str]]] = {
            "program": [set()],
            "person": [{"participant_id"}],
            "clip": [{"item_id"}, {"turn_id"}],
        }
        if given not in wanted[self.kind] or (self.sound_only and self.kind != "person"):
            raise ValueError("this does not go with that kind")
        return self

    @property
    def request(self) -> ExportRequest:
        subject = self.participant_id or self.item_id or self.turn_id
        return ExportRequest(
            ExportKind(self.kind), subject, is_turn=self.turn_id is not None, sound_only=self.sound_only
        )


@documented
async def list_exports(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None
) -> r200[ExportList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What was made out of the recordings and is being made, the newest first.

    Security: BearerToken: []
    Tags: exports
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.RECORDING_READ)
    size = page_size(limit)
    found = await context.exports.list(cid, after=after, limit=size + 1)
    items = [ExportResource.model_validate(each) for each in found[:size]]
    return json_of(ExportList(items=items, next=items[-1].id if len(found) > size else None))


@documented
async def create_export(
    request: web.Request, cid: str, /, body: ExportBody
) -> (
    r200[ExportResource]
    | r202[ExportResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
):
    """
    Have a file made, after the end of the consultation.

    Security: BearerToken: []
    Tags: exports
    Status Codes:
        200: it is there already, or on its way
        202: it will be made
        409: it has not ended, or nothing was recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.EXPORT_CREATE)
    export, is_new = await context.exports.request(cid, grant.bearer, body.request)
    return json_of(ExportResource.model_validate(export), status=202 if is_new else 200)


@documented
async def get_export(
    request: web.Request, cid: str, xid: str, /
) -> r200 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    The file, whole or in ranges; the entity tag is its SHA-256.

    Security: BearerToken: []
    Tags: exports
    Status Codes:
        409: it is not made yet
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RECORDING_READ)
    export, path = await context.exports.open(cid, xid, grant.bearer, is_traced=begins(request))
    name = file_name(export.title or export.id, _WORDS[export.kind], export.from_ms, Path(export.path).suffix)
    return await hashed_file(request, path, export.sha256, export.media_type, name)


@documented
async def delete_export(
    request: web.Request, cid: str, xid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Delete the file for good; what is queued or being made is given up.

    Security: BearerToken: []
    Tags: exports
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RECORDING_DELETE)
    await context.exports.delete(cid, xid, grant.bearer)
    return nothing()


def add_to(app: web.Application) -> None:
    """The routes of exports."""
    path = f"{PREFIX}/consultations/{{cid}}/exports"
    app.router.add_get(path, list_exports, allow_head=False)
    app.router.add_post(path, create_export)
    app.router.add_get(f"{path}/{{xid}}/file", get_export, allow_head=False)
    app.router.add_delete(f"{path}/{{xid}}", delete_export)
