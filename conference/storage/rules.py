"""Rows of the rules of bodies, and of what their files take on each node."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.rules import Rules, StorageUse
from conference.storage.statements import insert
from conference.storage.tables import consultations, organization_rules, storage_uses

_RULES = tuple(each.name for each in organization_rules.c if each.name != "organization_id")


class SqlRules:
    """Implements services.ports.RulesRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, organization_id: str | None, *, lock: bool = False) -> Rules:
        query = sa.select(organization_rules).where(organization_rules.c.organization_id == organization_id)
        if lock:
            query = query.with_for_update()
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return Rules() if row is None else _rules(row)

    async def all(self) -> dict[str, Rules]:
        rows = await self._connection.execute(sa.select(organization_rules))
        return {row["organization_id"]: _rules(row) for row in rows.mappings()}

    async def save(self, organization_id: str, rules: Rules) -> None:
        statement = insert(self._connection, organization_rules)
        await self._connection.execute(
            statement.values(organization_id=organization_id, **asdict(rules)).on_conflict_do_update(
                index_elements=[organization_rules.c.organization_id],
                set_={name: statement.excluded[name] for name in _RULES},
            )
        )


class SqlStorageUses:
    """Implements services.ports.StorageUseRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def owners(self) -> dict[str, str]:
        query = sa.select(consultations.c.id, consultations.c.organization_id)
        rows = await self._connection.execute(query.where(consultations.c.organization_id.is_not(None)))
        return {row.id: row.organization_id for row in rows}

    async def since(self, wall_ms: int) -> list[StorageUse]:
        query = sa.select(storage_uses).where(storage_uses.c.measured_at_ms >= wall_ms)
        query = query.order_by(storage_uses.c.organization_id, storage_uses.c.node)
        return [StorageUse(**row) for row in (await self._connection.execute(query)).mappings()]

    async def measured(self, node: str, uses: Iterable[StorageUse], *, forget_before_ms: int) -> None:
        outdated = storage_uses.c.measured_at_ms < forget_before_ms
        await self._connection.execute(
            sa.delete(storage_uses).where(sa.or_(storage_uses.c.node == node, outdated))
        )
        rows = [asdict(each) for each in uses]
        if rows:
            await self._connection.execute(sa.insert(storage_uses), rows)


def _rules(row: RowMapping) -> Rules:
    return Rules(**{name: row[name] for name in _RULES})
