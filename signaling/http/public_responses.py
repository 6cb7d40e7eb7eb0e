"""Answers for everybody: the list of cases, the same for all, and what those who asked say of an answer."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r204, r304, r400, r404, r409, r429

from conference.model.limit import Limit
from conference.model.response import Rating, Visibility
from conference.services.public_responses import PublicCases
from signaling.http.case_resources import FollowUpBody, RatingBody, RatingsResource
from signaling.http.context import CONTEXT
from signaling.http.device import device_of, limit_device, with_device
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, nothing
from signaling.http.tagged import Bodies, Body, for_all

_BODIES: Final = web.AppKey("bodies of answers", Bodies[PublicCases])
# Thousands sit behind one address of a carrier.
_RATINGS_BY_ADDRESS: Final = Limit("rating_address", 2_000, 20.0)
_RATINGS_BY_DEVICE: Final = Limit("rating_device", 30, 60.0)
_FOLLOW_UPS_BY_ADDRESS: Final = Limit("follow_up_address", 200, 60.0)
_FOLLOW_UPS_BY_DEVICE: Final = Limit("follow_up_device", 6, 60.0)


class PublicAnswerResource(Resource):
    """`at_wall_ms`: when it was approved."""

    text: str
    at_wall_ms: int


class PublicCaseResource(Resource):
    """A case as everybody may see it. `state`: pending, answered or closed; `is_private`: answered, to those who asked
    alone. `comment_id` stands for all of `group_id`. `overdue_days` are working days; `program_from_ms`: when it was
    before the meeting."""

    id: str
    label: str
    comment_id: str
    group_id: str
    nickname: str
    region: str | None
    authors: int
    text: str
    promoted: bool
    state: str
    department: str | None
    due_wall_ms: int | None
    overdue_days: int
    reminded: int
    answer: PublicAnswerResource | None
    is_private: bool
    program_from_ms: int | None
    ratings: RatingsResource


class PublicCaseCounts(Resource):
    total: int
    answered: int
    pending: int
    overdue: int


class PublicCaseList(Resource):
    """Newest first. `next` is the `after` of the page behind this one; `median_days`: half took no longer."""

    items: list[PublicCaseResource]
    next: int | None
    counts: PublicCaseCounts
    median_days: float | None

    @classmethod
    def of(cls, page: PublicCases) -> PublicCaseList:
        return cls(
            items=[PublicCaseResource.model_validate(each) for each in page.items],
            next=page.next,
            counts=PublicCaseCounts.model_validate(page),
            median_days=page.median_days,
        )


class OwnAnswerResource(Resource):
    text: str
    visibility: Visibility
    at_wall_ms: int


class OwnCaseResource(Resource):
    """What became of one's own comment: pending, answered or closed. `rating`: what the own device said;
    `follow_ups`: how often it asked further."""

    id: str
    state: str
    department: str | None
    due_wall_ms: int | None
    answer: OwnAnswerResource | None
    rating: Rating | None
    follow_ups: int


@documented
async def list_public_responses(
    request: web.Request, cid: str, /, after: int | None = None
) -> r200[PublicCaseList] | r304 | r404[Problem]:
    """
    What departments were asked and what they answered, newest first: the same for all.

    Tags: public
    """
    page = await request.app[CONTEXT].public_responses.page(cid, after)
    if after is None:  # the newest, which thousands ask for
        return for_all(request, request.app[_BODIES].body(cid, page))
    return for_all(request, Body.of(PublicCaseList.of(page)))


@documented
async def rate_answer(
    request: web.Request, cid: str, rid: str, /, body: RatingBody
) -> r204 | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Say whether an answer is useful, as one who asked. The last word counts.

    Tags: public
    Status Codes:
        404: the device of the cookie did not ask
        409: response_changed: there is no answer
    """
    device_hash = device_of(request)
    await limit_device(request, _RATINGS_BY_ADDRESS, _RATINGS_BY_DEVICE, device_hash)
    await request.app[CONTEXT].public_responses.rate(cid, rid, device_hash, body.rating)
    return with_device(request, nothing())


@documented
async def follow_up(
    request: web.Request, cid: str, rid: str, /, body: FollowUpBody
) -> r204 | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Ask further, as one who asked. The secretariat reads it. 422 text_refused when the filter does not let it pass.

    Tags: public
    Status Codes:
        404: the device of the cookie did not ask
        409: response_changed: there is no answer; too_many_follow_ups
    """
    device_hash = device_of(request)
    await limit_device(request, _FOLLOW_UPS_BY_ADDRESS, _FOLLOW_UPS_BY_DEVICE, device_hash)
    await request.app[CONTEXT].public_responses.follow_up(cid, rid, device_hash, body.text)
    return with_device(request, nothing())


def add_to(app: web.Application) -> None:
    """The routes of answers for everybody."""
    app[_BODIES] = Bodies(PublicCaseList.of)
    path = f"{PREFIX}/public/consultations/{{cid}}/responses"
    app.router.add_get(path, list_public_responses)
    app.router.add_post(f"{path}/{{rid}}/rating", rate_answer)
    app.router.add_post(f"{path}/{{rid}}/follow-up", follow_up)
