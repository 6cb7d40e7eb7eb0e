"""Everybody's links at once: to be printed with QR codes, or taken away as a table."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r429

from conference.model.permissions import Action, Role
from conference.services.invitees import MAX_INVITEES
from signaling.http.bodies import download
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.tables import layouts
from signaling.tables.messages import Format


class CodeResource(Resource):
    """A QR code: modules a side with the quiet zone, and the path of an SVG whose unit is a module."""

    size: int
    path: str


class LinkResource(Resource):
    """`link` is a path unless the server knows its public address; the code always holds a whole address."""

    kind: Literal["invitee", "venue"]
    id: str
    name: str
    title: str
    role: Role
    sector: str
    venue: str | None
    large_text: bool
    link: str
    qr: CodeResource | None = None


class PublicResource(Resource):
    link: str
    qr: CodeResource | None


class LinkList(Resource):
    """Venues, then invitees, by position. `public` is the page for everybody, null while there is none."""

    items: list[LinkResource]
    public: PublicResource | None
    next: str | None


@documented
async def list_links(
    request: web.Request, cid: str, /, qr: bool = False, limit: int = 100, after: str | None = None
) -> r200[LinkList] | r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The links that are good now, with QR codes where they are asked for.

    Security: BearerToken: []
    Tags: links
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.LINK_READ)
    links = await _links(request, cid)
    if after is not None:
        start = next((place + 1 for place, each in enumerate(links) if each.id == after), len(links))
        links = links[start:]
    page = links[: page_size(limit)]
    more = len(links) > len(page)
    if qr and page:
        codes = await context.tables.draw([_absolute(request, each.link) for each in page])
        page = [
            each.model_copy(update={"qr": CodeResource(size=code.size, path=code.path)})
            for each, code in zip(page, codes, strict=True)
        ]
    return json_of(LinkList(items=page, public=None, next=page[-1].id if more else None))


@documented
async def get_links_xlsx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The links as an Excel workbook: people, and venues with their entry codes.

    Security: BearerToken: []
    Tags: links
    """
    context = request.app[CONTEXT]
    _, consultation = await context.authorise(request, cid, Action.LINK_READ)
    venues = await context.venues.list(cid)
    listed = await context.invitees.page(cid, limit=MAX_INVITEES)
    sheets = layouts.links(
        [
            (each.invitee, each.venue, _absolute(request, context.invitees.link(each.invitee)))
            for each in listed.items
        ],
        [(each, _absolute(request, context.venues.link(each))) for each in venues],
    )
    data = await context.tables.write(Format.XLSX, sheets)
    return download(data, f"链接 {consultation.title}", Format.XLSX)


async def _links(request: web.Request, cid: str) -> list[LinkResource]:
    context = request.app[CONTEXT]
    listed = await context.invitees.page(cid, limit=MAX_INVITEES)
    venues = [
        LinkResource(
            kind="venue",
            id=each.id,
            name=each.name,
            title=each.operator_name,
            role=Role.VENUE_OPERATOR,
            sector="",
            venue=each.name,
            large_text=False,
            link=context.venues.link(each),
        )
        for each in await context.venues.list(cid)
    ]
    invitees = [
        LinkResource(
            kind="invitee",
            id=each.invitee.id,
            name=each.invitee.name,
            title=each.invitee.title,
            role=each.invitee.role,
            sector=each.invitee.sector,
            venue=each.venue,
            large_text=each.invitee.large_text,
            link=context.invitees.link(each.invitee),
        )
        for each in listed.items
    ]
    return [*venues, *invitees]


def _absolute(request: web.Request, link: str) -> str:
    """On paper a path is nothing: without a public address, the one that this request came to."""
    return f"{request.url.origin()}{link}" if link.startswith("/") else link


def add_to(app: web.Application) -> None:
    """The routes of links."""
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/links", list_links, allow_head=False)
    app.router.add_get(f"{path}/links.xlsx", get_links_xlsx, allow_head=False)
