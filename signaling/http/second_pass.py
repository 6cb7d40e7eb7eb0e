"""The second pass over the recording, over HTTP: asking for one, and deciding about all that it proposes."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r202, r400, r401, r403, r404, r409, r413, r421
from pydantic import BaseModel, Field

from conference.model.permissions import Action
from conference.model.second_pass import SecondPassState
from conference.services.transcript_editing import MAX_REPLACED, Replaced
from conference.transcript_views import SegmentView
from signaling.http.bodies import parsed, read_body
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.http.transcript_resources import BriefSegment, ReplacedResource, SeenBody

_MAX_BYTES = 1 << 20


class SecondPassResource(Resource):
    """How far the second pass is, which hears the recording again and proposes texts. `unavailable` says why none can
    be asked for here: no_model, model_broken or engine_missing; else it is empty. `done` and `total` count segments,
    `unheard` those done of which there is no sound, or nothing was made out. `reason` says why it failed: no_model,
    model_broken, engine_missing, worker_ended, refused, sealed or fault."""

    engine: str
    unavailable: str
    state: SecondPassState
    reason: str
    done: int
    total: int
    unheard: int
    proposals: int


class SecondPassProblem(Problem):
    """second_pass_unavailable: `reason` says why."""

    reason: str | None = None


class ProposalsBody(BaseModel):
    """Up to 5,000 segments at the revisions that were seen: their proposals are taken, or refused."""

    accept: bool
    segments: Annotated[list[SeenBody], Field(max_length=MAX_REPLACED)]


class TakenBackBody(BaseModel):
    """Up to 5,000 segments at the revisions that taking their proposals made."""

    segments: Annotated[list[SeenBody], Field(max_length=MAX_REPLACED)]


@documented
async def begin_second_pass(
    request: web.Request, cid: str, /
) -> (
    r202[SecondPassResource]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[SecondPassProblem]
    | r421[Problem]
):
    """
    Have the recording heard again by the better engine, which proposes texts and changes none. Asking again while it is under way changes nothing.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: second_pass_unavailable: no model is set, or it cannot be used; invalid_state: it has not ended, or is sealed; nothing_recorded
        421: other_node: another server has the recording
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    view = await context.second_passes.ask(cid, grant.bearer)
    return json_of(SecondPassResource.model_validate(view), status=202)


@documented
async def decide_proposals(
    request: web.Request, cid: str, /
) -> (
    r200[ReplacedResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
):
    """
    Take or refuse what is proposed for many segments: {accept, segments: [{id, revision}]}. Those that somebody else changed meanwhile are left alone and named.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: invalid_state: the consultation is sealed
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    body = parsed(ProposalsBody, await read_body(request, _MAX_BYTES))
    seen = [(each.id, each.revision) for each in body.segments]
    done = await context.transcript_editing.decide_all(cid, grant.bearer, seen, accept=body.accept)
    return await asyncio.to_thread(lambda: json_of(_replaced(done)))


@documented
async def take_proposals_back(
    request: web.Request, cid: str, /
) -> (
    r200[ReplacedResource]
    | r400[Problem]
    | r401[Problem]
    | r403[Problem]
    | r404[Problem]
    | r409[Problem]
    | r413[Problem]
):
    """
    Undo that for many segments: {segments: [{id, revision}]}. What was just taken stands beside the text again. Segments that somebody changed since are left alone and named.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: invalid_state: the consultation is sealed
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    body = parsed(TakenBackBody, await read_body(request, _MAX_BYTES))
    seen = [(each.id, each.revision) for each in body.segments]
    done = await context.transcript_editing.take_back(cid, grant.bearer, seen)
    return await asyncio.to_thread(lambda: json_of(_replaced(done)))


def _replaced(done: Replaced) -> ReplacedResource:
    items = [BriefSegment.model_validate(SegmentView.of(each, brief=True)) for each in done.items]
    return ReplacedResource(items=items, conflicts=list(done.conflicts))


def add_to(app: web.Application) -> None:
    """The routes. They stand before `transcript/{sid}`."""
    path = f"{PREFIX}/consultations/{{cid}}/transcript"
    app.router.add_post(f"{path}/second-pass", begin_second_pass)
    app.router.add_post(f"{path}/proposals", decide_proposals)
    app.router.add_post(f"{path}/proposals/undo", take_proposals_back)
