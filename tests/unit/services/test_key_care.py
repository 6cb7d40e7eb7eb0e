"""After a rotation: seals go under the new key, links are made anew, the old secret is dropped at the end."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest

from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry
from conference.model.claim import NodeState
from conference.model.errors import ConferenceError
from conference.model.identity import Identity, IdentityKind
from conference.model.invitee import Invitee
from conference.model.keyed import SealedKind
from conference.model.keyset import KeyState
from conference.model.participant import EntryMeans
from conference.model.permissions import Role
from conference.services.entrances import Entrances
from conference.services.invitees import InviteeDraft
from conference.services.key_care import BATCH, KEPT_MS, KeyCare
from conference.services.links import LinkKind, Links
from conference.services.revocations import Revocations
from conference.services.warrants import Warrant
from signaling.auth.sealer import AddressSealer, SubjectVault
from tests.unit.services.conftest import World
from tests.unit.services.hand_keys import FIRST, SECOND, HandKeys
from tests.unit.services.shared_registry import SharedRegistry

STAFF = World.bearer(Role.SECRETARIAT)
DAY_S = 86_400
PROVEN = AuditEntry("c", 1, None, CLI, "identity.proven")


@dataclass
class Stage:
    """A consultation whose links and seals are by the first key."""

    world: World
    keys: HandKeys
    registry: SharedRegistry
    links: Links
    vault: SubjectVault
    care: KeyCare

    def entrances(self) -> Entrances:
        return Entrances(self.world.database, self.world.clock, self.links, self.world.issue)

    async def identities(self, count: int = 1) -> None:
        async with self.world.database.transaction() as unit:
            for number in range(count):
                identity = Identity(
                    id=f"v_{number:04}",
                    consultation_id="c",
                    device_hash=f"d{number}",
                    kind=IdentityKind.PHONE,
                    subject_hash=self.vault.fingerprint("c phone 13800138000"),
                    sealed_subject=self.vault.seal("13800138000"),
                    proven_wall_ms=1,
                )
                await unit.identities.add(identity)
            await unit.audit.append(PROVEN)

    async def sealed(self, kind: SealedKind = SealedKind.IDENTITY) -> list[str]:
        async with self.world.database.reading() as unit:
            return [each.sealed for each in await unit.keyed.sealed(kind, "", 10_000)]

    async def invitee(self, invitee_id: str) -> Invitee:
        async with self.world.database.reading() as unit:
            found = await unit.invitees.get(invitee_id)
        assert found is not None
        return found


@pytest.fixture
def stage(world: World) -> Stage:
    keys = HandKeys(world.clock)
    registry, links, vault = SharedRegistry("node"), Links(keys), SubjectVault(keys)
    care = KeyCare(
        world.database,
        world.clock,
        keys,
        registry,
        links,
        cameras=AddressSealer(keys, b"yuanshang camera address"),
        comments=AddressSealer(keys),
        vault=vault,
    )
    return Stage(world, keys, registry, links, vault, care)


async def test_nothing_is_done_where_there_is_one_key(stage: Stage) -> None:
    await stage.identities()
    before = await stage.sealed()
    await stage.care.tick()
    assert await stage.sealed() == before
    assert [each.action for each in await stage.world.trace(STAFF_CHAIN)] == []


async def test_seals_go_under_the_new_key_in_batches_with_a_line_each(stage: Stage) -> None:
    await stage.identities(BATCH + 3)
    stage.keys.rotate()
    await stage.care.tick()
    alone = SubjectVault(SECOND.secret or b"")
    assert {alone.open(each) for each in await stage.sealed()} == {"13800138000"}
    async with stage.world.database.reading() as unit:
        shown = await unit.identities.shown("c", "d0", IdentityKind.PHONE, 2)
    assert shown is not None
    assert shown.subject_hash == alone.fingerprint("c phone 13800138000"), (
        "still the same for the same person"
    )
    lines = await stage.world.trace(STAFF_CHAIN)
    assert [(each.action, each.subject, json.loads(each.content)) for each in lines] == [
        ("key.resealed", SECOND.id, {"count": BATCH, "kind": "identity"}),
        ("key.resealed", SECOND.id, {"count": 3, "kind": "identity"}),
    ]
    before = await stage.sealed()
    await stage.care.tick()
    await stage.care.tick()
    assert await stage.sealed() == before, "what is under the key is left as it is"


async def test_what_cannot_be_opened_hinders_nothing(stage: Stage) -> None:
    strange = SubjectVault(b"?" * 32).seal("13900139000")
    await stage.identities()
    async with stage.world.database.transaction() as unit:
        await unit.identities.add(
            Identity("v_strange", "c", "d", IdentityKind.PHONE, "h", strange, proven_wall_ms=1)
        )
        await unit.audit.append(PROVEN)
    stage.keys.rotate()
    await stage.care.tick()
    (ours, other) = await stage.sealed()
    assert SubjectVault(SECOND.secret or b"").open(ours) == "13800138000"
    assert other == strange


async def test_a_link_opens_for_the_overlap_and_then_another_one_does(stage: Stage) -> None:
    invitee = await stage.world.invitees.add("c", STAFF, InviteeDraft("王伟", role=Role.MEMBER))
    code = stage.links.code_of(LinkKind.INVITEE, invitee)
    stage.keys.rotate(days=30)
    await stage.care.tick()
    await stage.entrances().enter(code)
    assert (await stage.invitee(invitee.id)).link_hash == invitee.link_hash, "while it is accepted"
    stage.world.clock.forward(30 * DAY_S)
    with pytest.raises(ConferenceError, match="link_invalid"):
        await stage.entrances().enter(code)
    await stage.care.tick()
    after = await stage.invitee(invitee.id)
    assert after.link_revision == invitee.link_revision, "who is in stays"
    await stage.entrances().enter(stage.links.code_of(LinkKind.INVITEE, after))
    with pytest.raises(ConferenceError, match="link_invalid"):
        await stage.entrances().look(code)


async def test_a_leaked_key_opens_nothing_at_once_and_what_it_opened_is_closed(stage: Stage) -> None:
    world = stage.world
    invitee = await world.invitees.add("c", STAFF, InviteeDraft("王伟", role=Role.MEMBER))
    code = stage.links.code_of(LinkKind.INVITEE, invitee)
    for name, warrant in (
        ("王伟", _by_link(invitee, SECOND.id)),
        ("甲", Warrant("t_cli", Role.MEMBER, key_id=FIRST.id)),
        ("乙", Warrant("t_new", Role.MEMBER, key_id=SECOND.id)),
    ):
        await world.arrivals.join(replace(world.entry(name), warrant=warrant), name)
    stage.keys.rotate()
    revocations = Revocations(world.rooms, world.departures, stage.keys)
    await revocations.sweep()
    assert _names(world) == {"王伟", "甲", "乙"}, "a rotation puts nobody out"
    stage.keys.key_set = stage.keys.key_set.retired(FIRST.id, world.clock.wall_ms())
    with pytest.raises(ConferenceError, match="link_invalid"):
        await stage.entrances().look(code)
    await revocations.sweep()
    assert _names(world) == {"王伟", "乙"}, "the token was signed by it"
    await stage.care.tick()
    await revocations.sweep()
    assert _names(world) == {"乙"}, "the link was made with it: anybody could have come by it"
    after = await stage.invitee(invitee.id)
    assert after.link_revision == invitee.link_revision + 1
    await stage.entrances().enter(stage.links.code_of(LinkKind.INVITEE, after))


async def test_a_secret_is_dropped_when_nothing_stands_on_it_any_more(stage: Stage) -> None:
    await stage.identities()
    stage.keys.rotate(days=1)
    await stage.care.tick()
    stage.world.clock.forward(DAY_S)
    await stage.care.tick()
    await stage.care.tick()
    first = stage.keys.key_set.keys[0]
    assert (first.state(stage.world.clock.wall_ms()), first.secret) == (KeyState.ENDED, FIRST.secret)
    late = SubjectVault(FIRST.secret or b"").seal("13700137000")
    async with stage.world.database.transaction() as unit:  # by a server that was cut off
        await unit.identities.add(
            Identity("v_late", "c", "d", IdentityKind.PHONE, "h", late, proven_wall_ms=1)
        )
        await unit.audit.append(PROVEN)
    stage.world.clock.forward(KEPT_MS / 1000)
    await stage.care.tick()
    assert stage.keys.key_set.keys[0].secret is not None, "something was sealed with it"
    await stage.care.tick()
    assert stage.keys.key_set.keys[0].secret is None
    assert {stage.vault.open(each) for each in await stage.sealed()} == {"13800138000", "13700137000"}
    before = stage.keys.key_set
    await stage.care.tick()
    assert stage.keys.key_set == before


async def test_nothing_is_sealed_anew_while_another_server_lacks_the_key(stage: Stage) -> None:
    await stage.identities()
    before = await stage.sealed()
    old = stage.keys.key_set.fingerprint
    stage.keys.rotate()
    other = NodeState("b", None, rooms=0, present=0, is_draining=False, keys=old)
    silent = NodeState("c", None, rooms=0, present=0, is_draining=False)
    stage.registry.living = (other, silent)
    await stage.care.tick()
    assert await stage.sealed() == before
    assert not stage.care.differing, "a rotation takes its seconds to be everywhere"
    stage.world.clock.forward(10)
    await stage.care.tick()
    assert stage.care.differing == ("b",)
    assert await stage.sealed() == before
    stage.registry.living = (silent,)
    await stage.care.tick()
    assert not stage.care.differing
    assert await stage.sealed() != before


def _by_link(invitee: Invitee, key_id: str) -> Warrant:
    return Warrant(
        "t_link",
        Role.MEMBER,
        EntryMeans.INVITE,
        invitee_id=invitee.id,
        link_revision=invitee.link_revision,
        key_id=key_id,
    )


def _names(world: World) -> set[str]:
    room = world.rooms.find("c")
    assert room is not None
    return {each.participant.name for each in room.seats.values()}
