"""What stands on a key, and each kind of write about keys: the command line's, and the care that follows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conference.model.audit import STAFF_CHAIN
from conference.model.identity import Identity, IdentityKind
from conference.model.permissions import Role
from conference.model.venue import VenueKind
from conference.services.consultations import ConsultationDraft
from conference.services.invitees import InviteeDraft
from conference.services.key_changes import KeyChanges
from conference.services.rooms import RoomLimits
from conference.services.venues import VenueDraft
from conference.storage.database import Database
from signaling.auth.sealer import SubjectVault
from signaling.data_dir import DataDirectory
from signaling.key_file import KeyFile, new_key
from signaling.key_ring import KeyRing
from tests.support.key_mender import care_for
from tests.unit.services.conftest import World
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import FIRST
from tests.unit.storage.crashing import Kind

BEGAN_MS: Final = 1_700_000_000_000
FILES: Final = Path("keys")
CHAINS: Final = (STAFF_CHAIN, "c")
VIEWER: Final = "13800138000"
STAFF: Final = World.bearer(Role.SECRETARIAT)


def ring_of(directory: Path, clock: ManualClock) -> KeyRing:
    """As a server that starts has it."""
    return KeyRing(KeyFile(DataDirectory(directory)), clock)


@dataclass
class Office:
    """A link of a venue and of an invitee, and a viewer who is sealed: all by the first key, which signs."""

    world: World

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def changes(self) -> KeyChanges:
        return KeyChanges(self.database, self.world.clock, KeyFile(DataDirectory(FILES)), new_key)

    async def noted(self) -> dict[str, Any]:
        async with self.database.reading() as unit:
            heads = {each: await unit.audit.head(each) for each in CHAINS}
        return {"heads": {chain: [head.number, head.hash] for chain, head in heads.items()}}


async def prepare(database: Database) -> Office:
    directory = DataDirectory(FILES)
    directory.create()
    directory.token_key.write_bytes(FIRST.secret or b"")
    world = World(database, ManualClock(epoch_ms=BEGAN_MS), RoomLimits())
    await world.consultations.create(ConsultationDraft(title="协商会", id="c"))
    await world.venues.add("c", STAFF, VenueDraft("主会场", VenueKind.MAIN))
    await world.invitees.add("c", STAFF, InviteeDraft("王伟"))
    vault = SubjectVault(FIRST.secret or b"")
    sealed, printed = vault.seal(VIEWER), vault.fingerprint(f"c phone {VIEWER}")
    async with database.transaction() as unit:
        await unit.identities.add(Identity("v_1", "c", "d", IdentityKind.PHONE, printed, sealed, 1))
    return Office(world)


Write = Callable[[Office], Awaitable[object]]


def _after(*steps: Write) -> Write:
    async def all_of(on: Office) -> None:
        for step in steps:
            await step(on)

    return all_of


async def _rotate(on: Office) -> None:
    await on.changes.rotate(30)


async def _retire(on: Office) -> None:
    await on.changes.retire(FIRST.id, is_urgent=False)


async def _mend(on: Office) -> None:
    clock = on.world.clock
    await care_for(on.database, ring_of(FILES, clock), clock).mend()


KINDS: Final[dict[str, Kind]] = {
    "key.rotated": Kind(_rotate),
    "key.retired": Kind(_retire, first=_rotate),
    "key.retired that signs": Kind(_retire),
    "key.resealed": Kind(_mend, first=_rotate),
    "key.links_renewed": Kind(_mend, first=_after(_rotate, _mend, _retire)),
}
