"""Every change leaves its line, in the transaction of the change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conference.model.audit import AuditLine, personal_hashes
from conference.model.consultation import Status
from conference.model.errors import ConferenceError, ForbiddenError
from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from conference.services.trace import person
from tests.support.trace_law import UntracedChangeError
from tests.unit.services.conftest import World


def content(line: AuditLine) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line.content)
    return {name: each for name, each in found.items() if name not in ("by_name", "by_role")}


async def actions(world: World, after: int = 0) -> list[str]:
    return [line.action for line in (await world.trace())[after:]]


async def test_the_law_holds(world: World) -> None:
    async def untraced() -> None:
        async with world.database.transaction() as unit:
            consultation = await unit.consultations.get("c")
            assert consultation is not None
            await unit.consultations.save(consultation.moved_to(Status.CANCELLED))

    with pytest.raises(UntracedChangeError, match="consultations"):
        await untraced()
    assert (await world.consultations.get("c")).status is Status.SCHEDULED
    await world.rooms.heartbeat()


async def test_a_consultation_from_its_making_to_its_end(world: World) -> None:
    await world.consultations.note_tokens("c", {"t_1": Role.CHAIR})
    await world.life_cycle.start("c", world.bearer(Role.CHAIR, "甲"))
    world.clock.forward(2)
    await world.life_cycle.end("c", world.bearer(Role.SECRETARIAT, "乙"))
    with pytest.raises(ConferenceError):
        await world.life_cycle.end("c", world.bearer(Role.SECRETARIAT, "乙"))
    created, issued, started, ended = await world.trace()
    assert (created.action, created.actor_kind, content(created)["title"]) == (
        "consultation.created",
        "cli",
        "协商会",
    )
    assert (issued.action, issued.subject, content(issued)) == ("token.issued", "t_1", {"role": "chair"})
    assert (started.action, started.actor_kind, started.actor_id, started.program_time_ms) == (
        "consultation.started",
        "token",
        "t_甲",
        0,
    )
    assert (ended.action, ended.program_time_ms) == ("consultation.ended", 2000)
    assert personal_hashes(ended.content).keys() == {"by_name"}


async def test_a_token_for_nothing_is_not_noted(world: World) -> None:
    with pytest.raises(ConferenceError) as caught:
        await world.consultations.note_tokens("none", {"t_1": Role.CHAIR})
    assert caught.value.code == "consultation_not_found"
    assert await world.trace("none") == []


async def test_coming_and_going(world: World) -> None:
    member = await world.join("a")
    claim = world.resume("a")
    await world.departures.disconnect("c", member, "a")
    assert await world.join("b", resume=claim) == member
    await world.departures.disconnect("c", member, "b")
    world.clock.forward(world.limits.grace_s)
    await world.departures.expire()
    assert await world.join("d", resume=claim) == member
    await world.departures.leave("c", member)
    lines = (await world.trace())[1:]
    assert [(line.action, line.actor_kind, line.subject) for line in lines] == [
        ("participant.joined", "participant", member),
        ("participant.disconnected", "system", member),
        ("participant.resumed", "participant", member),
        ("participant.disconnected", "system", member),
        ("participant.lost", "system", member),
        ("participant.returned", "participant", member),
        ("participant.left", "participant", member),
    ]
    assert content(lines[0]) == {
        "means": "client",
        "device": None,
        "venue": None,
        "token": "t_a",
        "via": "token",
        "invitee": None,
    }


async def test_removing_says_who_and_whom(world: World) -> None:
    chair, member = await world.join("c", Role.CHAIR), await world.join("m")
    await world.departures.remove("c", chair, member)
    last = (await world.trace())[-1]
    assert (last.action, last.actor_id, last.subject) == ("participant.removed", chair, member)
    assert personal_hashes(last.content).keys() == {"by_name", "name"}


async def test_mutes_name_both_and_nothing_is_noted_twice(world: World) -> None:
    chair, member = await world.join("c", Role.CHAIR), await world.join("m")
    start = len(await world.trace())
    for _ in range(2):
        await world.moderation.mute("c", chair, member, muted=True, hard=True)
    await world.moderation.mute("c", chair, member, muted=False, hard=False)
    muted, unmuted = (await world.trace())[start:]
    assert (muted.action, muted.actor_id, muted.subject) == ("participant.muted", chair, member)
    assert (content(muted)["hard"], content(unmuted)["hard"]) == (True, True)
    assert unmuted.action == "participant.unmuted"


async def test_muting_all_is_one_line(world: World) -> None:
    chair, first, second = await world.join("c", Role.CHAIR), await world.join("m"), await world.join("n")
    start = len(await world.trace())
    await world.moderation.mute_all("c", chair, muted=True, hard=False)
    await world.moderation.mute_all("c", chair, muted=True, hard=False)
    await world.moderation.mute_all("c", chair, muted=False, hard=False)
    muted, undone = (await world.trace())[start:]
    assert (muted.action, undone.action) == ("room.muted", "room.unmuted")
    assert content(muted) == {"participants": [first, second], "hard": False}
    assert content(undone) == {"participants": [first, second]}


async def test_own_choices_and_hands(world: World) -> None:
    chair, member = await world.join("c", Role.CHAIR), await world.join("m")
    start = len(await world.trace())
    await world.moderation.choose("c", member, name="新名", microphone=False, camera=False)
    await world.moderation.choose("c", member, name="新名", microphone=False, camera=False)
    await world.floors.request("c", member)
    await world.floors.request("c", member)
    await world.floors.withdraw("c", chair, member)
    await world.floors.withdraw("c", chair, member)
    assert await actions(world, start) == [
        "participant.renamed",
        "participant.microphone",
        "participant.camera",
        "hand.raised",
        "hand.lowered",
    ]


async def test_what_is_refused_leaves_no_line(world: World) -> None:
    member = await world.join("m")
    start = len(await world.trace())
    with pytest.raises(ForbiddenError):
        await world.moderation.mute_all("c", member, muted=True, hard=True)
    with pytest.raises(ForbiddenError):
        await world.life_cycle.start("c", world.bearer(Role.MEMBER))
    assert await actions(world, start) == []


async def test_encoders(world: World) -> None:
    opened = await world.streams.publish(world.entry("x", Role.VENUE_OPERATOR), "offer")
    await world.streams.unpublish("c", opened.id, world.bearer(Role.CHAIR, "主"))
    joined, left = (await world.trace())[-2:]
    assert (joined.action, joined.subject, content(joined)["means"]) == (
        "participant.joined",
        opened.id,
        "whip",
    )
    assert (left.action, left.actor_kind, left.actor_id, content(left)["means"]) == (
        "participant.left",
        "token",
        "t_主",
        "whip",
    )


async def test_a_restart_notes_the_outage_and_who_was_lost(world: World) -> None:
    await world.life_cycle.start("c", world.bearer(Role.CHAIR))
    member = await world.join("m")
    await world.rooms.heartbeat()
    world.clock.forward(100)
    again = await world.restart()
    gap, lost, outage = (await again.trace())[-3:]
    assert (gap.action, content(gap)["to_ms"] >= 100_000) == ("program.gap", True)
    assert (lost.action, lost.actor_kind, lost.subject) == ("participant.lost", "system", member)
    assert (outage.action, content(outage)["participants"]) == ("attendance.outage", [member])


async def test_a_rehearsal_made_anew_goes_on_in_the_same_chain(world: World) -> None:
    draft = ConsultationDraft(title="演示", id="demo")
    await world.consultations.rehearse(draft)
    await world.consultations.rehearse(draft)
    await world.life_cycle.start("demo", world.bearer(Role.CHAIR))
    await world.life_cycle.end("demo", world.bearer(Role.CHAIR))
    await world.consultations.rehearse(draft)
    assert [line.action for line in await world.trace("demo")] == [
        "consultation.created",
        "consultation.started",
        "consultation.ended",
        "consultation.deleted",
        "consultation.created",
    ]


async def test_a_commit_that_fails_leaves_neither_rows_nor_line(world: World) -> None:
    member = await world.join("m")
    before = await world.trace()
    room = world.rooms.find("c")
    assert room is not None
    participant = room.seat(member).participant
    entry = world.rooms.entry(room, person(participant), "participant.renamed", member)

    async def fail() -> None:
        async with world.database.transaction() as unit:
            await unit.participants.save([participant.renamed("x")])
            await unit.audit.append(entry)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await fail()
    assert await world.trace() == before
    async with world.database.reading() as unit:
        assert await unit.participants.get(member) == participant
