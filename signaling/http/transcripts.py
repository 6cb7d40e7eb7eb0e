"""The transcript over HTTP: reading, looking for words, correcting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r409, r413
from pydantic import BaseModel

from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, require
from conference.model.transcript import TranscriptSegment
from conference.services.transcript_changes import SegmentConflictError
from conference.services.transcripts import FoundPage
from conference.transcript_views import SegmentView
from signaling.auth.access import Grant
from signaling.http.bodies import parsed, read_body
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.refusals import NotForThem, Refused
from signaling.http.resources import Problem
from signaling.http.rest import PREFIX, documented, json_of, page_size
from signaling.http.transcript_resources import (
    BriefSegment,
    BriefSegmentList,
    FoundConsultation,
    FoundList,
    FoundPlaces,
    FoundPlacesList,
    FoundSegment,
    JoinBody,
    ProposalBody,
    ReplaceBody,
    ReplacedResource,
    RestoreBody,
    RevisionList,
    RevisionResource,
    SegmentBody,
    SegmentList,
    SegmentPair,
    SegmentProblem,
    SegmentResource,
    SplitBody,
)

SEGMENT_PATH: Final = f"{PREFIX}/consultations/{{cid}}/transcript/{{sid:seg_[A-Za-z0-9_-]+}}"
_MAX_REPLACE_BYTES: Final = 1 << 20
_MAX_QUERY: Final = 200
_MOST_CONSULTATIONS: Final = 5_000  # that one search goes through, the newest first


def _with_conflicts(handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Who was too late is told what there is now."""

    @wraps(handler)
    async def ours(*args: Any, **kwargs: Any) -> Any:
        try:
            return await handler(*args, **kwargs)
        except SegmentConflictError as error:
            current = _full(error.segment).model_dump(mode="json")
            raise ConferenceError(error.code, error.detail, segment=current) from error

    return ours


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


@documented
async def get_transcript(
    request: web.Request,
    cid: str,
    /,
    after: str | None = None,
    limit: int = 100,
    brief: bool = False,
) -> r200[SegmentList] | Refused:
    """
    Segments by their beginning: at most 500, or with `brief=1`, without `raw` and `words`, 5,000. Without what is confidential for those who may not read it.

    Security: BearerToken: []
    Tags: transcript
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    page = await context.transcripts.page(cid, grant.bearer, after=after, limit=limit, brief=brief)
    if brief:
        return await _in_thread(lambda: BriefSegmentList(items=_brief(page.items), next=page.next))
    items = page.items
    return await _in_thread(lambda: SegmentList(items=[_full(each) for each in items], next=page.next))


@documented
async def get_segment(request: web.Request, cid: str, sid: str, /) -> r200[SegmentResource] | NotForThem:
    """
    One segment, with its words.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    return json_of(_full(await context.transcripts.get(cid, grant.bearer, sid)))


@documented
async def get_revisions(request: web.Request, cid: str, sid: str, /) -> r200[RevisionList] | NotForThem:
    """
    What was done to a segment, in order.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    revisions = await context.transcripts.revisions(cid, grant.bearer, sid)
    return json_of(RevisionList(items=[RevisionResource.model_validate(each) for each in revisions]))


@documented
async def find_text(request: web.Request, cid: str, /, q: str) -> r200[FoundPlacesList] | Refused:
    """
    Where this very text stands: plain text, as in search and replace.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    found = await context.transcripts.find(cid, grant.bearer, q[:_MAX_QUERY])
    return json_of(FoundPlacesList(items=[FoundPlaces(id=each.id, at=places) for each, places in found]))


@documented
async def search_transcript(
    request: web.Request, cid: str, /, q: str, limit: int = 100, after: str | None = None
) -> r200[FoundList] | Refused:
    """
    Segments with all these words, also such of two Chinese characters; punctuation, width and case do not count.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.TRANSCRIPT_READ)
    return await _searched(context, grant, [consultation], q, limit, after)


@documented
async def search_all(
    request: web.Request, /, q: str, limit: int = 50, after: str | None = None
) -> r200[FoundList] | r400[Problem] | r401[Problem] | r403[Problem]:
    """
    The same in all consultations that a member of staff sees, the newest first; at most 500 segments are found.

    Security: BearerToken: []
    Tags: transcript
    """
    context = request.app[CONTEXT]
    member = await context.staff_of(request)
    grant = Grant.of_staff(member, "")
    require(grant.role, Action.TRANSCRIPT_READ)
    visible = await context.staff.visible(member)
    consultations, _ = await context.consultations.page(visible, None, None, _MOST_CONSULTATIONS)
    return await _searched(context, grant, consultations, q, limit, after)


async def _searched(
    context: HttpContext,
    grant: Grant,
    consultations: Sequence[Consultation],
    q: str,
    limit: int,
    after: str | None,
) -> web.Response:
    page = await context.transcripts.search(
        consultations, grant.bearer, q[:_MAX_QUERY], after=after, limit=page_size(limit)
    )
    return await _in_thread(lambda: _found(page))


def _found(page: FoundPage) -> FoundList:
    items = [
        FoundSegment(
            consultation=FoundConsultation.model_validate(each.consultation),
            segment=_brief([each.segment])[0],
        )
        for each in page.items
    ]
    return FoundList(items=items, next=page.next)


# ── correcting ──────────────────────────────────────────────────────────────────────────────────


@documented
@_with_conflicts
async def edit_segment(
    request: web.Request, cid: str, sid: str, /, body: SegmentBody
) -> r200[SegmentResource] | Refused | r409[SegmentProblem]:
    """
    Correct text, speaker and marks. `revision` is the one that was seen.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict, with the segment as it is now; invalid_state: the consultation is sealed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    editing = context.transcript_editing
    return json_of(_full(await editing.edit(cid, grant.bearer, sid, body.revision, body.patch())))


