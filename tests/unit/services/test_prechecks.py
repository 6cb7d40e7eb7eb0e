"""Pre-checks: whose venue, who may, what is signed and traced, who is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.permissions import Role
from conference.model.precheck import Verdict
from conference.model.precheck_figures import PrecheckItem
from conference.model.venue import Venue, VenueKind
from conference.precheck_views import PrecheckUpdated
from conference.services.prechecks import MAX_OF_VENUE, Prechecks, Reader, Sheet
from conference.services.venues import VenueDraft
from signaling.auth.signer import DocumentSigner
from tests.support.prechecks import CAMERA, LOUDSPEAKER, healthy_items
from tests.unit.services.conftest import World

STAFF = World.bearer(Role.SECRETARIAT)
OPERATOR = World.bearer(Role.VENUE_OPERATOR, "赵六")
SHEET = Sheet(healthy_items(), 118_000, "Chromium 156")
RED = Sheet(
    healthy_items({PrecheckItem.LOUDSPEAKER: (replace(LOUDSPEAKER, notes_heard=0), "音箱明天到")}), 1, ""
)


@pytest.fixture
def prechecks(world: World) -> Prechecks:
    return Prechecks(world.rooms, DocumentSigner(b"k" * 32))


async def hall(world: World, name: str = "青禾县分会场") -> Venue:
    return await world.venues.add("c", STAFF, VenueDraft(name, VenueKind.BRANCH))


async def test_a_sheet_is_numbered_judged_signed_and_traced(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    by = Reader(OPERATOR, venue.id)
    first = await prechecks.submit("c", by, venue.id, RED)
    second = await prechecks.submit("c", by, venue.id, SHEET)
    assert [(each.number, each.verdict, each.by) for each in (first, second)] == [
        (1, Verdict.FAILED, "赵六"),
        (2, Verdict.PASSED, "赵六"),
    ]
    assert await prechecks.newest("c", Reader(STAFF)) == [second]
    assert await prechecks.of_venue("c", by, venue.id, after=None, limit=9) == [second, first]
    assert await prechecks.of_venue("c", by, venue.id, after=second.id, limit=9) == [first]
    proof = await prechecks.proof("c", by, venue.id, first.id)
    assert proof.valid
    line = (await world.trace())[-2]
    assert (line.action, line.subject) == ("precheck.submitted", first.id)
    said = json.loads(line.content)
    assert said["sha256"] == proof.sha256 == hashlib.sha256(first.document().encode()).hexdigest()
    assert said["verdict"] == "failed"
    assert "赵六" not in line.content


async def test_a_row_that_was_changed_is_found_out(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    by = Reader(OPERATOR, venue.id)
    sheet = await prechecks.submit("c", by, venue.id, RED)
    forged = replace(sheet, items=tuple(SHEET.items))
    signer = DocumentSigner(b"k" * 32)
    assert signer.is_valid(sheet.document(), sheet.signature)
    assert not signer.is_valid(forged.document(), sheet.signature)
    assert not DocumentSigner(b"x" * 32).is_valid(sheet.document(), sheet.signature)
    for broken in ("", "..", "a.b.c", sheet.signature[:-4], "x" * 5000):
        assert not signer.is_valid(sheet.document(), broken)


async def test_an_operator_has_to_do_with_the_own_venue_alone(world: World, prechecks: Prechecks) -> None:
    own, other = await hall(world), await hall(world, "西乡分会场")
    await prechecks.submit("c", Reader(STAFF), other.id, SHEET)
    by_link, by_name = Reader(OPERATOR, own.id, "别的名字"), Reader(OPERATOR, None, own.name)
    for by in (by_link, by_name):
        assert (await prechecks.open("c", by, None)).venue == own
        assert await prechecks.newest("c", by) == []
        for asked in (
            prechecks.open("c", by, other.id),
            prechecks.submit("c", by, other.id, SHEET),
            prechecks.of_venue("c", by, other.id, after=None, limit=1),
        ):
            with pytest.raises(NotFoundError):
                await asked
    for nobody in (Reader(OPERATOR), Reader(OPERATOR, "v_none", own.name), Reader(STAFF)):
        with pytest.raises(NotFoundError):
            await prechecks.open("c", nobody, None)
    assert (await prechecks.open("c", Reader(STAFF), other.id)).last is not None


async def test_who_may_not_is_refused(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    for role in (Role.MEMBER, Role.OBSERVER, Role.MODERATOR):
        with pytest.raises(ForbiddenError):
            await prechecks.submit("c", Reader(World.bearer(role)), venue.id, SHEET)
        with pytest.raises(ForbiddenError):
            await prechecks.newest("c", Reader(World.bearer(role)))
    with pytest.raises(ForbiddenError):
        await prechecks.submit("c", Reader(World.bearer(Role.CHAIR)), venue.id, SHEET)
    assert await prechecks.newest("c", Reader(World.bearer(Role.CHAIR))) == []


async def test_nothing_is_kept_of_half_a_sheet_or_after_the_end(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    by = Reader(OPERATOR, venue.id)
    with pytest.raises(ConferenceError, match="each item once"):
        await prechecks.submit("c", by, venue.id, Sheet(SHEET.items[1:], 1, ""))
    await world.life_cycle.start("c", STAFF)
    await prechecks.submit("c", by, venue.id, SHEET)
    await world.life_cycle.end("c", STAFF)
    with pytest.raises(ConferenceError) as caught:
        await prechecks.submit("c", by, venue.id, SHEET)
    assert caught.value.code == "invalid_state"
    assert len(await prechecks.of_venue("c", by, venue.id, after=None, limit=9)) == 1


async def test_the_number_of_sheets_is_bounded(
    world: World, prechecks: Prechecks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conference.services.prechecks.MAX_OF_VENUE", 2)
    assert MAX_OF_VENUE > 2
    venue = await hall(world)
    by = Reader(OPERATOR, venue.id)
    for _ in range(2):
        await prechecks.submit("c", by, venue.id, SHEET)
    with pytest.raises(ConferenceError) as caught:
        await prechecks.submit("c", by, venue.id, SHEET)
    assert caught.value.code == "too_many_prechecks"


async def test_desks_are_told_and_nobody_else(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    await world.desks.open("c", World.bearer(Role.SECRETARIAT), "s_desk")
    await world.desks.open("c", World.bearer(Role.MODERATOR), "s_moderator")
    await prechecks.submit("c", Reader(OPERATOR, venue.id), venue.id, RED)
    assert world.publisher.of_kind("s_moderator", PrecheckUpdated) == []
    (event,) = world.publisher.of_kind("s_desk", PrecheckUpdated)
    view = event.precheck
    assert (view.venue_id, view.verdict, view.number) == (venue.id, Verdict.FAILED, 1)
    assert view.items[0].figures == CAMERA


async def test_a_removed_venue_is_checked_no_more(world: World, prechecks: Prechecks) -> None:
    venue = await hall(world)
    await prechecks.submit("c", Reader(STAFF), venue.id, SHEET)
    await world.venues.remove("c", STAFF, venue.id)
    assert await prechecks.newest("c", Reader(STAFF)) == []
    with pytest.raises(NotFoundError):
        await prechecks.submit("c", Reader(STAFF), venue.id, SHEET)
