"""The public writes, likes, reports and reads comments without an account. A cookie stands for its device."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r202, r204, r304, r400, r403, r404, r409, r429
from pydantic import BaseModel, Field

from conference.model.comment import MAX_NICKNAME_CHARS, MAX_REGION_CHARS, MAX_TEXT_CHARS, CommentState
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.identity import Visitor
from conference.model.ids import PLAIN_PATTERN, is_id, new_id
from conference.model.limit import Limit
from conference.services.comments import CommentDraft, PublicComments
from signaling.http.context import CONTEXT
from signaling.http.device import device_of, is_known, limit_device, with_device
from signaling.http.public_responses import OwnCaseResource
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing
from signaling.http.tagged import Bodies, Body, for_all

_MAX_IDS: Final = 100
_BODIES: Final = web.AppKey("bodies", Bodies[PublicComments])
# Thousands sit behind one address of a carrier; one device is one person. Nobody on this machine is a viewer.
_BY_ADDRESS: Final = Limit("comment_address", 600, 20.0)
_BY_DEVICE: Final = Limit("comment_device", 6, 60.0)
_MARKS_BY_ADDRESS: Final = Limit("comment_mark_address", 2_000, 20.0)
_MARKS_BY_DEVICE: Final = Limit("comment_mark_device", 60, 60.0)


class CommentBody(BaseModel):
    """`program_time_ms`: what its author was watching. `key`: chosen by the client; trying again with it adds nothing
    twice."""

    nickname: Annotated[str, Field(max_length=MAX_NICKNAME_CHARS, pattern=PLAIN_PATTERN)] = ""
    text: Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS, pattern=PLAIN_PATTERN)]
    program_time_ms: Annotated[int, Field(ge=-(2**53), le=2**53)] | None = None
    region: Annotated[str, Field(max_length=MAX_REGION_CHARS, pattern=PLAIN_PATTERN)] | None = None
    key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{8,64}$")] | None = None


class CommentReceipt(Resource):
    """`status`: pending, rejected, approved, promoted, answered or withdrawn."""

    id: str
    status: CommentState


class PublicCommentResource(Resource):
    """A comment as everybody sees it. `program_time_ms`: what its author was watching; UTC with `wall`. `authors`: for
    how many it stands, once it was put to the session or answered; else 1."""

    id: str
    nickname: str
    region: str | None
    text: str
    program_time_ms: int | None
    at_wall_ms: int
    status: CommentState
    likes: int
    group_id: str
    authors: int


class PublicCommentList(Resource):
    """Newest first. `next` is the `after` of the page behind this one; `total`: how many are shown."""

    items: list[PublicCommentResource]
    next: int | None
    total: int


class OwnCommentResource(CommentReceipt):
    """`reason`, of a rejected one: phone, contact, personal (data), link, or null. `response`: the case that was made
    of it or of its group, with an answer that is for those who asked alone."""

    text: str
    nickname: str
    reason: str | None
    response: OwnCaseResource | None = None


class OwnCommentList(Resource):
    items: list[OwnCommentResource]


class LikesResource(Resource):
    likes: int


@documented
async def post_comment(
    request: web.Request, cid: str, /, comment: CommentBody
) -> r202[CommentReceipt] | r400[Problem] | r403[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Write a comment. It is stored when this answers, and shown when it was approved.

    Tags: public
    Status Codes:
        403: identity_required where viewers have to show who they are first
        409: comments_paused while the broadcast is interrupted, comments_closed
        429: rate_limited, with retry_after_s
    """
    context = request.app[CONTEXT]
    device_hash = device_of(request)
    await limit_device(request, _BY_ADDRESS, _BY_DEVICE, device_hash)
    draft = CommentDraft(
        comment.nickname,
        comment.text,
        comment.key or new_id("k"),
        comment.program_time_ms,
        comment.region,
    )
    made = await context.comments.post(cid, draft, Visitor(device_hash, _origin(request)))
    return with_device(request, json_of(CommentReceipt.model_validate(made), 202))


