"""Minutes over HTTP: making, writing, reviewing and approving them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r409, r413
from pydantic import BaseModel

from conference.model.minutes import Minutes, MinutesKind
from conference.model.permissions import Action
from signaling.http.bodies import parsed, read_body
from signaling.http.context import CONTEXT
from signaling.http.minutes_resources import (
    EarlierList,
    EarlierResource,
    MakeBody,
    MinutesBody,
    MinutesOverview,
    MinutesResource,
    PassageList,
    PassageResource,
    ReopenBody,
    StepBody,
)
from signaling.http.refusals import NotForThem, Refused
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, page_size
from signaling.http.tagged import Body, body_for_one

MINUTES_PATH: Final = f"{PREFIX}/consultations/{{cid}}/minutes"
_MAX_BYTES: Final = 8 * 1024 * 1024
_MAX_MAKE_BYTES: Final = 1_000
_MOST_WORDS: Final = 2_000
_MOST_EARLIER: Final = 50  # each may be the whole text
_LAST_REVISION: Final = 2**31 - 1


@documented
async def get_minutes(request: web.Request, cid: str, /) -> r200[MinutesOverview] | NotForThem:
    """
    The newest record and summary, every version, what is to be looked at before they are approved, and the end of the trace. With an entity tag, for who looks again and again.

    Security: BearerToken: []
    Tags: minutes
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    view = await context.minutes.view(cid, grant.bearer)
    return body_for_one(request, await asyncio.to_thread(lambda: Body.of(MinutesOverview.of(view))))


@documented
async def get_version(
    request: web.Request, cid: str, kind: MinutesKind, version: int, /
) -> r200[MinutesResource] | NotForThem:
    """
    One version, also an earlier one.

    Security: BearerToken: []
    Tags: minutes
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    return await _one(await context.minutes.version(cid, kind, version, grant.bearer))


@documented
async def make_minutes(
    request: web.Request, cid: str, kind: MinutesKind, /
) -> r200[MinutesResource] | Refused | r409[Problem]:
    """
    Make a draft of what there is now: agenda, attendance, floor, transcript, statements, what the public asked and was answered. A draft that was there is made anew, by {revision} of the one that was seen; what stood in it is kept.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        409: edit_conflict: there is a draft, of another revision; invalid_state: the newest version is reviewed or approved, it was never live, or is archived
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_EDIT)
    context.rooms.require_here(cid)
    content = await read_body(request, _MAX_MAKE_BYTES) if request.can_read_body else b""
    body = parsed(MakeBody, content) if content else MakeBody()
    return await _one(await context.minutes.make(cid, kind, grant.bearer, body.revision))


@documented
async def get_earlier(
    request: web.Request, cid: str, mid: str, /, limit: int = 20, after: int | None = None
) -> r200[EarlierList] | r400[Problem] | NotForThem:
    """
    What stood in a version before somebody wrote something else, or had it made anew: the sections that were replaced, who had written them and who replaced them, the newest first. At most 50 at once; `next` is the `after` of the next page.

    Security: BearerToken: []
    Tags: minutes
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    size = min(page_size(limit), _MOST_EARLIER)
    first = None if after is None else min(max(after, 0), _LAST_REVISION)
    found = await context.minutes.earlier(cid, mid, grant.bearer, before=first, limit=size + 1)
    shown = found[:size]
    following = shown[-1].revision if len(found) > size else None
    return await _in_thread(
        lambda: EarlierList(items=[EarlierResource.of(each) for each in shown], next=following)
    )


@documented
async def edit_minutes(
    request: web.Request, cid: str, mid: str, /
) -> r200[MinutesResource] | Refused | r409[Problem] | r413[Problem]:
    """
    Write in a draft: {revision, sections: [{key, text}]}.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        409: edit_conflict: another revision; invalid_state: no draft
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_EDIT)
    body = await asyncio.to_thread(parsed, MinutesBody, await read_body(request, _MAX_BYTES))
    return await _one(await context.minutes.edit(cid, mid, body.revision, body.texts(), grant.bearer))


