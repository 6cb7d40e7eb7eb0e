"""Big screens: they see and hear, are neither listed nor counted, do nothing, and are the same after any restart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.events import MediaOffered, MediaReset, SessionRemoved, SessionReplaced
from conference.model.errors import ConferenceError
from conference.model.media import QualityChanged
from conference.model.participant import EntryMeans, ParticipantKind
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.entrances import Pass
from conference.services.entry import Entry
from conference.services.links import LinkKind
from conference.services.revocations import Revocations
from conference.services.venues import VenueDraft
from tests.unit.services.conftest import World

HALL = Pass("c", Role.OBSERVER, "主会场", "主会场", EntryMeans.SCREEN, None, "v_1", 1)
OPERATOR = Pass("c", Role.VENUE_OPERATOR, "王工", "主会场", EntryMeans.OPERATOR, None, "v_1", 1)


async def screen(world: World, entry: Entry | None = None, session_id: str = "screen") -> str:
    return await world.screens.join(entry or world.entry("大屏", Role.OBSERVER), session_id)


async def hall(world: World) -> Venue:
    return await world.venues.add(
        "c", world.bearer(Role.SECRETARIAT), VenueDraft("主会场", VenueKind.MAIN, "县府", "王工")
    )


async def test_it_sees_the_room_and_the_room_does_not_see_it(world: World) -> None:
    member = await world.join("member")
    lines = len(await world.trace())
    shown = await screen(world)
    snapshot = world.publisher.snapshot("screen")
    assert [each.id for each in snapshot.participants] == [member]
    assert snapshot.self.participant_id == shown
    assert "media.publish" not in snapshot.self.can
    assert len(world.publisher.sent["member"]) == 1, "nobody is told of it"
    room = world.rooms.find("c")
    assert room is not None
    assert [each.id for each in room.views()] == [member]
    # No row, no line, no stay: nothing of the attendance changed.
    assert len(await world.trace()) == lines
    async with world.database.reading() as unit:
        assert [each.id for each in await unit.participants.of("c")] == [member]
        assert len(await unit.stays.of("c")) == 1


async def test_it_is_offered_media_and_asks_for_nothing_else(world: World) -> None:
    world.media.offers_on_subscribe = True
    shown = await screen(world)
    assert len(world.publisher.of_kind("screen", MediaOffered)) == 1
    room = world.rooms.find("c")
    assert room is not None
    with pytest.raises(ConferenceError) as published:
        await world.media_sessions.publish("c", shown, "offer", ())
    with pytest.raises(ConferenceError) as raised:
        await world.floors.request("c", shown)
    with pytest.raises(ConferenceError) as renamed:
        await world.moderation.choose("c", shown, name="别的")
    assert {each.value.code for each in (published, raised, renamed)} == {"forbidden"}
    await world.media_sessions.wish("c", shown, ())
    assert ("wish", shown, ()) in world.media.calls
    await world.offers.answered("c", shown, 1, "answer")
    assert world.media.answers == [(shown, 1, "answer")]


async def test_a_chairs_token_opens_a_screen_that_may_see_no_more_than_anybody(world: World) -> None:
    shown = await screen(world, world.entry("主持", Role.CHAIR))
    me = world.publisher.snapshot("screen").self
    assert (me.role, world.publisher.snapshot("screen").waiting) == (Role.OBSERVER, None)
    with pytest.raises(ConferenceError):
        await world.moderation.mute_all("c", shown, muted=True, hard=True)


async def test_it_is_no_place_of_the_room(world: World) -> None:
    for number in range(world.limits.max_participants):
        await world.join(f"m{number}")
    await screen(world)
    room = world.rooms.find("c")
    assert room is not None
    assert len(room.seats) == world.limits.max_participants


async def test_nobody_is_told_of_its_quality(world: World) -> None:
    await world.join("member")
    shown = await screen(world)
    before = len(world.publisher.sent["member"])
    world.media.emit(QualityChanged("c", shown, 2))
    room = world.rooms.find("c")
    assert room is not None
    assert room.screens[shown].quality == 2
    assert len(world.publisher.sent["member"]) == before


async def test_it_comes_back_after_both_processes_were_started_anew(world: World) -> None:
    shown = await screen(world)
    resume = world.resume("screen")
    again = await world.restart()
    entry = world.entry("大屏", Role.OBSERVER, resume)
    # The token has expired meanwhile; the secret was made for it.
    back = await again.screens.join(replace(entry, token_expired=True), "back")
    assert back == shown
    assert again.publisher.snapshot("back").self.resumed
    assert again.publisher.snapshot("back").self.resume_secret == resume.secret


@pytest.mark.parametrize("what", ["secret", "token", "id"])
async def test_a_secret_is_good_for_its_own_screen_and_token(world: World, what: str) -> None:
    await screen(world)
    claim = world.resume("screen")
    entry = world.entry("大屏", Role.OBSERVER, claim, expired=True)
    if what == "secret":
        entry = replace(entry, resume=replace(claim, secret="0" * 64))
    elif what == "token":
        entry = replace(entry, token_id="t_other")
    else:
        entry = replace(entry, resume=replace(claim, participant_id="s_other"))
    with pytest.raises(ConferenceError) as caught:
        await world.screens.join(entry, "thief")
    assert caught.value.code == "token_expired"


async def test_without_a_secret_each_is_its_own(world: World) -> None:
    assert await screen(world, session_id="one") != await screen(world, session_id="two")


async def test_a_new_media_process_is_told_of_it(world: World) -> None:
    shown = await screen(world, world.guest(HALL))
    world.media.halls.clear()
    world.media.restart("e2")
    await world.media_sessions._replay("c")
    assert world.media.halls[shown][1] == {"id:v_1", "name:主会场"}
    assert MediaReset("e2") in world.publisher.sent["screen"]


async def test_who_takes_its_place_is_the_same_screen(world: World) -> None:
    shown = await screen(world)
    entry = world.entry("大屏", Role.OBSERVER, world.resume("screen"))
    assert await screen(world, entry, "newer") == shown
    assert SessionReplaced() in world.publisher.sent["screen"]
    # The old socket closes afterwards: that is not the screen's end.
    assert await world.screens.disconnect("c", shown, "screen")
    world.clock.forward(120)
    await world.screens.expire()
    room = world.rooms.find("c")
    assert room is not None
    assert list(room.screens) == [shown]


async def test_one_that_does_not_come_back_is_let_go_of(world: World) -> None:
    shown = await screen(world)
    assert await world.screens.disconnect("c", shown, "screen")
    world.clock.forward(59)
    await world.screens.expire()
    assert world.rooms.find("c") is not None
    world.clock.forward(1)
    await world.screens.expire()
    assert world.rooms.find("c") is None
    assert shown not in world.media.gates


async def test_one_that_is_switched_off_goes_at_once(world: World) -> None:
    shown = await screen(world)
    assert await world.screens.leave("c", shown)
    assert world.rooms.find("c") is None
    assert not await world.screens.leave("c", shown)


async def test_before_the_consultation_is_open_it_is_told_so(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    await world.life_cycle.end("c", world.bearer(Role.CHAIR))
    with pytest.raises(ConferenceError) as caught:
        await screen(world)
    assert caught.value.code == "consultation_ended"


# ── whose sound it plays ────────────────────────────────────────────────────────────────────────


async def test_the_console_and_the_screen_of_a_hall_are_deaf_to_each_others_hall(world: World) -> None:
    venue = await hall(world)
    given = replace(OPERATOR, venue_id=venue.id)
    console = await world.arrivals.join(world.guest(given, "t_console"), "console")
    encoder = await world.streams.publish(world.guest(given, "t_encoder"), "offer")
    phone = await world.arrivals.join(
        world.guest(replace(given, role=Role.MEMBER, via=EntryMeans.TOKEN, in_hall=True), "t_phone"), "phone"
    )
    home = await world.arrivals.join(
        world.guest(replace(given, role=Role.MEMBER, via=EntryMeans.TOKEN), "t_home"), "home"
    )
    shown = await screen(world, world.guest(replace(HALL, venue_id=venue.id), "t_screen"))
    halls = world.media.halls
    for deaf in (console, shown):
        for voice in (console, encoder.id, phone):
            assert halls[deaf][1] & halls[voice][0]
        assert not halls[deaf][1] & halls[home][0]
    assert not halls[home][1]


async def test_what_a_screen_plays_by_whep_is_deaf_to_its_hall_as_well(world: World) -> None:
    opened = await world.streams.play(world.guest(HALL), "program", "offer")
    assert world.media.halls[opened.id][1] == {"id:v_1", "name:主会场"}
    plain = await world.streams.play(world.entry("x", Role.OBSERVER), "program", "offer")
    assert not world.media.halls[plain.id][1]


async def test_a_screen_inside_plays_with_a_token_that_expired_and_nobody_else_does(world: World) -> None:
    await screen(world)
    claim = world.resume("screen")
    entry = world.entry("大屏", Role.OBSERVER, claim, expired=True)
    assert (await world.streams.play(entry, "program", "offer")).id
    for other in (
        replace(entry, resume=None),
        replace(entry, resume=replace(claim, secret="0" * 64)),
        replace(entry, token_id="t_other"),
    ):
        with pytest.raises(ConferenceError) as caught:
            await world.streams.play(other, "program", "offer")
        assert caught.value.code == "token_expired"
    await world.screens.disconnect("c", claim.participant_id, "screen")
    with pytest.raises(ConferenceError):
        await world.streams.play(entry, "program", "offer")


# ── the link ────────────────────────────────────────────────────────────────────────────────────


async def test_the_link_gives_a_token_for_the_screen_and_for_nothing_else(world: World) -> None:
    venue = await hall(world)
    address = world.screen_links.address(venue)
    code = address.rpartition("code=")[2]
    assert address == f"/screen/c#venue={venue.id}&code={code}"
    issued = await world.screen_links.enter("c", venue.id, code)
    given = world.issued[issued.token_id]
    assert (given.role, given.via, given.venue_id) == (Role.OBSERVER, EntryMeans.SCREEN, venue.id)
    entry = world.guest(given, issued.token_id)
    with pytest.raises(ConferenceError) as caught:
        await world.arrivals.join(entry, "seat")
    assert caught.value.code == "forbidden"
    assert await screen(world, entry)
    line = (await world.trace())[-1]
    assert (line.action, line.subject, line.actor_id) == ("screen.opened", venue.id, issued.token_id)


async def test_another_operators_link_makes_another_of_the_screen_and_closes_the_old(world: World) -> None:
    venue = await hall(world)
    code = world.links.code(LinkKind.SCREEN, venue.id, 1)
    issued = await world.screen_links.enter("c", venue.id, code)
    await screen(world, world.guest(world.issued[issued.token_id], issued.token_id))
    await world.venues.new_link("c", world.bearer(Role.SECRETARIAT), venue.id)
    await Revocations(world.rooms, world.departures).sweep()
    assert world.publisher.sent["screen"][-1] == SessionRemoved("会务组", "revoked")
    assert world.rooms.find("c") is None
    with pytest.raises(ConferenceError) as caught:
        await world.screen_links.enter("c", venue.id, code)
    assert caught.value.code == "link_invalid"


@pytest.mark.parametrize("wrong", ["venue", "code", "operators", "consultation"])
async def test_a_wrong_link_opens_nothing(world: World, wrong: str) -> None:
    venue = await hall(world)
    kind = LinkKind.VENUE if wrong == "operators" else LinkKind.SCREEN
    code = "a" * 24 if wrong == "code" else world.links.code(kind, venue.id, 1)
    with pytest.raises(ConferenceError) as caught:
        await world.screen_links.enter(
            "other" if wrong == "consultation" else "c", "v_none" if wrong == "venue" else venue.id, code
        )
    assert caught.value.code == "link_invalid"


async def test_a_screen_does_not_wait_before_the_door(world: World) -> None:
    venue = await hall(world)
    async with world.database.transaction() as unit:
        consultation = await unit.consultations.get("c")
        assert consultation is not None
    entry = world.guest(replace(HALL, venue_id=venue.id))
    closed = replace(consultation, waiting_room=True)
    assert not entry.waits(closed, [])
    assert replace(entry, entered_by=EntryMeans.TOKEN).waits(closed, [])


def test_its_kind_is_told_apart() -> None:
    assert ParticipantKind("screen") is ParticipantKind.SCREEN
