"""Making, starting and ending consultations, and program time across restarts."""

import pytest

from conference.events import ConsultationUpdated
from conference.model.consultation import ProgramGap, Status
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from tests.unit.services.conftest import World


async def test_made_scheduled_public_and_open(world: World) -> None:
    made = await world.consultations.create(ConsultationDraft(title="题目"))
    assert made == await world.consultations.get(made.id)
    assert (made.status, made.is_public, made.waiting_room) == (Status.SCHEDULED, True, False)
    with pytest.raises(ConferenceError) as caught:
        await world.consultations.create(ConsultationDraft(title="题目", id=made.id))
    assert caught.value.code == "consultation_exists"


async def test_starting_and_ending_needs_the_right_and_is_told_to_the_room(world: World) -> None:
    await world.join("a")
    with pytest.raises(ConferenceError) as caught:
        await world.life_cycle.start("c", world.bearer(Role.MEMBER))
    assert caught.value.code == "forbidden"
    await world.life_cycle.start("c", world.bearer(Role.SECRETARIAT))
    with pytest.raises(ConferenceError) as caught:
        await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    assert caught.value.code == "invalid_state"
    world.clock.forward(90)
    ended = await world.life_cycle.end("c", world.bearer(Role.ORGANIZER))
    assert ended.program_high_water_ms == 90_000
    told = [event.consultation.status for event in world.publisher.of_kind("a", ConsultationUpdated)]
    assert told == [Status.LIVE, Status.ENDED]
    world.clock.forward(10)
    assert world.rooms.program_time_ms(ended) == 90_000


async def test_program_time_goes_on_after_an_outage_which_is_a_listed_gap(world: World) -> None:
    consultation = await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    world.clock.forward(20)
    assert world.rooms.program_time_ms(consultation) == 20_000
    await world.rooms.heartbeat()
    world.clock.forward(40)
    new = await world.restart()
    consultation = await new.consultations.get("c")
    assert new.rooms.program_time_ms(consultation) == 60_000
    async with world.database.reading() as unit:
        assert await unit.consultations.gaps("c") == [ProgramGap("c", 20_000, 60_000)]


async def test_program_time_never_falls_below_the_mark(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    world.clock.forward(20)
    await world.rooms.heartbeat()
    world.clock.epoch_ms -= 3_600_000  # somebody set the clock back while we were down
    new = await world.restart()
    assert new.rooms.program_time_ms(await new.consultations.get("c")) == 20_000


async def test_the_demo_consultation_is_reused_until_it_is_over(world: World) -> None:
    draft = ConsultationDraft(title="演示", id="demo")
    first = await world.consultations.rehearse(draft)
    world.clock.forward(5)
    assert await world.consultations.rehearse(draft) == first
    await world.life_cycle.start("demo", world.bearer(Role.CHAIR))
    assert (await world.consultations.rehearse(draft)).status is Status.LIVE
    await world.life_cycle.end("demo", world.bearer(Role.CHAIR))
    again = await world.consultations.rehearse(draft)
    assert (again.status, again.started_at_ms) == (Status.SCHEDULED, None)
