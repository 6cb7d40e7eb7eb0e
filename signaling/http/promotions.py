"""Promotions (上会) over HTTP: comments that are proposed for the session, put to it, and ended."""

from __future__ import annotations

from typing import TypeAlias

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409

from conference.desk_views import PromotionCard
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of


class PromotionResource(Resource):
    """`state`: proposed, current, ended, declined or withdrawn."""

    state: str
    promotion: PromotionCard


class PromotionList(Resource):
    items: list[PromotionCard]
    next: None = None


_Promoted: TypeAlias = (
    r200[PromotionResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
)


@documented
async def promote_comment(request: web.Request, cid: str, comment_id: str, /) -> _Promoted:
    """
    Put it to the session; by a moderator a proposal, unless the consultation's policy says otherwise.

    Security: BearerToken: []
    Tags: promotions
    Status Codes:
        409: comment_changed; the session is over
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_PROMOTE)
    return _promoted(await context.promotions.promote(cid, grant.bearer, comment_id))


@documented
async def list_promotions(
    request: web.Request, cid: str, /
) -> r200[PromotionList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What was proposed and put to the session, the newest first.

    Security: BearerToken: []
    Tags: promotions
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_PROMOTE)
    return json_of(PromotionList(items=list(await context.promotions.every(cid, grant.bearer))))


@documented
async def decline_promotion(request: web.Request, cid: str, promotion_id: str, /) -> _Promoted:
    """
    Take a proposal off the list.

    Security: BearerToken: []
    Tags: promotions
    Status Codes:
        409: comment_changed: it was taken
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_PROMOTE)
    return _promoted(await context.promotions.decline(cid, grant.bearer, promotion_id))


@documented
async def end_promotion(request: web.Request, cid: str, promotion_id: str, /) -> _Promoted:
    """
    The card goes, and the item that was interrupted goes on.

    Security: BearerToken: []
    Tags: promotions
    Status Codes:
        409: comment_changed: it was not taken
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_PROMOTE)
    return _promoted(await context.promotions.end(cid, grant.bearer, promotion_id))


def _promoted(card: PromotionCard) -> web.Response:
    return json_of(PromotionResource(state=card.phase.value, promotion=card))


def add_to(app: web.Application) -> None:
    """The routes of promotions."""
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_post(f"{path}/comments/{{comment_id}}/promote", promote_comment)
    app.router.add_get(f"{path}/promotions", list_promotions, allow_head=False)
    app.router.add_post(f"{path}/promotions/{{promotion_id}}/decline", decline_promotion)
    app.router.add_post(f"{path}/promotions/{{promotion_id}}/end", end_promotion)
