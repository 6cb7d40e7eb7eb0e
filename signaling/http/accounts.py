"""The account of a consultation (问效表): as JSON, on one page of paper, and as a workbook."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r429

from conference.model.account import Account
from conference.model.permissions import Action
from signaling.http.bodies import attachment, download
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.paper.account_sheet import MOST_OPEN, account_sheet
from signaling.tables.account_layout import account_sheets
from signaling.tables.messages import Format


class AccountConsultationResource(Resource):
    """UTC milliseconds."""

    id: str
    title: str
    organization: str | None
    status: str
    started_wall_ms: int | None
    ended_wall_ms: int | None


class AccountVenuesResource(Resource):
    main: int
    branch: int
    point: int


class AccountViewersResource(Resource):
    """Page views and the most at once, estimated; null where nobody was counted."""

    total: int | None
    peak: int | None


class AccountCommentsResource(Resource):
    """`received` is the sum of shown, rejected, held, withdrawn and waiting."""

    received: int
    groups: int
    shown: int
    rejected: int
    held: int
    withdrawn: int
    waiting: int


class AccountTopicResource(Resource):
    name: str
    comments: int


class AccountPromotionsResource(Resource):
    """Comments put to the session, and for how many people they stand."""

    comments: int
    authors: int


class AccountResponsesResource(Resource):
    """`in_hand`: open and not answered; `unassigned` of them nobody has."""

    total: int
    answered: int
    in_hand: int
    overdue: int
    unassigned: int


class DepartmentAccountResource(Resource):
    """`median_days`: half of what it answered took no longer."""

    id: str
    name: str
    total: int
    answered: int
    in_hand: int
    overdue: int
    median_days: float | None
    ratings: dict[str, int]


class OpenCaseResource(Resource):
    """`overdue_days` are working days."""

    id: str
    label: str
    text: str
    authors: int
    department: str | None
    due_wall_ms: int | None
    overdue_days: int


class TraceHeadResource(Resource):
    number: int
    hash: str


class AnswersCodeResource(Resource):
    """A QR code: modules a side with the quiet zone, and the path of an SVG whose unit is a module."""

    size: int
    path: str


class AccountResource(Resource):
    """`topics`: at most five, the most talked about first; `open`: the four most urgent of `open_total`.

    `answers_url`: the public list of answers, a path where there is none; `answers_qr`: its code.
    """

    consultation: AccountConsultationResource
    as_of_wall_ms: int
    venues: AccountVenuesResource
    viewers: AccountViewersResource
    comments: AccountCommentsResource
    topics: list[AccountTopicResource]
    other_topics: int
    promoted: AccountPromotionsResource
    responses: AccountResponsesResource
    median_days: float | None
    ratings: dict[str, int]
    departments: list[DepartmentAccountResource]
    open: list[OpenCaseResource]
    open_total: int
    trace: TraceHeadResource | None
    answers_url: str
    answers_qr: AnswersCodeResource | None


@documented
async def get_account(
    request: web.Request, cid: str, /
) -> r200[AccountResource] | r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The account of the consultation: what the public said, and what became of it.

    Security: BearerToken: []
    Tags: account
    """
    account = await _account(request, cid)
    address = _answers(request, account)
    code = None
    if address is not None:
        (drawn,) = await request.app[CONTEXT].tables.draw([address])
        code = AnswersCodeResource(size=drawn.size, path=drawn.path)
    fields = {
        name: getattr(account, name)
        for name in AccountResource.model_fields
        if name not in ("open", "open_total", "answers_url", "answers_qr")
    }
    return json_of(
        AccountResource.model_validate(
            {
                **fields,
                "open": account.open[:MOST_OPEN],
                "open_total": len(account.open),
                "answers_url": address or _path(account),
                "answers_qr": code,
            }
        )
    )


@documented
async def get_account_pdf(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The account on one page, A4. 503 paper_failed when the server cannot typeset.

    Security: BearerToken: []
    Tags: account
    """
    context = request.app[CONTEXT]
    account = await _account(request, cid)
    address = _answers(request, account)
    code = None if address is None else (await context.tables.draw([address]))[0]
    data = await context.papers.typeset("account", account_sheet(account, context.time_zone, code))
    return attachment(data, "application/pdf", "account.pdf", f"问效表 {account.consultation.title}.pdf")


@documented
async def get_account_xlsx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The account as an Excel workbook: sums, departments, topics, and all that is open.

    Security: BearerToken: []
    Tags: account
    """
    account = await _account(request, cid)
    data = await request.app[CONTEXT].tables.write(Format.XLSX, account_sheets(account))
    return download(data, f"问效表 {account.consultation.title}", Format.XLSX)


async def _account(request: web.Request, cid: str) -> Account:
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.ACCOUNT_READ)
    return await context.accounts.get(cid, grant.role)


def _path(account: Account) -> str:
    return f"/answers/{account.consultation.id}"


def _answers(request: web.Request, account: Account) -> str | None:
    """The whole address of the public list of answers, for paper; None where there is no such page."""
    context = request.app[CONTEXT]
    if not account.is_public:
        return None
    return f"{(context.public_url or context.proxies.origin(request)).rstrip('/')}{_path(account)}"


def add_to(app: web.Application) -> None:
    """The routes of the account."""
    path = f"{PREFIX}/consultations/{{cid}}/account"
    app.router.add_get(path, get_account, allow_head=False)
    app.router.add_get(f"{path}.pdf", get_account_pdf, allow_head=False)
    app.router.add_get(f"{path}.xlsx", get_account_xlsx, allow_head=False)
