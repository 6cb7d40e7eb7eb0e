"""Kill -9 at every point of each kind of write about keys, then a start that takes the care for them up again.

The file of the keys is no row: it may be a step ahead of a line that was not written, and is whole all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from conference.model.keyed import SealedKind
from conference.model.keyset import KeyState
from conference.services.links import LinkKind, Links
from conference.storage.database import Database
from signaling.auth.sealer import SubjectVault
from tests.support.key_mender import care_for
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import FIRST
from tests.unit.storage.crashing import Crashes, copied, crashes, dumped, reopened
from tests.unit.storage.keys_stage import BEGAN_MS, CHAINS, FILES, KINDS, VIEWER, ring_of


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    with crashes(tmp_path_factory.mktemp("killed"), "keys_stage") as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_is_there_with_its_line_or_not_at_all(killed: Crashes, kind: str) -> None:
    for point, left in killed.of(kind).items():
        await _check(copied(left, f"{point} copy"), kind, point)


async def _check(left: Path, kind: str, point: str) -> None:
    noted = json.loads((left / "noted.json").read_text())
    assert (dumped(left) == noted["rows"]) == (point not in ("rest", "answer")), point
    async with reopened(left) as database:
        added = await _added(database, noted["heads"])
        assert bool(added) == (point in ("rest", "answer")), point
        assert kind.split()[0] in added or point != "answer", "this is another kind of write"

        clock = ManualClock(epoch_ms=BEGAN_MS + 60_000)
        ring = ring_of(left / FILES, clock)
        first = ring.key_set.find(FIRST.id)
        assert first is not None, "no key is ever lost"
        assert first.secret == FIRST.secret, "rows may stand on it"
        care = care_for(database, ring, clock)
        await care.mend()
        assert await care.mend() == 0, point
        async with database.reading() as unit:
            (viewer,) = await unit.keyed.sealed(SealedKind.IDENTITY, "", 10)
            links = await unit.keyed.links("c")
        assert SubjectVault(ring.signing()).open(viewer.sealed) == VIEWER
        is_good = first.state(clock.wall_ms()) is not KeyState.RETIRED
        by = Links(FIRST.secret or b"") if is_good else Links(ring.signing())
        assert len(links) == 2
        for row in links:
            assert row.hash == by.hash(LinkKind(row.kind), row.id, row.revision), "the link opens"
            assert row.revision == (1 if is_good else 2)


async def _added(database: Database, heads: dict[str, list[object]]) -> list[str]:
    """Actions of the lines behind those that were acknowledged, which are there."""
    added: list[str] = []
    async with database.reading() as unit:
        for chain in CHAINS:
            lines = await unit.audit.lines(chain, limit=1000)
            number, known = heads[chain]
            assert isinstance(number, int)
            assert not number or lines[number - 1].hash == known, "an acknowledged write is gone"
            added += [each.action for each in lines[number:]]
    return added
