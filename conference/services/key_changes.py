"""Rotating and retiring keys: what changes in their file, with the line of the trace in the same step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from conference.clock import Clock
from conference.model.audit import CLI, STAFF_CHAIN, AuditEntry, Value
from conference.model.errors import ConferenceError
from conference.model.keyset import Key, KeySet
from conference.services.links import LinkKind, Links
from conference.services.ports import FixedKey, Storage, UnitOfWork

DAY_MS: Final = 86_400_000
OVERLAP_DAYS: Final = 30
"""At least. Invitations go out two to four weeks before a meeting."""

AFTER_DAYS: Final = 7  # what is planned may be put off by some days
MAX_OVERLAP_DAYS: Final = 400


class KeyWriter(Protocol):
    """The file of the keys."""

    def read(self) -> KeySet: ...

    def change(self, how: Callable[[KeySet], KeySet]) -> KeySet:
        """Put the result of `how` in the place of what is there, while nobody else changes it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a key: links that are good, of so many consultations, and meetings that go on now."""

    links: int
    consultations: int
    running: tuple[str, ...]


class KeyChanges:
    """For the command line. `make` gives a new key, made at a time in UTC ms."""

    def __init__(self, storage: Storage, clock: Clock, file: KeyWriter, make: Callable[[int], Key]) -> None:
        self._storage = storage
        self._clock = clock
        self._file = file
        self._make = make

    async def overlap_days(self) -> int:
        """How long links that were given out are still wanted, at least OVERLAP_DAYS."""
        async with self._storage.reading() as unit:
            needed_ms = await unit.keyed.needed_until()
        left_ms = (needed_ms or 0) + AFTER_DAYS * DAY_MS - self._clock.wall_ms()
        return min(max(OVERLAP_DAYS, -(-left_ms // DAY_MS)), MAX_OVERLAP_DAYS)

    async def rotate(self, overlap_days: int) -> KeySet:
        """A new key signs from now on, the one before is accepted for so long. conflict when another was faster."""
        now_ms = self._clock.wall_ms()
        new, before = self._make(now_ms), self._file.read().signing
        until_ms = now_ms + overlap_days * DAY_MS

        def rotated(found: KeySet) -> KeySet:
            _require_same(found, before)
            return found.rotated(new, until_ms)

        async with self._storage.transaction() as unit:
            await _say(unit, now_ms, "key.rotated", new, {"before": before.id, "until_ms": until_ms})
            return self._file.change(
                rotated
            )  # last, so that it stays as it was when the line cannot be written

    async def retire(self, key_id: str, *, is_urgent: bool) -> KeySet:
        """Nothing of this key is believed from now on; where it signs, a new one does. not_found; invalid_state with
        `running` while a meeting goes on, unless it `is_urgent`: who came in by it would have to come again."""
        now_ms = self._clock.wall_ms()
        before = self._file.read()
        new = self._make(now_ms) if before.signing.id == key_id else None

        def retired(found: KeySet) -> KeySet:
            _require_same(found, before.signing)
            return (found if new is None else found.rotated(new, now_ms)).retired(key_id, now_ms)

        async with self._storage.transaction() as unit:
            running = [each.title for each in await unit.consultations.live()]
            if running and not is_urgent:
                raise ConferenceError("invalid_state", "a meeting goes on", running=running)
            key = before.find(key_id)
            if key is not None and key.retired_ms is not None:
                return before
            if key is not None:
                if new is not None:
                    await _say(unit, now_ms, "key.rotated", new, {"before": key.id, "until_ms": now_ms})
                await _say(unit, now_ms, "key.retired", key, {"urgent": is_urgent})
            return self._file.change(retired)

    async def standing_on(self, key: Key) -> Standing:
        """What retiring it would hit."""
        count, hit = 0, set[str]()
        links = None if key.secret is None else Links(FixedKey(key.secret))
        async with self._storage.reading() as unit:
            running = tuple(each.title for each in await unit.consultations.live())
            open_ones = [
                each for each, is_sealed in (await unit.keyed.consultations()).items() if not is_sealed
            ]
            for consultation_id in open_ones:
                for row in await unit.keyed.links(consultation_id):
                    if links is not None and links.hash(LinkKind(row.kind), row.id, row.revision) == row.hash:
                        count += 1
                        hit.add(consultation_id)
        return Standing(count, len(hit), running)


def _require_same(found: KeySet, expected: Key) -> None:
    if found.signing.id != expected.id:
        raise ConferenceError("conflict", "another command rotated the keys")


async def _say(unit: UnitOfWork, now_ms: int, action: str, key: Key, content: dict[str, Value]) -> None:
    await unit.audit.append(AuditEntry(STAFF_CHAIN, now_ms, None, CLI, action, key.id, content))
