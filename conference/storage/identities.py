"""Rows of what viewers showed, and of proofs under way."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.identity import Identity, IdentityKind, Proof
from conference.storage.rows import to_row
from conference.storage.tables import identities, identity_proofs

_ERASED: Final = {"sealed_subject": "", "subject_hash": ""}


class SqlIdentities:
    """Implements services.ports.IdentityRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, proof: Proof) -> None:
        c = identity_proofs.c
        await self._connection.execute(
            sa.delete(identity_proofs).where(
                c.consultation_id == proof.consultation_id, c.device_hash == proof.device_hash
            )
        )
        await self._connection.execute(sa.insert(identity_proofs).values(to_row(proof)))

    async def proof(self, proof_id: str, *, lock: bool = False) -> Proof | None:
        query = sa.select(identity_proofs).where(identity_proofs.c.id == proof_id)
        if lock:  # SQLite leaves it out: there each writing transaction is alone from its beginning
            query = query.with_for_update()
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else Proof(**{**row, "kind": IdentityKind(row["kind"])})

    async def tried(self, proof: Proof) -> None:
        await self._connection.execute(
            sa.update(identity_proofs).where(identity_proofs.c.id == proof.id).values(attempts=proof.attempts)
        )

    async def forget(self, proof_id: str) -> None:
        await self._connection.execute(sa.delete(identity_proofs).where(identity_proofs.c.id == proof_id))

    async def lapsed(self, wall_ms: int) -> list[str]:
        c = identity_proofs.c
        query = sa.select(c.consultation_id).where(c.expires_wall_ms <= wall_ms).distinct()
        return sorted((await self._connection.execute(query)).scalars())

    async def forget_lapsed(self, consultation_id: str, wall_ms: int) -> int:
        c = identity_proofs.c
        gone = await self._connection.execute(
            sa.delete(identity_proofs).where(
                c.consultation_id == consultation_id, c.expires_wall_ms <= wall_ms
            )
        )
        return gone.rowcount

    async def add(self, identity: Identity) -> None:
        await self._connection.execute(sa.insert(identities).values(to_row(identity)))

    async def kinds(self, consultation_id: str) -> dict[str, IdentityKind]:
        c = identities.c
        query = (
            sa.select(c.device_hash, c.kind)
            .where(c.consultation_id == consultation_id)
            .order_by(c.proven_wall_ms, c.id)
        )
        rows = await self._connection.execute(query)
        return {row.device_hash: IdentityKind(row.kind) for row in rows}

    async def shown(
        self, consultation_id: str, device_hash: str, kind: IdentityKind, before_wall_ms: int
    ) -> Identity | None:
        c = identities.c
        query = (
            sa.select(identities)
            .where(
                c.consultation_id == consultation_id,
                c.device_hash == device_hash,
                c.kind == kind.value,
                c.proven_wall_ms <= before_wall_ms,
            )
            .order_by(c.proven_wall_ms.desc(), c.id.desc())
            .limit(1)
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else _identity(row)

    async def with_subjects(self, before_wall_ms: int) -> list[str]:
        query = sa.select(identities.c.consultation_id).where(_has_subject(before_wall_ms)).distinct()
        return sorted((await self._connection.execute(query)).scalars())

    async def erase_subjects(self, consultation_id: str, before_wall_ms: int) -> int:
        gone = await self._connection.execute(
            sa.update(identities)
            .where(identities.c.consultation_id == consultation_id, _has_subject(before_wall_ms))
            .values(_ERASED)
        )
        return gone.rowcount


def _has_subject(before_wall_ms: int) -> sa.ColumnElement[bool]:
    c = identities.c
    return sa.and_(sa.or_(c.sealed_subject != "", c.subject_hash != ""), c.proven_wall_ms < before_wall_ms)


def _identity(row: RowMapping) -> Identity:
    return Identity(**{**row, "kind": IdentityKind(row["kind"])})
