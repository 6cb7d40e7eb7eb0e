"""The board of all venues over HTTP: how each fares now, over the last hour and over the session, and as a table."""

from __future__ import annotations

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r429

from conference.model.camera import CameraFault, CameraState
from conference.model.media_report import Path
from conference.model.permissions import Action
from conference.model.precheck import Verdict
from conference.model.precheck_figures import PrecheckItem
from conference.model.venue import VenueKind
from conference.model.venue_health import Step, VenueReason, VenueVerdict
from signaling.http.bodies import download
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.tables import venue_layout
from signaling.tables.messages import Format


class MinuteResource(Resource):
    """The mean of a minute that began at `at_ms`, UTC; `worst_loss` is the highest that was seen in it. Minutes in
    which the venue was not there are left out."""

    at_ms: int
    uplink_bps: int
    loss: float
    worst_loss: float
    rtt_ms: int | None


class VenueEventResource(Resource):
    """Another verdict with its reason, or another way through the network, at `at_ms`, UTC."""

    at_ms: int
    verdict: VenueVerdict | None
    reason: VenueReason | None
    path: Path | None


class VenueCameraResource(Resource):
    """A camera that the server fetches for the venue."""

    id: str
    label: str
    is_main: bool
    state: CameraState
    fault: CameraFault | None


class CheckedItemResource(Resource):
    item: PrecheckItem
    verdict: Verdict
    faults: list[str]


class CheckedResource(Resource):
    """The last pre-check of a venue."""

    id: str
    number: int
    by: str
    ended_wall_ms: int
    verdict: Verdict
    items: list[CheckedItemResource]


class VenueHealthResource(Resource):
    """A venue now. `reason`: the gravest one for the verdict, with `value` (a share of 1, bit/s, ms, s or pixels) and
    `count`; `since_ms`: since when, UTC; `need`: 0 needs nothing, 3 is the most urgent; `steps`: what to try, in this
    order; `picture_id`: the participant whose picture stands for it; `people`: others of the venue in the room.
    `venue_id` of one that is not `prepared` is its name."""

    venue_id: str
    name: str
    kind: VenueKind | None
    place: str
    operator_name: str
    prepared: bool
    verdict: VenueVerdict
    reason: VenueReason
    value: float | None
    count: int
    since_ms: int
    need: int
    steps: list[Step]
    participant_ids: list[str]
    picture_id: str | None
    people: int
    uplink_bps: int | None
    uplink_loss: float | None
    rtt_ms: int | None
    path: Path
    cameras: list[VenueCameraResource]
    checked: CheckedResource | None


class BoardItemResource(VenueHealthResource):
    """`minutes`: of its last hour, oldest first."""

    minutes: list[MinuteResource]


class OthersResource(Resource):
    """Those on telephones and computers outside the venues."""

    well: int
    weak: int


class BoardResource(Resource):
    """All venues in the order of the list."""

    at_ms: int
    is_live: bool
    items: list[BoardItemResource]
    others: OthersResource
    next: None = None


class VenueSessionResource(VenueHealthResource):
    """A venue over the session: twelve hours at most, since the server was started."""

    minutes: list[MinuteResource]
    events: list[VenueEventResource]


@documented
async def get_board(
    request: web.Request, cid: str, /
) -> r200[BoardResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    How all venues fare now, with the minutes of their last hour. 421 other_node when another server has the room.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_WATCH)
    context.rooms.require_here(cid)
    board = await context.venue_board.board(cid, grant.role)
    items = [
        BoardItemResource(
            **VenueHealthResource.model_validate(each).model_dump(),
            minutes=[MinuteResource.model_validate(one) for one in board.hours.get(each.venue_id, ())],
        )
        for each in board.venues
    ]
    others = OthersResource.model_validate(board.others)
    return json_of(BoardResource(at_ms=board.at_ms, is_live=board.is_live, items=items, others=others))


@documented
async def get_session(
    request: web.Request, cid: str, vid: str, /
) -> r200[VenueSessionResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    One venue over the session: a minute each, and what changed when.

    Security: BearerToken: []
    Tags: venues
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.VENUE_WATCH)
    context.rooms.require_here(cid)
    session = await context.venue_board.session(cid, grant.role, vid)
    return json_of(
        VenueSessionResource(
            **VenueHealthResource.model_validate(session.health).model_dump(),
            minutes=[MinuteResource.model_validate(each) for each in session.minutes],
            events=[VenueEventResource.model_validate(each) for each in session.events],
        )
    )


@documented
async def get_board_xlsx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The board as an Excel workbook.

    Security: BearerToken: []
    Tags: venues
    """
    return await _table(request, cid, Format.XLSX)


@documented
async def get_board_csv(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    The board as CSV: UTF-8 with a byte order mark.

    Security: BearerToken: []
    Tags: venues
    """
    return await _table(request, cid, Format.CSV)


async def _table(request: web.Request, cid: str, file_format: Format) -> web.Response:
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.VENUE_WATCH)
    context.rooms.require_here(cid)
    sheet = venue_layout.board(await context.venue_board.board(cid, grant.role))
    return download(
        await context.tables.write(file_format, [sheet]), f"会场 {consultation.title}", file_format
    )


def add_to(app: web.Application) -> None:
    """The routes of the board."""
    path = f"{PREFIX}/consultations/{{cid}}/venues"
    app.router.add_get(f"{path}/health", get_board, allow_head=False)
    app.router.add_get(f"{path}/health.csv", get_board_csv, allow_head=False)
    app.router.add_get(f"{path}/health.xlsx", get_board_xlsx, allow_head=False)
    app.router.add_get(f"{path}/{{vid}}/health", get_session, allow_head=False)
