"""Everybody's links at once: to be printed with QR codes, or taken away as a table."""

from __future__ import annotations

import asyncio
from typing import Literal

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r429

from conference.model.permissions import Action, Role
from conference.model.venue import Venue
from conference.services.invitees import MAX_INVITEES, Listed
from signaling.http.bodies import download
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.tables import layouts
from signaling.tables.messages import Format, Sheet


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
    listed = await context.invitees.page(cid, limit=MAX_INVITEES)
    owners: list[Venue | Listed] = [*await context.venues.list(cid), *listed.items]
    if after is not None:
        start = next((place + 1 for place, each in enumerate(owners) if _id(each) == after), len(owners))
        owners = owners[start:]
    page = [_resource(context, each) for each in owners[: page_size(limit)]]
    more = len(owners) > len(page)
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

    def sheets() -> tuple[Sheet, ...]:
        return layouts.links(
            [
                (each.invitee, each.venue, _absolute(request, context.invitees.link(each.invitee)))
                for each in listed.items
            ],
            [(each, _absolute(request, context.venues.link(each))) for each in venues],
        )

    # In a thread: the codes of thousands take longer than the sockets of a meeting may wait.
    data = await context.tables.write(Format.XLSX, await asyncio.to_thread(sheets))
    return download(data, f"链接 {consultation.title}", Format.XLSX)


def _id(owner: Venue | Listed) -> str:
    return owner.id if isinstance(owner, Venue) else owner.invitee.id


def _resource(context: HttpContext, owner: Venue | Listed) -> LinkResource:
    if isinstance(owner, Venue):
        return LinkResource(
            kind="venue",
            id=owner.id,
            name=owner.name,
            title=owner.operator_name,
            role=Role.VENUE_OPERATOR,
            sector="",
            venue=owner.name,
            large_text=False,
            link=context.venues.link(owner),
        )
    invitee = owner.invitee
    return LinkResource(
        kind="invitee",
        id=invitee.id,
        name=invitee.name,
        title=invitee.title,
        role=invitee.role,
        sector=invitee.sector,
        venue=owner.venue,
        large_text=invitee.large_text,
        link=context.invitees.link(invitee),
    )


def _absolute(request: web.Request, link: str) -> str:
    """On paper a path is nothing: without a public address, the one that this request came to."""
    return f"{request.app[CONTEXT].proxies.origin(request)}{link}" if link.startswith("/") else link


def add_to(app: web.Application) -> None:
    """The routes of links."""
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/links", list_links, allow_head=False)
    app.router.add_get(f"{path}/links.xlsx", get_links_xlsx, allow_head=False)
