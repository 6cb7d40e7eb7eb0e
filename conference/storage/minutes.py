"""Rows of minutes and of the templates of bodies."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.errors import ConferenceError
from conference.model.minutes import (
    Approval,
    Minutes,
    MinutesKind,
    MinutesState,
    MinutesTemplate,
    PrintedGap,
    Section,
)
from conference.model.transcript import GapState
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import minutes, minutes_templates


class SqlMinutes:
    """Implements services.ports.MinutesRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, minutes_id: str) -> Minutes | None:
        found = await self._where(minutes.c.id == minutes_id)
        return found[0] if found else None

    async def of(self, consultation_id: str) -> list[Minutes]:
        return await self._where(minutes.c.consultation_id == consultation_id)

    async def newest(self, consultation_id: str, kind: MinutesKind) -> Minutes | None:
        c = minutes.c
        found = await self._where(c.consultation_id == consultation_id, c.kind == kind.value)
        return found[-1] if found else None

    async def add(self, added: Minutes) -> None:
        try:
            await self._connection.execute(sa.insert(minutes).values(_row(added)))
        except IntegrityError as error:
            raise ConferenceError("edit_conflict", f"version {added.version} is there") from error

    async def save(self, saved: Minutes) -> None:
        known = sa.and_(minutes.c.id == saved.id, minutes.c.revision == saved.revision - 1)
        statement = sa.update(minutes).where(known).values(_row(saved))
        if (await self._connection.execute(statement)).rowcount != 1:
            raise ConferenceError("edit_conflict", f"not revision {saved.revision - 1}")

    async def seal(self, sealed: Minutes) -> None:
        statement = sa.update(minutes).where(minutes.c.id == sealed.id)
        await self._connection.execute(statement.values(approval=_row(sealed)["approval"]))

    async def _where(self, *conditions: sa.ColumnElement[bool]) -> list[Minutes]:
        c = minutes.c
        query = sa.select(minutes).where(*conditions).order_by(c.consultation_id, c.kind, c.version)
        return [_minutes(row) for row in (await self._connection.execute(query)).mappings()]


class SqlMinutesTemplates:
    """Implements services.ports.MinutesTemplateRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, organization_id: str) -> MinutesTemplate | None:
        c = minutes_templates.c
        query = sa.select(*(each for each in c if each.name != "content")).where(
            c.organization_id == organization_id
        )
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else MinutesTemplate(**row)

    async def content(self, organization_id: str) -> bytes | None:
        c = minutes_templates.c
        query = sa.select(c.content).where(c.organization_id == organization_id)
        found: bytes | None = (await self._connection.execute(query)).scalar()
        return found

    async def save(self, template: MinutesTemplate, content: bytes) -> None:
        row = {**to_row(template), "content": content}
        statement = insert(self._connection, minutes_templates).values(row)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[minutes_templates.c.organization_id],
                set_={name: statement.excluded[name] for name in row if name != "organization_id"},
            )
        )

    async def delete(self, organization_id: str) -> None:
        gone = minutes_templates.c.organization_id == organization_id
        await self._connection.execute(sa.delete(minutes_templates).where(gone))


def _row(value: Minutes) -> dict[str, Any]:
    row = to_row(value)
    approval = row.pop("approval")
    return row | {
        "sections": _json([asdict(each) for each in value.sections]),
        "approval": None if approval is None else _json(asdict(approval)),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _minutes(row: RowMapping) -> Minutes:
    approval = None if row["approval"] is None else json.loads(row["approval"])
    return Minutes(
        **{
            **row,
            "kind": MinutesKind(row["kind"]),
            "state": MinutesState(row["state"]),
            "sections": tuple(Section(**each) for each in json.loads(row["sections"])),
            "approval": None if approval is None else _approval(approval),
        }
    )


def _approval(said: dict[str, Any]) -> Approval:
    gaps = tuple(PrintedGap(**{**each, "state": GapState(each["state"])}) for each in said["gaps"])
    return Approval(**{**said, "gaps": gaps})
