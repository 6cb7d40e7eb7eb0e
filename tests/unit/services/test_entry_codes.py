"""Six digits for phones in a hall: who is found by a name, and how guessing ends."""

from __future__ import annotations

import asyncio

import pytest

from conference.model.errors import ConferenceError
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.entry_codes import EntryCodes, Knock
from conference.services.venues import VenueDraft
from conference.storage.ephemeral.memory import MemoryRateLimits
from tests.unit.services.conftest import World

STAFF = World.bearer(Role.SECRETARIAT)


@pytest.fixture
async def hall(world: World) -> Venue:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡分会场", VenueKind.BRANCH))
    return await world.venues.new_code("c", STAFF, venue.id)


@pytest.fixture
def codes(world: World) -> EntryCodes:
    return EntryCodes(world.database, world.clock, world.issue, MemoryRateLimits(world.clock))


def knock(code: str | None, device: str = "phone-01", address: str = "10.0.0.1") -> Knock:
    assert code is not None
    return Knock(code, device, address)


def other_than(code: str | None) -> str:
    return "111111" if code != "111111" else "222222"


async def refusal(call: object) -> ConferenceError:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_a_code_opens_its_hall_and_looking_changes_nothing(
    world: World, hall: Venue, codes: EntryCodes
) -> None:
    before = len(await world.trace())
    consultation, venue = await codes.check(knock(hall.entry_code))
    assert (consultation.id, venue.name) == ("c", "西乡分会场")
    assert len(await world.trace()) == before
    assert hall.entry_code is not None
    assert len(hall.entry_code) == 6
    assert hall.entry_code.isdigit()


@pytest.mark.parametrize("typed", ["王 伟", "王　伟", "王伟", " 王伟 "])
async def test_a_name_on_the_list_is_that_invitee_however_it_is_spelled(
    world: World, hall: Venue, codes: EntryCodes, typed: str
) -> None:
    invitee, _ = await world.invited("王伟", venue_id=hall.id, role=Role.EXPERT)
    await world.invited("王伟", venue_id=None)  # of the same name, elsewhere
    issued, known = await codes.enter(knock(hall.entry_code), typed)
    given = world.issued[issued.token_id]
    assert known
    assert (given.invitee_id, given.role, given.name) == (invitee.id, Role.EXPERT, "王伟")
    assert (given.via, given.in_hall, given.venue_id) == (EntryMeans.CODE, True, hall.id)
    line = (await world.trace())[-1]
    assert (line.action, line.actor_id, line.subject) == ("code.used", issued.token_id, invitee.id)
    assert "王" not in line.content


async def test_full_width_letters_and_the_dots_of_names(world: World, hall: Venue, codes: EntryCodes) -> None:
    await world.invited("阿不都·热合曼", venue_id=hall.id)
    await world.invited("Ann Lee", venue_id=hall.id)
    for typed in ("阿不都•热合曼", "阿不都．热合曼", "ａｎｎ　ｌｅｅ"):
        assert (await codes.enter(knock(hall.entry_code), typed))[1], typed


async def test_who_is_not_found_is_a_stranger(world: World, hall: Venue, codes: EntryCodes) -> None:
    for name in ("张三", "张三"):
        await world.invited(name, venue_id=hall.id)  # two of one name: which of them?
    await world.invited("外地人")
    gone, _ = await world.invited("走了的", venue_id=hall.id)
    await world.invitees.remove("c", STAFF, gone.id)
    leading = (Role.CHAIR, Role.SECRETARIAT, Role.MODERATOR)
    for role in leading:
        await world.invited(role.value, venue_id=hall.id, role=role)
    for name in ("张三", "外地人", "走了的", "没听说过", *(role.value for role in leading)):
        issued, known = await codes.enter(knock(hall.entry_code), name)
        given = world.issued[issued.token_id]
        assert (known, given.invitee_id, given.role, given.name) == (False, None, Role.MEMBER, name)


async def test_five_wrong_codes_lock_a_device_for_a_minute(
    world: World, hall: Venue, codes: EntryCodes
) -> None:
    wrong = other_than(hall.entry_code)
    left = []
    for _ in range(5):
        error = await refusal(codes.check(knock(wrong)))
        assert error.code == "code_wrong"
        left.append(error.members["attempts_left"])
        world.clock.forward(2)
    assert left == [4, 3, 2, 1, 0]
    error = await refusal(codes.enter(knock(hall.entry_code), "张三"))  # the right one does not help now
    assert (error.code, error.members["retry_after_s"]) == ("code_locked", 50)
    await codes.check(knock(hall.entry_code, "phone-02"))
    world.clock.forward(51)
    await codes.check(knock(hall.entry_code))


async def test_guesses_at_the_same_time_are_all_counted(world: World, hall: Venue, codes: EntryCodes) -> None:
    wrong = other_than(hall.entry_code)
    errors = await asyncio.gather(*(refusal(codes.check(knock(wrong))) for _ in range(30)))
    assert [each.code for each in errors].count("code_wrong") == 5


async def test_an_address_and_a_node_have_their_own_ends(
    world: World, hall: Venue, codes: EntryCodes
) -> None:
    wrong = other_than(hall.entry_code)
    for n in range(20):
        assert (await refusal(codes.check(knock(wrong, f"device-{n}")))).code == "code_wrong"
    assert (await refusal(codes.check(knock(wrong, "device-new")))).code == "code_locked"
    assert (await refusal(codes.check(knock(hall.entry_code, "device-new")))).code == "code_locked"
    await codes.check(knock(hall.entry_code, "device-new", "10.0.0.2"))
    for n in range(80):
        error = await refusal(codes.check(knock(wrong, f"device-{n}", f"10.1.0.{n}")))
        assert error.code == "code_wrong"
    error = await refusal(codes.check(knock(hall.entry_code, "device-x", "10.2.0.1")))
    assert (error.code, error.detail) == ("code_locked", "entry-code-node")
    world.clock.forward(61)
    await codes.check(knock(hall.entry_code, "device-x", "10.2.0.1"))


async def test_a_whole_hall_comes_in_at_once(world: World, hall: Venue, codes: EntryCodes) -> None:
    for n in range(120):
        assert not (await codes.enter(knock(hall.entry_code, f"device-{n:03}"), f"观众{n}"))[1]


async def test_an_old_code_and_the_code_of_what_is_gone(world: World, hall: Venue, codes: EntryCodes) -> None:
    renewed = await world.venues.new_code("c", STAFF, hall.id)
    assert (await refusal(codes.check(knock(hall.entry_code)))).code == "code_wrong"
    await codes.check(knock(renewed.entry_code))
    await world.venues.no_code("c", STAFF, hall.id)
    await world.venues.no_code("c", STAFF, hall.id)
    assert (await refusal(codes.check(knock(renewed.entry_code)))).code == "code_wrong"
    again = await world.venues.new_code("c", STAFF, hall.id)
    await world.venues.remove("c", STAFF, hall.id)
    assert (await refusal(codes.check(knock(again.entry_code)))).code == "code_wrong"
    assert [line.action for line in await world.trace()].count("venue.code") == 4


async def test_a_consultation_that_is_over_says_so(world: World, hall: Venue, codes: EntryCodes) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    assert (await refusal(codes.check(knock(hall.entry_code)))).code == "consultation_ended"