@documented
async def review_minutes(
    request: web.Request, cid: str, mid: str, /, body: StepBody
) -> r200[MinutesResource] | Refused | r409[Problem]:
    """
    Submit a draft that was looked through.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        409: gaps_open or minutes_outdated without a reason; confidential_text; edit_conflict; invalid_state
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_EDIT)
    context.rooms.require_here(cid)
    reasons = body.despite_gaps_reason, body.despite_outdated_reason
    return await _one(await context.minutes.review(cid, mid, body.revision, grant.bearer, *reasons))


@documented
async def approve_minutes(
    request: web.Request, cid: str, mid: str, /, body: StepBody
) -> r200[MinutesResource] | Refused | r409[Problem]:
    """
    Approve what was reviewed: it stays as it is from now on.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        409: gaps_open or minutes_outdated without a reason, now or at the review for these very gaps and changes; confidential_text; edit_conflict; invalid_state
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_APPROVE)
    context.rooms.require_here(cid)
    reasons = body.despite_gaps_reason, body.despite_outdated_reason
    return await _one(await context.minutes.approve(cid, mid, body.revision, grant.bearer, *reasons))


@documented
async def reopen_minutes(
    request: web.Request, cid: str, mid: str, /, body: ReopenBody
) -> r200[MinutesResource] | Refused | r409[Problem]:
    """
    A draft again; of approved minutes the next version.

    Security: BearerToken: []
    Tags: minutes
    Status Codes:
        409: edit_conflict; invalid_state: a draft already, or there is a later version
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_EDIT)
    return await _one(await context.minutes.reopen(cid, mid, body.revision, grant.bearer))


@documented
async def get_passages(
    request: web.Request,
    cid: str,
    /,
    section: str,
    kind: MinutesKind = MinutesKind.SUMMARY,
    words: str = "",
) -> r200[PassageList] | Refused:
    """
    What was said that matters for a section: of its agenda item, by what people say who find, propose or promise something, or by words of a heading.

    Security: BearerToken: []
    Tags: minutes
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.MINUTES_READ)
    minutes = await context.minutes.version(cid, kind, None, grant.bearer)
    found = await context.minutes.passages(cid, minutes.id, section, words[:_MOST_WORDS], grant.bearer)
    return await _in_thread(lambda: PassageList(items=[PassageResource.of(each) for each in found]))


async def _one(minutes: Minutes) -> web.Response:
    return await _in_thread(lambda: MinutesResource.of(minutes))


async def _in_thread(make: Callable[[], BaseModel]) -> web.Response:
    """Hours of speech take longer than the sockets of a meeting may wait."""
    text = await asyncio.to_thread(lambda: make().model_dump_json())
    return web.json_response(text=text, headers={"Cache-Control": "no-store"})


def add_to(app: web.Application) -> None:
    """The routes of minutes."""
    one = f"{MINUTES_PATH}/{{mid:m_[A-Za-z0-9_-]+}}"
    app.router.add_get(MINUTES_PATH, get_minutes, allow_head=False)
    app.router.add_get(f"{MINUTES_PATH}/passages", get_passages, allow_head=False)
    app.router.add_get(
        f"{MINUTES_PATH}/{{kind:record|summary}}/{{version:[0-9]{{1,6}}}}", get_version, allow_head=False
    )
    app.router.add_post(f"{MINUTES_PATH}/{{kind:record|summary}}", make_minutes)
    app.router.add_patch(one, edit_minutes)
    app.router.add_get(f"{one}/earlier", get_earlier, allow_head=False)
    app.router.add_post(f"{one}/review", review_minutes)
    app.router.add_post(f"{one}/approve", approve_minutes)
    app.router.add_post(f"{one}/reopen", reopen_minutes)
