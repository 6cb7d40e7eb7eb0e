"""Preparing venues and invitees, and their links."""

from __future__ import annotations

import re
from typing import Any

import pytest

from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.invitees import InviteeDraft
from conference.services.links import LinkKind
from conference.services.venues import VenueDraft
from tests.unit.services.conftest import World

STAFF = World.bearer(Role.SECRETARIAT)


async def code_of(call: object) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def texts_of(world: World) -> set[str]:
    """Every personal text that the trace keeps."""
    async with world.database.reading() as unit:
        return {each.text for each in await unit.audit.texts("c", 1, 10_000)}


async def test_each_step_leaves_a_line_without_telephones_and_codes(world: World) -> None:
    draft = VenueDraft("西乡分会场", VenueKind.BRANCH, "三楼", "赵六", "13900002217")
    venue = await world.venues.add("c", STAFF, draft)
    await world.venues.edit("c", STAFF, venue.id, {"place": "四楼", "operator_phone": "13800000000"})
    venue = await world.venues.new_code("c", STAFF, venue.id)
    await world.venues.new_link("c", STAFF, venue.id)
    invitee, _ = await world.invited("王五", phone="13700001111", venue_id=venue.id)
    await world.invitees.edit(
        "c", STAFF, invitee.id, {"phone": "13600001111", "excused": True, "name": "王伍"}
    )
    await world.invitees.new_link("c", STAFF, invitee.id)
    await world.invitees.remove("c", STAFF, invitee.id)
    await world.venues.remove("c", STAFF, venue.id)
    lines = (await world.trace())[1:]
    assert [line.action for line in lines] == [
        "venue.added",
        "venue.edited",
        "venue.code",
        "venue.link",
        "invitee.added",
        "invitee.edited",
        "invitee.link",
        "invitee.removed",
        "venue.removed",
    ]
    written = "".join(line.content for line in lines)
    for secret in ("王五", "赵六", "13900002217", "13800000000", "13700001111", "13600001111"):
        assert secret not in written, secret
    # Six digits may be part of a hash or an id by chance: as a word of their own they may not stand there.
    assert str(venue.entry_code) not in re.findall(r"[0-9A-Za-z]+", written)
    assert await texts_of(world) == {"外", "赵六", "王五", "王伍", ""}
    assert '"place":{"new":"四楼","old":"三楼"}' in lines[1].content
    assert '"operator_phone":"changed"' in lines[1].content


async def test_an_edit_that_changes_nothing_leaves_no_line(world: World) -> None:
    invitee, _ = await world.invited("王五")
    before = len(await world.trace())
    assert await world.invitees.edit("c", STAFF, invitee.id, {"name": "王五", "id": "i_x"}) == invitee
    assert len(await world.trace()) == before


async def test_a_venue_in_use_stays(world: World) -> None:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡", VenueKind.POINT))
    invitee, _ = await world.invited("王五", venue_id=venue.id)
    assert await code_of(world.venues.remove("c", STAFF, venue.id)) == "venue_in_use"
    await world.invitees.edit("c", STAFF, invitee.id, {"venue_id": None})
    await world.venues.remove("c", STAFF, venue.id)
    assert await world.venues.list("c") == []
    assert await code_of(world.venues.remove("c", STAFF, venue.id)) == "not_found"
    assert await code_of(world.invitees.edit("c", STAFF, invitee.id, {"venue_id": venue.id})) == "not_found"


async def test_nobody_without_the_right_changes_anything(world: World) -> None:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡", VenueKind.POINT))
    invitee, _ = await world.invited("王五")
    chair = world.bearer(Role.CHAIR)
    calls: list[Any] = [
        world.venues.add("c", chair, VenueDraft("x", VenueKind.MAIN)),
        world.venues.edit("c", chair, venue.id, {"name": "x"}),
        world.venues.remove("c", chair, venue.id),
        world.venues.new_link("c", chair, venue.id),
        world.venues.new_code("c", chair, venue.id),
        world.venues.no_code("c", chair, venue.id),
        world.invitees.add("c", chair, InviteeDraft("x")),
        world.invitees.edit("c", chair, invitee.id, {"name": "x"}),
        world.invitees.remove("c", chair, invitee.id),
        world.invitees.new_link("c", chair, invitee.id),
    ]
    assert [await code_of(each) for each in calls] == ["forbidden"] * len(calls)


async def test_of_another_consultation_is_not_found(world: World) -> None:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡", VenueKind.POINT))
    invitee, _ = await world.invited("王五")
    assert await code_of(world.venues.edit("d", STAFF, venue.id, {"name": "x"})) == "consultation_not_found"
    await world.consultations.create(ConsultationDraft(title="另一场", id="d"))
    assert await code_of(world.venues.edit("d", STAFF, venue.id, {"name": "x"})) == "not_found"
    assert await code_of(world.invitees.remove("d", STAFF, invitee.id)) == "not_found"
    assert await code_of(world.invitees.add("d", STAFF, InviteeDraft("x", venue_id=venue.id))) == "not_found"


