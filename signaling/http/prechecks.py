"""Pre-checks of venues (联调单) over HTTP: judging figures, handing in sheets, reading, proving and printing them."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r400, r401, r403, r404, r409, r422, r429, r503
from pydantic import Field

from conference.model.folding import tidied
from conference.model.ids import ID_PATTERN
from conference.model.permissions import Action
from conference.model.precheck import judge
from conference.services.prechecks import Reader, Sheet
from signaling.auth.access import Grant
from signaling.http.bodies import attachment
from signaling.http.context import CONTEXT
from signaling.http.precheck_bodies import (
    JudgementResource,
    MeasuredBody,
    OpeningResource,
    PrecheckDocument,
    PrecheckList,
    PrecheckResource,
    ProofResource,
    SheetBody,
    TimeResource,
    items_of,
)
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.paper.precheck_sheet import precheck_sheet

_DEVICE_CHARS: Final = 200


@documented
async def open_precheck(
    request: web.Request, cid: str, /, venue: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
) -> r200[OpeningResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What the page of a pre-check needs. An operator's own venue; staff name one.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_RUN)
    return json_of(OpeningResource.of(await context.prechecks.open(cid, _reader(grant), venue)))


@documented
async def judge_figures(
    request: web.Request, cid: str, /, body: MeasuredBody
) -> r200[JudgementResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What the figures of one item mean. Nothing is kept.

    Security: BearerToken: []
    Tags: venues
    """
    await request.app[CONTEXT].authorise(request, cid, Action.PRECHECK_RUN)
    figures = body.checked.measured()
    if figures is None:
        raise web.HTTPBadRequest
    return json_of(JudgementResource.model_validate(judge(figures)))


@documented
async def hand_in(
    request: web.Request, cid: str, vid: str, /, body: SheetBody
) -> (
    r201[PrecheckResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r422[Problem]
):
    """
    Hand in a sheet: each of the nine items once. Verdicts are found here, from the figures.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        409: the consultation is over, or the venue has too many sheets
        422: precheck_reason: an `item` was skipped or failed, and no reason is written
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_RUN)
    device = tidied(request.headers.get("User-Agent", ""))[:_DEVICE_CHARS]
    sheet = Sheet(items_of(body), body.took_ms, device)
    precheck = await context.prechecks.submit(cid, _reader(grant), vid, sheet)
    return json_of(PrecheckResource.of(precheck), status=201)


@documented
async def list_newest(
    request: web.Request, cid: str, /
) -> r200[PrecheckList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The last sheet of each venue, by the position of the venues; an operator sees the own one.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_READ)
    found = await context.prechecks.newest(cid, _reader(grant))
    return json_of(PrecheckList(items=[PrecheckResource.of(each) for each in found], next=None))


@documented
async def list_of_venue(
    request: web.Request, cid: str, vid: str, /, limit: int = 20, after: str | None = None
) -> r200[PrecheckList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The sheets of a venue, newest first.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_READ)
    limit = page_size(limit)
    found = await context.prechecks.of_venue(cid, _reader(grant), vid, after=after, limit=limit + 1)
    page = found[:limit]
    following = page[-1].id if len(found) > limit else None
    return json_of(PrecheckList(items=[PrecheckResource.of(each) for each in page], next=following))


@documented
async def get_document(
    request: web.Request, cid: str, vid: str, pid: str, /
) -> r200[PrecheckDocument] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A sheet as it was signed, with signature and public key (JWK): anybody can verify it without this server.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_READ)
    found = await context.prechecks.get(cid, _reader(grant), vid, pid)
    return json_of(
        PrecheckDocument(
            document=found.document(), signature=found.signature, key=context.prechecks.public_key(found)
        )
    )


@documented
async def get_proof(
    request: web.Request, cid: str, vid: str, pid: str, /
) -> r200[ProofResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Whether a sheet is as it was signed.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.PRECHECK_READ)
    return json_of(ProofResource.of_proof(await context.prechecks.proof(cid, _reader(grant), vid, pid)))


@documented
async def get_pdf(
    request: web.Request, cid: str, vid: str, pid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem] | r503[Problem]:
    """
    A sheet on one page, A4. 503 paper_failed when the server cannot typeset.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.PRECHECK_READ)
    proof = await context.prechecks.proof(cid, _reader(grant), vid, pid)
    data = precheck_sheet(proof, consultation, context.time_zone)
    paper = await context.papers.typeset("precheck", data)
    name = f"联调单 {proof.precheck.venue} 第{proof.precheck.number}次.pdf"
    return attachment(paper, "application/pdf", "precheck.pdf", name)


@documented
async def get_time(request: web.Request) -> r200[TimeResource]:
    """
    The server's clock. Needs no token.

    Tags: entrances
    """
    return json_of(TimeResource(now_ms=request.app[CONTEXT].rooms.clock.wall_ms()))


def _reader(grant: Grant) -> Reader:
    return Reader(grant.bearer, grant.claims.venue_id, grant.claims.venue)


def add_to(app: web.Application) -> None:
    """The routes of pre-checks."""
    path = f"{PREFIX}/consultations/{{cid}}"
    of_venue = f"{path}/venues/{{vid}}/prechecks"
    router = app.router
    router.add_get(f"{path}/precheck", open_precheck, allow_head=False)
    router.add_post(f"{path}/precheck/judgement", judge_figures)
    router.add_get(f"{path}/prechecks", list_newest, allow_head=False)
    router.add_get(of_venue, list_of_venue, allow_head=False)
    router.add_post(of_venue, hand_in)
    router.add_get(f"{of_venue}/{{pid}}.pdf", get_pdf, allow_head=False)
    router.add_get(f"{of_venue}/{{pid}}", get_document, allow_head=False)
    router.add_get(f"{of_venue}/{{pid}}/proof", get_proof, allow_head=False)
    router.add_get(f"{PREFIX}/time", get_time, allow_head=False)
