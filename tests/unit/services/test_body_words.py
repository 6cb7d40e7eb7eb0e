"""Word lists of bodies: who writes them, and that boards judge by them wherever they were changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.audit import SYSTEM, AuditEntry
from conference.model.comment import CommentState, Level, Word
from conference.model.errors import ConferenceError
from conference.model.organization import Level as BodyLevel
from conference.model.organization import Organization
from conference.model.permissions import Role
from conference.services.body_words import BodyWords
from conference.services.logins import StaffMember
from conference.services.passwords import Passwords
from conference.services.staff import Staff
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.test_overview import account

MODERATOR = World.bearer(Role.MODERATOR, "陈")
LOAN = Word("校园贷", Level.BLOCK, "fraud")


class Office:
    """A city with a county below it; the county holds the consultation `c`."""

    def __init__(self, public: Audience) -> None:
        self.public = public
        self.world = public.world
        self.staff = Staff(self.world.database, Passwords(), self.world.clock)
        self.words = BodyWords(self.world.database, self.staff, self.world.clock)

    async def open(self) -> None:
        self.city = await self.staff.add_organization(None, "澄川市政协", BodyLevel.CITY)
        self.county = await self.staff.add_organization(None, "临江县政协", BodyLevel.COUNTY, self.city.id)
        self.above = await account(self.world, "above", Role.ADMINISTRATOR, self.city.id)
        self.below = await account(self.world, "below", Role.ADMINISTRATOR, self.county.id)
        async with self.world.database.transaction() as unit:
            consultation = await unit.consultations.get("c")
            assert consultation is not None
            await unit.consultations.save(replace(consultation, organization_id=self.county.id))
            await unit.audit.append(AuditEntry("c", 1, None, SYSTEM, "consultation.edited", "c", {}))

    async def refused(
        self, by: StaffMember, body: Organization, *words: Word, seen: int | None = None
    ) -> str:
        with pytest.raises(ConferenceError) as caught:
            await self.words.put(by, body.id, words, seen)
        return caught.value.code


@pytest.fixture
async def office(world: World) -> Office:
    office = Office(Audience(world))
    await office.open()
    return office


async def test_boards_follow_the_list_of_their_body_and_no_other(office: Office) -> None:
    public = office.public
    assert (await public.post("校园贷了解一下")).status is CommentState.PENDING
    await office.words.put(office.above, office.city.id, [LOAN])
    await public.boards.follow_bodies()
    assert (await public.post("办校园贷", device="d2")).status is CommentState.PENDING, "of another body"
    await office.words.put(office.below, office.county.id, [LOAN])
    await public.boards.follow_bodies()
    assert (await public.post("校园贷加我", device="d3")).status is CommentState.REJECTED
    other_node = Audience(office.world)
    assert (await other_node.post("校园贷来了", device="d4")).status is CommentState.REJECTED, "read anew"
    await office.words.put(office.below, office.county.id, [])
    await public.boards.follow_bodies()
    assert (await public.post("说说校园贷的危害", device="d5")).status is CommentState.PENDING


async def test_a_consultation_has_the_last_word(office: Office) -> None:
    public = office.public
    await office.words.put(office.below, office.county.id, [LOAN, Word("举手", Level.BLOCK)])
    await public.desk.set_words("c", MODERATOR, [Word("校园贷", Level.PASS)])
    assert await public.desk.words("c", MODERATOR) == (Word("校园贷", Level.PASS),), "its own alone"
    await public.boards.follow_bodies()
    assert (await public.post("怎样防范校园贷")).status is CommentState.PENDING
    assert (await public.post("举手表决", device="d2")).status is CommentState.REJECTED
    await public.desk.set_words("c", MODERATOR, [])
    assert (await public.post("校园贷", device="d3")).status is CommentState.REJECTED


async def test_of_two_who_change_the_same_list_the_later_is_told(office: Office) -> None:
    first = await office.words.put(office.below, office.county.id, [LOAN], 0)
    assert (first.revision, first.words) == (1, (LOAN,))
    assert (
        await office.refused(office.above, office.county, Word("药酒", Level.HOLD), seen=0) == "edit_conflict"
    )
    assert await office.words.get(office.above, office.county.id) == first
    assert await office.words.put(office.below, office.county.id, [LOAN, LOAN], 1) == first, "nothing changed"


async def test_only_administrators_of_the_body_or_above_it(office: Office) -> None:
    clerk = await account(office.world, "clerk", Role.MODERATOR, office.county.id)
    assert await office.refused(clerk, office.county, LOAN) == "forbidden"
    assert await office.refused(office.below, office.city, LOAN) == "not_found"
    many = [Word(f"词{number}", Level.MARK) for number in range(20_001)]
    assert await office.refused(office.above, office.city, *many) == "too_many_words"
    assert (await office.words.get(office.above, office.city.id)).words == ()
