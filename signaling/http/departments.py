"""Departments over HTTP: for those who keep the ledger, and the door that a department's own link opens."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Final, TypeAlias, TypeVar

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r304, r400, r401, r403, r404, r409, r429
from pydantic import AfterValidator, BaseModel, Field

from conference.model.errors import ConferenceError
from conference.model.folding import tidied
from conference.model.limit import Limit
from conference.model.permissions import Action
from conference.services.case_views import CaseCard
from conference.services.department_door import DepartmentPage
from conference.services.departments import DepartmentDraft
from signaling.auth.access import Grant
from signaling.http.case_resources import AnswerBody, AskBody, CaseResource, ReasonBody
from signaling.http.context import CONTEXT, HttpContext, bearer_token
from signaling.http.guest_bodies import Phone, VenueName
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.http.tagged import for_one

_T = TypeVar("_T")
_SCHEME: Final = "dept."
_BY_ADDRESS: Final = Limit("department_address", 1_200, 60.0)  # all offices of a county may share one address
_WRONG: Final = Limit("department_wrong", 30, 60.0)  # nobody mistypes a link so often

Contact = Annotated[str, Field(max_length=100), AfterValidator(tidied)]
# One address without anything that could be more than an address in a header of a mail.
Email = Annotated[
    str, Field(max_length=200, pattern=r"^$|^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,120}\.[A-Za-z]{2,24}$")
]


class DepartmentBody(BaseModel):
    """A new department. Empty where nothing is known."""

    name: VenueName
    contact: Contact = ""
    email: Email = ""
    phone: Phone = ""


class DepartmentChanges(BaseModel):
    """What is left out stays as it is."""

    name: VenueName | None = None
    contact: Contact | None = None
    email: Email | None = None
    phone: Phone | None = None


class DepartmentResource(Resource):
    """`open`: what it has to answer, of `total` cases. The rest is empty for those who do not manage the ledger."""

    id: str
    name: str
    contact: str
    email: str
    phone: str
    open: int
    total: int
    valid_until_wall_ms: int


class DepartmentList(Resource):
    items: list[DepartmentResource]


class LinkResource(Resource):
    """A path when the server was not told its public address."""

    url: str


class DoorConsultation(Resource):
    id: str
    title: str
    organization: str | None
    started_wall_ms: int | None


class DoorDepartment(Resource):
    name: str


class DoorResource(Resource):
    """What a department's link opens."""

    consultation: DoorConsultation
    department: DoorDepartment
    valid_until_wall_ms: int
    cases: list[CaseResource]

    @classmethod
    def of(cls, page: DepartmentPage) -> DoorResource:
        consultation = page.consultation
        return cls(
            consultation=DoorConsultation(
                id=consultation.id,
                title=consultation.title,
                organization=consultation.organization,
                started_wall_ms=consultation.started_at_ms,
            ),
            department=DoorDepartment(name=page.department.name),
            valid_until_wall_ms=page.department.valid_until_wall_ms,
            cases=[CaseResource.model_validate(each) for each in page.cases],
        )


class DoorCase(Resource):
    case: CaseResource
    similar: list[str]


class DoorChanged(Resource):
    case: CaseResource


# ── for those who keep the ledger ────────────────────────────────────────────────────────────────


@documented
async def list_departments(
    request: web.Request, cid: str, /
) -> r200[DepartmentList] | r304 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The departments of a consultation, with how much they have to answer.

    Security: BearerToken: []
    Tags: responses
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_READ)
    found = await context.departments.list(cid, grant.bearer)
    return for_one(request, DepartmentList(items=[DepartmentResource.model_validate(each) for each in found]))


