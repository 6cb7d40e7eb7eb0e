"""Entering, coming back, losing the connection, leaving."""

import pytest

from conference.events import (
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    SessionRemoved,
    SessionReplaced,
)
from conference.model.errors import ConferenceError
from conference.model.participant import LeaveReason
from conference.model.permissions import Role
from conference.services.arrivals import RETURN_WINDOW_MS
from conference.services.entry import Resume
from tests.unit.services.conftest import World
from tests.unit.services.fakes import by_id


async def test_the_snapshot_comes_first_and_the_others_hear_of_it(world: World) -> None:
    first = await world.join("a", Role.CHAIR)
    second = await world.join("b")
    snapshot = world.publisher.snapshot("b")
    assert [view.id for view in snapshot.participants] == [first, second]
    assert snapshot.self.participant_id == second
    assert not snapshot.self.resumed
    assert "participant.mute" in world.publisher.snapshot("a").self.can
    joined = world.publisher.of_kind("a", ParticipantJoined)
    assert [event.participant.id for event in joined] == [second]
    assert joined[0].version == snapshot.version
    assert ("subscribe", second, False) in world.media.calls


async def test_one_token_may_open_several_sessions(world: World) -> None:
    assert await world.join("a") != await world.join("a")


async def test_a_lost_participant_keeps_the_seat_for_the_grace_period(world: World) -> None:
    await world.join("a")
    lost = await world.join("b")
    await world.departures.disconnect("c", lost, "b")
    assert not world.publisher.of_kind("a", ParticipantUpdated)[-1].participant.connected
    world.clock.forward(59)
    await world.departures.expire()
    back = await world.join("b2", resume=world.resume("b"))
    assert back == lost
    assert world.publisher.snapshot("b2").self.resumed
    assert world.publisher.of_kind("a", ParticipantUpdated)[-1].participant.connected
    assert not world.publisher.of_kind("a", ParticipantLeft)


async def test_and_is_lost_after_it(world: World) -> None:
    await world.join("a")
    lost = await world.join("b")
    await world.departures.disconnect("c", lost, "b")
    world.clock.forward(60)
    await world.departures.expire()
    left = world.publisher.of_kind("a", ParticipantLeft)[-1]
    assert (left.participant_id, left.reason) == (lost, LeaveReason.LOST)
    assert ("leave", lost) in world.media.calls


async def test_who_comes_back_later_is_the_same_participant_still_hard_muted(world: World) -> None:
    chair = await world.join("a", Role.CHAIR)
    lost = await world.join("b")
    await world.moderation.mute("c", chair, lost, muted=True, hard=True)
    await world.departures.disconnect("c", lost, "b")
    world.clock.forward(600)
    await world.departures.expire()
    assert await world.join("b2", resume=world.resume("b")) == lost
    assert by_id(world.publisher.snapshot("b2").participants)[lost].hard_muted
    assert world.media.gates[lost] is False


async def test_a_wrong_secret_makes_a_newcomer(world: World) -> None:
    known = await world.join("a")
    other = await world.join("b", resume=Resume(known, "x" * 43))
    assert other != known
    assert not world.publisher.snapshot("b").self.resumed


async def test_who_left_or_was_removed_does_not_resume(world: World) -> None:
    chair = await world.join("a", Role.CHAIR)
    gone = await world.join("b")
    removed = await world.join("r")
    await world.departures.leave("c", gone)
    await world.departures.remove("c", chair, removed)
    assert await world.join("b2", resume=world.resume("b")) != gone
    assert await world.join("r2", resume=world.resume("r")) != removed
    assert world.publisher.of_kind("r", SessionRemoved)[0].by == "a"
    assert "r" in world.publisher.closed


async def test_removing_needs_the_right(world: World) -> None:
    member = await world.join("a")
    other = await world.join("b")
    with pytest.raises(ConferenceError) as caught:
        await world.departures.remove("c", member, other)
    assert caught.value.code == "forbidden"


