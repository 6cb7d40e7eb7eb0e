"""The trace across consultations: whose lines, in which order, page by page."""

from __future__ import annotations

import pytest

from conference.model.audit import AuditPlace
from conference.model.errors import ForbiddenError
from conference.model.organization import Level
from conference.model.permissions import Role
from conference.services.audit_across import AuditAcross, AuditFilter
from conference.services.consultations import ConsultationDraft
from conference.services.logins import StaffMember
from conference.services.passwords import Passwords
from conference.services.staff import Staff
from tests.unit.services.conftest import World
from tests.unit.services.test_overview import account

EVERYTHING = AuditFilter()


class Bodies:
    """A city and two counties, a consultation in each county, and an administrator of the city and of one county."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.staff = Staff(world.database, Passwords(), world.clock)

    async def fill(self) -> tuple[StaffMember, StaffMember]:
        world, staff = self.world, self.staff
        city = await staff.add_organization(None, "澄川市政协", Level.CITY)
        self.county = await staff.add_organization(None, "临江县政协", Level.COUNTY, city.id)
        self.other = await staff.add_organization(None, "青石县政协", Level.COUNTY, city.id)
        above = await account(world, "above", Role.ADMINISTRATOR, city.id)
        below = await account(world, "below", Role.ADMINISTRATOR, self.county.id)
        for cid, body in (("near", self.county), ("far", self.other)):
            world.clock.forward(1)
            await world.consultations.create(ConsultationDraft(title=cid, id=cid, organization_id=body.id))
        for cid in ("far", "near"):
            world.clock.forward(1)
            await world.life_cycle.start(cid, World.bearer(Role.CHAIR))
        return above, below

    async def all(
        self, by: StaffMember, wanted: AuditFilter = EVERYTHING, *, limit: int = 3, scan: int = 1000
    ) -> list[tuple[str, str]]:
        """Chain and action of every page's lines; no page is longer than asked for."""
        across = AuditAcross(self.world.database, self.staff, scan)
        found: list[tuple[str, str]] = []
        before: AuditPlace | None = None
        for _ in range(100):
            page = await across.page(by, wanted, before, limit)
            assert len(page.lines) <= limit
            found += [(each.line.chain, each.line.action) for each in page.lines]
            if page.next is None:
                return found
            assert before is None or page.next < before, "it goes on"
            before = page.next
        raise AssertionError("no end")


async def test_whose_lines_are_there_and_in_which_order(world: World) -> None:
    bodies = Bodies(world)
    above, below = await bodies.fill()
    seen = await bodies.all(above)
    assert seen[:4] == [
        ("near", "consultation.started"),
        ("far", "consultation.started"),
        ("far", "consultation.created"),
        ("near", "consultation.created"),
    ]
    assert seen.count(("staff", "organization.added")) == 3, "everything of staff from the top"
    mine = await bodies.all(below)
    assert {chain for chain, _ in mine} == {"near", "c", "staff"}, "c is of no body: open to all"
    staff_lines = sorted(action for chain, action in mine if chain == "staff")
    assert staff_lines == ["organization.added", "user.added", "user.logged_in"], "of the own alone"
    with pytest.raises(ForbiddenError):
        await bodies.all(await account(world, "clerk", Role.ORGANIZER, bodies.county.id))


@pytest.mark.parametrize(("limit", "scan"), [(1, 1), (2, 3), (100, 4), (100, 1000)])
async def test_pages_and_bounds_lose_nothing_and_repeat_nothing(world: World, limit: int, scan: int) -> None:
    bodies = Bodies(world)
    above, below = await bodies.fill()
    for who in (above, below):
        assert await bodies.all(who, limit=limit, scan=scan) == await bodies.all(who, limit=1000)
    only = AuditFilter(action="consultation.started")
    assert await bodies.all(above, only, limit=limit, scan=scan) == [
        ("near", "consultation.started"),
        ("far", "consultation.started"),
    ]


async def test_filters(world: World) -> None:
    bodies = Bodies(world)
    above, below = await bodies.fill()
    assert {chain for chain, _ in await bodies.all(above, AuditFilter(consultation_id="far"))} == {"far"}
    assert await bodies.all(below, AuditFilter(consultation_id="far")) == []
    by_me = await bodies.all(above, AuditFilter(actor=above.user.id))
    assert by_me == [("staff", "user.logged_in")]
    assert ("staff", "user.added") in await bodies.all(above, AuditFilter(actor="cli"))
    now_ms = world.clock.wall_ms()
    assert await bodies.all(above, AuditFilter(since_ms=now_ms)) == [("near", "consultation.started")]
    assert await bodies.all(above, AuditFilter(since_ms=now_ms - 1000, until_ms=now_ms)) == [
        ("far", "consultation.started")
    ]


async def test_lines_have_the_names_that_were_not_deleted_and_titles(world: World) -> None:
    bodies = Bodies(world)
    above, _ = await bodies.fill()
    across = AuditAcross(world.database, bodies.staff)
    page = await across.page(above, AuditFilter(action="user.added", actor="cli"), None, 10)
    assert [each.names.get("name") for each in page.lines] == ["below", "above"]
    assert (await across.page(above, EVERYTHING, None, 10)).titles["near"] == "near"
