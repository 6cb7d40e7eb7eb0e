"""A server's care for its keys that dies: `python -m tests.support.key_mender URL WRITES` is killed before that commit.

It has rotated from the first key of hand_keys to the second; WRITES counts transactions that wrote. 0 goes to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import sqlalchemy as sa
from sqlalchemy import event

from conference.clock import Clock
from conference.services.key_care import KeyCare
from conference.services.links import Links
from conference.storage.database import Database, open_engine
from conference.storage.ephemeral.memory import MemoryPresence
from signaling.auth.sealer import AddressSealer, SubjectVault
from signaling.key_ring import KeyRing
from tests.unit.services.fakes import ManualClock
from tests.unit.services.hand_keys import HandKeys


def rotated(clock: ManualClock) -> HandKeys:
    """The second key signs; the first is retired, so that links are made anew, too."""
    keys = HandKeys(clock)
    first = keys.key_set.signing.id
    keys.rotate()
    keys.key_set = keys.key_set.retired(first, clock.wall_ms())
    return keys


def care_for(database: Database, keys: HandKeys | KeyRing, clock: Clock) -> KeyCare:
    """As the server does."""
    return KeyCare(
        database,
        clock,
        keys,
        MemoryPresence("node"),
        Links(keys),
        cameras=AddressSealer(keys, b"yuanshang camera address"),
        comments=AddressSealer(keys),
        vault=SubjectVault(keys),
    )


async def _mend(url: str, deadly: int) -> None:
    engine = open_engine(url)
    written: set[int] = set()
    count = 0

    def note(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("UPDATE"):
            written.add(id(connection))

    def commit(connection: sa.Connection) -> None:
        nonlocal count
        if id(connection) in written:
            written.discard(id(connection))
            count += 1
            if count == deadly:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    event.listen(engine.sync_engine, "commit", commit)
    database = Database(engine)
    clock = ManualClock()
    await care_for(database, rotated(clock), clock).mend()
    await database.close()


if __name__ == "__main__":
    asyncio.run(_mend(sys.argv[1], int(sys.argv[2])))