async def test_a_second_socket_takes_over(world: World) -> None:
    participant = await world.join("a")
    assert await world.join("a2", resume=world.resume("a")) == participant
    assert world.publisher.of_kind("a", SessionReplaced)
    assert "a" in world.publisher.closed
    await world.departures.disconnect("c", participant, "a")  # the old socket's end is no departure
    room = world.rooms.find("c")
    assert room is not None
    assert room.seat(participant).lost_at_s is None


async def test_an_expired_token_is_good_for_coming_back_only(world: World) -> None:
    participant = await world.join("a")
    resume = world.resume("a")
    assert await world.join("a2", resume=resume, expired=True) == participant
    with pytest.raises(ConferenceError) as caught:
        await world.join("b", expired=True)
    assert caught.value.code == "token_expired"
    await world.departures.disconnect("c", participant, "a2")
    world.clock.forward(61)
    await world.departures.expire()
    with pytest.raises(ConferenceError, match="token_expired"):
        await world.join("a3", resume=resume, expired=True)


async def test_a_full_room_says_so_and_lets_its_own_back_in(world: World) -> None:
    for number in range(5):
        await world.join(f"s{number}")
    with pytest.raises(ConferenceError) as caught:
        await world.join("late")
    assert caught.value.code == "room_full"
    await world.join("s0b", resume=world.resume("s0"))


async def test_an_unknown_and_an_ended_consultation(world: World) -> None:
    with pytest.raises(ConferenceError) as caught:
        async with world.rooms.locked("nope"):
            pass
    assert caught.value.code == "consultation_not_found"
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.join("a")
    await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    with pytest.raises(ConferenceError) as caught:
        await world.join("b")
    assert caught.value.code == "consultation_ended"
    await world.join("a2", resume=world.resume("a"))  # nobody is cut off in the middle of a goodbye


async def test_media_that_is_away_does_not_keep_anybody_out(world: World) -> None:
    world.media.failures["join"] = world.media.failures["subscribe"] = "media_unavailable"
    await world.join("a")
    world.media.failures = {"join": "room_full"}
    with pytest.raises(ConferenceError) as caught:
        await world.join("b")
    assert caught.value.code == "room_full"


async def test_empty_rooms_are_dropped(world: World) -> None:
    participant = await world.join("a")
    assert world.rooms.find("c") is not None
    await world.departures.leave("c", participant)
    assert world.rooms.find("c") is None


async def test_after_a_restart_those_of_the_last_minute_are_still_there(world: World) -> None:
    chair = await world.join("a", Role.CHAIR)
    member = await world.join("b")
    old = await world.join("old")
    await world.moderation.mute("c", chair, member, muted=True, hard=True)
    await world.floors.request("c", member)
    await world.moderation.choose("c", chair, camera=False)
    room = world.rooms.find("c")
    assert room is not None
    room.seat(old).lost_at_s = world.clock.monotonic()
    world.clock.forward(50)
    await world.rooms.heartbeat()
    world.clock.forward(30)
    new = await world.restart()
    resumed = await new.join("b2", resume=world.resume("b"))
    views = by_id(new.publisher.snapshot("b2").participants)
    assert resumed == member
    assert list(views) == [chair, member]
    assert not views[chair].connected
    assert not views[chair].camera
    assert (views[member].hard_muted, views[member].muted_by, views[member].hand) == (True, "a", 1)
    assert new.media.gates == {member: False}
    new.clock.forward(60)
    await new.departures.expire()
    assert new.publisher.of_kind("b2", ParticipantLeft)[-1].participant_id == chair


async def test_nobody_comes_back_after_the_return_window(world: World) -> None:
    lost = await world.join("a")
    await world.departures.disconnect("c", lost, "a")
    world.clock.forward(61)
    await world.departures.expire()
    world.clock.forward(RETURN_WINDOW_MS / 1000)
    assert await world.join("a2", resume=world.resume("a")) != lost


async def test_sockets_that_close_while_the_server_stops_are_no_departures(world: World) -> None:
    participant = await world.join("a")
    world.departures.stop()
    await world.departures.disconnect("c", participant, "a")
    new = await world.restart()
    assert await new.join("a2", resume=world.resume("a")) == participant