async def test_nobody_is_invited_as_staff(world: World) -> None:
    invitee, _ = await world.invited("王五")
    for role in (Role.VENUE_OPERATOR, Role.ADMINISTRATOR, Role.ORGANIZER):
        assert await code_of(world.invited("x", role=role)) == "bad_request"
        assert await code_of(world.invitees.edit("c", STAFF, invitee.id, {"role": role})) == "bad_request"


async def test_the_list_in_pages_and_searched(world: World) -> None:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡分会场", VenueKind.BRANCH))
    for n in range(5):
        await world.invited(
            f"委员{n}", sector="农业界" if n % 2 else "", venue_id=venue.id if n > 2 else None
        )
    first = await world.invitees.page("c", limit=2)
    second = await world.invitees.page("c", limit=2, after=first.next)
    third = await world.invitees.page("c", limit=2, after=second.next)
    names = [each.invitee.name for page in (first, second, third) for each in page.items]
    assert names == [f"委员{n}" for n in range(5)]
    assert (first.total, third.next) == (5, None)

    async def found(query: str) -> list[str]:
        return [each.invitee.name for each in (await world.invitees.page("c", query=query)).items]

    assert await found("西　乡") == ["委员3", "委员4"]
    assert await found("农业") == ["委员1", "委员3"]
    assert await found("委员 ４") == ["委员4"]
    assert await found("没有") == []
    assert (await world.invitees.page("c", after="i_gone")).items == ()


async def test_when_somebody_was_last_there(world: World) -> None:
    invitee, given = await world.invited("王五")
    (listed,) = (await world.invitees.page("c")).items
    assert listed.last_seen_ms is None
    member = await world.arrivals.join(world.guest(given), "电脑")
    world.clock.forward(5)
    await world.departures.disconnect("c", member, "电脑")
    (listed,) = (await world.invitees.page("c")).items
    assert listed.last_seen_ms == world.clock.wall_ms()
    assert await world.invitees.listed(invitee) == listed


async def test_a_link_is_looked_at_without_being_used(world: World) -> None:
    invitee, _ = await world.invited("王五", title="局长")
    code = world.links.code(LinkKind.INVITEE, invitee.id, 1)
    before = len(await world.trace())
    linked = await world.entrances.look(code)
    assert (linked.kind, linked.invitee, linked.consultation.id) == (LinkKind.INVITEE, invitee, "c")
    assert len(await world.trace()) == before
    issued = await world.entrances.enter(code)
    line = (await world.trace())[-1]
    assert (line.action, line.subject, line.actor_id) == ("link.used", invitee.id, issued.token_id)


async def test_links_that_are_none_or_none_any_more(world: World) -> None:
    venue = await world.venues.add("c", STAFF, VenueDraft("西乡", VenueKind.POINT, operator_name="赵六"))
    invitee, _ = await world.invited("王五")
    old = [
        world.links.code(LinkKind.INVITEE, invitee.id, 1),
        world.links.code(LinkKind.VENUE, venue.id, 1),
    ]
    operator = (await world.entrances.look(old[1])).pass_()
    assert (operator.role, operator.name, operator.venue) == (Role.VENUE_OPERATOR, "赵六", "西乡")
    await world.invitees.new_link("c", STAFF, invitee.id)
    await world.venues.new_link("c", STAFF, venue.id)
    new = [
        world.links.code(LinkKind.INVITEE, invitee.id, 2),
        world.links.code(LinkKind.VENUE, venue.id, 2),
    ]
    for code in new:
        await world.entrances.enter(code)
    await world.invitees.remove("c", STAFF, invitee.id)
    await world.venues.remove("c", STAFF, venue.id)
    forged = world.links.code(LinkKind.INVITEE, "i_nobody", 1)
    for code in (*old, *new, forged, "", "x" * 5000, new[0].upper()):
        assert await code_of(world.entrances.look(code)) == "link_invalid"
        assert await code_of(world.entrances.enter(code)) == "link_invalid"


async def test_a_link_into_what_is_over_is_looked_at_but_opens_nothing(world: World) -> None:
    invitee, _ = await world.invited("王五")
    code = world.links.code(LinkKind.INVITEE, invitee.id, 1)
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    assert (await world.entrances.look(code)).consultation.ended_at_ms is not None
    before = len(await world.trace())
    assert await code_of(world.entrances.enter(code)) == "consultation_ended"
    assert len(await world.trace()) == before
