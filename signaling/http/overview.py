"""The overview of administrators over HTTP: server, nodes, consultations that go on."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403

from conference.model.consultation import Status
from conference.model.recording import RecordingState
from conference.services.overview import OverviewView
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of


class ServerResource(Resource):
    """`storage` is the kind of database: sqlite, postgresql."""

    version: str
    storage: str
    started_at_ms: int


class DiskResource(Resource):
    """What is left where recordings are kept; `warn` when it is little."""

    free_bytes: int
    warn: bool


class NodeResource(Resource):
    """`is_draining`: it opens no more rooms, and ends when those that it has are empty. `keys_differ`: it refuses what
    this server signs."""

    name: str
    is_this: bool
    rooms: int
    is_draining: bool
    keys_differ: bool


class AcceptedKeyResource(Resource):
    """A key beside the one that signs."""

    id: str
    until_ms: int


class KeysResource(Resource):
    """The key that signs, and those that are accepted beside it. `is_old`: it has signed for more than a year."""

    id: str
    signs_since_ms: int
    is_old: bool
    accepted: list[AcceptedKeyResource]


class OngoingResource(Resource):
    """A consultation that runs, or in whose room somebody is.

    `recording` is null where only the node that holds the room knows it; `node` while no room is open.
    """

    id: str
    title: str
    organization_id: str | None
    organization: str | None
    status: Status
    started_at_ms: int | None
    node: str | None
    present: int
    waiting: int
    recording: RecordingState | None


class OverviewResource(Resource):
    """`redis`: whether it answers, null where none is configured; `disk` is null before the first look."""

    server: ServerResource
    now_ms: int
    redis: bool | None
    disk: DiskResource | None
    keys: KeysResource
    nodes: list[NodeResource]
    ongoing: list[OngoingResource]

    @classmethod
    def of(cls, view: OverviewView) -> OverviewResource:
        return cls.model_validate(view)


@documented
async def get_overview(request: web.Request) -> r200[OverviewResource] | r401[Problem] | r403[Problem]:
    """
    The server, its nodes, and what goes on now in one's organization and those below; for administrators.

    Security: BearerToken: []
    Tags: administration
    """
    context = request.app[CONTEXT]
    return json_of(OverviewResource.of(await context.overview.look(await context.staff_of(request))))


def add_to(app: web.Application) -> None:
    """The route of the overview."""
    app.router.add_get(f"{PREFIX}/overview", get_overview, allow_head=False)
