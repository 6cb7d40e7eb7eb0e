"""Rehearsals over HTTP: the twins of the desk's requests."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field

from conference.model.comment import MAX_NICKNAME_CHARS, MAX_TEXT_CHARS
from conference.model.consultation import Consultation
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.resources import ConsultationResource, Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of


class RehearsalEnd(BaseModel):
    """`keep`: what was recorded, said and answered becomes a consultation of its own that is not public."""

    keep: bool = False


class RehearsalComment(BaseModel):
    """A comment to try moderating with."""

    model_config = ConfigDict(str_strip_whitespace=True)

    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
    nickname: Annotated[str, Field(max_length=MAX_NICKNAME_CHARS)] = ""


class RehearsalEnded(ConsultationResource):
    """The consultation as it was before. `kept_id`: the consultation that holds what was kept."""

    kept_id: str | None


class RehearsedComment(Resource):
    """A comment that goes with the rehearsal."""

    id: str
    nickname: str
    text: str


def _shown(request: web.Request, consultation: Consultation) -> ConsultationResource:
    return ConsultationResource.of(consultation, request.app[CONTEXT].rooms.program_time_ms(consultation))


@documented
async def start_rehearsal(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Rehearse what is scheduled: inside everything is as in a live session, the public is told that it is scheduled.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        200: it is being rehearsed
        409: invalid_state, or rehearsal_clearing while the files of the last one are cleared away
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_START)
    return json_of(_shown(request, await context.rehearsals.start(cid, grant.bearer)))


@documented
async def end_rehearsal(
    request: web.Request, cid: str, /, body: RehearsalEnd
) -> r200[RehearsalEnded] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    End the rehearsal. What it made is erased, unless it is to be kept; the consultation is scheduled as before.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        200: it is over
        409: invalid_state where nothing is rehearsed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_END)
    ended = await context.rehearsals.end(cid, grant.bearer, keep=body.keep)
    shown = _shown(request, ended.consultation).model_dump()
    return json_of(RehearsalEnded(**shown, kept_id=ended.kept_id))


@documented
async def add_comment(
    request: web.Request, cid: str, /, body: RehearsalComment
) -> r201[RehearsedComment] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Write a comment for the rehearsal: it waits in the queue as one of the public, which never sees it.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        201: it waits in the queue
        409: invalid_state where nothing is rehearsed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    view = await context.rehearsed_comments.add(cid, grant.bearer, body.text, body.nickname)
    return json_of(RehearsedComment.model_validate(view), 201)


def add_to(app: web.Application) -> None:
    """The routes."""
    above = f"{PREFIX}/consultations/{{cid}}/rehearsal"
    app.router.add_post(f"{above}/start", start_rehearsal)
    app.router.add_post(f"{above}/end", end_rehearsal)
    app.router.add_post(f"{above}/comments", add_comment)
