"""Rules of bodies: who changes them, what they refuse, and what is never kept out."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import dataclass

import pytest

from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.rules import GB, Fill, Rules
from conference.services.consultations import ConsultationDraft
from conference.services.entry import Entry, Resume
from conference.services.logins import StaffMember
from conference.services.passwords import Passwords
from conference.services.rooms import RoomLimits
from conference.services.rule_book import RuleBook, ServerRules
from conference.services.staff import Staff
from conference.services.storage_watch import StorageWatch
from tests.unit.services.conftest import World
from tests.unit.services.scripted_meter import ScriptedMeter
from tests.unit.services.test_overview import account

CHAIR = World.bearer(Role.CHAIR)


@dataclass
class Offices:
    """A city with a county below it, and an administrator of each; the county's consultation `c` has begun."""

    world: World
    meter: ScriptedMeter
    book: RuleBook
    city: Organization
    county: Organization
    above: StaffMember
    below: StaffMember

    async def ruled(self, rules: Rules) -> None:
        await self.book.change(self.above, self.county.id, rules)

    async def held(self, *cids: str) -> None:
        for cid in cids:
            draft = ConsultationDraft(title=cid, id=cid, organization_id=self.county.id)
            await self.world.consultations.create(draft)

    async def refused(self, by: StaffMember, organization_id: str, rules: Rules) -> str:
        with pytest.raises(ConferenceError) as caught:
            await self.book.change(by, organization_id, rules)
        return caught.value.code


@pytest.fixture
async def offices(world: World) -> Offices:
    world.rooms.limits = RoomLimits(max_participants=8)
    staff = Staff(world.database, Passwords(), world.clock)
    city = await staff.add_organization(None, "澄川市政协", Level.CITY)
    world.clock.forward(1)
    county = await staff.add_organization(None, "临江县政协", Level.COUNTY, city.id)
    meter = ScriptedMeter()
    watch = StorageWatch(world.rooms, meter)
    return Offices(
        world,
        meter,
        RuleBook(world.rooms, staff, watch, ServerRules(8, 30)),
        city,
        county,
        await account(world, "above", Role.ADMINISTRATOR, city.id),
        await account(world, "below", Role.ADMINISTRATOR, county.id),
    )


async def code_of(waited: Awaitable[object]) -> str:
    with pytest.raises(ConferenceError) as caught:
        await waited
    return caught.value.code


# ── who changes them ────────────────────────────────────────────────────────────────────────────


async def test_a_change_says_old_and_new_and_none_says_nothing(offices: Offices) -> None:
    await offices.ruled(Rules(max_live=2, max_storage_gb=500))
    await offices.ruled(Rules(max_live=2, max_storage_gb=500))
    await offices.ruled(Rules(max_live=1, max_storage_gb=500, retention_days=0))
    lines = [each for each in await offices.world.trace("staff") if each.action == "rules.changed"]
    said = [json.loads(each.content) for each in lines]
    changes = [{name: each[name] for name in each if not name.startswith("by_")} for each in said]
    assert changes == [
        {"max_live": {"from": None, "to": 2}, "max_storage_gb": {"from": None, "to": 500}},
        {"max_live": {"from": 2, "to": 1}, "retention_days": {"from": None, "to": 0}},
    ]
    assert {each.subject for each in lines} == {offices.county.id}
    assert {each.actor_id for each in lines} == {offices.above.user.id}


async def test_who_is_limited_does_not_lift_that_himself(offices: Offices) -> None:
    county, rules = offices.county.id, Rules(max_live=1, max_participants=5)
    await offices.ruled(rules)
    assert await offices.refused(offices.below, county, Rules()) == "forbidden"
    await offices.book.change(offices.below, county, Rules(1, 5, None, retention_days=90))
    (seen,) = await offices.book.look(offices.below)
    assert (seen.rules, seen.may_limit) == (Rules(1, 5, None, 90), False)
    assert await offices.refused(offices.below, offices.city.id, Rules()) == "not_found"
    own = await offices.book.change(offices.above, offices.city.id, Rules(max_live=3))
    assert own.may_limit, "nobody stands above"


async def test_only_administrators_and_never_more_than_the_server(offices: Offices) -> None:
    clerk = await account(offices.world, "clerk", Role.SECRETARIAT, offices.city.id)
    assert await offices.refused(clerk, offices.city.id, Rules()) == "forbidden"
    assert await code_of(offices.book.look(clerk)) == "forbidden"
    assert await offices.refused(offices.above, offices.county.id, Rules(max_participants=9)) == (
        "limit_beyond_server"
    )
    assert (await offices.book.look(offices.above))[1].rules == Rules()


# ── what is used ────────────────────────────────────────────────────────────────────────────────


