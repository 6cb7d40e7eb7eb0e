"""The way in over HTTP, for everybody: personal links and the entry codes of halls."""

from __future__ import annotations

from typing import Annotated, Final

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r404, r409, r429
from pydantic import AfterValidator, BaseModel, Field

from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.model.folding import tidied_name
from conference.model.ids import ID_PATTERN
from conference.model.limit import Limit
from conference.model.permissions import Role
from conference.services.entrances import Issued, Linked
from conference.services.entry_codes import Knock
from conference.services.links import LinkKind
from signaling.http.context import CONTEXT, HttpContext
from signaling.http.guest_bodies import filled
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of

# A whole hall stands behind one address; only what fails is counted strictly.
PER_ADDRESS: Final = Limit("entrance-address", 600, 60.0)
FAILED_PER_ADDRESS: Final = Limit("entrance-failed-address", 30, 60.0)
_CODE: Final = r"^[0-9]{6}$"

GuestName = Annotated[str, Field(max_length=40), AfterValidator(tidied_name), AfterValidator(filled)]


class LinkedConsultation(Resource):
    id: str
    title: str
    status: Status
    scheduled_at_ms: int | None
    organization: str | None

    @classmethod
    def of(cls, consultation: Consultation) -> LinkedConsultation:
        return cls.model_validate(consultation)


class LinkResource(Resource):
    """Whom a link is for, and where it leads."""

    kind: LinkKind
    name: str
    role: Role
    title: str | None
    sector: str | None
    venue: str | None
    large_text: bool
    consultation: LinkedConsultation

    @classmethod
    def of(cls, linked: Linked) -> LinkResource:
        given, invitee = linked.pass_(), linked.invitee
        return cls(
            kind=linked.kind,
            name=given.name,
            role=given.role,
            title=(invitee.title or None) if invitee is not None else None,
            sector=(invitee.sector or None) if invitee is not None else None,
            venue=given.venue,
            large_text=invitee is not None and invitee.large_text,
            consultation=LinkedConsultation.of(linked.consultation),
        )


class EnteredResource(Resource):
    """A token for the room."""

    token: str
    consultation_id: str
    expires_at_ms: int


class GuestResource(EnteredResource):
    """`known`: the name is on the hall's list."""

    known: bool


class CodeBody(BaseModel):
    """`device`: a random id that the browser keeps; wrong codes are counted by it."""

    code: Annotated[str, Field(pattern=_CODE)]
    device: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]


class GuestBody(CodeBody):
    name: GuestName


class ScreenBody(BaseModel):
    """What stands behind # in the link of a hall's big screen."""

    consultation_id: Annotated[str, Field(pattern=ID_PATTERN)]
    venue_id: Annotated[str, Field(pattern=ID_PATTERN)]
    code: Annotated[str, Field(pattern=r"^[a-z2-7]{24}$")]


class CodeVenue(Resource):
    name: str


class CodeConsultation(Resource):
    id: str
    title: str
    scheduled_at_ms: int | None
    organization: str | None


class CodeResource(Resource):
    """The hall that a code opens."""

    consultation: CodeConsultation
    venue: CodeVenue


@documented
async def get_link(request: web.Request, code: str, /) -> r200[LinkResource] | r404[Problem] | r429[Problem]:
    """
    Whom a link is for and where it leads. Changes nothing: messengers open links to show a preview.

    Tags: entrances
    """
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    try:
        linked = await context.entrances.look(code)
    except ConferenceError as error:
        raise await _counted(context, request, error) from error
    return json_of(LinkResource.of(linked))


@documented
async def enter_by_link(
    request: web.Request, code: str, /
) -> r200[EnteredResource] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    A token for the bearer of a link.

    Tags: entrances
    Status Codes:
        409: the consultation cannot be entered now
    """
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    try:
        issued = await context.entrances.enter(code)
    except ConferenceError as error:
        raise await _counted(context, request, error) from error
    return json_of(_entered(issued))


@documented
async def look_back_by_link(
    request: web.Request, code: str, /
) -> r200[EnteredResource] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    A token for the bearer of a link when the consultation is over: for one's own speeches, and for the desk where the link leads there. No room opens for it.

    Tags: entrances
    Status Codes:
        409: invalid_state: it is not over
    """  # noqa: E501 the parser of this text knows no continued lines
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    try:
        issued = await context.entrances.look_back(code)
    except ConferenceError as error:
        raise await _counted(context, request, error) from error
    return json_of(_entered(issued))


@documented
async def check_code(
    request: web.Request, /, body: CodeBody
) -> r200[CodeResource] | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    The hall that an entry code opens.

    Tags: entrances
    Status Codes:
        404: a wrong code; `attempts_left` more tries
        429: too many wrong ones; again in `retry_after_s` seconds
    """
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    consultation, venue = await context.entry_codes.check(_knock(context, request, body))
    return json_of(
        CodeResource(
            consultation=CodeConsultation.model_validate(consultation), venue=CodeVenue(name=venue.name)
        )
    )


@documented
async def enter_by_code(
    request: web.Request, /, body: GuestBody
) -> r200[GuestResource] | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    A token for somebody in a hall. A name that is not on the list waits until somebody admits it.

    Tags: entrances
    """
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    issued, known = await context.entry_codes.enter(_knock(context, request, body), body.name)
    return json_of(GuestResource(**_entered(issued).model_dump(), known=known))


@documented
async def enter_by_screen_link(
    request: web.Request, /, body: ScreenBody
) -> r200[EnteredResource] | r400[Problem] | r404[Problem] | r409[Problem] | r429[Problem]:
    """
    A token for a hall's big screen: it sees and hears, and opens no seat in the room.

    Tags: entrances
    Status Codes:
        409: the consultation cannot be entered now
    """
    context = request.app[CONTEXT]
    await _require_quiet(context, request)
    try:
        issued = await context.screen_links.enter(body.consultation_id, body.venue_id, body.code)
    except ConferenceError as error:
        raise await _counted(context, request, error) from error
    return json_of(_entered(issued))


async def _require_quiet(context: HttpContext, request: web.Request) -> None:
    """Raise rate_limited for an address that asks too often, or that tried too many wrong links."""
    address = context.client_address(request)
    await context.limit(PER_ADDRESS, request)
    if not await context.rate_limits.remaining(FAILED_PER_ADDRESS, address):
        await context.limit(FAILED_PER_ADDRESS, request)


async def _counted(context: HttpContext, request: web.Request, error: ConferenceError) -> ConferenceError:
    if error.code == "link_invalid":
        await context.rate_limits.hit(FAILED_PER_ADDRESS, context.client_address(request))
    return error


def _knock(context: HttpContext, request: web.Request, body: CodeBody) -> Knock:
    return Knock(body.code, body.device, context.client_address(request))


def _entered(issued: Issued) -> EnteredResource:
    return EnteredResource(
        token=issued.token, consultation_id=issued.consultation_id, expires_at_ms=issued.expires_at_ms
    )


def add_to(app: web.Application) -> None:
    """The routes of links and codes."""
    router = app.router
    router.add_get(f"{PREFIX}/links/{{code}}", get_link, allow_head=False)
    router.add_post(f"{PREFIX}/links/{{code}}/enter", enter_by_link)
    router.add_post(f"{PREFIX}/links/{{code}}/look-back", look_back_by_link)
    router.add_post(f"{PREFIX}/screens/enter", enter_by_screen_link)
    router.add_post(f"{PREFIX}/entry-codes/check", check_code)
    router.add_post(f"{PREFIX}/entry-codes/enter", enter_by_code)