@documented
async def list_public_comments(
    request: web.Request, cid: str, /, after: int | None = None
) -> r200[PublicCommentList] | r304 | r404[Problem]:
    """
    The comments that are shown, newest first: the same for all.

    Tags: public
    """
    page = await request.app[CONTEXT].comments.page(cid, after)
    if after is None:  # the newest, which thousands ask for
        return for_all(request, request.app[_BODIES].body(cid, page))
    return for_all(request, Body.of(PublicCommentList.model_validate(page)))


@documented
async def list_own_comments(
    request: web.Request, cid: str, /, ids: str = ""
) -> r200[OwnCommentList] | r400[Problem] | r404[Problem]:
    """
    What became of one's own: those of `ids`, separated by commas, that the device of the cookie wrote. A device
    without a cookie gets one: with it, a first comment whose answer got lost is known when it comes again.

    Tags: public
    """
    wanted = [each for each in ids.split(",") if each]
    if len(wanted) > _MAX_IDS or not all(map(is_id, wanted)):
        raise ConferenceError("bad_request", "ids")
    context, device_hash = request.app[CONTEXT], device_of(request)
    found = await context.comments.mine(cid, wanted, device_hash)
    cases = await context.public_responses.mine(cid, [each.id for each in found], device_hash)
    items = [OwnCommentResource.model_validate(each) for each in found]
    told = [
        each.model_copy(update={"response": OwnCaseResource.model_validate(cases[each.id])})
        if each.id in cases
        else each
        for each in items
    ]
    answer = json_of(OwnCommentList(items=told))
    return answer if is_known(request) else with_device(request, answer)


@documented
async def like_comment(
    request: web.Request, cid: str, comment_id: str, /
) -> r200[LikesResource] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Like a comment that is shown. Each device counts once.

    Tags: public
    """
    return await _like(request, cid, comment_id, liked=True)


@documented
async def unlike_comment(
    request: web.Request, cid: str, comment_id: str, /
) -> r200[LikesResource] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Like it no more.

    Tags: public
    """
    return await _like(request, cid, comment_id, liked=False)


async def _like(request: web.Request, cid: str, comment_id: str, *, liked: bool) -> web.Response:
    device_hash = await _known_device(request)
    likes = await request.app[CONTEXT].comments.like(cid, comment_id, device_hash, liked=liked)
    return with_device(request, json_of(LikesResource(likes=likes)))


@documented
async def report_comment(
    request: web.Request, cid: str, comment_id: str, /
) -> r204 | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    Say that a comment should not be shown. Moderators see how many did.

    Tags: public
    """
    await request.app[CONTEXT].comments.report(cid, comment_id, await _known_device(request))
    return with_device(request, nothing())


@documented
async def withdraw_comment(
    request: web.Request, cid: str, comment_id: str, /
) -> r200[CommentReceipt] | r404[Problem] | r409[Problem]:
    """
    Take one's own comment back.

    Tags: public
    Status Codes:
        409: comment_changed once it was put to the session
    """
    if not is_known(request):
        raise NotFoundError("nobody's comment")
    made = await request.app[CONTEXT].comments.withdraw(cid, comment_id, device_of(request))
    return json_of(CommentReceipt.model_validate(made))


async def _known_device(request: web.Request) -> str:
    device_hash = device_of(request)
    await limit_device(request, _MARKS_BY_ADDRESS, _MARKS_BY_DEVICE, device_hash)
    return device_hash


def _origin(request: web.Request) -> str:
    """From where it was written, with the port where no proxy hides it."""
    address = request.app[CONTEXT].client_address(request)
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    port = f":{peer[1]}" if peer and address == request.remote else ""
    return f"[{address}]{port}" if ":" in address else f"{address}{port}"


def add_to(app: web.Application) -> None:
    """The routes of the public's comments."""
    app[_BODIES] = Bodies(PublicCommentList.model_validate)
    path = f"{PREFIX}/public/consultations/{{cid}}/comments"
    app.router.add_post(path, post_comment)
    app.router.add_get(path, list_public_comments)
    app.router.add_get(f"{path}/mine", list_own_comments, allow_head=False)
    app.router.add_post(f"{path}/{{comment_id}}/like", like_comment)
    app.router.add_delete(f"{path}/{{comment_id}}/like", unlike_comment)
    app.router.add_post(f"{path}/{{comment_id}}/report", report_comment)
    app.router.add_post(f"{path}/{{comment_id}}/withdraw", withdraw_comment)
