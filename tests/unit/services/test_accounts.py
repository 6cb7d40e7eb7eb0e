"""The account of a world: every number follows from what was done, and the head of the trace is its witness."""

from __future__ import annotations

import random

import pytest

from conference.model.comment import Decision
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.response import Rating
from conference.services.accounts import Accounts
from conference.services.viewers import Viewers
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.responses_stage import MODERATOR, STAFF, ZONE, Office

CHAIR = World.bearer(Role.CHAIR)
LAMPS = ("村口的路灯坏了", "路灯晚上不亮", "我们巷子没有路灯")
BUSES = ("公交车一天只有两班", "能不能多开几班公交车")


@pytest.fixture
def office(world: World) -> Office:
    return Office(Audience(world))


def accounts_of(office: Office) -> tuple[Accounts, Viewers]:
    viewers = Viewers(office.world.rooms, office.public.broadcasts)
    return Accounts(office.public.boards, viewers, ZONE), viewers


async def test_a_consultation_in_which_nothing_happened(office: Office) -> None:
    account = await accounts_of(office)[0].get("c", Role.CHAIR)
    assert (account.comments.received, account.topics, account.other_topics) == (0, (), 0)
    assert (account.viewers.total, account.median_days, account.open) == (None, None, ())
    assert (account.responses.total, account.departments) == (0, ())
    assert account.trace is not None
    assert account.trace.number == len(await office.world.trace())


async def test_from_viewers_to_answers(office: Office) -> None:
    world, public = office.world, office.public
    accounts, viewers = accounts_of(office)
    await world.life_cycle.start("c", CHAIR)
    chance = random.Random(5)
    for _ in range(30):
        await viewers.seen("c", f"{chance.getrandbits(128):032x}", "198.51.100.7")
    ids = [(await public.post(text, device=f"d{n}")).id for n, text in enumerate((*LAMPS, LAMPS[0], *BUSES))]
    for decision, which in ((Decision.REJECT, 1), (Decision.HOLD, 2)):
        await public.desk.decide("c", MODERATOR, decision, [ids[which]])
    await public.comments.withdraw("c", ids[5], "d5")
    taken = await public.promotions.promote("c", CHAIR, ids[0])
    await public.promotions.end("c", CHAIR, taken.id)
    civil, money = (
        await office.department("市民政局"),
        await office.department("市财政局", email="m@example.cn"),
    )
    bus, late, nobody = [
        await office.case(text, f"x{n}") for n, text in enumerate(("公交太少", "补贴不够", "扶手松了"))
    ]
    await office.responses.assign("c", STAFF, bus.id, civil.id)
    await office.responses.assign("c", STAFF, late.id, money.id)
    world.clock.forward(2 * 86_400)
    await office.submit(civil, bus.id)
    await office.responses.approve("c", STAFF, bus.id)
    await office.answers.rate("c", bus.id, "x0", Rating.FAIRLY)
    world.clock.forward(20 * 86_400)

    account = await accounts.get("c", Role.SECRETARIAT)
    comments = account.comments
    assert (comments.received, comments.rejected, comments.held, comments.withdrawn) == (9, 1, 1, 1)
    assert comments.shown + comments.waiting == 6
    assert comments.groups == 8
    assert (account.viewers.total, account.promoted.comments) == (30, 1)
    assert account.promoted.authors == 2
    assert account.topics, "路灯"
    assert sum(each.comments for each in account.topics) + account.other_topics == 7
    cases = account.responses
    assert (cases.total, cases.answered, cases.overdue) == (4, 1, 1), "what was promoted is a case by itself"
    assert (cases.in_hand, cases.unassigned) == (3, 2)
    assert (account.median_days, account.ratings) == (2.0, {"satisfied": 0, "fairly": 1, "unsatisfied": 0})
    named = {each.name: each for each in account.departments}
    assert (named["市民政局"].answered, named["市民政局"].median_days) == (1, 2.0)
    assert (named["市财政局"].in_hand, named["市财政局"].overdue) == (1, 1)
    first, *rest = account.open
    assert (first.id, first.department, first.overdue_days > 0) == (late.id, "市财政局", True)
    assert {each.due_wall_ms for each in rest} == {None}
    assert nobody.id in {each.id for each in rest}
    assert account.trace is not None
    lines = await world.trace()
    assert (account.trace.number, account.trace.hash) == (lines[-1].number, lines[-1].hash)
    assert (await accounts.get("c", Role.SECRETARIAT)).trace == account.trace, "looking changes nothing"


async def test_only_those_who_may(office: Office) -> None:
    accounts, _ = accounts_of(office)
    for role in Role:
        if role in (Role.CHAIR, Role.MODERATOR, Role.SECRETARIAT, Role.ORGANIZER, Role.ADMINISTRATOR):
            assert (await accounts.get("c", role)).consultation.id == "c"
        else:
            with pytest.raises(ConferenceError) as caught:
                await accounts.get("c", role)
            assert caught.value.code == "forbidden"
