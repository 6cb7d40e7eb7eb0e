"""Talkback between desk and venues: an operator reads and writes for the own hall, who watches over them for all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from conference.events import VenueMessaged
from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.model.venue_message import NEWEST
from conference.services.links import LinkKind
from conference.services.venues import VenueDraft
from tests.unit.services.conftest import World


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def operator(world: World, name: str, session: str) -> tuple[Venue, str]:
    """A venue and its operator, who came by its link."""
    venue = await world.venues.add(
        "c", world.bearer(Role.SECRETARIAT), VenueDraft(name, VenueKind.BRANCH, operator_name=session)
    )
    linked = await world.entrances.look(world.links.code(LinkKind.VENUE, venue.id, venue.link_revision))
    return venue, await world.arrivals.join(world.guest(linked.pass_(), f"t_{session}"), session)


async def named_operator(world: World, venue: str, session: str) -> str:
    """An operator with a token of the command line: the hall is known by its name alone."""
    entry = replace(world.entry(session, Role.VENUE_OPERATOR), venue=venue)
    return await world.arrivals.join(entry, session)


def texts(world: World, session: str) -> list[str]:
    return [each.message.text for each in world.publisher.of_kind(session, VenueMessaged)]


async def test_each_operator_reads_the_own_venue_and_the_desk_all(world: World) -> None:
    first, ma = await operator(world, "青禾县分会场", "马干事")
    second, ding = await operator(world, "石桥村连线点", "丁会计")
    await world.join("委员")
    desk = await world.desks.open("c", world.bearer(Role.SECRETARIAT), "台")
    await world.desks.open("c", world.bearer(Role.MODERATOR), "审核台")
    sent = await world.venue_talk.send("c", desk, "请把话筒传给何委员。", venue_id=first.id)
    answer = await world.venue_talk.send("c", ma, "收到")
    await world.venue_talk.send("c", ding, "网络不好", venue_id=second.id)
    assert (sent.from_venue, sent.venue, sent.name) == (False, "青禾县分会场", "外")
    assert (answer.from_venue, answer.venue_id) == (True, first.id)
    assert texts(world, "台") == ["请把话筒传给何委员。", "收到", "网络不好"]
    assert texts(world, "马干事") == ["请把话筒传给何委员。", "收到"]
    assert texts(world, "丁会计") == ["网络不好"]
    assert texts(world, "委员") == texts(world, "审核台") == []


async def test_the_snapshots_say_the_same_as_the_events_also_after_a_restart(world: World) -> None:
    venue, ma = await operator(world, "青禾县分会场", "马干事")
    await operator(world, "石桥村连线点", "丁会计")
    member = await world.join("委员")
    desk = await world.desks.open("c", world.bearer(Role.SECRETARIAT), "台")
    for n in range(3):
        await world.venue_talk.send("c", desk if n else ma, str(n), venue_id=venue.id)
    told = tuple(each.message for each in world.publisher.of_kind("马干事", VenueMessaged))
    assert len(told) == 3
    again = await world.restart()
    late = await again.desks.open("c", world.bearer(Role.CHAIR), "台二")
    assert (await again.desks.snapshot("c", late)).venue_messages == told
    for each in (world, again):
        assert (await each.arrivals.snapshot("c", ma)).venue_messages == told
        assert (await each.arrivals.snapshot("c", member)).venue_messages is None
    other = await again.desks.open("c", world.bearer(Role.MODERATOR), "审核台")
    assert (await again.desks.snapshot("c", other)).venue_messages is None


async def test_a_snapshot_has_the_newest_and_pages_lead_to_the_rest(world: World) -> None:
    venue, _ = await operator(world, "青禾县分会场", "马干事")
    staff = world.bearer(Role.SECRETARIAT)
    ids = [(await world.venue_talk.send("c", staff, str(n), venue_id=venue.id)).id for n in range(NEWEST + 5)]
    desk = await world.desks.open("c", staff, "台")
    shown = (await world.desks.snapshot("c", desk)).venue_messages
    assert shown is not None
    assert [each.id for each in shown] == ids[5:]
    page = await world.venue_talk.before("c", staff, venue.id, shown[0].id, 3)
    assert ([each.id for each in page.items], page.next) == (ids[2:5], ids[2])
    page = await world.venue_talk.before("c", staff, venue.id, page.next, 3)
    assert ([each.id for each in page.items], page.next) == (ids[:2], None)
    assert await code_of(world.venue_talk.before("c", staff, venue.id, "vm_none", 3)) == "not_found"


async def test_the_same_key_is_the_same_message(world: World) -> None:
    _, ma = await operator(world, "青禾县分会场", "马干事")
    _, ding = await operator(world, "石桥村连线点", "丁会计")
    first = await world.venue_talk.send("c", ma, "收到", key="k" * 8)
    assert await world.venue_talk.send("c", ma, "收到", key="k" * 8) == first
    assert (await world.venue_talk.send("c", ding, "收到", key="k" * 8)).id != first.id
    assert texts(world, "马干事") == ["收到"]
    again = await world.restart()
    assert (await again.venue_talk.send("c", ma, "收到", key="k" * 8)).id == first.id


async def test_who_may_not(world: World) -> None:
    venue, _ = await operator(world, "青禾县分会场", "马干事")
    _, ding = await operator(world, "石桥村连线点", "丁会计")
    member, stray = await world.join("委员"), await world.join("没有会场", Role.VENUE_OPERATOR)
    desk = await world.desks.open("c", world.bearer(Role.SECRETARIAT), "台")
    other = await world.desks.open("c", world.bearer(Role.MODERATOR), "审核台")
    send = world.venue_talk.send
    assert await code_of(send("c", ding, "x", venue_id=venue.id)) == "forbidden"
    assert await code_of(send("c", member, "x", venue_id=venue.id)) == "forbidden"
    assert await code_of(send("c", other, "x", venue_id=venue.id)) == "forbidden"
    assert await code_of(send("c", stray, "x")) == "no_venue"
    assert await code_of(send("c", desk, "x", venue_id="v_none")) == "not_found"
    assert await code_of(send("c", desk, "x")) == "bad_request"
    assert await code_of(send("c", world.bearer(Role.VENUE_OPERATOR), "x", venue_id=venue.id)) == "forbidden"
    assert (await world.arrivals.snapshot("c", ding)).venue_messages == ()


async def test_a_hall_that_is_known_by_its_name_alone(world: World) -> None:
    """A token of the command line names a venue; where one of that name was prepared, it is that one."""
    venue, _ = await operator(world, "青禾县分会场", "马干事")
    second = await named_operator(world, "青禾县分会场", "又一位")
    stranger = await named_operator(world, "柳塘街道", "许干事")
    desk = await world.desks.open("c", world.bearer(Role.SECRETARIAT), "台")
    assert (await world.venue_talk.send("c", second, "我也在")).venue_id == venue.id
    assert (await world.venue_talk.send("c", stranger, "在吗")).venue_id == "柳塘街道"
    await world.venue_talk.send("c", desk, "在", venue_id="柳塘街道")
    await world.venue_talk.send("c", desk, "好", venue_id=venue.id)
    assert texts(world, "许干事") == ["在吗", "在"]
    assert texts(world, "马干事") == texts(world, "又一位") == ["我也在", "好"]


async def test_the_trace_knows_of_it_without_the_text(world: World) -> None:
    venue, ma = await operator(world, "青禾县分会场", "马干事")
    message = await world.venue_talk.send("c", ma, "话筒没有声音")
    line = (await world.trace())[-1]
    assert (line.action, line.subject, line.actor_id) == ("venue.message", message.id, ma)
    assert "话筒" not in line.content
    assert json.loads(line.content)["venue_id"] == venue.id
