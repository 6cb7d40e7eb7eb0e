"""The broadcast over HTTP: what the public sees, the button, withdrawing. The twins of the requests of desks."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field

from conference.desk_views import BroadcastView
from conference.model.broadcast import DEFAULT_BACK_S, MAX_BACK_S, CutKind
from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of

Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN_PATTERN)]
ProgramMs = Annotated[int, Field(ge=0, le=10**14)]


class RunningCut(Resource):
    """The public sees a card and hears nothing since program time `since_ms`."""

    id: str
    since_ms: int
    since_wall_ms: int
    by: str


class Withdrawn(Resource):
    """A stretch of program time that the public does not see, or saw again since `reinstated_wall_ms`."""

    id: str
    kind: CutKind
    from_ms: int
    to_ms: int | None
    by: str
    at_wall_ms: int
    reason: str
    reinstated_wall_ms: int | None


class BroadcastResource(Resource):
    """What goes to the public, where the consultation `is_public`. `withdrawn`: newest first, the running cut among
    them."""

    is_public: bool
    cut: RunningCut | None
    delay_s: int
    withdrawn: list[Withdrawn]


class CutBody(BaseModel):
    """`back_s`: so much of what the public saw last is withdrawn, too."""

    back_s: Annotated[int, Field(ge=0, le=MAX_BACK_S)] = DEFAULT_BACK_S


class WithdrawBody(BaseModel):
    """A stretch of program time."""

    model_config = ConfigDict(str_strip_whitespace=True)

    from_ms: ProgramMs
    to_ms: ProgramMs
    reason: Reason


class ReinstateBody(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=ID_PATTERN)]
    reason: Reason


def _shown(view: BroadcastView) -> web.Response:
    return json_of(BroadcastResource.model_validate(view))


@documented
async def get_broadcast(
    request: web.Request, cid: str, /
) -> r200[BroadcastResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What goes to the public now, and what is kept from it.

    Security: BearerToken: []
    Tags: broadcast
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.DESK_JOIN)
    return _shown(await context.broadcasts.shown(cid))


@documented
async def cut_broadcast(
    request: web.Request, cid: str, /, body: CutBody
) -> r200[BroadcastResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Put a card and silence before the public at once. Repeating it is harmless.

    Security: BearerToken: []
    Tags: broadcast
    Status Codes:
        409: it is not live
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.BROADCAST_CUT)
    return _shown(await context.broadcasts.cut(cid, grant.bearer, body.back_s))


@documented
async def restore_broadcast(
    request: web.Request, cid: str, /
) -> r200[BroadcastResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Give the public the program again from now on. Harmless when it was not cut off.

    Security: BearerToken: []
    Tags: broadcast
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.BROADCAST_CUT)
    return _shown(await context.broadcasts.restore(cid, grant.bearer))


@documented
async def withdraw_broadcast(
    request: web.Request, cid: str, /, body: WithdrawBody
) -> r200[BroadcastResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Keep a stretch from the public, in the livestream and in the replay.

    Security: BearerToken: []
    Tags: broadcast
    Status Codes:
        409: it has not begun
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.BROADCAST_CUT)
    view = await context.broadcasts.withdraw(cid, grant.bearer, body.from_ms, body.to_ms, body.reason)
    return _shown(view)


@documented
async def reinstate_broadcast(
    request: web.Request, cid: str, /, body: ReinstateBody
) -> r200[BroadcastResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Show again what was cut off or withdrawn.

    Security: BearerToken: []
    Tags: broadcast
    Status Codes:
        409: it is still cut off, or was not to be recorded
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.BROADCAST_CUT)
    return _shown(await context.broadcasts.reinstate(cid, grant.bearer, body.id, body.reason))


def add_to(app: web.Application) -> None:
    """The routes of the broadcast."""
    path = f"{PREFIX}/consultations/{{cid}}/broadcast"
    app.router.add_get(path, get_broadcast, allow_head=False)
    app.router.add_post(f"{path}/cut", cut_broadcast)
    app.router.add_post(f"{path}/restore", restore_broadcast)
    app.router.add_post(f"{path}/withdraw", withdraw_broadcast)
    app.router.add_post(f"{path}/reinstate", reinstate_broadcast)
