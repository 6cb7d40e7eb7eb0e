"""What is prepared for a consultation, counted; and the list of consultations."""

from __future__ import annotations

import json
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.consultation import Consultation, Status
from conference.model.permissions import Role
from conference.model.readiness import Prepared
from conference.storage.rows import to_consultation
from conference.storage.tables import agenda_items, consultations, invitee_imports, invitees


class SqlPreparation:
    """Implements services.ports.PreparationRows."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def prepared(self, consultation_id: str) -> Prepared:
        chairs = sa.select(sa.func.count()).where(
            invitees.c.consultation_id == consultation_id,
            invitees.c.role == Role.CHAIR.value,
            invitees.c.removed_at_ms.is_(None),
        )
        items = sa.select(sa.func.count()).where(agenda_items.c.consultation_id == consultation_id)
        rows = sa.select(invitee_imports.c.rows).where(invitee_imports.c.consultation_id == consultation_id)
        imported = json.loads((await self._connection.execute(rows)).scalar() or "[]")
        return Prepared(
            chairs=(await self._connection.execute(chairs)).scalar_one(),
            agenda_items=(await self._connection.execute(items)).scalar_one(),
            bad_rows=sum(not each.get("ok") and not each.get("dropped") for each in imported),
        )

    async def consultations(
        self,
        organization_ids: Collection[str],
        *,
        status: Status | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> list[Consultation]:
        c = consultations.c
        when = sa.func.coalesce(c.scheduled_at_ms, c.created_at_ms)
        query = sa.select(consultations).where(
            sa.or_(c.organization_id.is_(None), c.organization_id.in_(list(organization_ids)))
        )
        if status is not None:
            query = query.where(c.status == status.value)
        if after is not None:
            last = (await self._connection.execute(sa.select(when).where(c.id == after))).scalar()
            if last is None:
                return []
            query = query.where(sa.or_(when < last, sa.and_(when == last, c.id > after)))
        rows = await self._connection.execute(query.order_by(when.desc(), c.id).limit(limit))
        return [to_consultation(row) for row in rows.mappings()]
