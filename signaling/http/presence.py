"""A sign of life of a page that is watched: what the number of viewers is estimated from."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r204, r400, r404, r429
from pydantic import BaseModel, Field

from conference.model.limit import Limit
from conference.model.viewers import ID_PATTERN
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, nothing

# Thousands sit behind one address of a carrier.
_BY_ADDRESS: Final = Limit("presence_address", 900, 30.0)


class PresenceBody(BaseModel):
    """`id`: 32 lower-case hexadecimal digits, random for each page view."""

    id: Annotated[str, Field(pattern=ID_PATTERN)]


@documented
async def post_presence(
    request: web.Request, cid: str, /, page: PresenceBody
) -> r204 | r400[Problem] | r404[Problem] | r429[Problem]:
    """
    This page is watched. Only pages whose first eight digits of the id, as a number below 2**32, are in the announced
    share take part; others are not counted.

    Tags: public
    """
    context = request.app[CONTEXT]
    await context.limit(_BY_ADDRESS, request)
    await context.viewers.seen(cid, page.id, context.client_address(request))
    return nothing()


def add_to(app: web.Application) -> None:
    """The route of presence."""
    app.router.add_post(f"{PREFIX}/public/consultations/{{cid}}/presence", post_presence)
