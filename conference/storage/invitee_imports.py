"""Rows of lists of invitees that were read and not taken over yet."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.invitee_list import ImportRow, InviteeImport
from conference.storage.statements import insert
from conference.storage.tables import invitee_imports

_ROWS: Final = msgspec.json.Decoder(list[ImportRow])


class SqlInviteeImports:
    """Implements services.ports.InviteeImportRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, consultation_id: str) -> InviteeImport | None:
        query = sa.select(invitee_imports).where(invitee_imports.c.consultation_id == consultation_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        return InviteeImport(**{**row, "rows": tuple(_ROWS.decode(row["rows"]))})

    async def save(self, kept: InviteeImport, good: Collection[int]) -> None:
        rows = [
            {
                "row": each.row,
                "values": each.values,
                "formulas": each.formulas,
                "separate": each.separate,
                "dropped": each.dropped,
                "ok": each.row in good,
            }
            for each in kept.rows
        ]
        values = {
            "file_name": kept.file_name,
            "rows": msgspec.json.encode(rows).decode(),
            "created_at_ms": kept.created_at_ms,
            "created_by": kept.created_by,
        }
        statement = insert(self._connection, invitee_imports)
        await self._connection.execute(
            statement.values(consultation_id=kept.consultation_id, **values).on_conflict_do_update(
                index_elements=[invitee_imports.c.consultation_id], set_=values
            )
        )

    async def delete(self, consultation_id: str) -> None:
        await self._connection.execute(
            sa.delete(invitee_imports).where(invitee_imports.c.consultation_id == consultation_id)
        )
