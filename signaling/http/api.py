"""The REST API under /api/v1."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r409
from aiohttp_pydantic.oas.view import generate_oas

from conference.model.permissions import Action
from signaling.http.context import CONTEXT, bearer_token
from signaling.http.resources import (
    ConsultationResource,
    ParticipantList,
    ParticipantResource,
    Problem,
    SessionConsultation,
    SessionResource,
)
from signaling.http.rest import PREFIX, documented, json_of, page_size


@documented
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
    elsewhere = context.rooms.registry.elsewhere().get(consultation.id)
    participants = len(room.seats) if room else elsewhere.present if elsewhere else 0
    return json_of(
        SessionResource(
            consultation=SessionConsultation.model_validate(consultation),
            name=grant.claims.name,
            role=grant.role,
            venue=grant.claims.venue,
            in_hall=grant.claims.in_hall,
            room_full=participants >= context.rooms.limits.max_participants,
            participants=participants,
        )
    )


@documented
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
    return json_of(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


@documented
async def list_participants(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None
) -> r200[ParticipantList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Those in the live room with their publications, in the order of joining. 421 other_node when another server
    has the room.

    Security: BearerToken: []
    Tags: participants
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    context.rooms.require_here(cid)
    limit = page_size(limit)
    room = context.rooms.find(cid)
    views = list(room.views()) if room else []
    if after is not None:
        start = next((index + 1 for index, view in enumerate(views) if view.id == after), len(views))
        views = views[start:]
    page = views[:limit]
    return json_of(
        ParticipantList(
            items=[ParticipantResource.of(view) for view in page],
            next=page[-1].id if len(views) > limit else None,
        )
    )


@documented
async def start_consultation(
    request: web.Request, cid: str, /
) -> r200[ConsultationResource] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Go live. A rehearsal ends first, and nothing of it is kept.

    Security: BearerToken: []
    Tags: consultations
    Status Codes:
        200: the consultation is live
        409: its state does not allow it
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_START)
    consultation = await context.rehearsals.go_live(cid, grant.bearer)
    return json_of(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


@documented
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
    return json_of(ConsultationResource.of(consultation, context.rooms.program_time_ms(consultation)))


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
