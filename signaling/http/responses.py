"""The ledger of answers over HTTP: cases of a consultation, for those who keep it. Pages ask every few seconds."""

from __future__ import annotations

from typing import Any, TypeAlias

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r304, r400, r401, r403, r404, r409

from conference.model.permissions import Action
from conference.services.case_queries import WantedCases
from conference.services.case_views import CaseCard
from signaling.http.bodies import parsed, read_body
from signaling.http.case_resources import (
    ApproveBody,
    AssignBody,
    CaseResource,
    ExtendBody,
    OpenBody,
    ReasonBody,
)
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.http.tagged import for_one


class CaseCounts(Resource):
    """How many cases are in each state; those due soon and overdue are among the assigned ones."""

    unassigned: int
    assigned: int
    due_soon: int
    overdue: int
    submitted: int
    answered: int
    closed: int
    all: int


class CaseList(Resource):
    """What is to be done first, then by due date. `next` is the `after` of the next page; `counts`: of all."""

    items: list[CaseResource]
    next: str | None
    counts: CaseCounts


class HistoryResource(Resource):
    """A line of the trace about a case."""

    at_wall_ms: int
    action: str
    by: str | None
    detail: dict[str, Any]


class CaseDetailResource(Resource):
    """`similar`: what others of the group wrote; `history`: newest first."""

    response: CaseResource
    similar: list[str]
    history: list[HistoryResource]


class ChangedCase(Resource):
    response: CaseResource


@documented
async def list_responses(
    request: web.Request,
    cid: str,
    /,
    state: str = "",
    department: str | None = None,
    text: str = "",
    limit: int = 50,
    after: str | None = None,
) -> r200[CaseList] | r304 | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Cases: all, or those in states (separated by commas; also due_soon and overdue), of a department, with a text.

    Security: BearerToken: []
    Tags: responses
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_READ)
    states = tuple(each for each in state.split(",") if each and each != "all")
    wanted = WantedCases(states, department or None, text[:100], page_size(limit), after)
    return for_one(
        request, CaseList.model_validate(await context.case_queries.page(cid, grant.bearer, wanted))
    )


@documented
async def get_response(
    request: web.Request, cid: str, rid: str, /
) -> r200[CaseDetailResource] | r304 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A case, what others wrote alike, and what was done.

    Security: BearerToken: []
    Tags: responses
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_READ)
    detail = await context.case_queries.get(cid, grant.bearer, rid)
    return for_one(request, CaseDetailResource.model_validate(detail))


@documented
async def open_response(
    request: web.Request, cid: str, /, body: OpenBody
) -> r201[CaseResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Make a case of a comment and its group; the open one when there is one. A department that is named by somebody who
    may not assign is suggested.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: comment_changed: it was rejected, hidden or withdrawn
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_OPEN)
    made = await context.responses.open(
        cid, grant.bearer, body.comment_id, body.department_id, body.due_wall_ms
    )
    return json_of(CaseResource.model_validate(made), 201)


_Changed: TypeAlias = (
    r200[ChangedCase] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
)


@documented
async def assign_response(request: web.Request, cid: str, rid: str, /, body: AssignBody) -> _Changed:
    """
    Ask a department. Another one than before wants a reason. Due in two weeks unless another day is said.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: somebody else was faster
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(
        await context.responses.assign(
            cid, grant.bearer, rid, body.department_id, body.due_wall_ms, body.reason
        )
    )


@documented
async def extend_response(request: web.Request, cid: str, rid: str, /, body: ExtendBody) -> _Changed:
    """
    Give more time, whether the department asked for it or not.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: somebody else was faster
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.extend(cid, grant.bearer, rid, body.until_wall_ms, body.reason))


@documented
async def deny_extension(request: web.Request, cid: str, rid: str, /, body: ReasonBody) -> _Changed:
    """
    No more time.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: nothing is asked for
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.deny_extension(cid, grant.bearer, rid, body.reason))


@documented
async def remind_department(request: web.Request, cid: str, rid: str, /) -> _Changed:
    """
    Write to the department now, once a minute at most.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed; no_channel: neither mail nor telephone reaches it
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.remind(cid, grant.bearer, rid))


@documented
async def return_answer(request: web.Request, cid: str, rid: str, /, body: ReasonBody) -> _Changed:
    """
    The department is to mend its answer.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: somebody else was faster
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.give_back(cid, grant.bearer, rid, body.reason))


@documented
async def approve_answer(request: web.Request, cid: str, rid: str, /) -> _Changed:
    """
    The answer counts. The body may be left out, or say `{visibility}`: public or private.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: somebody else was faster
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    raw = await read_body(request, 4096)
    said = parsed(ApproveBody, raw) if raw.strip() else ApproveBody()
    return _changed(await context.responses.approve(cid, grant.bearer, rid, said.visibility))


@documented
async def unapprove_answer(request: web.Request, cid: str, rid: str, /) -> _Changed:
    """
    Undo an approval, within a minute.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: it was approved too long ago
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.unapprove(cid, grant.bearer, rid))


@documented
async def reopen_response(request: web.Request, cid: str, rid: str, /, body: ReasonBody) -> _Changed:
    """
    The department shall answer again; what it answered stays public until that is approved.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: it is open
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.reopen(cid, grant.bearer, rid, body.reason))


@documented
async def close_response(request: web.Request, cid: str, rid: str, /) -> _Changed:
    """
    Nothing more is to be done.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: response_changed: an answer waits for approval
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return _changed(await context.responses.close(cid, grant.bearer, rid))


def _changed(made: CaseCard) -> web.Response:
    return json_of(ChangedCase(response=CaseResource.model_validate(made)))


def add_to(app: web.Application) -> None:
    """The routes of the ledger."""
    path = f"{PREFIX}/consultations/{{cid}}/responses"
    one = f"{path}/{{rid}}"
    app.router.add_get(path, list_responses, allow_head=False)
    app.router.add_post(path, open_response)
    app.router.add_get(one, get_response, allow_head=False)
    app.router.add_post(f"{one}/assign", assign_response)
    app.router.add_post(f"{one}/extend", extend_response)
    app.router.add_post(f"{one}/deny-extension", deny_extension)
    app.router.add_post(f"{one}/remind", remind_department)
    app.router.add_post(f"{one}/return", return_answer)
    app.router.add_post(f"{one}/approve", approve_answer)
    app.router.add_post(f"{one}/unapprove", unapprove_answer)
    app.router.add_post(f"{one}/reopen", reopen_response)
    app.router.add_post(f"{one}/close", close_response)
