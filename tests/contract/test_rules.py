"""Rows of rules of bodies and of what their files take, on each storage."""

from __future__ import annotations

import asyncio

import pytest

from conference.model.consultation import Status
from conference.model.errors import ConferenceError
from conference.model.organization import Level, Organization
from conference.model.permissions import Role
from conference.model.rules import Rules, StorageUse
from conference.services.consultations import ConsultationDraft
from conference.services.rooms import RoomLimits
from conference.storage.database import Database
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock

CITY = Organization("o_city", "澄川市政协", Level.CITY, None, 1)
COUNTY = Organization("o_county", "临江县政协", Level.COUNTY, "o_city", 2)


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.transaction() as unit:
        await unit.organizations.add(CITY)
        await unit.organizations.add(COUNTY)
    return database


async def test_rules_come_back_as_they_went(filled: Database) -> None:
    async with filled.transaction() as unit:
        assert await unit.rules.of("o_city", lock=True) == Rules()
        assert await unit.rules.all() == {}
        await unit.rules.save("o_city", Rules(1, 20, 300, 0))
        await unit.rules.save("o_county", Rules(max_live=2))
    async with filled.transaction() as unit:
        assert await unit.rules.of("o_city", lock=True) == Rules(1, 20, 300, 0)
        await unit.rules.save("o_city", Rules(retention_days=90))
    async with filled.reading() as unit:
        assert await unit.rules.all() == {"o_city": Rules(retention_days=90), "o_county": Rules(max_live=2)}
        assert await unit.rules.of(None) == Rules()


async def test_each_node_has_its_part_and_who_is_gone_none(filled: Database) -> None:
    def use(organization_id: str, node: str, used_bytes: int, at_ms: int) -> StorageUse:
        return StorageUse(organization_id, node, used_bytes, at_ms)

    async with filled.transaction() as unit:
        await unit.storage_uses.measured("a", [use("o_city", "a", 3, 10)], forget_before_ms=0)
        await unit.storage_uses.measured("b", [use("o_city", "b", 4 << 40, 20)], forget_before_ms=0)
        await unit.storage_uses.measured(
            "b", [use("o_city", "b", 5 << 40, 30), use("o_county", "b", 1, 30)], forget_before_ms=10
        )
    async with filled.reading() as unit:
        assert await unit.storage_uses.since(10) == [
            use("o_city", "a", 3, 10),
            use("o_city", "b", 5 << 40, 30),
            use("o_county", "b", 1, 30),
        ]
        assert [each.node for each in await unit.storage_uses.since(11)] == ["b", "b"]
    async with filled.transaction() as unit:
        await unit.storage_uses.measured("b", [], forget_before_ms=11)
        assert await unit.storage_uses.since(0) == []


async def test_whose_each_consultation_is_and_how_many_run(filled: Database) -> None:
    world = World(filled, ManualClock(), RoomLimits())
    for cid, owner in (("a", "o_city"), ("b", "o_city"), ("c", None), ("d", "o_county")):
        await world.consultations.create(ConsultationDraft(title=cid, id=cid, organization_id=owner))
    for cid in ("a", "c"):
        await world.life_cycle.start(cid, World.bearer(Role.CHAIR))
    async with filled.transaction() as unit:
        assert await unit.storage_uses.owners() == {"a": "o_city", "b": "o_city", "d": "o_county"}
        assert [await unit.consultations.live_of(each) for each in ("o_city", "o_county")] == [1, 0]


async def test_of_two_that_begin_at_once_one_is_refused(filled: Database) -> None:
    async with filled.transaction() as unit:
        await unit.rules.save("o_city", Rules(max_live=1))
    world = World(filled, ManualClock(), RoomLimits())
    for cid in ("a", "b", "d"):
        await world.consultations.create(ConsultationDraft(title=cid, id=cid, organization_id="o_city"))
    starts = [world.life_cycle.start(cid, World.bearer(Role.CHAIR)) for cid in ("a", "b", "d")]
    ended = await asyncio.gather(*starts, return_exceptions=True)
    refused = [each.code for each in ended if isinstance(each, ConferenceError)]
    assert refused == ["too_many_live", "too_many_live"]
    states = [(await world.consultations.get(cid)).status for cid in ("a", "b", "d")]
    assert sorted(states) == [Status.LIVE, Status.SCHEDULED, Status.SCHEDULED]
