"""The REST API under /api/v1."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp_pydantic.decorator import inject_params
from aiohttp_pydantic.oas.pydantic_schema_to_oas import add_or_replace_translater
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r409
from aiohttp_pydantic.oas.view import generate_oas
from pydantic import BaseModel, ValidationError

from conference.model.permissions import Action
from signaling.http.context import CONTEXT, bearer_token
from signaling.http.problems import problem
from signaling.http.resources import (
    ConsultationResource,
    ParticipantList,
    ParticipantResource,
    Problem,
    SessionConsultation,
    SessionResource,
)

PREFIX = "/api/v1"
MAX_PAGE = 500

# OpenAPI 3.1 takes pydantic's JSON Schema as it is. The library's conversion to 3.0 breaks on optional enums.
add_or_replace_translater("3.0.0", lambda _schema: None)


async def _not_valid(_error: ValidationError, _context: str) -> web.StreamResponse:
    return problem("bad_request")


def _documented(handler: Callable[..., Awaitable[Any]]) -> Handler:
    """Parameters from the signature, and a place in the OpenAPI document."""
    inject = inject_params(on_validation_error=_not_valid).and_request
    return cast(Handler, inject(handler))


def _json(resource: BaseModel) -> web.Response:
    return web.json_response(text=resource.model_dump_json(), headers={"Cache-Control": "no-store"})


@_documented
async def get_session(request: web.Request) -> r200[SessionResource] | r401[Problem] | r404[Problem]:
    """
    What the token of this request opens.

    Security: BearerToken: []
    Tags: session
    Status Codes:
        200: the token is good
        401: no token, or not a good one
        404: its consultation does not exist
    """
    context = request.app[CONTEXT]
    grant = await context.access.check(bearer_token(request))
    consultation = await context.consultations.get(grant.consultation_id)
    room = context.rooms.find(consultation.id)
    participants = len(room.seats) if room else 0
    return _json(
        SessionResource(
            consultation=SessionConsultation.model_validate(consultation),
            name=grant.claims.name,
            role=grant.role,
            venue=grant.claims.venue,
            room_full=participants >= context.rooms.limits.max_participants,
            participants=participants,
        )
    )


@_documented
async def get_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    A consultation.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    _, consultation = await context.authorise(request, cid, Action.CONSULTATION_READ)
    return _json(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


@_documented
async def list_participants(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None
) -> r200[ParticipantList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Those in the live room with their publications, in the order of joining.

    Security: BearerToken: []
    Tags: participants
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    limit = min(max(limit, 1), MAX_PAGE)
    room = context.rooms.find(cid)
    views = list(room.views()) if room else []
    if after is not None:
        start = next((index + 1 for index, view in enumerate(views) if view.id == after), len(views))
        views = views[start:]
    page = views[:limit]
    return _json(
        ParticipantList(
            items=[ParticipantResource.of(view) for view in page],
            next=page[-1].id if len(views) > limit else None,
        )
    )


@_documented
async def start_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Go live.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        200: the consultation is live
        409: its state does not allow it
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_START)
    consultation = await context.life_cycle.start(cid, grant.bearer)
    return _json(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


@_documented
async def end_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    End the live session.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        200: the consultation has ended
        409: its state does not allow it
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_END)
    consultation = await context.life_cycle.end(cid, grant.bearer)
    return _json(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


async def get_openapi(request: web.Request) -> web.Response:
    """The OpenAPI document of this server."""
    return web.json_response(openapi(request.app))


def openapi(app: web.Application) -> dict[str, Any]:
    """The OpenAPI document of an application with these routes."""
    document: dict[str, Any] = generate_oas(
        [app],
        version_spec=version("yuanshang"),
        title_spec="Yuanshang 远商",
        security={"BearerToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    )
    document["openapi"] = "3.1.0"
    return document


def add_to(app: web.Application) -> None:
    """The routes of the API."""
    app.router.add_get(f"{PREFIX}/openapi.json", get_openapi, allow_head=False)
    app.router.add_get(f"{PREFIX}/session", get_session, allow_head=False)
    app.router.add_get(f"{PREFIX}/consultations/{{cid}}", get_consultation, allow_head=False)
    app.router.add_get(f"{PREFIX}/consultations/{{cid}}/participants", list_participants, allow_head=False)
    app.router.add_post(f"{PREFIX}/consultations/{{cid}}/start", start_consultation)
    app.router.add_post(f"{PREFIX}/consultations/{{cid}}/end", end_consultation)
