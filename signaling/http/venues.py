"""Venues over HTTP: making them ready, their operators' links, their entry codes."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409

from conference.model.permissions import Action, Role
from conference.model.venue import Venue
from conference.services.venues import VenueDraft
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.guest_bodies import VenueBody, VenueChanges, VenueList, VenueResource
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, nothing


@documented
async def list_venues(
    request: web.Request, cid: str, /
) -> r200[VenueList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The venues by position. Telephone, entry code and link are null without the right to see them.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.INVITEE_READ)
    venues = await context.venues.list(cid)
    return json_of(VenueList(items=[_resource(context, each, grant.role) for each in venues]))


@documented
async def add_venue(
    request: web.Request, cid: str, /, body: VenueBody
) -> r201[VenueResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Another venue.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    venue = await context.venues.add(cid, grant.bearer, VenueDraft(**body.model_dump()))
    return json_of(_resource(context, venue, grant.role), status=201)


@documented
async def edit_venue(
    request: web.Request, cid: str, vid: str, /, body: VenueChanges
) -> r200[VenueResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Change what is named; the rest stays.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    venue = await context.venues.edit(cid, grant.bearer, vid, body.said())
    return json_of(_resource(context, venue, grant.role))


@documented
async def remove_venue(
    request: web.Request, cid: str, vid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Take a venue off the list; its link and its code are dead.

    Security: BearerToken: []
    Tags: venues
    Status Codes:
        409: invitees are to sit there
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    await context.venues.remove(cid, grant.bearer, vid)
    return nothing()


@documented
async def replace_venue_link(
    request: web.Request, cid: str, vid: str, /
) -> r200[VenueResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Another link for the operator; the old one is dead at once.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    venue = await context.venues.new_link(cid, grant.bearer, vid)
    return json_of(_resource(context, venue, grant.role))


@documented
async def replace_entry_code(
    request: web.Request, cid: str, vid: str, /
) -> r200[VenueResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Another entry code for phones in the hall.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    venue = await context.venues.new_code(cid, grant.bearer, vid)
    return json_of(_resource(context, venue, grant.role))


@documented
async def remove_entry_code(
    request: web.Request, cid: str, vid: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Nobody comes in by a code any more.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_EDIT)
    await context.venues.no_code(cid, grant.bearer, vid)
    return nothing()


def _resource(context: HttpContext, venue: Venue, role: Role) -> VenueResource:
    return VenueResource.of(venue, context.venues, context.screen_links, role)


def add_to(app: web.Application) -> None:
    """The routes of venues."""
    path = f"{PREFIX}/consultations/{{cid}}/venues"
    router = app.router
    router.add_get(path, list_venues, allow_head=False)
    router.add_post(path, add_venue)
    router.add_patch(f"{path}/{{vid}}", edit_venue)
    router.add_delete(f"{path}/{{vid}}", remove_venue)
    router.add_post(f"{path}/{{vid}}/link", replace_venue_link)
    router.add_post(f"{path}/{{vid}}/code", replace_entry_code)
    router.add_delete(f"{path}/{{vid}}/code", remove_entry_code)
