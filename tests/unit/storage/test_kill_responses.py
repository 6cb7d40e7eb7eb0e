"""Kill -9 at every point of each kind of write about answers: rows are what the trace alone tells, all goes on, and no
letter is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conference.model.audit import AuditLine
from conference.model.notice import LEASE_MS, RETRY_MS, Channel, NoticeState
from conference.model.response import ResponseState
from conference.services.rooms import RoomLimits
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.responses_stage import ANSWER, STAFF, Office
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.proceedings_stage import BEGAN_MS
from tests.unit.storage.responses_stage import EVERY, KINDS

YEAR_S = 366 * 86_400
STATES = {
    "response.opened": "unassigned",
    "response.refused": "unassigned",
    "response.submitted": "submitted",
    "response.unapproved": "submitted",
    "response.returned": "assigned",
    "response.reopened": "assigned",
    "response.approved": "answered",
    "response.closed": "closed",
}
NOTICES = {"notice.sent": "sent", "notice.failed": "failed", "notice.dropped": "dropped"}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "responses_stage") as made:
        yield made


@dataclass
class Story:
    """By case: state, department, due date, reminders, promotion, ratings, further questions. Departments by name,
    comments that are answered, and how many letters came to which end."""

    states: dict[str, str] = field(default_factory=dict)
    departments: dict[str, str | None] = field(default_factory=dict)
    due: dict[str, int | None] = field(default_factory=dict)
    reminded: dict[str, int] = field(default_factory=dict)
    promotions: dict[str, str | None] = field(default_factory=dict)
    rated: int = 0
    follow_ups: int = 0
    revisions: dict[str, int] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)
    notices: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NOTICES.values(), 0))


def told(lines: list[AuditLine]) -> Story:
    story = Story()
    for line in lines:
        content, what = json.loads(line.content), line.subject or ""
        if line.action in STATES:
            story.states[what] = STATES[line.action]
        if line.action in NOTICES:
            story.notices[NOTICES[line.action]] += 1
        match line.action:
            case "response.opened":
                story.departments[what] = story.due[what] = None
                story.promotions[what], story.reminded[what] = content["promotion"], 0
            case "response.promoted":
                story.promotions[what] = content["promotion"]
            case "response.assigned":
                story.states[what], story.departments[what] = "assigned", content["department"]
                story.due[what] = content["due_wall_ms"]
            case "response.refused":
                story.departments[what] = story.due[what] = None
            case "response.extended" | "response.reopened":
                story.due[what] = content["due_wall_ms"]
            case "response.reminded":
                story.reminded[what] += 1
            case "response.rated":
                story.rated += 1
            case "response.followed_up":
                story.follow_ups += 1
            case "department.added":
                story.revisions[what] = 1
            case "department.link_renewed":
                story.revisions[what] = content["revision"]
            case "comment.answered":
                story.answered.add(what)
            case "comment.unanswered":
                story.answered.discard(what)
    return story


async def stored(world: World) -> Story:
    async with world.database.reading() as unit:
        cases = await unit.responses.of("c")
        notices = [notice for each in cases for notice in await unit.notices.of(each.id)]
        return Story(
            {each.id: each.state.value for each in cases},
            {each.id: each.department_id for each in cases},
            {each.id: each.due_wall_ms for each in cases},
            {each.id: each.reminded for each in cases},
            {each.id: each.promotion_id for each in cases},
            len(await unit.responses.ratings("c")),
            len(await unit.responses.follow_ups("c")),
            {each.id: each.link_revision for each in await unit.departments.of("c")},
            {
                each.id
                async for page in unit.comments.pages("c", 100)
                for each in page
                if each.state == "answered"
            },
            {state: sum(each.state == state for each in notices) for state in NOTICES.values()},
        )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point)


async def _check(left: Path, kind: str, point: str) -> None:
    noted = json.loads((left / "noted.json").read_text())
    # Who tries to send something takes it for himself first, in a transaction of its own that the trace says nothing
    # of: that is the first to commit.
    is_sending = kind.startswith("notice.")
    done = ("answer",) if is_sending else ("rest", "answer")
    if not is_sending:
        assert (dumped(left) == noted["rows"]) == (point not in done), point
    async with reopened(left) as database:
        world = World(database, ManualClock(epoch_ms=BEGAN_MS + 60 * 86_400_000), RoomLimits())
        lines = await world.trace()
        assert lines[noted["number"] - 1].hash == noted["hash"], "an acknowledged write is gone"
        added = [each.action for each in lines[noted["number"] :]]
        assert bool(added) == (point in done), (point, added)
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"
        assert await stored(world) == told(lines), point

        for service in (world.programs, world.rooms, world.floor_clock):
            await service.restore()
        office = Office(Audience(world))
        await _all_goes_on(office)
        assert await stored(world) == told(await world.trace())


async def _all_goes_on(office: Office) -> None:
    """Each case is answered, and every letter comes to an end."""
    department = await office.department("市教育局")
    for case in (await office.cases.page("c", STAFF, EVERY)).items:
        now_ms = office.world.clock.wall_ms()
        if case.state in (ResponseState.ANSWERED, ResponseState.CLOSED):
            continue
        due_ms = now_ms + 86_400_000
        await office.responses.assign("c", STAFF, case.id, department.id, due_ms, "换部门")
        await office.submit(department, case.id, ANSWER)
        await office.responses.approve("c", STAFF, case.id)
        assert (await office.stored(case.id)).state is ResponseState.ANSWERED
    for wait_ms in (LEASE_MS, *RETRY_MS):
        office.world.clock.forward(wait_ms / 1000)
        await office.reminders.tick()
    async with office.world.database.reading() as unit:
        assert (
            await unit.notices.waiting(office.world.clock.wall_ms() + YEAR_S * 1000, tuple(Channel), 99) == []
        )


async def test_a_letter_that_may_not_have_gone_out_is_sent_again(killed: Crashes) -> None:
    """Killed between the mail server's word and ours: the same letter once more, by the same key."""
    for point, left in killed.of("notice.sent").items():
        async with reopened(copied(left, f"{point} again")) as database:
            world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
            office = Office(Audience(world))
            (case,) = (await office.cases.page("c", STAFF, EVERY)).items
            (notice,) = await office.noted(case.id)
            world.clock.forward(LEASE_MS / 1000)
            await office.reminders.send()
            sent = [each.key for each in office.mail.letters]
            assert sent == ([] if point == "answer" else [notice.id]), point
            assert [each.state for each in await office.noted(case.id)] == [NoticeState.SENT]
