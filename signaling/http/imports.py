"""Lists of invitees from a file, over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, Any

from aiohttp import web
from aiohttp_pydantic.oas.typing import (
    r200,
    r201,
    r204,
    r400,
    r401,
    r403,
    r404,
    r409,
    r413,
    r422,
    r429,
)
from pydantic import BaseModel, ConfigDict, Field

from conference.model.folding import tidied, tidied_name
from conference.model.invitee_check import CheckedRow
from conference.model.invitee_columns import Column
from conference.model.invitee_list import MAX_ROWS, means_yes
from conference.model.permissions import Action, Role
from conference.services.invitee_imports import MAX_FILE_BYTES, CheckedImport, Mending
from signaling.http.bodies import download, read_body
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.tables import layouts
from signaling.tables.messages import Format

Cell = Annotated[str, Field(max_length=1_000)]


class ImportValues(Resource):
    """What a row says. `large_text` is 是 or empty."""

    name: str
    title: str
    sector: str
    role: str
    venue: str
    phone: str
    large_text: str


class SuggestionResource(Resource):
    value: str
    label: str


class ImportProblem(Resource):
    code: str
    column: Column
    message: str
    suggestion: SuggestionResource | None
    other_row: int | None


class ImportNote(Resource):
    code: str
    message: str


class ImportRowResource(Resource):
    """A row by its number in the file, with the judgement on it."""

    row: int
    values: ImportValues
    venue_id: str | None
    role_code: Role | None
    separate: bool
    dropped: bool
    ok: bool
    problems: list[ImportProblem]
    notes: list[ImportNote]

    @classmethod
    def of(cls, row: CheckedRow) -> ImportRowResource:
        source = row.source
        said = source.values
        return cls(
            row=source.row,
            values=ImportValues(
                name=said.name,
                title=said.title,
                sector=said.sector,
                role=said.role,
                venue=said.venue,
                phone=said.phone,
                large_text="是" if said.large_text else "",
            ),
            venue_id=row.venue_id,
            role_code=row.role,
            separate=source.separate,
            dropped=source.dropped,
            ok=row.ok,
            problems=[ImportProblem.model_validate(each) for each in row.problems],
            notes=[ImportNote.model_validate(each) for each in row.notes],
        )


class ImportCounts(Resource):
    """`bad`: neither good nor dropped."""

    total: int
    ok: int
    bad: int
    dropped: int


class ImportResource(Resource):
    """A list that was read and not taken over yet. `by_role` counts the rows that are not dropped."""

    file_name: str
    created_at_ms: int
    created_by: str
    rows: list[ImportRowResource]
    counts: ImportCounts
    by_role: dict[Role, int]

    @classmethod
    def of(cls, checked: CheckedImport) -> ImportResource:
        ok, dropped = len(checked.good), sum(row.source.dropped for row in checked.rows)
        total = len(checked.rows)
        return cls(
            file_name=checked.source.file_name,
            created_at_ms=checked.source.created_at_ms,
            created_by=checked.source.created_by,
            rows=[ImportRowResource.of(row) for row in checked.rows],
            counts=ImportCounts(total=total, ok=ok, bad=total - ok - dropped, dropped=dropped),
            by_role=Counter(row.role for row in checked.rows if row.role and not row.source.dropped),
        )


class AppliedResource(Resource):
    added: int
    left: int


class ValuesBody(BaseModel):
    """What the row should say instead. What is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Cell | None = None
    title: Cell | None = None
    sector: Cell | None = None
    role: Cell | None = None
    venue: Cell | None = None
    phone: Cell | None = None
    large_text: bool | Cell | None = None

    def said(self) -> dict[str, Any]:
        given = {name: value for name, value in self.model_dump().items() if value is not None}
        for name, value in given.items():
            if name == Column.LARGE_TEXT:
                given[name] = value is True or (isinstance(value, str) and means_yes(value))
            else:
                given[name] = tidied_name(value) if name == Column.NAME else tidied(value)
        return given


