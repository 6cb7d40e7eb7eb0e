"""What happens in a session, over HTTP: agenda, floor, written statements."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r400, r401, r403, r404, r409
from pydantic import BaseModel, ConfigDict, Field

from conference.events import FloorView, OwnStatementView
from conference.model.agenda import AgendaDraft, AgendaItem, AgendaKind
from conference.model.floor import SpokenTime
from conference.model.ids import ID_PATTERN, PLAIN_PATTERN
from conference.model.permissions import Action
from conference.services.agendas import MAX_ITEMS
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of, page_size

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN_PATTERN)]


class AgendaResource(Resource):
    """The agenda in its order. `started_at_ms` and `ended_at_ms` are program time."""

    items: list[AgendaItem]


class AgendaItemBody(BaseModel):
    """An item as it is written down; `id` names one that is there already."""

    model_config = ConfigDict(str_strip_whitespace=True)

    id: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    title: Title
    kind: AgendaKind
    planned_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    planned_start_wall_ms: Annotated[int, Field(ge=0, le=10**14)] | None = None
    speaker: Title | None = None


class AgendaBody(BaseModel):
    """The whole agenda in its order. `version`: that of the room as the caller saw it."""

    items: Annotated[list[AgendaItemBody], Field(max_length=MAX_ITEMS)]
    version: Annotated[int, Field(ge=0, le=2**53)] | None = None


class FloorResource(Resource):
    """Who may speak, and how long each spoke under each agenda item."""

    floor: FloorView
    speaking: list[SpokenTime]


class StatementList(Resource):
    """A page of statements; `next` is the `after` of the next page."""

    items: list[OwnStatementView]
    next: str | None


@documented
async def get_agenda(
    request: web.Request, cid: str, /
) -> r200[AgendaResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The agenda.

    Security: BearerToken: []
    Tags: agenda
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    return json_of(AgendaResource(items=list(await context.agendas.get(cid))))


@documented
async def put_agenda(
    request: web.Request, cid: str, /, agenda: AgendaBody
) -> r200[AgendaResource] | r400[Problem] | r401[Problem] | r403[Problem] | r404[Problem] | r409[Problem]:
    """
    Write the agenda anew. Items that began may not be left out.

    Security: BearerToken: []
    Tags: agenda
    Status Codes:
        409: conflict, when somebody else changed it since `version`; agenda_item_begun; invalid_state
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.AGENDA_EDIT)
    drafts = [AgendaDraft(**each.model_dump()) for each in agenda.items]
    items = await context.agendas.edit(cid, grant.bearer, drafts, agenda.version)
    return json_of(AgendaResource(items=list(items)))


@documented
async def get_floor(
    request: web.Request, cid: str, /
) -> r200[FloorResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    The floor, its queue, and the speaking time so far.

    Security: BearerToken: []
    Tags: floor
    """
    context = request.app[CONTEXT]
    await context.authorise(request, cid, Action.CONSULTATION_READ)
    floor, speaking = await context.floors.speaking(cid)
    return json_of(FloorResource(floor=floor, speaking=speaking))


@documented
async def list_statements(
    request: web.Request, cid: str, /, limit: int = 100, after: str | None = None
) -> r200[StatementList] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Written statements, oldest first. Private notes only for those who may read them.

    Security: BearerToken: []
    Tags: statements
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.CONSULTATION_READ)
    page = await context.statements.after(cid, grant.bearer, after, page_size(limit))
    return json_of(StatementList(items=list(page.items), next=page.next))


def add_to(app: web.Application) -> None:
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/agenda", get_agenda, allow_head=False)
    app.router.add_put(f"{path}/agenda", put_agenda)
    app.router.add_get(f"{path}/floor", get_floor, allow_head=False)
    app.router.add_get(f"{path}/statements", list_statements, allow_head=False)
