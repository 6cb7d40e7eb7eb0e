"""Invitees over HTTP: the list, and everybody's personal link."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409

from conference.model.permissions import Action
from conference.services.invitees import InviteeDraft
from signaling.http.context import CONTEXT
from signaling.http.guest_bodies import InviteeBody, InviteeChanges, InviteeList, InviteeResource
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, nothing, page_size

_MAX_QUERY_CHARS = 100
_INVITEE = "{iid:i_[A-Za-z0-9_-]{1,62}}"  # other words below the path are for the import


@documented
async def list_invitees(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None, q: str = ""
) -> r200[InviteeList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The invitees by position. `q` is sought in name, title, sector and venue.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_READ)
    page = await context.invitees.page(cid, after=after, limit=page_size(limit), query=q[:_MAX_QUERY_CHARS])
    items = [InviteeResource.of(each, context.invitees, grant.role) for each in page.items]
    return json_of(InviteeList(items=items, next=page.next, total=page.total))


@documented
async def add_invitee(
    request: web.Request, cid: str, /, body: InviteeBody
) -> r201[InviteeResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Somebody more on the list.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    invitee = await context.invitees.add(cid, grant.bearer, InviteeDraft(**body.model_dump()))
    listed = await context.invitees.listed(invitee)
    return json_of(InviteeResource.of(listed, context.invitees, grant.role), status=201)


@documented
async def edit_invitee(
    request: web.Request, cid: str, iid: str, /, body: InviteeChanges
) -> r200[InviteeResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Change what is named; the rest stays. With another role the link has to be opened again.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    invitee = await context.invitees.edit(cid, grant.bearer, iid, body.said())
    listed = await context.invitees.listed(invitee)
    return json_of(InviteeResource.of(listed, context.invitees, grant.role))


@documented
async def remove_invitee(
    request: web.Request, cid: str, iid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Off the list; the personal link is dead, and what it opened is closed.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    await context.invitees.remove(cid, grant.bearer, iid)
    return nothing()


@documented
async def replace_invitee_link(
    request: web.Request, cid: str, iid: str, /
) -> r200[InviteeResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Another personal link; the old one is dead at once.

    Security: BearerToken: []
    Tags: invitees
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_EDIT)
    invitee = await context.invitees.new_link(cid, grant.bearer, iid)
    listed = await context.invitees.listed(invitee)
    return json_of(InviteeResource.of(listed, context.invitees, grant.role))


def add_to(app: web.Application) -> None:
    """The routes of invitees."""
    path = f"{PREFIX}/consultations/{{cid}}/invitees"
    router = app.router
    router.add_get(path, list_invitees, allow_head=False)
    router.add_post(path, add_invitee)
    router.add_patch(f"{path}/{_INVITEE}", edit_invitee)
    router.add_delete(f"{path}/{_INVITEE}", remove_invitee)
    router.add_post(f"{path}/{_INVITEE}/link", replace_invitee_link)