class RowBody(BaseModel):
    """`separate`: it is another person than the one it looks like. `dropped`: not to be taken over."""

    row: Annotated[int, Field(ge=1, le=2_000_000)]
    values: ValuesBody | None = None
    separate: bool | None = None
    dropped: bool | None = None


class MendingBody(BaseModel):
    rows: Annotated[list[RowBody], Field(max_length=MAX_ROWS)]


@documented
async def get_template(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    An empty list to fill in, with this consultation's venues to choose from.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.INVITEE_EDIT)
    venues = [venue.name for venue in await context.imports.venues(cid)]
    data = await context.tables.write(Format.XLSX, layouts.template(venues))
    return download(data, "受邀名单模板", Format.XLSX)


@documented
async def post_import(
    request: web.Request, cid: str, /, name: Annotated[str, Field(min_length=1, max_length=200)]
) -> (
    r201[ImportResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
    | r422[Problem]
    | r429[Problem]
):
    """
    Read a list from the body: XLSX, or CSV in UTF-8 or GB18030; at most 5 MB and 2,000 rows. Nobody is invited yet.

    Security: BearerToken: []
    Tags: invitees
    Status Codes:
        413: more than 5 MB
        422: it cannot be read (import_unreadable), has no column 姓名 (import_no_name_column), nobody below it (import_empty) or too many rows (import_too_many_rows)
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    data = await read_body(request, MAX_FILE_BYTES)
    return await _shown(await context.imports.read(cid, grant.bearer, tidied(name), data), 201)


@documented
async def get_import(
    request: web.Request, cid: str, /
) -> r200[ImportResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The list that was read and not taken over yet, judged against the venues and invitees of now.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    return await _shown(await context.imports.get(cid, grant.bearer))


@documented
async def put_import(
    request: web.Request, cid: str, /, mending: MendingBody
) -> r200[ImportResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Mend rows of the list.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    mendings = [
        Mending(each.row, each.values.said() if each.values else {}, each.separate, each.dropped)
        for each in mending.rows
    ]
    return await _shown(await context.imports.mend(cid, grant.bearer, mendings))


@documented
async def delete_import(
    request: web.Request, cid: str, /
) -> r204[None] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Forget the list.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    await context.imports.drop(cid, grant.bearer)
    return web.Response(status=204)


@documented
async def apply_import(
    request: web.Request, cid: str, /
) -> r200[AppliedResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Invite everybody whose row is good. The other rows stay to be mended.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    return json_of(AppliedResource.model_validate(await context.imports.apply(cid, grant.bearer)))


@documented
async def get_marked(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The list as a table, with what is wrong beside each row.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    checked = await context.imports.get(cid, grant.bearer)
    data = await context.tables.write(Format.XLSX, [layouts.marked(checked.rows)])
    return download(data, "受邀名单（标出问题）", Format.XLSX)


async def _shown(checked: CheckedImport, status: int = 200) -> web.Response:
    """In a thread: two thousand rows take longer than the sockets of a meeting may wait."""
    text = await asyncio.to_thread(lambda: ImportResource.of(checked).model_dump_json())
    return web.json_response(text=text, status=status, headers={"Cache-Control": "no-store"})


def add_to(app: web.Application) -> None:
    """The routes of lists."""
    path = f"{PREFIX}/consultations/{{cid}}/invitees"
    app.router.add_get(f"{path}/template.xlsx", get_template, allow_head=False)
    app.router.add_post(f"{path}/import", post_import)
    app.router.add_get(f"{path}/import", get_import, allow_head=False)
    app.router.add_put(f"{path}/import", put_import)
    app.router.add_delete(f"{path}/import", delete_import)
    app.router.add_post(f"{path}/import/apply", apply_import)
    app.router.add_get(f"{path}/import/marked.xlsx", get_marked, allow_head=False)
