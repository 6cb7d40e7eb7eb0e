"""Moderating over HTTP: the twins of the requests of desks, and what only REST has: word list and authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeAlias

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field, model_validator

from conference.desk_views import CommentCounts, CommentGroupView, CommentView, PromotionCard
from conference.model.comment import MAX_WORDS, CommentState, Decision, Level, Word
from conference.model.errors import ConferenceError
from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.permissions import Action
from conference.services.comment_decisions import Batch
from conference.services.comment_desk import MAX_IDS, Order, Wanted
from signaling.http.bodies import parsed, read_body
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN_PATTERN)]
MAX_WORD_LIST_BYTES = 4 << 20


class DecisionBody(BaseModel):
    """`group`: what waits beside it in its group, too."""

    model_config = ConfigDict(str_strip_whitespace=True)

    group: bool = False
    reason: Reason | None = None


class IdsBody(BaseModel):
    """Comments by their ids."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_IDS)]


class BatchBody(BaseModel):
    """What was shown of groups or of a topic: `waiting` comments, pending and held (to be hidden: approved), the newest
    of them with the number `up_to`."""

    model_config = ConfigDict(str_strip_whitespace=True)

    decision: Literal[Decision.APPROVE, Decision.REJECT, Decision.HOLD, Decision.HIDE]
    groups: Annotated[list[Id], Field(min_length=1, max_length=MAX_IDS)] | None = None
    topic: Id | None = None
    waiting: Annotated[int, Field(ge=0, le=1_000_000)]
    up_to: Annotated[int, Field(ge=0, le=2**53)] | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.groups is None) == (self.topic is None):
            raise ValueError("groups or a topic")
        return self


class UndoBody(BaseModel):
    """`id`: the `undo` of a decision's answer."""

    id: Id


class ClaimBody(BaseModel):
    """`take_over`: also from somebody else."""

    take_over: bool = False


class WordBody(BaseModel):
    """A word and what becomes of a comment with it: mark, hold or block."""

    model_config = ConfigDict(str_strip_whitespace=True, from_attributes=True)

    text: Annotated[str, Field(min_length=1, max_length=64, pattern=PLAIN_PATTERN)]
    level: Level = Level.HOLD
    category: Annotated[str, Field(max_length=32, pattern=PLAIN_PATTERN)] = ""


class WordList(BaseModel):
    """Words of one list, beside the built-in ones."""

    items: Annotated[list[WordBody], Field(max_length=MAX_WORDS)]


class CommentList(Resource):
    """A page of comments; `next` is the `after` of the next page."""

    items: list[CommentView]
    next: str | None


class CommentGroupList(Resource):
    """A page of the queue; `total`: how many groups on all pages."""

    items: list[CommentGroupView]
    next: str | None
    total: int
    counts: CommentCounts
    promotions: list[PromotionCard]


class TopicResource(Resource):
    """`groups` and `comments`: what is shown of it or waits. `waiting`: comments somebody has to decide about."""

    id: str
    name: str
    groups: int
    comments: int
    waiting: int


class TopicListResource(Resource):
    """Where most waits first. `at_wall_ms`: when they were found; `last_number`: of the newest comment counted."""

    topics: list[TopicResource]
    at_wall_ms: int
    last_number: int


class DecidedResource(Resource):
    """How many comments changed and which, and the groups as they are now."""

    changed: int
    ids: list[str]
    groups: list[CommentGroupView]
    undo: str | None


class GroupResource(Resource):
    group: CommentGroupView


class AuthorResource(Resource):
    """From where a comment was written; null once that was deleted."""

    address: str | None


@documented
async def list_comments(
    request: web.Request,
    cid: str,
    /,
    state: str | None = None,
    group: str | None = None,
    limit: int = 100,
    after: str | None = None,
) -> r200[CommentList] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Comments in the order of arrival: all, those in states (separated by commas), or those of a group.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    if group is not None:
        page = await context.comment_desk.group(cid, grant.bearer, group, after, page_size(limit))
    else:
        states = _states(state, tuple(CommentState))
        page = await context.comment_desk.every(cid, grant.bearer, states, after, page_size(limit))
    return json_of(CommentList.model_validate(page))


