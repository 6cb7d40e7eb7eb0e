"""The ledger that is kept for a moment: never older than what was written, and one does not wait for another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from conference.model.errors import ConferenceError
from conference.services.consultations import ConsultationDraft
from conference.services.ledger import Ledgers
from conference.services.ports import Storage, UnitOfWork
from tests.unit.services.comments_stage import Audience
from tests.unit.services.conftest import World
from tests.unit.services.responses_stage import STAFF, Office


class SlowStorage:
    """Whoever has read the rows goes on when the `gate` is open."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.has_read = asyncio.Event()
        self.gate = asyncio.Event()
        self.readings = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        self.readings += 1
        async with self._storage.reading() as unit:
            yield unit
        self.has_read.set()
        await self.gate.wait()

    async def ping(self) -> None:
        await self._storage.ping()

    def transaction(self) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._storage.transaction()


@pytest.fixture
def office(world: World) -> Office:
    return Office(Audience(world))


async def test_what_was_read_before_a_change_is_not_kept(office: Office) -> None:
    storage = SlowStorage(office.world.database)
    ledgers = Ledgers(storage, office.world.clock)
    first = asyncio.create_task(ledgers.get("c"))
    await storage.has_read.wait()
    case = await office.case()
    ledgers.forget("c")
    storage.gate.set()
    await first
    assert list((await ledgers.get("c")).responses) == [case.id]
    assert await ledgers.get("c") is await ledgers.get("c")


async def test_those_who_ask_at_once_read_once(office: Office) -> None:
    storage = SlowStorage(office.world.database)
    storage.gate.set()
    ledgers = Ledgers(storage, office.world.clock)
    found = await asyncio.gather(*(ledgers.get("c") for _ in range(20)))
    assert len({id(each) for each in found}) == storage.readings == 1


async def test_one_consultation_does_not_wait_for_another(office: Office) -> None:
    await office.world.consultations.create(ConsultationDraft(title="另一场", id="d"))
    storage = SlowStorage(office.world.database)
    ledgers = Ledgers(storage, office.world.clock)
    both = [asyncio.create_task(ledgers.get("c"))]
    await storage.has_read.wait()
    storage.has_read.clear()
    both.append(asyncio.create_task(ledgers.get("d")))
    await storage.has_read.wait()
    storage.gate.set()
    assert [each.consultation.id for each in await asyncio.gather(*both)] == ["c", "d"]


async def test_a_department_is_shown_as_it_was_written(office: Office) -> None:
    department = await office.department()
    assert (await office.departments.view("c", STAFF, department.id)).name == "市民政局"
    await office.departments.edit("c", STAFF, department.id, {"name": "市财政局"})
    assert (await office.departments.view("c", STAFF, department.id)).name == "市财政局"
    with pytest.raises(ConferenceError) as caught:
        await office.departments.view("c", STAFF, "dp_none")
    assert caught.value.code == "not_found"
