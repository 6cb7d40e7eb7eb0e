"""The floor: granting, gates, modes, time, two chairs, restarts."""

from dataclasses import replace

import pytest

from conference.events import FloorGiven, FloorTaken, FloorUpdated, FloorView, FloorWarning
from conference.model.consultation import Mode
from conference.model.errors import ConferenceError
from conference.model.floor import Ending, EndReason, TurnState
from conference.model.media import Speaker, SpeakersChanged
from conference.model.permissions import Role
from conference.services.rooms import RoomLimits
from tests.unit.services.conftest import World


async def people(world: World) -> tuple[str, str, str]:
    return await world.join("主持人", Role.CHAIR), await world.join("b"), await world.join("d")


async def live(world: World) -> tuple[str, str, str]:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    return await people(world)


def floor(world: World) -> FloorView:
    room = world.rooms.find("c")
    assert room is not None
    return room.floor_view()


def state(world: World) -> TurnState | None:
    holder = floor(world).holder
    return holder.state if holder is not None else None


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def forward(world: World, seconds: float) -> None:
    """Time goes on, with the timer that looks at it."""
    world.clock.forward(seconds)
    await world.floor_clock.tick()


def speak(world: World, *ids: str) -> None:
    world.media.emit(SpeakersChanged("c", tuple(Speaker(each, -20) for each in ids)))


async def test_granting_takes_the_hand_and_opens_the_gate_of_a_muted_holder(world: World) -> None:
    chair, member, other = await live(world)
    await world.floors.request("c", member)
    await world.floors.request("c", other)
    await world.moderation.mute("c", chair, member, muted=True, hard=True)
    view = await world.floors.grant("c", chair, member, duration_ms=300_000)
    assert view.holder is not None
    assert (view.holder.participant_id, view.holder.state) == (member, TurnState.WAITING)
    assert [each.participant_id for each in view.queue] == [other]
    assert world.media.gates[member] is True
    assert world.publisher.of_kind("b", FloorGiven) == [FloorGiven(300_000, Ending.SOFT)]
    assert world.publisher.of_kind("d", FloorUpdated)[-1].floor == view
    await world.floors.end("c", chair)
    assert world.media.gates[member] is False
    assert world.publisher.of_kind("b", FloorTaken) == [FloorTaken(EndReason.WITHDRAWN)]
    assert await code_of(world.moderation.choose("c", member, microphone=True)) == "hard_muted"