async def test_what_each_uses_stands_beside_its_rules(offices: Offices) -> None:
    world = offices.world
    await offices.held("n", "m")
    await world.life_cycle.start("n", CHAIR)
    for cid, name in (("n", "甲"), ("m", "乙"), ("m", "丙")):
        await world.arrivals.join(Entry(cid, Role.MEMBER, name, None, name), name)
    await world.join("不属于任何机构")
    await offices.ruled(Rules(max_storage_gb=10))
    before = (await offices.book.look(offices.above))[1].use
    assert (before.used_bytes, before.measured_at_ms, before.fill) == (None, None, Fill.OK)
    offices.meter.sizes = {"n": 6 * GB, "m": 3 * GB, "c": 90 * GB, "nothing known": 5}
    await offices.book._watch.tick()
    city, county = await offices.book.look(offices.above)
    assert (city.use.live, city.use.present, city.use.used_bytes) == (0, 0, 0)
    assert (county.use.live, county.use.present, county.use.fullest) == (1, 3, 2)
    assert (county.use.used_bytes, county.use.fill) == (9 * GB, Fill.NEAR)
    assert county.use.measured_at_ms == world.clock.wall_ms()


# ── consultations that run ──────────────────────────────────────────────────────────────────────


async def test_one_more_than_may_run_is_refused_and_nothing_changes(offices: Offices) -> None:
    world = offices.world
    await offices.held("n", "m")
    await offices.ruled(Rules(max_live=1))
    await world.life_cycle.start("n", CHAIR)
    lines = len(await world.trace("m"))
    assert await code_of(world.life_cycle.start("m", CHAIR)) == "too_many_live"
    assert (await world.consultations.get("m")).status is Status.SCHEDULED
    assert len(await world.trace("m")) == lines
    await world.life_cycle.start("c", CHAIR)  # of no body
    await world.life_cycle.end("n", CHAIR)
    await world.life_cycle.start("m", CHAIR)


async def test_a_limit_that_comes_later_stops_nothing_that_runs(offices: Offices) -> None:
    world = offices.world
    await offices.held("n", "m", "k")
    for cid in ("n", "m"):
        await world.life_cycle.start(cid, CHAIR)
    await offices.ruled(Rules(max_live=1))
    assert [(await world.consultations.get(cid)).status for cid in ("n", "m")] == [Status.LIVE] * 2
    await world.life_cycle.end("n", CHAIR)
    assert await code_of(world.life_cycle.start("k", CHAIR)) == "too_many_live"


# ── seats ───────────────────────────────────────────────────────────────────────────────────────


async def seated(offices: Offices, name: str, role: Role = Role.MEMBER, resume: Resume | None = None) -> str:
    return await offices.world.arrivals.join(Entry("n", role, name, None, f"t_{name}", resume=resume), name)


async def test_a_room_takes_no_more_than_its_body_lets_it(offices: Offices) -> None:
    await offices.held("n")
    await offices.ruled(Rules(max_participants=2))
    await seated(offices, "甲")
    await seated(offices, "乙")
    assert await code_of(seated(offices, "丙")) == "room_limit"
    await offices.ruled(Rules(max_participants=3))
    await seated(offices, "丙")


async def test_who_leads_and_halls_are_never_kept_out(offices: Offices) -> None:
    await offices.held("n")
    await offices.ruled(Rules(max_participants=1))
    await seated(offices, "甲")
    for role in (Role.CHAIR, Role.SECRETARIAT, Role.VENUE_OPERATOR):
        await seated(offices, role.value, role)
    assert await code_of(seated(offices, "审核", Role.MODERATOR)) == "room_limit"


async def test_who_was_there_comes_back(offices: Offices) -> None:
    world = offices.world
    await offices.held("n")
    await offices.ruled(Rules(max_participants=1))
    first = await seated(offices, "甲")
    resume = world.resume("甲")
    assert await seated(offices, "甲二", resume=resume) == first, "the seat is there"
    await world.departures.disconnect("n", first, "甲二")
    world.clock.forward(61)
    await world.departures.expire()
    await seated(offices, "乙")
    assert await seated(offices, "甲三", resume=resume) == first, "its grace ran out"


async def test_an_invitee_who_was_lost_comes_back_by_the_link_and_who_left_does_not(offices: Offices) -> None:
    world = offices.world
    await world.consultations.create(
        ConsultationDraft(title="会", id="n", organization_id=offices.county.id, waiting_room=False)
    )
    await offices.ruled(Rules(max_participants=1))
    for name, is_lost in (("走散", True), ("离开", False)):
        who = Entry("n", Role.MEMBER, name, None, f"t_{name}", invitee_id=f"i_{name}")
        mine = await world.arrivals.join(who, name)
        if is_lost:
            await world.departures.disconnect("n", mine, name)
            world.clock.forward(61)
            await world.departures.expire()
        else:
            await world.departures.leave("n", mine)
        other = await seated(offices, f"别人{name}")
        if is_lost:
            assert await world.arrivals.join(who, f"{name}二") == mine
            await world.departures.leave("n", mine)
        else:
            assert await code_of(world.arrivals.join(who, f"{name}二")) == "room_limit"
        await world.departures.leave("n", other)


async def test_nobody_is_let_in_from_the_waiting_room_beyond_it(offices: Offices) -> None:
    world = offices.world
    draft = ConsultationDraft(title="会", id="n", organization_id=offices.county.id, waiting_room=True)
    await world.consultations.create(draft)
    await offices.ruled(Rules(max_participants=3))
    chair = await seated(offices, "主持", Role.CHAIR)
    waiting = [await seated(offices, f"群众{each}", Role.CITIZEN) for each in range(4)]
    assert await world.waiting.admit_all("n", chair) == 2
    assert await code_of(world.waiting.admit("n", chair, waiting[3])) == "room_limit"
