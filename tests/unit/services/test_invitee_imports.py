"""Lists of invitees: kept, judged anew, mended, taken over."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.ids import hash_secret
from conference.model.invitee_list import ImportRow, Values
from conference.model.permissions import Role
from conference.model.venue import Venue, VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.invitee_imports import Applied, InviteeImports, Mending
from conference.services.links import LinkKind, Links
from tests.unit.services.conftest import World

LINKS = Links(b"k" * 32)


class GivenRows:
    """What a file says, without a file."""

    def __init__(self, *rows: ImportRow) -> None:
        self.rows = list(rows)

    async def read_invitees(self, data: bytes) -> list[ImportRow]:
        return self.rows


def row(number: int, name: str, **values: Any) -> ImportRow:
    return ImportRow(number, Values(name, **{"role": "委员", **values}))


GOOD = row(2, "林文博", phone="13600005871", title="市人民医院", large_text=True)
WRONG_VENUE = row(9, "何春生", venue="青河县分会场")
TWICE = row(17, "林文博", phone="13600005871")


def imports(world: World, *rows: ImportRow) -> InviteeImports:
    return InviteeImports(world.database, GivenRows(*rows), LINKS, world.clock)


async def add_venue(world: World) -> None:
    async with world.database.transaction() as unit:
        venue = Venue("v", "c", 1, "青禾县分会场", VenueKind.BRANCH, "", "", "", None, 1, "h", 0)
        await unit.venues.save([venue])
        await unit.audit.append(_line())


def _line() -> Any:
    from conference.model.audit import SYSTEM, AuditEntry

    return AuditEntry("c", 0, None, SYSTEM, "test")


async def code_of(call: Any) -> str:
    with pytest.raises(ConferenceError) as caught:
        await call
    return caught.value.code


async def test_a_list_is_read_mended_and_taken_over(world: World) -> None:
    by, lists = world.bearer(Role.ORGANIZER), imports(world, GOOD, WRONG_VENUE, TWICE)
    read = await lists.read("c", by, "名单.xlsx", b"")
    assert read.good == {2}
    await add_venue(world)
    again = await imports(world).get("c", by)
    suggestion = again.rows[1].problems[0].suggestion
    assert suggestion is not None
    mended = await lists.mend(
        "c", by, [Mending(9, {"venue": suggestion.value}), Mending(17, {}, dropped=True)]
    )
    assert mended.good == {2, 9}
    assert await lists.apply("c", by) == Applied(added=2, left=0)
    async with world.database.reading() as unit:
        first, second = await unit.invitees.of("c")
    assert (first.name, first.phone, first.large_text, first.position) == ("林文博", "13600005871", True, 1)
    assert first.link_hash == hash_secret(LINKS.code(LinkKind.INVITEE, first.id, 1))
    assert (second.name, second.venue_id, second.role) == ("何春生", "v", Role.MEMBER)
    assert await code_of(lists.get("c", by)) == "not_found"
    actions = [line.action for line in await world.trace()]
    assert actions[-4:] == ["import.mended", "invitee.added", "invitee.added", "invitees.imported"]
    assert not any("林文博" in line.content or "13600005871" in line.content for line in await world.trace())


async def test_rows_to_be_mended_stay(world: World) -> None:
    by, lists = world.bearer(Role.SECRETARIAT), imports(world, GOOD, WRONG_VENUE)
    await lists.read("c", by, "名单.xlsx", b"")
    assert await lists.apply("c", by) == Applied(added=1, left=1)
    assert [each.source for each in (await lists.get("c", by)).rows] == [WRONG_VENUE]
    async with world.database.reading() as unit:
        assert (await unit.preparation.prepared("c")).bad_rows == 1
    assert await lists.apply("c", by) == Applied(added=0, left=1)
    await lists.drop("c", by)
    assert await code_of(lists.drop("c", by)) == "not_found"


async def test_who_is_invited_already_is_seen(world: World) -> None:
    by, lists = world.bearer(Role.ORGANIZER), imports(world, GOOD)
    await lists.read("c", by, "一.xlsx", b"")
    await lists.apply("c", by)
    again = await lists.read("c", by, "二.xlsx", b"")
    assert [problem.code for problem in again.rows[0].problems] == ["duplicate_existing"]
    apart = await lists.mend("c", by, [Mending(2, {}, separate=True)])
    assert apart.good == {2}


async def test_refusals_change_nothing(world: World) -> None:
    lists, organizer = imports(world, GOOD), world.bearer(Role.ORGANIZER)
    await lists.read("c", organizer, "名单.xlsx", b"")
    before = await world.trace()
    for role in (Role.CHAIR, Role.MEMBER, Role.MODERATOR):
        by = world.bearer(role)
        for call in (
            lists.read("c", by, "x", b""),
            lists.get("c", by),
            lists.mend("c", by, []),
            lists.apply("c", by),
            lists.drop("c", by),
        ):
            assert await code_of(call) == "forbidden"
    assert await code_of(lists.read("c", organizer, "x", bytes(5 * 1024 * 1024 + 1))) == "too_large"
    assert await code_of(lists.read("none", organizer, "x", b"")) == "consultation_not_found"
    assert await code_of(lists.mend("c", organizer, [Mending(3, {"name": "x"})])) == "not_found"
    await lists.mend("c", organizer, [Mending(2, {"name": "林文博"})])
    assert await world.trace() == before


async def test_nobody_is_invited_to_what_is_over(world: World) -> None:
    lists, by = imports(world, GOOD), world.bearer(Role.ORGANIZER)
    await world.consultations.create(ConsultationDraft("完", id="over", status=Status.ARCHIVED))
    assert await code_of(lists.read("over", by, "x", b"")) == "invalid_state"


async def test_two_thousand_are_the_most_and_go_in_at_once(world: World) -> None:
    by = world.bearer(Role.ORGANIZER)
    lists = imports(world, *(row(n, f"某{n}") for n in range(2, 2_002)))
    await lists.read("c", by, "名单.csv", b"")
    assert await lists.apply("c", by) == Applied(added=2_000, left=0)
    assert len(await world.trace()) == 1 + 1 + 2_000 + 1
    more = imports(world, replace(GOOD, row=5))
    await more.read("c", by, "名单.csv", b"")
    assert await code_of(more.apply("c", by)) == "too_many_invitees"