@documented
async def add_department(
    request: web.Request, cid: str, /, body: DepartmentBody
) -> r201[DepartmentResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    A new department, with a link.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: department_in_use: there is one of this name
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    draft = DepartmentDraft(body.name, body.contact, body.email, body.phone)
    made = await context.departments.add(cid, grant.bearer, draft)
    return await _department(context, cid, grant, made.id, 201)


@documented
async def edit_department(
    request: web.Request, cid: str, did: str, /, body: DepartmentChanges
) -> r200[DepartmentResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Another name, or another way to reach it.

    Security: BearerToken: []
    Tags: responses
    Status Codes:
        409: department_in_use: there is one of this name
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    await context.departments.edit(cid, grant.bearer, did, body.model_dump(exclude_none=True))
    return await _department(context, cid, grant, did, 200)


async def _department(context: HttpContext, cid: str, grant: Grant, did: str, status: int) -> web.Response:
    return json_of(
        DepartmentResource.model_validate(await context.departments.view(cid, grant.bearer, did)), status
    )


_Link: TypeAlias = r200[LinkResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]


@documented
async def get_department_link(request: web.Request, cid: str, did: str, /) -> _Link:
    """
    The link that is good now.

    Security: BearerToken: []
    Tags: responses
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return json_of(LinkResource(url=await context.departments.link(cid, grant.bearer, did)))


@documented
async def renew_department_link(request: web.Request, cid: str, did: str, /) -> _Link:
    """
    Another link; the old one opens nothing any more.

    Security: BearerToken: []
    Tags: responses
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.RESPONSE_MANAGE)
    return json_of(LinkResource(url=await context.departments.renew(cid, grant.bearer, did)))


# ── a department's own door ──────────────────────────────────────────────────────────────────────


@documented
async def get_department(
    request: web.Request,
) -> r200[DoorResource] | r304 | r404[Problem] | r429[Problem]:
    """
    What a department was asked. The code of its link stands in the header, `Authorization: Bearer dept.CODE`.

    Security: BearerToken: []
    Tags: department
    Status Codes:
        404: link_not_found: wrong, renewed or expired
    """
    code = await _code(request)
    page = await _guarded(request, request.app[CONTEXT].department_door.look(code))
    return for_one(request, DoorResource.of(page))


@documented
async def get_department_case(
    request: web.Request, rid: str, /
) -> r200[DoorCase] | r304 | r404[Problem] | r429[Problem]:
    """
    One of its cases, and what others wrote alike.

    Security: BearerToken: []
    Tags: department
    """
    code = await _code(request)
    case, similar = await _guarded(request, request.app[CONTEXT].department_door.case(code, rid))
    return for_one(request, DoorCase(case=CaseResource.model_validate(case), similar=list(similar)))


_Door: TypeAlias = r200[DoorChanged] | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]


@documented
async def submit_answer(request: web.Request, rid: str, /, body: AnswerBody) -> _Door:
    """
    Answer; the secretariat approves it before anybody reads it.

    Security: BearerToken: []
    Tags: department
    Status Codes:
        409: response_changed: it is not this department's turn
    """
    door, code = request.app[CONTEXT].department_door, await _code(request)
    return _changed(await _guarded(request, door.answer(code, rid, body.text, body.visibility, body.handler)))


@documented
async def ask_extension(request: web.Request, rid: str, /, body: AskBody) -> _Door:
    """
    Ask for more time.

    Security: BearerToken: []
    Tags: department
    Status Codes:
        409: response_changed: it is not this department's turn
    """
    door, code = request.app[CONTEXT].department_door, await _code(request)
    return _changed(await _guarded(request, door.ask_extension(code, rid, body.until_wall_ms, body.reason)))


@documented
async def refuse_case(request: web.Request, rid: str, /, body: ReasonBody) -> _Door:
    """
    Say that it is not this department's matter; the secretariat asks another one.

    Security: BearerToken: []
    Tags: department
    Status Codes:
        409: response_changed: it is not this department's turn
    """
    door, code = request.app[CONTEXT].department_door, await _code(request)
    return _changed(await _guarded(request, door.refuse(code, rid, body.reason)))


def _changed(made: CaseCard) -> web.Response:
    return json_of(DoorChanged(case=CaseResource.model_validate(made)))


async def _code(request: web.Request) -> str:
    """The code of the link; who shows none is told what everybody is told whose link is not good.

    rate_limited for an address that asks too often, or that tried too many wrong links.
    """
    context = request.app[CONTEXT]
    await context.limit(_BY_ADDRESS, request)
    if not await context.rate_limits.remaining(_WRONG, context.client_address(request)):
        await context.limit(_WRONG, request)
    token = bearer_token(request) or ""
    return token.removeprefix(_SCHEME) if token.startswith(_SCHEME) else ""


async def _guarded(request: web.Request, work: Awaitable[_T]) -> _T:
    """What is behind the door; wrong links are counted apart, so that nobody tries many."""
    try:
        return await work
    except ConferenceError as error:
        if error.code == "link_not_found":
            context = request.app[CONTEXT]
            await context.rate_limits.hit(_WRONG, context.client_address(request))
        raise


def add_to(app: web.Application) -> None:
    """The routes of departments."""
    path = f"{PREFIX}/consultations/{{cid}}/departments"
    app.router.add_get(path, list_departments, allow_head=False)
    app.router.add_post(path, add_department)
    app.router.add_patch(f"{path}/{{did}}", edit_department)
    app.router.add_get(f"{path}/{{did}}/link", get_department_link, allow_head=False)
    app.router.add_post(f"{path}/{{did}}/renew", renew_department_link)
    door = f"{PREFIX}/department"
    app.router.add_get(door, get_department, allow_head=False)
    app.router.add_get(f"{door}/cases/{{rid}}", get_department_case, allow_head=False)
    app.router.add_post(f"{door}/cases/{{rid}}/answer", submit_answer)
    app.router.add_post(f"{door}/cases/{{rid}}/extension", ask_extension)
    app.router.add_post(f"{door}/cases/{{rid}}/refuse", refuse_case)
