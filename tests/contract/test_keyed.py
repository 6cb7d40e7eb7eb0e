"""Rows that stand on a key, on each storage; and the care for them when it is killed half-way."""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace

import pytest

from conference.model.audit import STAFF_CHAIN
from conference.model.consultation import Status
from conference.model.identity import Identity, IdentityKind, Proof
from conference.model.keyed import LinkRow, Resealed, SealedKind, SealedRow
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.departments import DepartmentDraft, Departments
from conference.services.invitees import InviteeDraft
from conference.services.ledger import Ledgers
from conference.services.links import LinkKind, Links
from conference.services.rooms import RoomLimits
from conference.services.venues import VenueDraft
from conference.storage.database import Database
from signaling.auth.sealer import AddressSealer, SubjectVault
from tests.contract.test_cameras import camera
from tests.contract.test_comments import comment
from tests.support.key_mender import care_for, rotated
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import DAY_MS, FIRST, SECOND

STAFF = World.bearer(Role.SECRETARIAT)
OLD, NEW = FIRST.secret or b"", SECOND.secret or b""
CAMERA = b"yuanshang camera address"
VIEWERS = 450


async def filled(database: Database) -> World:
    """One of each kind that is sealed, many viewers, and three links: all by the first key."""
    world = World(database, ManualClock(), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    await world.venues.add("c", STAFF, VenueDraft("主会场", VenueKind.MAIN))
    await world.invitees.add("c", STAFF, InviteeDraft("王伟"))
    ledgers = Ledgers(database, world.clock)
    await Departments(database, world.clock, world.links, ledgers).add("c", STAFF, DepartmentDraft("交通局"))
    vault = SubjectVault(OLD)
    async with database.transaction() as unit:
        sealed = AddressSealer(OLD, CAMERA).seal("rtsp://u:geheim@h/1")
        await unit.cameras.save([replace(camera("m_1", "v_1", 1), sealed_address=sealed)])
        await unit.comments.add(
            [
                comment(1, address=AddressSealer(OLD).seal("203.0.113.9")),
                comment(2, device_hash="d2", address=""),
            ]
        )
        await unit.identities.begin(
            Proof("p1", "c", "d1", IdentityKind.PHONE, vault.seal("13800138000"), "a" * 64, 0, 100)
        )
        for number in range(VIEWERS):
            printed = vault.fingerprint(f"c phone {number}")
            sealed = vault.seal(str(number))
            await unit.identities.add(
                Identity(f"v_{number:03}", "c", "d", IdentityKind.PHONE, printed, sealed, 1)
            )
    return world


async def sealed(database: Database, kind: SealedKind) -> list[SealedRow]:
    async with database.reading() as unit:
        return await unit.keyed.sealed(kind, "", 10_000)


async def test_sealed_values_come_by_id_and_are_written_over_only_as_they_were(database: Database) -> None:
    await filled(database)
    async with database.reading() as unit:
        page = await unit.keyed.sealed(SealedKind.IDENTITY, "v_009", 3)
        (of_comment,) = await unit.keyed.sealed(SealedKind.COMMENT, "", 10)
    assert [(each.id, each.context) for each in page] == [(f"v_{n:03}", "c phone") for n in (10, 11, 12)]
    assert of_comment.id == "m_c1", "one without an address holds nothing"
    changes = [
        Resealed("v_010", page[0].sealed, "new", "print"),
        Resealed("v_011", "another", "lost", "print"),
        Resealed("v_none", "x", "y", "print"),
    ]
    async with database.transaction() as unit:
        assert await unit.keyed.reseal(SealedKind.IDENTITY, changes) == 1
        assert await unit.keyed.reseal(SealedKind.COMMENT, [Resealed("m_c1", of_comment.sealed, "z")]) == 1
    found = {each.id: each.sealed for each in await sealed(database, SealedKind.IDENTITY)}
    assert (found["v_010"], found["v_011"]) == ("new", page[1].sealed)
    assert [each.sealed for each in await sealed(database, SealedKind.COMMENT)] == ["z"]


async def test_links_of_all_who_have_one(database: Database) -> None:
    world = await filled(database)
    gone = await world.invitees.add("c", STAFF, InviteeDraft("走了"))
    await world.invitees.remove("c", STAFF, gone.id)
    async with database.reading() as unit:
        links = await unit.keyed.links("c")
        assert await unit.keyed.links("other") == []
        assert await unit.keyed.consultations() == {"c": False}
    assert sorted(each.kind for each in links) == ["department", "invitee", "venue"]
    for row in links:
        assert row.hash == world.links.hash(LinkKind(row.kind), row.id, 1)
        after = replace(row, revision=2, hash=f"{row.kind:0>64}")
        async with database.transaction() as unit:
            assert not await unit.keyed.relink(replace(row, hash="other"), after)
            assert await unit.keyed.relink(row, after)
    async with database.reading() as unit:
        assert {(each.revision, each.hash) for each in await unit.keyed.links("c")} == {
            (2, f"{each.kind:0>64}") for each in links
        }


async def test_how_long_links_are_needed(database: Database) -> None:
    world = World(database, ManualClock(), RoomLimits())
    async with database.reading() as unit:
        assert await unit.keyed.needed_until() is None
    now_ms = world.clock.wall_ms()
    for cid, days in (("near", 3), ("far", 9), ("over", 20)):
        start_ms = now_ms + days * DAY_MS
        draft = ConsultationDraft(title=cid, id=cid, scheduled_at_ms=start_ms, ends_at_ms=start_ms + 1)
        await world.consultations.create(draft)
    async with database.transaction() as unit:
        over = await unit.consultations.get("over")
        assert over is not None
        await unit.consultations.save(replace(over, status=Status.ENDED))
    async with database.reading() as unit:
        assert await unit.keyed.needed_until() == now_ms + 9 * DAY_MS + 1


async def killed(url: str, writes: int) -> int:
    """The exit code of a care that is killed before that commit."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.key_mender", url, str(writes)
    )
    return await asyncio.wait_for(process.wait(), 60)


@pytest.mark.parametrize("writes", [1, 2, 4, 7])
async def test_care_that_is_killed_loses_nothing_and_is_taken_up_again(
    database: Database, url: str, writes: int
) -> None:
    world = await filled(database)
    assert await killed(url, writes) == -signal.SIGKILL
    keys = rotated(world.clock)
    vault = SubjectVault(keys)
    rows = await sealed(database, SealedKind.IDENTITY)
    assert [vault.open(each.sealed) for each in rows] == [str(n) for n in range(VIEWERS)]
    renewed = sum(vault.renewed(each.sealed) is None for each in rows)
    lines = await world.trace(STAFF_CHAIN)
    assert len(lines) == writes - 1, "a line for each transaction that was done, and for no other"
    assert renewed == {1: 0, 2: 0, 4: 200, 7: VIEWERS}[writes]

    await care_for(database, keys, keys.clock).mend()
    alone = SubjectVault(NEW)
    rows = await sealed(database, SealedKind.IDENTITY)
    assert [alone.open(each.sealed) for each in rows] == [str(n) for n in range(VIEWERS)]
    async with database.reading() as unit:
        shown = await unit.identities.shown("c", "d", IdentityKind.PHONE, 9)
        proof = await unit.identities.proof("p1")
        found = await unit.cameras.get("m_1")
        address = await unit.comments.address("m_c1")
        links = await unit.keyed.links("c")
    assert shown is not None
    assert shown.subject_hash == alone.fingerprint(f"c phone {VIEWERS - 1}")
    assert proof is not None
    assert alone.open(proof.sealed_subject) == "13800138000"
    assert found is not None
    assert AddressSealer(NEW, CAMERA).open(found.sealed_address) == "rtsp://u:geheim@h/1"
    assert AddressSealer(NEW).open(address) == "203.0.113.9"
    assert {each.revision for each in links} == {2}
    assert all(_is_by(NEW, each) for each in links)
    assert (await world.trace())[-1].action == "key.links_renewed"
    assert await care_for(database, keys, keys.clock).mend() == 0


def _is_by(secret: bytes, row: LinkRow) -> bool:
    return Links(secret).hash(LinkKind(row.kind), row.id, row.revision) == row.hash
