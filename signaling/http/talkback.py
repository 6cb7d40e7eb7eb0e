"""What desk and a venue wrote to each other, over HTTP: what is older than a desk's snapshot."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404

from conference.events import VenueMessageView
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size


class VenueMessageResource(Resource):
    """A message; `from_venue`: of an operator, else of the desk. Times are program time and UTC milliseconds."""

    id: str
    venue_id: str
    venue: str
    from_venue: bool
    author_id: str
    name: str
    text: str
    at_ms: int | None
    at_wall_ms: int

    @classmethod
    def of(cls, view: VenueMessageView) -> VenueMessageResource:
        return cls.model_validate(view)


class VenueMessageList(Resource):
    """Oldest first; `next` is the `before` of the page above."""

    items: list[VenueMessageResource]
    next: str | None


@documented
async def list_messages(
    request: web.Request, cid: str, vid: str, /, limit: int = 100, before: str | None = None
) -> r200[VenueMessageList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The newest messages with a venue, or those right before one.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_WATCH)
    page = await context.venue_talk.before(cid, grant.bearer, vid, before, page_size(limit))
    items = [VenueMessageResource.of(each) for each in page.items]
    return json_of(VenueMessageList(items=items, next=page.next))


def add_to(app: web.Application) -> None:
    """The route of messages."""
    path = f"{PREFIX}/consultations/{{cid}}/venues/{{vid}}/messages"
    app.router.add_get(path, list_messages, allow_head=False)
