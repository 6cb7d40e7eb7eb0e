"""Lists of terms over HTTP: of a consultation, and of a body for its staff."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r409, r413, r422, r429

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, require
from conference.model.terms import MAX_TERMS, Term
from conference.services.term_lists import KnownTerms
from conference.services.terms import AddedTerms
from conference.services.trace import Bearer
from signaling.auth.access import Grant
from signaling.http.bodies import read_body
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.refusals import NotForThem, Refused
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented
from signaling.tables.messages import TermRow

_MAX_LIST_BYTES: Final = 16 * 1024 * 1024
_MAX_FILE_BYTES: Final = 5 * 1024 * 1024
_MOST_NAMED: Final = 200  # rows that were left out

_Cell = Annotated[str, msgspec.Meta(max_length=200)]


class TermResource(Resource):
    """`wrong` becomes `right`; without `wrong` it is only told to engines that take hot words."""

    wrong: str
    right: str


class TermList(Resource):
    """In the order of their wrong spelling. `revision` is to be named by whoever writes another list instead."""

    items: list[TermResource]
    revision: int


class LeftOutRow(Resource):
    """A row of the file that was not taken over. `reason`: no_term, too_long."""

    row: int
    reason: str


class ImportedTerms(TermList):
    """The list as it is now. `added`: new ones; `changed`: those that were written otherwise; `left_out`: the first 200
    rows that could not be used, of `left_out_count`."""

    added: int
    changed: int
    left_out: list[LeftOutRow]
    left_out_count: int


# Lists of 50,000 are read and written by what is quick: all the while nothing else of the process runs.


class TermBody(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Of 200 characters at most before it is tidied."""

    right: _Cell
    wrong: _Cell = ""


class TermListBody(msgspec.Struct, forbid_unknown_fields=True):
    """The whole list instead of the one at `revision`, or of whatever is there."""

    items: Annotated[list[TermBody], msgspec.Meta(max_length=MAX_TERMS)]
    revision: Annotated[int, msgspec.Meta(ge=0)] | None = None


# ── of a consultation ───────────────────────────────────────────────────────────────────────────


@documented
async def get_terms(request: web.Request, cid: str, /) -> r200[TermList] | NotForThem:
    """
    The consultation's own terms. Those of its body count, too, where it has none for the same wrong spelling.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    return await _listed(await context.terms.get(cid, grant.bearer))


@documented
async def put_terms(
    request: web.Request, cid: str, /
) -> r200[TermList] | Refused | r409[Problem] | r413[Problem]:
    """
    The whole list: {revision, items: [{wrong, right}]}, plain text of up to 40 characters, up to 50,000. Of equal wrong spellings the last counts. What nobody corrected is rendered anew a little later.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict: somebody changed the list since that revision; invalid_state: the consultation is sealed
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    terms, seen = await _asked(request)
    return await _listed(await context.terms.put(cid, grant.bearer, terms, seen))


@documented
async def import_terms(
    request: web.Request, cid: str, /
) -> r200[ImportedTerms] | Refused | r409[Problem] | r413[Problem] | r422[Problem] | r429[Problem]:
    """
    Add the terms of a file, the body of the request: XLSX, or CSV in UTF-8 or GB18030; at most 5 MB and 50,000 rows. Two columns, wrong and right, with or without headings (错误, 正确); one column is what is right.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        422: it cannot be read (import_unreadable), has no terms (import_empty) or too many (import_too_many_rows)
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    rows = await context.tables.read_terms(await read_body(request, _MAX_FILE_BYTES))
    return await _imported(rows, await context.terms.add(cid, grant.bearer, _usable(rows)))


# ── of a body ───────────────────────────────────────────────────────────────────────────────────


async def _staff(context: HttpContext, request: web.Request, organization_id: str, action: Action) -> Bearer:
    """Somebody who is logged in and sees this organization."""
    member = await context.staff_of(request)
    grant = Grant.of_staff(member, "")
    require(grant.role, action)
    if organization_id not in await context.staff.visible(member):
        raise NotFoundError(f"organization {organization_id}")
    return grant.bearer


@documented
async def get_body_terms(request: web.Request, oid: str, /) -> r200[TermList] | NotForThem:
    """
    The terms of a body: they count in all its consultations.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    by = await _staff(context, request, oid, Action.TRANSCRIPT_READ)
    return await _listed(await context.terms.of_body(oid, by))


@documented
async def put_body_terms(
    request: web.Request, oid: str, /
) -> r200[TermList] | Refused | r409[Problem] | r413[Problem]:
    """
    The whole list of a body, as for a consultation. Consultations that are live, or ended in the last thirty days, follow.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict: somebody changed the list since that revision
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    by = await _staff(context, request, oid, Action.TERMS_EDIT)
    terms, seen = await _asked(request)
    return await _listed(await context.terms.put_of_body(oid, by, terms, seen))


@documented
async def import_body_terms(
    request: web.Request, oid: str, /
) -> r200[ImportedTerms] | Refused | r413[Problem] | r422[Problem] | r429[Problem]:
    """
    Add the terms of a file to those of a body, as for a consultation.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    by = await _staff(context, request, oid, Action.TERMS_EDIT)
    rows = await context.tables.read_terms(await read_body(request, _MAX_FILE_BYTES))
    return await _imported(rows, await context.terms.add_to_body(oid, by, _usable(rows)))


# ── used above ──────────────────────────────────────────────────────────────────────────────────


async def _asked(request: web.Request) -> tuple[Iterable[Term], int | None]:
    raw = await read_body(request, _MAX_LIST_BYTES)
    try:
        body = await asyncio.to_thread(msgspec.json.decode, raw, type=TermListBody)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConferenceError("bad_request", "a list of terms") from error
    return (Term(each.right, each.wrong) for each in body.items), body.revision


def _usable(rows: Sequence[TermRow]) -> list[Term]:
    return [Term(each.right, each.wrong) for each in rows if not each.fault]


async def _listed(found: KnownTerms | AddedTerms) -> web.Response:
    """A TermList."""
    return await _said({"items": found.terms, "revision": found.revision})


async def _imported(rows: Sequence[TermRow], found: AddedTerms) -> web.Response:
    """ImportedTerms."""
    left_out = [{"row": each.row, "reason": each.fault} for each in rows if each.fault]
    return await _said(
        {
            "items": found.terms,
            "revision": found.revision,
            "added": found.added,
            "changed": found.changed,
            "left_out": left_out[:_MOST_NAMED],
            "left_out_count": len(left_out),
        }
    )


async def _said(answer: dict[str, object]) -> web.Response:
    body = await asyncio.to_thread(msgspec.json.encode, answer)
    return web.Response(
        body=body, content_type="application/json", charset="utf-8", headers={"Cache-Control": "no-store"}
    )


def add_to(app: web.Application) -> None:
    """The routes of terms."""
    for path, get, put, take in (
        (f"{PREFIX}/consultations/{{cid}}/terms", get_terms, put_terms, import_terms),
        (f"{PREFIX}/organizations/{{oid}}/terms", get_body_terms, put_body_terms, import_body_terms),
    ):
        app.router.add_get(path, get, allow_head=False)
        app.router.add_put(path, put)
        app.router.add_post(f"{path}/import", take)
