"""Rows of what viewers showed, and of proofs under way, on each storage."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from conference.model.consultation import CommentIdentity, Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.identity import Identity, IdentityKind, Proof, Visitor
from conference.services.rooms import RoomLimits
from conference.storage.archive_rows import SECRETS
from conference.storage.database import Database
from conference.storage.tables import exports
from tests.contract.test_comments import comment
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.identities_stage import DEVICE, Visitors

PHONE, WECHAT = IdentityKind.PHONE, IdentityKind.WECHAT
PROOF = Proof("p1", "c", "d1", PHONE, "sealed", "a" * 64, 0, 100)
SHOWN = Identity("v1", "c", "d1", PHONE, "b" * 64, "sealed", 50)


async def fill(database: Database) -> None:
    async with database.transaction() as unit:
        for cid in ("c", "d"):
            await unit.consultations.add(Consultation(cid, "x", Status.LIVE, Mode.FREE, True, False, True, 1))


async def test_a_policy_is_kept(database: Database) -> None:
    await fill(database)
    async with database.transaction() as unit:
        found = await unit.consultations.get("c")
        assert found is not None
        assert found.comment_identity is CommentIdentity.OPTIONAL
        await unit.consultations.save(replace(found, comment_identity=CommentIdentity.REQUIRED))
    async with database.reading() as unit:
        found = await unit.consultations.get("c")
    assert found is not None
    assert found.comment_identity is CommentIdentity.REQUIRED


async def test_a_device_has_one_proof_under_way(database: Database) -> None:
    await fill(database)
    others = [replace(PROOF, id="p2", device_hash="d2"), replace(PROOF, id="p3", consultation_id="d")]
    newer = replace(PROOF, id="p4", kind=WECHAT, sealed_subject="", answer_hash="")
    async with database.transaction() as unit:
        for proof in (PROOF, *others, newer):
            await unit.identities.begin(proof)
    async with database.transaction() as unit:
        assert await unit.identities.proof("p1") is None
        assert [await unit.identities.proof(each.id) for each in (*others, newer)] == [*others, newer]
        await unit.identities.tried(newer.tried())
        assert await unit.identities.proof("p4", lock=True) == replace(newer, attempts=1)
        assert await unit.identities.proof("p2") == others[0]
        await unit.identities.forget("p4")
        assert await unit.identities.proof("p4") is None


async def test_proofs_lapse(database: Database) -> None:
    await fill(database)
    async with database.transaction() as unit:
        await unit.identities.begin(PROOF)
        await unit.identities.begin(replace(PROOF, id="p2", device_hash="d2", expires_wall_ms=101))
        await unit.identities.begin(replace(PROOF, id="p3", consultation_id="d"))
        assert await unit.identities.lapsed(99) == []
        assert await unit.identities.lapsed(100) == ["c", "d"]
        assert await unit.identities.forget_lapsed("c", 100) == 1
        assert await unit.identities.lapsed(100) == ["d"]
        assert await unit.identities.proof("p2") is not None


async def test_what_was_shown_last_counts(database: Database) -> None:
    await fill(database)
    wechat = replace(SHOWN, id="v0", kind=WECHAT, proven_wall_ms=60)
    again = replace(SHOWN, id="v2", proven_wall_ms=70, sealed_subject="another")
    elsewhere = replace(SHOWN, id="v3", consultation_id="d", device_hash="d3")
    async with database.transaction() as unit:
        for each in (again, SHOWN, elsewhere):
            await unit.identities.add(each)
        assert await unit.identities.kinds("c") == {"d1": PHONE}
        await unit.identities.add(replace(wechat, proven_wall_ms=80))
        assert await unit.identities.kinds("c") == {"d1": WECHAT}
        assert await unit.identities.kinds("d") == {"d3": PHONE}
        shown = unit.identities.shown
        assert [await shown("c", "d1", PHONE, at) for at in (49, 50, 69, 70)] == [None, SHOWN, SHOWN, again]
        assert await shown("c", "d3", PHONE, 99) is None


async def test_subjects_are_erased(database: Database) -> None:
    await fill(database)
    old, bare = SHOWN, replace(SHOWN, id="v2", sealed_subject="")
    new = replace(SHOWN, id="v3", proven_wall_ms=60)
    async with database.transaction() as unit:
        for each in (old, bare, new, replace(old, id="v4", consultation_id="d")):
            await unit.identities.add(each)
        assert await unit.identities.with_subjects(60) == ["c", "d"]
        assert await unit.identities.erase_subjects("c", 60) == 2
        assert await unit.identities.with_subjects(60) == ["d"]
        assert await unit.identities.shown("c", "d1", PHONE, 55) in [
            replace(each, sealed_subject="", subject_hash="") for each in (old, bare)
        ]
        assert await unit.identities.shown("c", "d1", PHONE, 60) == new


async def test_a_comment_says_what_its_author_had_shown(database: Database) -> None:
    await fill(database)
    rows = [comment(1), comment(2, identity=PHONE), comment(3, identity=WECHAT)]
    async with database.transaction() as unit:
        await unit.comments.add(rows)
        await unit.comments.save([replace(rows[1], likes=1)])
    async with database.reading() as unit:
        found = [each async for page in unit.comments.pages("c", 100) for each in page]
    assert [each.identity for each in found] == [None, PHONE, WECHAT]


async def test_they_go_with_their_consultation_and_not_into_its_archive(database: Database) -> None:
    await fill(database)
    async with database.transaction() as unit:
        await unit.identities.begin(PROOF)
        await unit.identities.add(SHOWN)
        assert "identity_proofs" not in unit.archive_rows.tables()
        (row,) = [each async for each in unit.archive_rows.rows("identities", "c")]
        assert set(row) == {"id", "consultation_id", "kind", "proven_wall_ms"}
        assert SECRETS.isdisjoint(exports.c.keys()), "what a file is about is no secret"
        await unit.consultations.delete("c")
        assert await unit.identities.proof("p1") is None
        assert await unit.identities.kinds("c") == {}


async def test_guesses_at_once_on_two_servers(database: Database) -> None:
    """Together they have five."""
    await fill(database)
    nodes = [Visitors(World(database, ManualClock(), RoomLimits())) for _ in range(2)]
    begun = await nodes[0].begin()
    tries = [
        node.identities.finish("c", begun.id, f"no {number}", Visitor(DEVICE, "203.0.113.7"))
        for number in range(6)
        for node in nodes
    ]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    codes = [each.code for each in answers if isinstance(each, ConferenceError)]
    assert sorted(codes) == ["identity_lapsed"] * 7 + ["identity_wrong"] * 5
