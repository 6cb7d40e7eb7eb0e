"""Viewers show who they are, without an account: by telephone or WeChat. It belongs to the device's cookie."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r400, r401, r403, r404, r409, r422, r429, r503
from pydantic import BaseModel, ConfigDict, Field

from conference.model.identity import IdentityKind, Visitor
from conference.model.ids import PLAIN_PATTERN
from conference.model.permissions import Action
from signaling.http.context import CONTEXT
from signaling.http.device import device_of, with_device
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of


class ProofBody(BaseModel):
    """`phone`: a mobile number of the mainland, with the kind phone."""

    model_config = ConfigDict(str_strip_whitespace=True)

    kind: IdentityKind
    phone: Annotated[str, Field(max_length=40, pattern=PLAIN_PATTERN)] = ""


class AnswerBody(BaseModel):
    """`answer`: the six digits, or the code with which WeChat sent the viewer back."""

    model_config = ConfigDict(str_strip_whitespace=True)

    answer: Annotated[str, Field(min_length=1, max_length=512, pattern=PLAIN_PATTERN)]


class ProofResource(Resource):
    """A proof under way. `url`: where the viewer goes, with WeChat. `again_wall_ms`: until then the same number gets no
    other code."""

    id: str
    url: str | None
    expires_wall_ms: int
    again_wall_ms: int


class ShownResource(Resource):
    """What this device has shown in this consultation; null: nothing."""

    kind: IdentityKind | None


class OfferResource(Resource):
    """How viewers may show who they are on this server."""

    kinds: list[IdentityKind]


class AuthorIdentity(Resource):
    """`subject`: the telephone number, or WeChat's id of the user; null once it was erased."""

    kind: IdentityKind
    subject: str | None


@documented
async def get_own_identity(request: web.Request, cid: str, /) -> r200[ShownResource] | r404[Problem]:
    """
    What this device has shown of its owner.

    Tags: public
    """
    kind = await request.app[CONTEXT].identities.of(cid, device_of(request))
    return json_of(ShownResource(kind=kind))


@documented
async def begin_identity(
    request: web.Request, cid: str, /, proof: ProofBody
) -> r201[ProofResource] | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem] | r503[Problem]:
    """
    Begin to show who one is: a code is sent by short message, or WeChat is asked at `url`.

    Tags: public
    Status Codes:
        404: not_found for a kind that is not on offer
        429: rate_limited, with retry_after_s
        503: identity_unavailable, no message could be sent
    """
    begun = await request.app[CONTEXT].identities.begin(cid, proof.kind, proof.phone, _visitor(request))
    return with_device(request, json_of(ProofResource.model_validate(begun), 201))


@documented
async def finish_identity(
    request: web.Request, cid: str, proof_id: str, /, body: AnswerBody
) -> (
    r200[ShownResource]
    | r400[Problem]
    | r404[Problem]
    | r409[Problem]
    | r422[Problem]
    | r429[Problem]
    | r503[Problem]
):
    """
    Answer; from now on this device is known to be somebody's in this consultation.

    Tags: public
    Status Codes:
        409: identity_lapsed after ten minutes, after five wrong answers, and for another device
        422: identity_wrong, with `left`, the tries that remain
    """
    kind = await request.app[CONTEXT].identities.finish(cid, proof_id, body.answer, _visitor(request))
    return with_device(request, json_of(ShownResource(kind=kind)))


@documented
async def get_author_identity(
    request: web.Request, cid: str, comment_id: str, /
) -> r200[AuthorIdentity] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Who wrote a comment, if they showed it. Every look leaves a line in the trace.

    Security: BearerToken: []
    Tags: comments
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.COMMENT_TRACE)
    return json_of(
        AuthorIdentity.model_validate(await context.identities.author(cid, grant.bearer, comment_id))
    )


@documented
async def get_identity_offer(
    request: web.Request, cid: str, /
) -> r200[OfferResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    How viewers may show who they are; without any, they cannot be asked to.

    Security: BearerToken: []
    Tags: consultations
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    return json_of(OfferResource(kinds=list(context.identities.kinds)))


def _visitor(request: web.Request) -> Visitor:
    return Visitor(device_of(request), request.app[CONTEXT].client_address(request))


def add_to(app: web.Application) -> None:
    """The routes of who viewers are."""
    path = f"{PREFIX}/public/consultations/{{cid}}/identity"
    app.router.add_get(path, get_own_identity, allow_head=False)
    app.router.add_post(path, begin_identity)
    app.router.add_post(f"{path}/{{proof_id}}", finish_identity)
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/identity", get_identity_offer, allow_head=False)
    app.router.add_get(f"{path}/comments/{{comment_id}}/identity", get_author_identity, allow_head=False)
