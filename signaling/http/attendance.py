"""Attendance and statistics over HTTP, and the tables made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r401, r403, r404, r429

from conference.model.attendance import NoteCode
from conference.model.participant import Device, EntryMeans, ParticipantKind
from conference.model.permissions import Action, Role
from conference.model.record import Person, people
from conference.model.statistics import Figures
from signaling.http.bodies import download
from signaling.http.context import CONTEXT
from signaling.http.resources import Problem, Resource
from signaling.http.rest import PREFIX, documented, json_of
from signaling.tables import record_layouts
from signaling.tables.layouts import ROLE_NAMES
from signaling.tables.messages import Format, Sheet


class StayResource(Resource):
    """One unbroken connection; `from_ms` and `to_ms` are program time, null before going live."""

    from_ms: int | None
    to_ms: int | None
    from_wall_ms: int
    to_wall_ms: int | None
    device: Device | None
    means: ParticipantKind
    reason: str | None


class SpokenResource(Resource):
    """A stretch with the floor, in program time; `to_ms` is null while it lasts."""

    from_ms: int
    to_ms: int | None


class NoteResource(Resource):
    """What is to be said of somebody's attendance; `ms` is how much, `count` how often."""

    code: NoteCode
    ms: int | None
    count: int | None


class AttendeeResource(Resource):
    """`participant_id` is null for who was invited and never there. `late` counts from five minutes on."""

    id: str
    participant_id: str | None
    invitee_id: str | None
    name: str
    title: str
    sector: str
    role: Role
    venue: str | None
    device: Device | None
    means: ParticipantKind | None
    entered_by: EntryMeans | None
    in_hall: bool
    present: bool
    excused: bool
    sessions: list[StayResource]
    present_ms: int
    late: bool
    left: bool
    returned: bool
    reason: str | None
    notes: list[NoteResource]
    spoken_ms: int
    turns: list[SpokenResource]

    @classmethod
    def of(cls, person: Person) -> AttendeeResource:
        participant, marks = person.participant, person.marks
        return cls(
            id=person.id,
            participant_id=participant and participant.id,
            invitee_id=person.invitee and person.invitee.id,
            name=person.name,
            title=person.title,
            sector=person.sector,
            role=person.role,
            venue=person.venue,
            device=participant and participant.device,
            means=participant and participant.kind,
            entered_by=person.entered_by,
            in_hall=person.in_hall,
            present=person.present,
            excused=person.excused,
            sessions=[StayResource.model_validate(stay) for stay in person.stays],
            present_ms=marks.present_ms,
            late=marks.late,
            left=marks.left,
            returned=marks.returned,
            reason=participant and participant.leave_reason,
            notes=[NoteResource.model_validate(note) for note in person.notes],
            spoken_ms=person.spoken_ms,
            turns=[
                SpokenResource(from_ms=turn.first_started_at_ms, to_ms=turn.ended_at_ms)
                for turn in person.turns
                if turn.first_started_at_ms is not None
            ],
        )


class AttendanceResource(Resource):
    """Everyone who was ever connected, in the order of joining, then those who were expected only."""

    items: list[AttendeeResource]


class GaugeResource(Resource):
    """Of those who were expected; of those who came where there is no list of invitees."""

    present: int
    expected: int
    throughout: int
    late: int
    left_early: int
    dropped_and_back: int
    spoke: int


class PointResource(Resource):
    """How many were there; `at_ms` is program time."""

    at_ms: int
    count: int


class ShareResource(Resource):
    """Speaking time; the longest comes first."""

    key: str
    label: str
    ms: int


class SpeakingResource(Resource):
    by_venue: list[ShareResource]
    by_role: list[ShareResource]
    by_sector: list[ShareResource]
    by_person: list[ShareResource]