@documented
async def list_comment_groups(
    request: web.Request,
    cid: str,
    /,
    state: str | None = None,
    search: str = "",
    reason: str | None = None,
    order: Order = Order.AUTHORS,
    limit: int = 50,
    after: str | None = None,
    topic: str | None = None,
) -> r200[CommentGroupList] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The queue by groups of near-duplicates: those with a comment in the states (pending), with this text, with this
    reason of the filter, or of this topic.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    states = _states(state, (CommentState.PENDING,))
    wanted = Wanted(states, search[:100], reason, order, after, page_size(limit), topic)
    page = await context.comment_desk.groups(cid, grant.bearer, wanted)
    return json_of(CommentGroupList.model_validate(page))


@documented
async def list_comment_topics(
    request: web.Request, cid: str, /
) -> r200[TopicListResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What the comments are about: topics of whole groups, found now or a few seconds ago.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    return json_of(TopicListResource.model_validate(await context.comment_desk.topics(cid, grant.bearer)))


def _states(said: str | None, otherwise: Sequence[CommentState]) -> tuple[CommentState, ...]:
    if said is None:
        return tuple(otherwise)
    try:
        return tuple(CommentState(each) for each in said.split(","))
    except ValueError as error:
        raise ConferenceError("bad_request", "state") from error


_Answer: TypeAlias = (
    r200[DecidedResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
)


@documented
async def approve_comment(request: web.Request, cid: str, comment_id: str, /) -> _Answer:
    """
    Show it. The body may be left out, or say `{group, reason}`.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed, or comment_claimed by somebody else
    """
    return await _decide(request, cid, comment_id, Decision.APPROVE)


@documented
async def reject_comment(request: web.Request, cid: str, comment_id: str, /) -> _Answer:
    """
    Do not show it, for a reason. The body may be left out, or say `{group, reason}`.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed, or comment_claimed by somebody else
    """
    return await _decide(request, cid, comment_id, Decision.REJECT)


@documented
async def hold_comment(request: web.Request, cid: str, comment_id: str, /) -> _Answer:
    """
    Decide later. The body may be left out, or say `{group, reason}`.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed, or comment_claimed by somebody else
    """
    return await _decide(request, cid, comment_id, Decision.HOLD)


@documented
async def hide_comment(request: web.Request, cid: str, comment_id: str, /) -> _Answer:
    """
    Take it off the public page, and off the session when it is before it. The body may be left out, or say
    `{group, reason}`.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed, or comment_claimed by somebody else
    """
    return await _decide(request, cid, comment_id, Decision.HIDE)


@documented
async def reopen_comment(request: web.Request, cid: str, comment_id: str, /) -> _Answer:
    """
    Back into the queue: what was decided is undone.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed, or comment_claimed by somebody else
    """
    return await _decide(request, cid, comment_id, Decision.REOPEN)


async def _decide(request: web.Request, cid: str, comment_id: str, decision: Decision) -> web.Response:
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    raw = await read_body(request, 4096)
    said = parsed(DecisionBody, raw) if raw.strip() else DecisionBody()
    decided = await context.comment_desk.decide(
        cid, grant.bearer, decision, [comment_id], group=said.group, reason=said.reason
    )
    return json_of(DecidedResource.model_validate(decided))


@documented
async def decide_comments(request: web.Request, cid: str, /, batch: BatchBody) -> _Answer:
    """
    Decide what was shown of groups, or of a topic.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_changed: more waits there by now than was shown; comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    shown = Batch(batch.waiting, tuple(batch.groups or ()), batch.topic, batch.up_to)
    decided = await context.comment_desk.decide_batch(
        cid, grant.bearer, batch.decision, shown, reason=batch.reason
    )
    return json_of(DecidedResource.model_validate(decided))


@documented
async def undo_comments(request: web.Request, cid: str, /, decision: UndoBody) -> _Answer:
    """
    Undo a decision: what it changed is as it was, but for what somebody decided otherwise meanwhile.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        404: it is too long ago
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    undone = await context.comment_desk.undo(cid, grant.bearer, decision.id)
    return json_of(DecidedResource.model_validate(undone))


_Group: TypeAlias = (
    r200[GroupResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
)


@documented
async def claim_comment(request: web.Request, cid: str, comment_id: str, /, claim: ClaimBody) -> _Group:
    """
    Work on its group: nobody else decides on it for two minutes, or until it is released.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    view = await context.comment_desk.claim(cid, grant.bearer, comment_id, take_over=claim.take_over)
    return json_of(GroupResource(group=view))


@documented
async def release_comment(request: web.Request, cid: str, comment_id: str, /) -> _Group:
    """
    Leave its group to others.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    return json_of(GroupResource(group=await context.comment_desk.release(cid, grant.bearer, comment_id)))


@documented
async def represent_comment(request: web.Request, cid: str, comment_id: str, /) -> _Group:
    """
    Let it stand for its group.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    return json_of(GroupResource(group=await context.comment_desk.represent(cid, grant.bearer, comment_id)))


@documented
async def merge_comments(request: web.Request, cid: str, /, comments: IdsBody) -> _Answer:
    """
    Make one group of the groups of these comments.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    merged = await context.comment_desk.merge(cid, grant.bearer, comments.ids)
    return json_of(DecidedResource.model_validate(merged))


@documented
async def split_comments(request: web.Request, cid: str, /, comments: IdsBody) -> _Answer:
    """
    Make these comments a group of their own.

    Security: BearerToken: []
    Tags: comments
    Status Codes:
        409: comment_claimed by somebody else
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    split = await context.comment_desk.split(cid, grant.bearer, comments.ids)
    return json_of(DecidedResource.model_validate(split))


@documented
async def get_comment_author(
    request: web.Request, cid: str, comment_id: str, /
) -> r200[AuthorResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    From where it was written. Every look leaves a line in the trace.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_TRACE)
    return json_of(AuthorResource(address=await context.comment_desk.author(cid, grant.bearer, comment_id)))


@documented
async def get_comment_words(
    request: web.Request, cid: str, /
) -> r200[WordList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The word list of this consultation, beside that of its body and the built-in one.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    return _words(await context.comment_desk.words(cid, grant.bearer))


@documented
async def put_comment_words(
    request: web.Request, cid: str, /
) -> r200[WordList] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    The word list anew, `{items: [{text, level, category}]}`; it counts for what comes from now on.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_MODERATE)
    said = parsed(WordList, await read_body(request, MAX_WORD_LIST_BYTES))
    words = [Word(each.text, each.level, each.category) for each in said.items]
    return _words(await context.comment_desk.set_words(cid, grant.bearer, words))


def _words(words: Sequence[Word]) -> web.Response:
    return json_of(WordList(items=[WordBody.model_validate(each) for each in words]))


def add_to(app: web.Application) -> None:
    """The routes of comments."""
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/comments", list_comments, allow_head=False)
    app.router.add_get(f"{path}/comments/groups", list_comment_groups, allow_head=False)
    app.router.add_get(f"{path}/comments/topics", list_comment_topics, allow_head=False)
    app.router.add_post(f"{path}/comments/decide", decide_comments)
    app.router.add_post(f"{path}/comments/undo", undo_comments)
    app.router.add_get(f"{path}/comments/words", get_comment_words, allow_head=False)
    app.router.add_put(f"{path}/comments/words", put_comment_words)
    app.router.add_post(f"{path}/comments/merge", merge_comments)
    app.router.add_post(f"{path}/comments/split", split_comments)
    app.router.add_post(f"{path}/comments/{{comment_id}}/approve", approve_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/reject", reject_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/hold", hold_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/hide", hide_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/reopen", reopen_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/claim", claim_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/release", release_comment)
    app.router.add_post(f"{path}/comments/{{comment_id}}/represent", represent_comment)
    app.router.add_get(f"{path}/comments/{{comment_id}}/author", get_comment_author, allow_head=False)
