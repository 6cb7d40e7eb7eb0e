"""The waiting room, invitees on two devices, phones in a hall."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.events import (
    ParticipantJoined,
    ParticipantLeft,
    SessionRefused,
    SessionRemoved,
    SessionReplaced,
    Snapshot,
    Waiting,
    WaitingJoined,
    WaitingLeft,
)
from conference.model.consultation import Mode
from conference.model.errors import ConferenceError
from conference.model.participant import EntryMeans, LeaveReason
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.editing import Editing
from conference.services.entrances import Pass
from conference.services.entry import Entry, Resume
from conference.services.live_room import LiveRoom
from conference.services.rooms import RoomLimits
from conference.services.trace import Bearer
from conference.services.venues import VenueDraft
from conference.services.warrants import Warrant, void_among
from tests.unit.services.conftest import World
from tests.unit.services.fakes import by_id


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


@pytest.fixture
async def door(world: World) -> World:
    """A consultation that lets nobody in by themselves."""
    async with world.database.transaction() as unit:
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, waiting_room=True))
        await unit.audit.append(world.rooms.entry(await _room(world), world.bearer(Role.CHAIR).actor, "test"))
    return world


async def _room(world: World) -> LiveRoom:
    async with world.rooms.locked("c") as room:
        return room


def waiting(world: World, session_id: str) -> Waiting:
    return world.publisher.of_kind(session_id, Waiting)[-1]


def resume_of(event: Waiting) -> Resume:
    return Resume(event.participant_id, event.resume_secret)


async def test_who_waits_sees_nothing_and_is_seen_by_those_who_may_admit(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    desk = await door.desks.open("c", door.bearer(Role.SECRETARIAT), "台")
    organizer = await door.desks.open("c", door.bearer(Role.ORGANIZER), "组织")
    member = await door.join("张三")
    assert [type(each) for each in door.publisher.sent["张三"]] == [Waiting]
    event = waiting(door, "张三")
    assert (event.name, event.participant_id, event.consultation.title) == ("张三", member, "协商会")
    for session in ("主持人", "台"):
        assert [e.person.participant_id for e in door.publisher.of_kind(session, WaitingJoined)] == [member]
        assert not door.publisher.of_kind(session, ParticipantJoined)
    assert not door.publisher.of_kind("组织", WaitingJoined)
    fresh = await door.arrivals.snapshot("c", chair)
    assert [each.participant_id for each in fresh.waiting or ()] == [member]
    assert by_id(fresh.participants).keys() == {chair}
    assert (await door.desks.snapshot("c", desk)).waiting == fresh.waiting
    assert (await door.desks.snapshot("c", organizer)).waiting is None
    assert member not in door.media.gates
    assert not any(call[0] == "subscribe" and call[1] == member for call in door.media.calls)

    assert await door.waiting.admit("c", desk, member) == 1
    assert [type(each) for each in door.publisher.sent["张三"]] == [Waiting, Snapshot]
    assert [e.participant_id for e in door.publisher.of_kind("主持人", WaitingLeft)] == [member]
    assert [e.participant.id for e in door.publisher.of_kind("主持人", ParticipantJoined)] == [member]
    assert ("subscribe", member, False) in door.media.calls
    assert (await door.arrivals.snapshot("c", chair)).waiting == ()
    assert (await door.arrivals.snapshot("c", member)).waiting is None
    async with door.database.reading() as unit:
        stays = [each.participant_id for each in await unit.stays.of("c")]
    assert sorted(stays) == sorted([chair, member])


async def test_every_request_of_who_waits_is_refused(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    calls = [
        door.floors.request("c", member),
        door.floors.grant("c", member, chair),
        door.floors.withdraw("c", member, member),
        door.moderation.choose("c", member, microphone=True),
        door.moderation.mute("c", member, chair, muted=True, hard=True),
        door.statements.add("c", member, "x", key="k" * 8),
        door.statements.before("c", member, None, 10),
        door.agendas.advance("c", member),
        door.arrivals.snapshot("c", member),
        door.departures.remove("c", member, chair),
        door.waiting.admit("c", member, member),
        door.waiting.admit_all("c", member),
        door.waiting.refuse("c", member, member),
        door.media_sessions.publish("c", member, "offer", ()),
        door.media_sessions.restart("c", member),
    ]
    assert [await code_of(each) for each in calls] == ["not_admitted"] * len(calls)
    assert [type(each) for each in door.publisher.sent["张三"]] == [Waiting]


async def test_admitting_and_refusing_need_the_right(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    await door.waiting.admit("c", chair, member)
    other = await door.join("李四")
    for call in (
        door.waiting.admit("c", member, other),
        door.waiting.admit_all("c", member),
        door.waiting.refuse("c", member, other),
        door.waiting.refuse("c", door.bearer(Role.ORGANIZER), other),
    ):
        assert await code_of(call) == "forbidden"


async def test_those_who_lead_do_not_wait(door: World) -> None:
    for role in (Role.CHAIR, Role.SECRETARIAT, Role.ORGANIZER, Role.ADMINISTRATOR):
        await door.join(role.value, role)
        assert door.publisher.of_kind(role.value, Snapshot)


async def test_refused_once_twice_and_after_leaving(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    await door.waiting.refuse("c", chair, member)
    assert door.publisher.of_kind("张三", SessionRemoved) == [SessionRemoved("主持人", "refused")]
    assert "张三" in door.publisher.closed
    assert await code_of(door.waiting.refuse("c", chair, member)) == "not_found"
    assert await code_of(door.waiting.admit("c", chair, member)) == "not_found"
    gone = await door.join("李四")
    await door.departures.leave("c", gone)
    assert await code_of(door.waiting.admit("c", chair, gone)) == "not_found"
    again = await door.join("张三")  # may knock again
    assert waiting(door, "张三").participant_id == again != member
    async with door.database.reading() as unit:
        rows = {each.id: each.leave_reason for each in await unit.participants.of("c")}
    assert (rows[member], rows[gone]) == (LeaveReason.REFUSED, LeaveReason.LEFT)
    actions = [
        line.action for line in await door.trace() if line.action.startswith(("waiting", "participant.w"))
    ]
    assert actions == [
        "participant.waiting",
        "waiting.refused",
        "participant.waiting",
        "waiting.left",
        "participant.waiting",
    ]


async def test_two_who_admit_the_same(door: World) -> None:
    chair, desk = (
        await door.join("主持人", Role.CHAIR),
        await door.desks.open("c", door.bearer(Role.CHAIR), "台"),
    )
    member = await door.join("张三")
    assert await door.waiting.admit("c", chair, member) == 1
    assert await door.waiting.admit("c", desk, member) == 0
    assert [line.action for line in await door.trace()].count("participant.admitted") == 1


async def test_all_at_once_as_far_as_there_are_places(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    members = [await door.join(f"委员{n}") for n in range(5)]
    assert await door.waiting.admit_all("c", chair) == 4  # five places in all
    left = (await door.arrivals.snapshot("c", chair)).waiting or ()
    assert [each.participant_id for each in left] == members[4:]
    assert await code_of(door.waiting.admit_all("c", chair)) == "room_full"
    await door.departures.leave("c", members[0])
    assert await door.waiting.admit_all("c", chair) == 1
    assert await door.waiting.admit_all("c", chair) == 0


async def test_who_was_admitted_once_does_not_wait_again(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    await door.waiting.admit("c", chair, member)
    await door.departures.leave("c", member)
    await door.join("张三")
    assert len(door.publisher.of_kind("张三", Snapshot)) == 2


async def test_somebody_removed_comes_back_through_the_waiting_room(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    _, given = await world.invited()
    first = await world.arrivals.join(world.guest(given), "张三")
    await world.moderation.mute("c", chair, first, muted=True, hard=True)
    await world.departures.remove("c", chair, first)
    assert world.publisher.of_kind("张三", SessionRemoved)[-1].reason == "removed"
    assert await world.arrivals.join(world.guest(given, "t_new"), "又来") == first
    assert waiting(world, "又来").participant_id == first
    await world.waiting.admit("c", chair, first)
    view = by_id(world.publisher.snapshot("又来").participants)[first]
    assert view.hard_muted
    await world.departures.leave("c", first)
    assert await world.arrivals.join(world.guest(given, "t_newer"), "三来") == first
    assert not world.publisher.of_kind("三来", Waiting)

    plain = await world.join("李四")
    await world.departures.remove("c", chair, plain)
    await world.join("李四")
    assert len(world.publisher.of_kind("李四", Waiting)) == 1
    streams = world.entry("李四")
    assert await code_of(world.streams.publish(streams, "offer")) == "not_admitted"
    assert await code_of(world.streams.play(streams, chair, "offer")) == "not_admitted"


@pytest.mark.parametrize("role", [Role.SECRETARIAT, Role.MODERATOR])
async def test_staff_who_were_removed_wait_whatever_token_they_fetch(world: World, role: Role) -> None:
    def at_the_door(number: int) -> Entry:
        token_id = f"t_{number}"
        warrant = Warrant(token_id, role, EntryMeans.STAFF, user_id="u_1")
        return replace(
            world.entry("李秘书", role), token_id=token_id, warrant=warrant, entered_by=EntryMeans.STAFF
        )

    chair = await world.join("主持人", Role.CHAIR)
    first = await world.arrivals.join(at_the_door(1), "一")
    second = await world.arrivals.join(at_the_door(2), "二")
    assert world.publisher.snapshot("二").self.participant_id == second
    await world.departures.remove("c", chair, first)
    await world.departures.remove("c", chair, second)
    back = await world.arrivals.join(at_the_door(3), "三")
    assert waiting(world, "三").participant_id == back
    own = Bearer(Role.SECRETARIAT, "t_4", "李秘书", "u_1")
    assert await code_of(world.waiting.admit("c", own, back)) == "forbidden"
    assert await world.waiting.admit_all("c", own) == 0
    await world.waiting.admit("c", Bearer(Role.SECRETARIAT, "t_5", "王秘书", "u_2"), back)
    await world.departures.leave("c", back)
    again = await world.arrivals.join(at_the_door(6), "六")
    assert world.publisher.snapshot("六").self.participant_id == again


async def turn_off(world: World) -> None:
    editing = Editing(world.rooms, world.floors, world.waiting)
    room = await _room(world)
    by = world.bearer(Role.ORGANIZER, "周")
    await editing.edit("c", by, room.consultation.revision, {"waiting_room": False})


async def test_turning_the_waiting_room_off_lets_in_who_waited_for_it(world: World) -> None:
    world.limits = RoomLimits()
    world = await world.restart()
    chair = await world.join("主持人", Role.CHAIR)
    _, given = await world.invited("王伟")
    removed = await world.arrivals.join(world.guest(given, "t_1"), "王一")
    await world.departures.remove("c", chair, removed)
    await world.arrivals.join(world.guest(given, "t_2"), "王二")
    hall = await world.venues.add("c", world.bearer(Role.SECRETARIAT), VenueDraft("分会场", VenueKind.BRANCH))
    stranger = Pass("c", Role.MEMBER, "路人", hall.name, EntryMeans.CODE, None, hall.id, in_hall=True)
    guest = await world.arrivals.join(world.guest(stranger, "t_3"), "路人")
    room = await _room(world)
    editing = Editing(world.rooms, world.floors, world.waiting)
    await editing.edit("c", world.bearer(Role.ORGANIZER), room.consultation.revision, {"waiting_room": True})
    _, listed = await world.invited("张三")
    member = await world.arrivals.join(world.guest(listed, "t_4"), "张三")
    away = await world.join("李四")
    await world.departures.disconnect("c", away, "李四")
    assert len(room.waiting) == 4
    await turn_off(world)
    assert set(room.waiting) == {removed, guest}
    assert list(room.seats) == [chair, member, away]
    assert by_id(world.publisher.snapshot("张三").participants).keys() == {chair, member}
    admitted = [line for line in await world.trace() if line.action == "participant.admitted"]
    assert {line.subject for line in admitted} == {member, away}
    assert {line.actor_id for line in admitted} == {"t_周"}
    again = await world.restart()
    assert set((await _room(again)).waiting) == {removed, guest}


async def test_whom_the_room_has_no_place_for_goes_on_waiting(door: World) -> None:
    first, second = await door.join("张三"), await door.join("李四")
    door.rooms.limits = replace(door.limits, max_participants=1)
    await turn_off(door)
    room = await _room(door)
    assert (list(room.seats), list(room.waiting)) == ([first], [second])
    assert not room.consultation.waiting_room


async def test_who_sends_oneself_out_has_left(world: World) -> None:
    warrant = Warrant("t_1", Role.SECRETARIAT, EntryMeans.STAFF, user_id="u_1")
    entry = replace(world.entry("李秘书", Role.SECRETARIAT), warrant=warrant, entered_by=EntryMeans.STAFF)
    me = await world.arrivals.join(entry, "一")
    desk = await world.desks.open("c", Bearer(Role.SECRETARIAT, "t_2", "李秘书", "u_1"), "台")
    await world.departures.remove("c", desk, me)
    assert world.publisher.of_kind("一", SessionRemoved)
    await world.arrivals.join(entry, "二")
    assert world.publisher.snapshot("二").self.name == "李秘书"


async def test_streams_do_not_go_round_the_door(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    assert await code_of(door.streams.publish(door.entry("摄像机"), "offer")) == "not_admitted"
    assert await code_of(door.streams.play(door.entry("播放"), chair, "offer")) == "not_admitted"
    member = await door.join("摄像机")
    await door.waiting.admit("c", chair, member)
    await door.streams.publish(door.entry("摄像机"), "offer")


async def test_waiting_survives_a_lost_connection_and_a_kill(door: World) -> None:
    await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    event = waiting(door, "张三")
    await door.departures.disconnect("c", member, "张三")
    assert await door.join("张三二", resume=resume_of(event)) == member
    assert waiting(door, "张三二").since_wall_ms == event.since_wall_ms
    door.clock.forward(20)

    again = await door.restart()
    chair = await again.join("主持人", Role.CHAIR)
    (person,) = (await again.arrivals.snapshot("c", chair)).waiting or ()
    assert (person.participant_id, person.since_wall_ms) == (member, event.since_wall_ms)
    assert await again.join("张三三", resume=resume_of(event)) == member
    assert [type(each) for each in again.publisher.sent["张三三"]] == [Waiting]
    assert await again.waiting.admit("c", chair, member) == 1
    assert again.publisher.of_kind("张三三", Snapshot)


async def test_who_waits_and_is_gone_for_long_is_lost_and_waits_again(door: World) -> None:
    await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    event = waiting(door, "张三")
    await door.departures.disconnect("c", member, "张三")
    door.clock.forward(60)
    await door.departures.expire()
    assert [e.participant_id for e in door.publisher.of_kind("主持人", WaitingLeft)] == [member]
    assert await door.join("张三二", resume=resume_of(event)) == member
    assert door.publisher.of_kind("张三二", Waiting)
    assert len(door.publisher.of_kind("主持人", WaitingJoined)) == 2


async def test_admitted_while_the_connection_is_gone(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    member = await door.join("张三")
    event = waiting(door, "张三")
    await door.departures.disconnect("c", member, "张三")
    await door.waiting.admit("c", chair, member)
    assert not by_id((await door.arrivals.snapshot("c", chair)).participants)[member].connected
    assert await door.join("张三二", resume=resume_of(event)) == member
    assert door.publisher.snapshot("张三二").self.resumed


async def test_those_who_wait_when_it_ends_are_told(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    await door.join("张三")
    await door.life_cycle.start("c", door.bearer(Role.CHAIR))
    await door.life_cycle.end("c", door.bearer(Role.CHAIR))
    await door.departures.expire()
    (event,) = door.publisher.of_kind("张三", SessionRefused)
    assert event.code == "consultation_ended"
    assert "张三" in door.publisher.closed
    assert (await door.arrivals.snapshot("c", chair)).waiting == ()


# ── one invitee, one participant ────────────────────────────────────────────────────────────────


async def test_an_invitee_is_the_same_participant_every_time(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    _, given = await world.invited("王五", title="局长", sector="农业界")
    first = await world.arrivals.join(world.guest(given, "t_1"), "一")
    view = by_id(world.publisher.snapshot("一").participants)[first]
    assert (view.name, view.title, view.sector, view.entered_by) == ("王五", "局长", "农业界", "invite")
    await world.moderation.mute("c", chair, first, muted=True, hard=True)
    await world.departures.leave("c", first)
    assert await world.arrivals.join(world.guest(given, "t_2"), "二") == first
    assert by_id(world.publisher.snapshot("二").participants)[first].hard_muted
    async with world.database.reading() as unit:
        stays = [each.participant_id for each in await unit.stays.of("c")]
    assert sorted(stays) == sorted([chair, first, first])
    again = await world.restart()
    assert await again.arrivals.join(again.guest(given, "t_3"), "三") == first


async def test_a_second_device_asks_which_stays(world: World) -> None:
    _, given = await world.invited("王五")
    first = await world.arrivals.join(world.guest(given, "t_1"), "电脑")
    old = world.resume("电脑")
    assert await code_of(world.arrivals.join(world.guest(given, "t_2"), "手机")) == "second_device"
    assert not world.publisher.sent["手机"]
    assert not world.publisher.of_kind("电脑", SessionReplaced)
    world.clock.forward(1)
    assert await world.arrivals.join(world.guest(given, "t_2", take_over=True), "手机") == first
    assert world.publisher.of_kind("电脑", SessionReplaced)
    assert "电脑" in world.publisher.closed
    snapshot = world.publisher.snapshot("手机")
    assert (snapshot.self.resumed, len(snapshot.participants)) == (False, 1)
    # Nothing of the old device is good any more: its transports, its secret.
    assert world.media.calls.index(("leave", first)) > 0
    assert (
        await code_of(world.arrivals.join(world.guest(given, "t_1", resume=old), "电脑"))
    ) == "second_device"
    await world.departures.disconnect("c", first, "电脑")
    room = world.rooms.find("c")
    assert room is not None
    assert room.seat(first).session_id == "手机"
    assert [line.action for line in await world.trace()][-1] == "participant.moved"
    async with world.database.reading() as unit:
        assert [each.reason for each in await unit.stays.of("c")] == ["moved", None]


async def test_taking_over_while_both_wait(door: World) -> None:
    await door.join("主持人", Role.CHAIR)
    _, given = await door.invited("王五")
    first = await door.arrivals.join(door.guest(given, "t_1"), "电脑")
    assert await code_of(door.arrivals.join(door.guest(given, "t_2"), "手机")) == "second_device"
    assert await door.arrivals.join(door.guest(given, "t_2", take_over=True), "手机") == first
    assert door.publisher.of_kind("电脑", SessionReplaced)
    assert waiting(door, "手机").resume_secret != waiting(door, "电脑").resume_secret


async def test_a_device_whose_connection_is_gone_needs_no_question(world: World) -> None:
    _, given = await world.invited("王五")
    first = await world.arrivals.join(world.guest(given, "t_1"), "电脑")
    await world.departures.disconnect("c", first, "电脑")
    assert await world.arrivals.join(world.guest(given, "t_2"), "手机") == first
    assert by_id(world.publisher.snapshot("手机").participants)[first].connected


# ── phones in a hall ────────────────────────────────────────────────────────────────────────────


async def hall(world: World, name: str, invitee_id: str | None = None, role: Role = Role.MEMBER) -> Pass:
    draft = VenueDraft("西乡分会场", VenueKind.BRANCH)
    venue = await world.venues.add("c", world.bearer(Role.SECRETARIAT), draft)
    return Pass("c", role, name, venue.name, EntryMeans.CODE, invitee_id, venue.id, in_hall=True)


async def test_a_stranger_with_a_halls_code_always_waits(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    given = await hall(world, "路人")
    guest = await world.arrivals.join(world.guest(given), "手机")
    (person,) = (await world.arrivals.snapshot("c", chair)).waiting or ()
    assert (person.known, person.in_hall, person.venue, person.entered_by) == (
        False,
        True,
        "西乡分会场",
        EntryMeans.CODE,
    )
    await world.waiting.admit("c", chair, guest)
    await world.departures.leave("c", guest)
    await world.arrivals.join(world.guest(given, "t_other"), "另一台")
    assert world.publisher.of_kind("另一台", Waiting)


async def test_a_phone_in_a_hall_is_deaf_and_dumb_without_the_floor(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    invitee, _ = await world.invited("王五")
    given = await hall(world, "王五", invitee.id)
    phone = await world.arrivals.join(world.guest(given), "手机")
    snapshot = world.publisher.snapshot("手机")
    assert snapshot.self.in_hall
    view = by_id(snapshot.participants)[phone]
    assert (view.in_hall, view.microphone) == (True, False)
    assert phone in world.media.deaf
    assert not world.media.gates[phone]
    assert await code_of(world.moderation.choose("c", phone, microphone=True)) == "floor_required"
    await world.moderation.mute("c", chair, phone, muted=False, hard=False)
    assert not world.media.gates[phone]
    for mode in (Mode.AGENDA, Mode.FREE):
        await world.floors.set_mode("c", chair, mode)
        await world.floors.grant("c", chair, phone)
        assert world.media.gates[phone]
        await world.floors.end("c", chair)
        assert not world.media.gates[phone]


async def test_the_link_takes_an_invitee_out_of_the_hall(world: World) -> None:
    invitee, link = await world.invited("王五")
    given = await hall(world, "王五", invitee.id)
    phone = await world.arrivals.join(world.guest(given), "手机")
    assert (
        await code_of(world.arrivals.join(world.guest(given, "t_2", take_over=True), "小偷"))
        == "second_device"
    )
    assert await world.arrivals.join(world.guest(link, "t_3", take_over=True), "电脑") == phone
    view = by_id(world.publisher.snapshot("电脑").participants)[phone]
    assert (view.in_hall, view.entered_by) == (False, EntryMeans.INVITE)
    assert phone not in world.media.deaf
    await world.moderation.choose("c", phone, microphone=True)
    assert world.media.gates[phone]


# ── links that are good no longer ───────────────────────────────────────────────────────────────


async def test_what_stood_on_a_link_is_closed_with_it(world: World) -> None:
    chair = await world.join("主持人", Role.CHAIR)
    staff = world.bearer(Role.SECRETARIAT)
    invitee, given = await world.invited("王五")
    entry = world.guest(given, "t_1")
    member = await world.arrivals.join(entry, "电脑")
    encoder = (await world.streams.publish(entry, "offer")).id
    await world.invitees.new_link("c", staff, invitee.id)
    assert entry.warrant is not None
    async with world.database.reading() as unit:
        void = await void_among(unit, [entry.warrant])
    await world.departures.revoke("c", void, "会务组")
    assert world.publisher.of_kind("电脑", SessionRemoved) == [SessionRemoved("会务组", "revoked")]
    left = {e.participant_id: e.reason for e in world.publisher.of_kind("主持人", ParticipantLeft)}
    assert left == {member: LeaveReason.REVOKED, encoder: LeaveReason.REVOKED}
    renewed = replace(given, link_revision=2)
    assert await world.arrivals.join(world.guest(renewed, "t_2"), "又来") == member
    assert not world.publisher.of_kind("又来", Waiting)
    assert by_id((await world.arrivals.snapshot("c", chair)).participants).keys() == {chair, member}


async def test_revoking_reaches_the_waiting_room_and_desks(door: World) -> None:
    _, given = await door.invited("王五")
    entry = door.guest(given, "t_1")
    await door.arrivals.join(entry, "电脑")
    assert entry.warrant is not None
    desk_warrant = replace(entry.warrant, token_id="t_desk")
    await door.desks.open("c", door.bearer(Role.CHAIR), "台", warrant=desk_warrant)
    await door.departures.revoke("c", {entry.warrant, desk_warrant}, "会务组")
    for session in ("电脑", "台"):
        assert door.publisher.of_kind(session, SessionRemoved)[-1].reason == "revoked"
        assert session in door.publisher.closed
    assert door.rooms.find("c") is None


async def test_a_corrected_list_shows_in_the_room_at_once(world: World) -> None:
    staff = world.bearer(Role.SECRETARIAT)
    await world.join("主持人", Role.CHAIR)
    invitee, given = await world.invited("王五")
    member = await world.arrivals.join(world.guest(given), "电脑")
    await hall(world, "x")
    (venue,) = await world.venues.list("c")
    await world.invitees.edit("c", staff, invitee.id, {"name": "王伍", "venue_id": venue.id})
    view = by_id((await world.arrivals.snapshot("c", member)).participants)[member]
    assert (view.name, view.venue) == ("王伍", "西乡分会场")
    await world.venues.edit("c", staff, venue.id, {"name": "东乡分会场"})
    view = by_id((await world.arrivals.snapshot("c", member)).participants)[member]
    assert view.venue == "东乡分会场"
    async with world.database.reading() as unit:
        row = await unit.participants.get(member)
    assert row is not None
    assert (row.name, row.venue) == ("王伍", "东乡分会场")


async def test_who_is_corrected_before_the_door_keeps_the_place_in_the_row(door: World) -> None:
    chair = await door.join("主持人", Role.CHAIR)
    invitee, given = await door.invited("王五")
    first = await door.arrivals.join(door.guest(given), "手机")
    second = await door.join("张三")
    await door.invitees.edit("c", door.bearer(Role.SECRETARIAT), invitee.id, {"name": "王伍"})
    again = await door.arrivals.join(replace(door.guest(given), take_over=True), "电脑")
    row = (await door.arrivals.snapshot("c", chair)).waiting or ()
    assert again == first
    assert [(each.participant_id, each.name) for each in row] == [(first, "王伍"), (second, "张三")]
    told = [each.person.name for each in door.publisher.of_kind("主持人", WaitingJoined)]
    assert told == ["王五", "张三", "王伍", "王伍"]