@documented
@_with_conflicts
async def split_segment(
    request: web.Request, cid: str, sid: str, /, body: SplitBody
) -> r200[SegmentPair] | Refused | r409[SegmentProblem]:
    """
    Two segments, the second from a place in the text on. Words are parted by their times.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict, with the segment as it is now; invalid_state: the consultation is sealed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    parts = await context.transcript_editing.split(cid, grant.bearer, sid, body.revision, body.at)
    return json_of(SegmentPair(items=[_full(each) for each in parts]))


@documented
@_with_conflicts
async def join_segment(
    request: web.Request, cid: str, sid: str, /, body: JoinBody
) -> r200[SegmentResource] | Refused | r409[SegmentProblem]:
    """
    With the next one of the same microphone, which is gone then.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        404: nothing follows
        409: edit_conflict, with the one of the two that changed; invalid_state: another speaker, or the consultation is sealed
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    joined = await context.transcript_editing.join(cid, grant.bearer, sid, body.revision, body.next_revision)
    return json_of(_full(joined))


@documented
@_with_conflicts
async def restore_segment(
    request: web.Request, cid: str, sid: str, /, body: RestoreBody
) -> r200[SegmentResource] | Refused | r409[SegmentProblem]:
    """
    Take back the text of an earlier revision.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict, with the segment as it is now; invalid_state: the consultation is sealed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    return json_of(
        _full(await context.transcript_editing.restore(cid, grant.bearer, sid, body.revision, body.to))
    )


@documented
@_with_conflicts
async def decide_proposal(
    request: web.Request, cid: str, sid: str, /, body: ProposalBody
) -> r200[SegmentResource] | Refused | r409[SegmentProblem]:
    """
    Take or refuse the text that a better engine proposes.

    Security: BearerToken: []
    Tags: transcript
    Status Codes:
        409: edit_conflict, with the segment as it is now; invalid_state: the consultation is sealed
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    decided = await context.transcript_editing.decide(
        cid, grant.bearer, sid, body.revision, accept=body.accept
    )
    return json_of(_full(decided))


@documented
async def replace_text(
    request: web.Request, cid: str, /
) -> r200[ReplacedResource] | Refused | r409[Problem] | r413[Problem]:
    """
    Replace a text wherever it stands in the segments that are named: {find, replace, segments: [{id, revision}]}. Those that somebody else changed meanwhile are left alone and named.

    Security: BearerToken: []
    Tags: transcript
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TRANSCRIPT_EDIT)
    body = parsed(ReplaceBody, await read_body(request, _MAX_REPLACE_BYTES))
    done = await context.transcript_editing.replace(cid, grant.bearer, body.find, body.replace, body.seen())
    return await _in_thread(
        lambda: ReplacedResource(items=_brief(done.items), conflicts=list(done.conflicts))
    )


# ── used above ──────────────────────────────────────────────────────────────────────────────────


def _full(segment: TranscriptSegment) -> SegmentResource:
    return SegmentResource.model_validate(SegmentView.of(segment))


def _brief(segments: Sequence[TranscriptSegment]) -> list[BriefSegment]:
    return [BriefSegment.model_validate(SegmentView.of(each, brief=True)) for each in segments]


async def _in_thread(make: Callable[[], BaseModel]) -> web.Response:
    """Thousands of segments take longer than the sockets of a meeting may wait."""
    text = await asyncio.to_thread(lambda: make().model_dump_json())
    return web.json_response(text=text, headers={"Cache-Control": "no-store"})


def add_to(app: web.Application) -> None:
    """The routes of the transcript."""
    path = f"{PREFIX}/consultations/{{cid}}/transcript"
    app.router.add_get(path, get_transcript, allow_head=False)
    app.router.add_get(f"{path}/find", find_text, allow_head=False)
    app.router.add_get(f"{path}/search", search_transcript, allow_head=False)
    app.router.add_post(f"{path}/replace", replace_text)
    app.router.add_get(f"{PREFIX}/transcripts/search", search_all, allow_head=False)
    app.router.add_get(SEGMENT_PATH, get_segment, allow_head=False)
    app.router.add_patch(SEGMENT_PATH, edit_segment)
    app.router.add_get(f"{SEGMENT_PATH}/revisions", get_revisions, allow_head=False)
    app.router.add_post(f"{SEGMENT_PATH}/split", split_segment)
    app.router.add_post(f"{SEGMENT_PATH}/join", join_segment)
    app.router.add_post(f"{SEGMENT_PATH}/restore", restore_segment)
    app.router.add_post(f"{SEGMENT_PATH}/proposal", decide_proposal)
