"""Lists of terms: read once as long as nobody changes them, whoever asks, and no change of them is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conference.model.audit import STAFF_CHAIN, SYSTEM, AuditEntry
from conference.model.errors import ConferenceError
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.terms import Term
from conference.services.rewriting import TermRewriter
from conference.services.term_lists import TermLists
from conference.services.terms import Terms
from conference.services.transcript_news import TranscriptNews
from tests.unit.services.conftest import World

STAFF = World.bearer(Role.SECRETARIAT)


@pytest.fixture
async def bodies(world: World) -> World:
    """Two consultations of one body."""
    async with world.database.transaction() as unit:
        await unit.organizations.add(Organization("o", "市政协", Level.CITY, None, 1))
        consultation = await unit.consultations.get("c")
        assert consultation is not None
        await unit.consultations.save(replace(consultation, organization_id="o"))
        await unit.consultations.add(replace(consultation, id="d", organization_id="o"))
        await unit.audit.append(AuditEntry(STAFF_CHAIN, 1, None, SYSTEM, "organization.added", "o"))
    return world


async def test_a_list_that_nobody_changed_is_the_same(bodies: World) -> None:
    lists = TermLists(bodies.database)
    terms = Terms(bodies.rooms, lists, TranscriptNews(bodies.rooms))
    await terms.put_of_body("o", STAFF, [Term("淮河", "怀河")])
    (own, of_body), (other, of_other) = await asyncio.gather(
        lists.of_consultation("c"), lists.of_consultation("d")
    )
    assert of_body is of_other, "one for both consultations"
    assert (own.terms, other.terms) == ((), ())
    await terms.put("c", STAFF, [Term("张巍", "张威")])
    changed, still = await lists.of_consultation("c")
    assert still is of_body
    assert changed.terms == (Term("张巍", "张威"),)
    (_, after) = await lists.of_consultation("d")
    assert after is of_body
    rewrite = await TermRewriter(lists)("c")
    assert list(rewrite("张威在怀河")) == [(0, 2, "张巍"), (3, 5, "淮河")]


async def test_two_who_add_at_once_lose_nothing(world: World) -> None:
    terms = Terms(world.rooms, TermLists(world.database), TranscriptNews(world.rooms))
    added = [Term(f"对{number}", f"错{number}") for number in range(3)]
    await asyncio.gather(*(terms.add("c", STAFF, [each]) for each in added))
    assert (await terms.get("c", STAFF)).terms == tuple(added)


async def test_of_two_who_saw_the_same_list_one_is_told(world: World) -> None:
    terms = Terms(world.rooms, TermLists(world.database), TranscriptNews(world.rooms))
    seen = (await terms.get("c", STAFF)).revision
    done = await asyncio.gather(
        *(terms.put("c", STAFF, [Term(f"对{number}")], seen) for number in range(2)), return_exceptions=True
    )
    (refused,) = [each for each in done if isinstance(each, BaseException)]
    assert isinstance(refused, ConferenceError)
    assert refused.code == "edit_conflict"
    assert len((await terms.get("c", STAFF)).terms) == 1


async def test_long_lists_are_not_kept_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conference.services.term_lists._MOST_KEPT", 3)
    lists = TermLists(world.database)
    async with world.database.transaction() as unit:
        for owner in ("o1", "o2", "o3"):
            await unit.terms.replace(owner, [Term("淮河"), Term("河长制")])
        await unit.audit.append(AuditEntry(STAFF_CHAIN, 1, None, SYSTEM, "terms.changed", "o1"))
    first = await lists.of("o1")
    assert await lists.of("o1") is first
    third = await lists.of("o3")
    again = await lists.of("o1")
    assert again is not first
    assert again == replace(first, index=again.index)
    assert await lists.of("o3") is not third
