"""Preparing consultations over HTTP: drafts, edits, the steps of a life, tokens."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field

from conference.model.broadcast import MAX_DELAY_S
from conference.model.consultation import (
    CommentIdentity,
    Consultation,
    ConsultationKind,
    Mode,
    Moderation,
    Status,
)
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import PLAIN_PATTERN, is_id
from conference.model.permissions import Action, Role
from conference.model.readiness import Lack, Part
from conference.services.consultations import ConsultationDraft
from signaling.http.context import CONTEXT
from signaling.http.resources import ConsultationResource, Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, nothing, page_size

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN_PATTERN)]
Briefing = Annotated[str, Field(max_length=10_000, pattern=PLAIN_PATTERN)]
WallMs = Annotated[int, Field(ge=0, le=10**14)]
Reason = Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN_PATTERN)]

_NULLABLE = frozenset({"scheduled_at_ms", "ends_at_ms", "closing_at_ms", "organization"})


class _Editable(BaseModel):
    """What may be said of a consultation. What is left out stays as it is."""

    model_config = ConfigDict(str_strip_whitespace=True)

    title: Title | None = None
    briefing: Briefing | None = None
    kind: ConsultationKind | None = None
    scheduled_at_ms: WallMs | None = None
    ends_at_ms: WallMs | None = None
    closing_at_ms: WallMs | None = None
    is_public: bool | None = None
    waiting_room: bool | None = None
    microphone_on_join: bool | None = None
    recording: bool | None = None
    program: bool | None = None
    captions: bool | None = None
    program_captions: bool | None = None
    public_delay_s: Annotated[int, Field(ge=0, le=MAX_DELAY_S)] | None = None
    moderation: Moderation | None = None
    moderator_promotes: bool | None = None
    comment_identity: CommentIdentity | None = None
    mode: Mode | None = None
    organization: Title | None = None

    def said(self) -> dict[str, Any]:
        """The fields that were given; bad_request when one is null that must not be."""
        given = self.model_dump(exclude_unset=True, exclude={"revision"})
        for name, value in given.items():
            if value is None and name not in _NULLABLE:
                raise ConferenceError("bad_request", f"{name} is null")
        return given


class DraftBody(_Editable):
    title: Title


class EditBody(_Editable):
    """`revision` is the one that was seen."""

    revision: Annotated[int, Field(ge=1, le=2**31)]


class ReasonBody(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    reason: Reason


class ConsultationList(Resource):
    """A page of consultations; `next` is the `after` of the next page."""

    items: list[ConsultationResource]
    next: str | None


class MissingResource(Resource):
    code: Lack
    part: Part
    count: int


class ReadinessResource(Resource):
    """Whether a consultation may be published, and what has to be done before."""

    ready: bool
    missing: list[MissingResource]


class TokenResource(Resource):
    """A consultation token: good for its room, its desk and this API."""

    token: str
    expires_at_ms: int
    role: Role


def _shown(request: web.Request, consultation: Consultation) -> web.Response:
    rooms = request.app[CONTEXT].rooms
    return json_of(ConsultationResource.of(consultation, rooms.program_time_ms(consultation)))


@documented
async def list_consultations(
    request: web.Request, /, limit: int = 50, after: str | None = None, status: Status | None = None
) -> r200[ConsultationList] | r400[Problem] | r401[Problem] | r403[Problem]:
    """
    The consultations that a member of staff sees, newest schedule first.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    visible = await context.staff.visible(await context.staff_of(request))
    page, more = await context.consultations.page(visible, status, after, page_size(limit))
    items = [ConsultationResource.of(each, context.rooms.program_time_ms(each)) for each in page]
    return json_of(ConsultationList(items=items, next=page[-1].id if more else None))