async def test_a_holder_may_switch_off_and_stays_off_afterwards(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.grant("c", chair, member)
    await world.moderation.choose("c", member, microphone=False)
    assert world.media.gates[member] is False
    await world.moderation.choose("c", member, microphone=True)
    assert world.media.gates[member] is True
    await world.moderation.mute("c", chair, member, muted=True, hard=True)
    assert world.media.gates[member] is False
    assert await code_of(world.moderation.choose("c", member, microphone=True)) == "hard_muted"
    await world.moderation.mute("c", chair, member, muted=False, hard=False)
    assert world.media.gates[member] is True
    await world.floors.withdraw("c", member, member)
    assert world.media.gates[member] is False
    assert world.publisher.of_kind("b", FloorTaken) == [FloorTaken(EndReason.FINISHED)]


async def test_in_chair_mode_the_floor_is_needed_and_choices_hold_again_after_it(world: World) -> None:
    chair, member, quiet = await live(world)
    await world.moderation.choose("c", quiet, microphone=False)
    await world.floors.set_mode("c", chair, Mode.CHAIR)
    assert [world.media.gates[each] for each in (chair, member, quiet)] == [True, False, False]
    assert await code_of(world.moderation.choose("c", member, microphone=True)) == "floor_required"
    newcomer = await world.join("e")
    assert world.media.gates[newcomer] is False
    await world.floors.grant("c", chair, quiet)
    assert world.media.gates[quiet] is True
    await world.moderation.mute_all("c", chair, muted=True, hard=False)
    assert world.media.gates[quiet] is True  # who holds the floor is spared
    await world.moderation.mute_all("c", chair, muted=False, hard=False)
    await world.floors.set_mode("c", chair, Mode.FREE)
    assert [world.media.gates[each] for each in (member, quiet, newcomer)] == [True, True, True]
    await world.floors.end("c", chair)
    assert world.media.gates[quiet] is False


async def test_the_countdown_warns_and_goes_on_softly(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.grant("c", chair, member, duration_ms=120_000)
    await forward(world, 5)
    assert state(world) is TurnState.WAITING
    speak(world, member)
    await forward(world, 1)
    holder = floor(world).holder
    assert holder is not None
    assert (holder.state, holder.started_at_ms) == (TurnState.RUNNING, 6_000)
    await forward(world, 60)
    assert world.publisher.of_kind("b", FloorWarning) == [FloorWarning(60_000)]
    await forward(world, 60)
    assert state(world) is TurnState.OVER
    await forward(world, 10)
    assert world.media.gates[member] is True
    await world.floors.extend("c", chair, 60_000)
    assert state(world) is TurnState.RUNNING
    await world.floors.end("c", chair)
    _, spoken = await world.floors.speaking("c")
    assert [(each.participant_id, each.spoken_ms) for each in spoken] == [(member, 130_000)]


async def test_without_sound_it_begins_after_fifteen_seconds_and_may_end_hard(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.grant("c", chair, member, duration_ms=30_000, ending=Ending.HARD)
    await forward(world, 15)
    assert state(world) is TurnState.RUNNING
    await forward(world, 30)
    assert floor(world).holder is None
    assert world.media.gates[member] is False
    assert world.publisher.of_kind("b", FloorTaken) == [FloorTaken(EndReason.TIME)]
    await world.moderation.choose("c", member, microphone=True)
    assert world.media.gates[member] is True


async def test_a_holder_who_drops_out_keeps_the_floor_for_a_while(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.grant("c", chair, member, duration_ms=300_000)
    speak(world, member)
    await forward(world, 0)
    world.clock.forward(100)
    await world.departures.disconnect("c", member, "b")
    await forward(world, 3)
    holder = floor(world).holder
    assert holder is not None
    assert (holder.state, holder.spoken_ms, holder.started_at_ms) == (TurnState.GRACE, 100_000, None)
    await forward(world, 40)
    await world.join("b2", resume=world.resume("b"))
    await forward(world, 0)
    assert state(world) is TurnState.WAITING
    assert world.publisher.of_kind("b2", FloorGiven) == [FloorGiven(300_000, Ending.SOFT)]
    await world.departures.disconnect("c", member, "b2")
    await forward(world, 3)
    await forward(world, 57)
    assert floor(world).holder is None


async def test_leaving_gives_the_floor_back(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.set_mode("c", chair, Mode.CHAIR)
    await world.floors.grant("c", chair, member)
    await world.departures.leave("c", member)
    assert floor(world).holder is None
    assert [line.action for line in await world.trace()][-2:] == ["floor.ended", "participant.left"]


async def test_the_next_speaker_ends_the_one_before(world: World) -> None:
    chair, member, other = await live(world)
    await world.floors.grant("c", chair, member)
    await world.floors.grant("c", chair, member, duration_ms=60_000)
    assert len(world.publisher.of_kind("b", FloorGiven)) == 1
    await world.floors.grant("c", chair, other)
    assert world.publisher.of_kind("b", FloorTaken) == [FloorTaken(EndReason.FINISHED)]
    holder = floor(world).holder
    assert holder is not None
    assert holder.participant_id == other


async def test_the_later_of_two_chairs_is_told(world: World) -> None:
    chair, member, other = await live(world)
    second = await world.join("刘主持人", Role.SECRETARIAT)
    seen = world.publisher.snapshot("刘主持人").version
    await world.floors.request("c", member)
    await world.floors.grant("c", second, member, version=seen)  # a new hand is no conflict
    with pytest.raises(ConferenceError) as caught:
        await world.floors.grant("c", chair, other, version=seen)
    assert caught.value.code == "conflict"
    assert "刘主持人刚刚改了发言顺序" in caught.value.text
    await world.floors.extend("c", second, 1_000, version=seen)  # one's own change is none either
    room = world.rooms.find("c")
    assert room is not None
    await world.floors.grant("c", chair, other, version=room.version)


async def test_ordering_the_queue(world: World) -> None:
    chair, member, other = await live(world)
    third = await world.join("e")
    for each in (member, other, third):
        await world.floors.request("c", each)
    view = await world.floors.order("c", chair, [third])
    assert [each.participant_id for each in view.queue] == [third, member, other]
    for bad in (["p_nobody"], [third, third], [chair]):
        assert await code_of(world.floors.order("c", chair, bad)) == "bad_request"
    assert await code_of(world.floors.order("c", member, [member])) == "forbidden"


async def test_who_may_not(world: World) -> None:
    chair, member, _ = await people(world)
    observer = await world.join("o", Role.OBSERVER)
    assert await code_of(world.floors.grant("c", member, member)) == "forbidden"
    assert await code_of(world.floors.set_mode("c", member, Mode.CHAIR)) == "forbidden"
    assert await code_of(world.floors.request("c", observer)) == "forbidden"
    assert await code_of(world.floors.grant("c", chair, observer)) == "forbidden"
    assert await code_of(world.floors.grant("c", chair, "p_nobody")) == "not_found"
    assert await code_of(world.floors.extend("c", chair, 1_000)) == "invalid_state"


async def test_before_the_start_it_works_without_times_and_goes_live_at_zero(world: World) -> None:
    chair, member, _ = await people(world)
    await world.floors.grant("c", chair, member, duration_ms=60_000)
    speak(world, member)
    await forward(world, 300)
    holder = floor(world).holder
    assert holder is not None
    assert (holder.granted_at_ms, holder.started_at_ms, holder.state) == (None, None, TurnState.RUNNING)
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    holder = floor(world).holder
    assert holder is not None
    assert holder.started_at_ms == 0
    await forward(world, 61)
    assert state(world) is TurnState.OVER
    await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    assert floor(world).holder is None


async def test_a_restart_goes_on_with_the_floor_on_program_time(world: World) -> None:
    chair, member, other = await live(world)
    await world.floors.set_mode("c", chair, Mode.CHAIR)
    await world.floors.request("c", other)
    await world.floors.grant("c", chair, member, duration_ms=300_000)
    speak(world, member)
    await forward(world, 0)
    before = floor(world)
    await world.rooms.heartbeat()
    world.clock.forward(10)
    again = await world.restart()
    assert floor(again) == before
    assert await again.join("b2", resume=world.resume("b")) == member
    assert again.media.gates[member] is True
    await again.join("d2", resume=world.resume("d"))
    assert again.media.gates[other] is False
    await forward(again, 290)
    assert state(again) is TurnState.OVER


async def test_a_restart_after_a_long_outage_ends_the_turn_where_the_server_stopped(world: World) -> None:
    chair, member, _ = await live(world)
    await world.floors.grant("c", chair, member)
    speak(world, member)
    await forward(world, 0)
    world.clock.forward(20)
    await world.rooms.heartbeat()
    world.clock.forward(600)
    again = await world.restart()
    view, spoken = await again.floors.speaking("c")
    assert view.holder is None
    assert [each.spoken_ms for each in spoken] == [20_000]


async def encoder(world: World, name: str, venue: str | None) -> str:
    entry = replace(world.entry(name, Role.VENUE_OPERATOR), venue=venue)
    return (await world.streams.publish(entry, "offer")).id


async def test_the_microphones_of_a_venue_are_open_while_somebody_of_it_has_the_floor(world: World) -> None:
    world.limits = RoomLimits(max_participants=20)
    world = await world.restart()
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    chair = await world.join("主持人", Role.CHAIR)
    operator = await world.arrivals.join(
        replace(world.entry("o", Role.VENUE_OPERATOR), venue="分会场"), "操作员"
    )
    guest = await world.arrivals.join(replace(world.entry("g"), venue="分会场"), "委员")
    stranger = await world.join("s")
    hall, other = await encoder(world, "全景", "分会场"), await encoder(world, "别处", "主会场")
    nowhere = await encoder(world, "无会场", None)
    gates = world.media.gates

    def is_open(*ids: str) -> list[bool]:
        return [gates[each] for each in ids]

    assert is_open(hall, other, nowhere) == [True, True, True]
    await world.moderation.mute("c", chair, hall, muted=True, hard=True)
    await world.floors.grant("c", chair, operator)
    assert is_open(hall, other) == [False, True]  # in free discussion each by itself
    await world.floors.set_mode("c", chair, Mode.AGENDA)
    assert is_open(operator, guest, hall, other, nowhere) == [True, False, True, False, False]
    late = await encoder(world, "特写", "分会场")
    assert is_open(late) == [True]
    await world.floors.grant("c", chair, guest)
    assert is_open(operator, guest, hall, late, other) == [False, True, True, True, False]
    await world.moderation.mute("c", chair, late, muted=True, hard=False)
    assert is_open(hall, late) == [True, False]
    await world.floors.grant("c", chair, operator)
    assert is_open(hall, late) == [True, False]  # muted during the turns of its venue
    await world.floors.grant("c", chair, stranger)
    assert is_open(stranger, operator, hall, late, nowhere) == [True, False, False, False, False]
    await world.floors.grant("c", chair, hall)
    assert is_open(hall, late, operator) == [True, True, False]
    await world.floors.end("c", chair)
    assert is_open(hall, late, other) == [False, False, False]
    await world.floors.grant("c", chair, operator, duration_ms=1_000, ending=Ending.HARD)
    speak(world, operator)
    await forward(world, 0)
    assert is_open(operator, hall) == [True, True]
    await forward(world, 1)
    assert is_open(operator, hall) == [False, False]
    await world.floors.set_mode("c", chair, Mode.FREE)
    assert is_open(hall, other, late) == [False, True, False]  # as they were muted
    await world.departures.leave("c", operator)
    await world.trace()


async def test_a_phone_in_the_hall_speaks_without_the_hall_s_microphones(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    in_hall = replace(world.entry("g"), venue="分会场", in_hall=True)
    phone = await world.arrivals.join(in_hall, "手机")
    laptop = await world.arrivals.join(replace(world.entry("l"), venue="分会场"), "电脑")
    hall = await encoder(world, "全景", "分会场")
    await world.floors.set_mode("c", chair, Mode.AGENDA)
    gates = world.media.gates
    await world.floors.grant("c", chair, laptop)
    assert (gates[laptop], gates[hall]) == (True, True)
    await world.floors.grant("c", chair, phone)
    assert (gates[phone], gates[laptop], gates[hall]) == (True, False, False)
    late = await encoder(world, "特写", "分会场")
    assert not gates[late]
    await world.floors.grant("c", chair, laptop)
    assert (gates[phone], gates[hall], gates[late]) == (False, True, True)


def focus(world: World) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return world.media.focused[-1]


async def test_media_is_told_whose_microphones_are_of_the_floor_and_of_the_chair(world: World) -> None:
    chair, member, _ = await live(world)
    hall = await world.arrivals.join(replace(world.entry("厅", Role.VENUE_OPERATOR), venue="东厅"), "厅")
    guest = await world.arrivals.join(replace(world.entry("客"), venue="东厅"), "客")
    assert focus(world) == ((), (chair,))
    await world.floors.grant("c", chair, member)
    assert focus(world) == ((member,), (chair,))
    await world.floors.grant("c", chair, guest)
    assert focus(world) == ((hall, guest), (chair,)), "a hall's microphone is shared"
    told = len(world.media.focused)
    await world.moderation.choose("c", member, microphone=False)
    assert len(world.media.focused) == told, "nothing changed"
    world.media.failures["focus"] = "media_unavailable"
    await world.floors.end("c", chair)
    del world.media.failures["focus"]
    world.media.restart("e2")
    await world.moderation.choose("c", member, microphone=True)
    assert focus(world) == ((), (chair,)), "a new media process is told anew"
