"""What a change of keys leaves to be done: sealed values go under the new key, links of an old one are made anew.

Any server does it, in small transactions, beside its meetings: one that is killed begins again, for what is under the
new key already is passed over. Only when nothing stands on an old secret any more is it dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import structlog

from conference.clock import Clock
from conference.model.audit import STAFF_CHAIN, SYSTEM, AuditEntry, Value
from conference.model.keyed import Resealed, SealedKind, SealedRow
from conference.model.keyset import KeySet, KeyState
from conference.services.links import Links
from conference.services.ports import IdentityVault, KeyStore, PresenceRegistry, Sealer, Storage

log = structlog.get_logger(__name__)

KEPT_MS: Final = 2 * 86_400_000
"""How long the secret of a key that is over is kept: longer than any token of a guest or of staff lasts."""

BATCH: Final = 200  # SQLite has one writer, and a meeting may be running
_PAUSE_S: Final = 0.02
_SPREADING_S: Final = 10.0


class KeyCare:
    """`vault` seals what is known of viewers, the other two addresses of comments and cameras."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        store: KeyStore,
        registry: PresenceRegistry,
        links: Links,
        *,
        cameras: Sealer,
        comments: Sealer,
        vault: IdentityVault,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._store = store
        self._registry = registry
        self._links = links
        self._vault = vault
        self._sealers: Mapping[SealedKind, Sealer] = {
            SealedKind.CAMERA: cameras,
            SealedKind.COMMENT: comments,
            SealedKind.IDENTITY: vault,
            SealedKind.PROOF: vault,
        }
        self._done: object = None
        self._said: tuple[str, ...] = ()
        self._differs_since_s: float | None = None

    @property
    def key_set(self) -> KeySet:
        return self._store.key_set

    @property
    def differing(self) -> tuple[str, ...]:
        """Names of the other nodes that have had other keys than we for a while: what the one signs the other
        refuses."""
        return self._said

    async def tick(self) -> None:
        """Call every few seconds."""
        differing = self._compare()
        key_set, now_ms = self._store.key_set, self._clock.wall_ms()
        due = _droppable(key_set, now_ms)
        state = (key_set.fingerprint, *(each.state(now_ms) for each in key_set.keys))
        is_done = state == self._done or not any(each.secret is not None for each in key_set.keys[:-1])
        if differing or (
            is_done and not due
        ):  # nodes that lack the new key could not open what we seal with it
            return
        if await self.mend():
            return  # what others sealed meanwhile is found by another round
        self._done = state
        if due:
            await self._store.forget(due)
            log.info("keys.forgotten", keys=sorted(due))

    def _compare(self) -> tuple[str, ...]:
        """Those that differ now. It is said once it has lasted: a rotation takes its seconds to be everywhere."""
        own, now_s = self._store.key_set.fingerprint, self._clock.monotonic()
        differing = tuple(each.name for each in self._registry.nodes() if each.keys not in ("", own))
        if not differing:
            self._differs_since_s = None
        elif self._differs_since_s is None:
            self._differs_since_s = now_s
        has_lasted = self._differs_since_s is not None and now_s - self._differs_since_s >= _SPREADING_S
        said = differing if has_lasted else ()
        if said != self._said:
            self._said = said
            if said:
                log.error("keys.differ", nodes=list(said))
            else:
                log.info("keys.agree")
        return differing

    async def mend(self) -> int:
        """Bring every row under the key that signs; returns how many were not."""
        return sum([await self._reseal(kind) for kind in SealedKind]) + await self._relink()

    async def _reseal(self, kind: SealedKind) -> int:
        after_id, total = "", 0
        while True:
            async with self._storage.reading() as unit:
                rows = await unit.keyed.sealed(kind, after_id, BATCH)
            changes = [each for each in (self._renewed(kind, row) for row in rows) if each is not None]
            if changes:
                async with self._storage.transaction() as unit:
                    count = await unit.keyed.reseal(kind, changes)
                    content: dict[str, Value] = {"kind": kind.value, "count": count}
                    await unit.audit.append(self._entry(STAFF_CHAIN, "key.resealed", content))
                total += count
            if len(rows) < BATCH:
                return total
            after_id = rows[-1].id
            await asyncio.sleep(_PAUSE_S)

    def _renewed(self, kind: SealedKind, row: SealedRow) -> Resealed | None:
        after = self._sealers[kind].renewed(row.sealed)
        if after is None:
            return None
        fingerprint = None
        if kind is SealedKind.IDENTITY:
            fingerprint = self._vault.fingerprint(f"{row.context} {self._vault.open(after)}")
        return Resealed(row.id, row.sealed, after, fingerprint)

    async def _relink(self) -> int:
        total = 0
        async with self._storage.reading() as unit:
            consultations = await unit.keyed.consultations()
        for consultation_id, is_sealed in consultations.items():
            async with self._storage.reading() as unit:
                rows = await unit.keyed.links(consultation_id)
            mended = [
                (row, after)
                for row in rows
                if (after := self._links.mended(row, is_sealed=is_sealed)) is not None
            ]
            if not mended:
                continue
            async with self._storage.transaction() as unit:
                done = [pair for pair in mended if await unit.keyed.relink(*pair)]
                renewed = sum(before.revision != after.revision for before, after in done)
                content: dict[str, Value] = {
                    "consultation": consultation_id,
                    "count": len(done),
                    "revoked": renewed,
                }
                chain = STAFF_CHAIN if is_sealed else consultation_id  # nothing is added to what is sealed
                await unit.audit.append(self._entry(chain, "key.links_renewed", content))
            total += len(done)
            await asyncio.sleep(_PAUSE_S)
        return total

    def _entry(self, chain: str, action: str, content: Mapping[str, Value]) -> AuditEntry:
        signing = self._store.key_set.signing.id
        return AuditEntry(chain, self._clock.wall_ms(), None, SYSTEM, action, signing, content)


def _droppable(key_set: KeySet, now_ms: int) -> frozenset[str]:
    """Whose secret nobody asks for any more, once no row stands on it."""
    return frozenset(
        each.id
        for each in key_set.keys
        if each.secret is not None
        and each.state(now_ms) in (KeyState.ENDED, KeyState.RETIRED)
        and now_ms >= (each.ended_ms(now_ms) or now_ms) + KEPT_MS
    )