@documented
async def create_consultation(
    request: web.Request, draft: DraftBody
) -> r201[ConsultationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r409[Problem]:
    """
    Begin to prepare a consultation: a draft, internal until said otherwise.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        409: identity_not_offered, when viewers could not show who they are
    """
    context = request.app[CONTEXT]
    member = await context.staff_of(request)
    made = await context.consultations.draft(
        member, ConsultationDraft(**{"is_public": False, **draft.said()})
    )
    return json_of(ConsultationResource.of(made, None), 201)


@documented
async def edit_consultation(
    request: web.Request, cid: str, /, edit: EditBody
) -> (
    r200[ConsultationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
):
    """
    Edit. `revision` is the one that was seen.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        409: edit_conflict, when somebody was faster; identity_not_offered, when viewers could not show who they are
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_EDIT)
    return _shown(request, await context.editing.edit(cid, grant.bearer, edit.revision, edit.said()))


@documented
async def get_readiness(
    request: web.Request, cid: str, /
) -> r200[ReadinessResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    What has to be done before it may be published.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_EDIT)
    missing = await context.life_cycle.missing(cid)
    items = [MissingResource.model_validate(each) for each in missing]
    return json_of(ReadinessResource(ready=not missing, missing=items))


@documented
async def publish_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Links open from now on.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        409: not_ready, with `missing`; or its state does not allow it
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_PUBLISH)
    return _shown(request, await context.life_cycle.publish(cid, grant.bearer))


@documented
async def unpublish_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Back to a draft.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_PUBLISH)
    return _shown(request, await context.life_cycle.unpublish(cid, grant.bearer))


@documented
async def postpone_consultation(
    request: web.Request, cid: str, /, body: ReasonBody
) -> (
    r200[ConsultationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
):
    """
    Put it off.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_PUBLISH)
    return _shown(request, await context.life_cycle.postpone(cid, grant.bearer, body.reason))


@documented
async def cancel_consultation(
    request: web.Request, cid: str, /, body: ReasonBody
) -> (
    r200[ConsultationResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]
):
    """
    Call it off, for good.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_PUBLISH)
    return _shown(request, await context.life_cycle.cancel(cid, grant.bearer, body.reason))


@documented
async def seal_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Archive it after its end: nothing is edited any more.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_PUBLISH)
    return _shown(request, await context.life_cycle.seal(cid, grant.bearer))


@documented
async def take_token(
    request: web.Request, cid: str, /
) -> r200[TokenResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A consultation token for a member of staff: room and desk take no other.

    Security: BearerToken: []
    Tags: staff
    """
    context = request.app[CONTEXT]
    member = await context.staff_of(request)
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    token, claims = context.access.for_staff(member, cid)
    await context.consultations.note_tokens(cid, {claims.token_id: claims.role}, member.actor)
    return json_of(TokenResource(token=token, expires_at_ms=claims.expires_at_s * 1000, role=claims.role))


@documented
async def revoke_token(
    request: web.Request, cid: str, token_id: str, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A token opens nothing any more; what it opened is closed.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.TOKEN_REVOKE)
    if not is_id(token_id):
        raise NotFoundError("no token has such an id")
    await context.revocations.revoke(cid, token_id, grant.bearer)
    return nothing()


@documented
async def forget_texts(
    request: web.Request, cid: str, number: int, /
) -> r204 | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Delete the personal texts of a line of the trace. The chain stays verifiable.

    Security: BearerToken: []
    Tags: audit
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.AUDIT_FORGET)
    await context.trace.forget(cid, number, grant.bearer)
    return nothing()


def add_to(app: web.Application) -> None:
    """The routes of preparing."""
    router = app.router
    path = f"{PREFIX}/consultations"
    router.add_get(path, list_consultations, allow_head=False)
    router.add_post(path, create_consultation)
    path += "/{cid}"
    router.add_patch(path, edit_consultation)
    router.add_get(f"{path}/readiness", get_readiness, allow_head=False)
    router.add_post(f"{path}/publish", publish_consultation)
    router.add_post(f"{path}/unpublish", unpublish_consultation)
    router.add_post(f"{path}/postpone", postpone_consultation)
    router.add_post(f"{path}/cancel", cancel_consultation)
    router.add_post(f"{path}/seal", seal_consultation)
    router.add_post(f"{path}/token", take_token)
    router.add_post(f"{path}/tokens/{{token_id}}/revoke", revoke_token)
    router.add_post(f"{path}/audit/{{number}}/forget", forget_texts)