class StatisticsResource(Resource):
    """`curve` has at most 240 points. `outside_ms` was spoken elsewhere than in the main venue."""

    gauge: GaugeResource
    curve: list[PointResource]
    peak: PointResource | None
    speaking: SpeakingResource
    total_speaking_ms: int
    outside_ms: int
    requests: int
    grants: int
    median_wait_ms: int | None
    statements: int
    statement_authors: int

    @classmethod
    def of(cls, figures: Figures) -> StatisticsResource:
        resource = cls.model_validate(figures)
        named = [
            share.model_copy(update={"label": ROLE_NAMES[Role(share.key)]})
            for share in resource.speaking.by_role
        ]
        speaking = resource.speaking.model_copy(update={"by_role": named})
        return resource.model_copy(update={"speaking": speaking})


@documented
async def get_attendance(
    request: web.Request, cid: str, /
) -> r200[AttendanceResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Who was there, from when to when and by which means; and who was expected and did not come.

    Security: BearerToken: []
    Tags: attendance
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.ATTENDANCE_READ)
    persons = await context.attendance.list(cid, grant.role)
    # In a thread: hundreds of people take longer than the sockets of a meeting may wait.
    items = await asyncio.to_thread(lambda: [AttendeeResource.of(each) for each in persons])
    return json_of(AttendanceResource(items=items))


@documented
async def get_statistics(
    request: web.Request, cid: str, /
) -> r200[StatisticsResource] | r401[Problem] | r403[Problem] | r404[Problem]:
    """
    Figures of the session: presence, speaking time, requests and statements.

    Security: BearerToken: []
    Tags: attendance
    """
    context = request.app[CONTEXT]
    grant, _ = await context.authorise(request, cid, Action.ATTENDANCE_READ)
    return json_of(StatisticsResource.of(await context.attendance.figures(cid, grant.role)))


@documented
async def get_attendance_xlsx(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    Attendance as an Excel workbook.

    Security: BearerToken: []
    Tags: attendance
    """
    return await _attendance(request, cid, Format.XLSX)


@documented
async def get_attendance_csv(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    Attendance as CSV: UTF-8 with a byte order mark.

    Security: BearerToken: []
    Tags: attendance
    """
    return await _attendance(request, cid, Format.CSV)


async def _attendance(request: web.Request, cid: str, file_format: Format) -> web.Response:
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.ATTENDANCE_READ)
    sheet = record_layouts.attendance(await context.attendance.list(cid, grant.role))
    return await _table(request, [sheet], f"签到表 {consultation.title}", file_format)


@documented
async def get_duty_records(
    request: web.Request, cid: str, /
) -> r401[Problem] | r403[Problem] | r404[Problem] | r429[Problem]:
    """
    What everybody did: presence, speaking time, requests, grants and statements, as an Excel workbook.

    Security: BearerToken: []
    Tags: attendance
    """
    context = request.app[CONTEXT]
    grant, consultation = await context.authorise(request, cid, Action.ATTENDANCE_READ)
    record = await context.attendance.record(cid, grant.role)
    sheets = record_layouts.duty_records(record, people(record))
    return await _table(request, sheets, f"履职档案 {consultation.title}", Format.XLSX)


async def _table(
    request: web.Request, sheets: Sequence[Sheet], name: str, file_format: Format
) -> web.Response:
    return download(await request.app[CONTEXT].tables.write(file_format, sheets), name, file_format)


def add_to(app: web.Application) -> None:
    """The routes of attendance."""
    path = f"{PREFIX}/consultations/{{cid}}"
    app.router.add_get(f"{path}/attendance", get_attendance, allow_head=False)
    app.router.add_get(f"{path}/statistics", get_statistics, allow_head=False)
    app.router.add_get(f"{path}/attendance.xlsx", get_attendance_xlsx, allow_head=False)
    app.router.add_get(f"{path}/attendance.csv", get_attendance_csv, allow_head=False)
    app.router.add_get(f"{path}/duty-records.xlsx", get_duty_records, allow_head=False)
