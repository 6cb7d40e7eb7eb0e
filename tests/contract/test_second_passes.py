"""Rows of second passes on each storage."""

from __future__ import annotations

from dataclasses import replace

from conference.model.second_pass import SecondPass, SecondPassState
from conference.model.transcript_place import Place
from conference.storage.database import Database
from tests.contract.test_storage import consultation

RUN = SecondPass(
    "c",
    "节点一",
    "faster-whisper",
    "李秘书",
    2**41,
    total=4_000,
    done=7,
    unheard=2,
    proposals=3,
    after_ms=2**33,
    after_id="seg_1",
)


async def test_the_newest_of_a_consultation_comes_back_as_it_went(database: Database) -> None:
    async with database.transaction() as unit:
        for each in ("c", "d", "e"):
            await unit.consultations.add(consultation(each))
        assert await unit.second_passes.get("c") is None
        assert await unit.second_passes.locked("c") is None
        await unit.second_passes.save(RUN)
        await unit.second_passes.save(replace(RUN, consultation_id="d", node="2", asked_wall_ms=1))
        await unit.second_passes.save(replace(RUN, consultation_id="e").ended(2**41 + 1, "worker_ended"))
    async with database.transaction() as unit:
        assert await unit.second_passes.get("c") == RUN
        assert await unit.second_passes.locked("c") == RUN
        assert [each.consultation_id for each in await unit.second_passes.open_ones()] == ["d", "c"]
        assert await unit.second_passes.open_ones("节点一") == [RUN]
        failed = await unit.second_passes.get("e")
        assert failed is not None
        assert (failed.state, failed.reason) == (SecondPassState.FAILED, "worker_ended")
        done = RUN.went_on(Place(2**33, "seg_2"), done=1, unheard=0, proposals=1).ended(2**41 + 2)
        await unit.second_passes.save(done)
        assert await unit.second_passes.get("c") == done
        assert await unit.second_passes.open_ones("节点一") == []
