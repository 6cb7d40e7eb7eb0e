"""Rows of minutes and of the templates of bodies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.errors import ConferenceError
from conference.model.minutes import (
    Approval,
    Despite,
    EarlierText,
    KnownGap,
    Letterhead,
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
from conference.storage.tables import minutes, minutes_layouts, minutes_templates, minutes_texts

_ORDER: Final = (minutes.c.consultation_id, minutes.c.kind, minutes.c.version)


class SqlMinutes:
    """Implements services.ports.MinutesRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, minutes_id: str) -> Minutes | None:
        found = await self._where(minutes.c.id == minutes_id)
        return found[0] if found else None

    async def of(self, consultation_id: str) -> list[Minutes]:
        return await self._where(minutes.c.consultation_id == consultation_id)

    async def brief(self, consultation_id: str) -> list[Minutes]:
        c = minutes.c
        query = sa.select(*(each for each in c if each.name != "sections"))
        query = query.where(c.consultation_id == consultation_id).order_by(*_ORDER)
        rows = (await self._connection.execute(query)).mappings()
        return [_minutes({**row, "sections": "[]"}) for row in rows]

    async def version(self, consultation_id: str, kind: MinutesKind, version: int | None) -> Minutes | None:
        c = minutes.c
        query = sa.select(minutes).where(c.consultation_id == consultation_id, c.kind == kind.value)
        if version is not None:
            query = query.where(c.version == version)
        query = query.order_by(c.version.desc()).limit(1)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        # In a thread: hours of speech take longer to read than the sockets of others may wait.
        return None if row is None else await asyncio.to_thread(_minutes, row)

    async def newest(self, consultation_id: str, kind: MinutesKind) -> Minutes | None:
        return await self.version(consultation_id, kind, None)

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

    async def keep(self, text: EarlierText) -> None:
        row = {**to_row(text), "sections": _json([asdict(each) for each in text.sections])}
        await self._connection.execute(sa.insert(minutes_texts).values(row))

    async def earlier(
        self, minutes_id: str, *, before: int | None = None, limit: int | None = None
    ) -> list[EarlierText]:
        c = minutes_texts.c
        query = sa.select(minutes_texts).where(c.minutes_id == minutes_id)
        if before is not None:
            query = query.where(c.revision < before)
        query = query.order_by(c.revision.desc()).limit(limit)
        rows = (await self._connection.execute(query)).mappings().all()
        return await asyncio.to_thread(
            lambda: [EarlierText(**{**row, "sections": _sections(row["sections"])}) for row in rows]
        )

    async def keep_layout(self, approved: Minutes, template: bytes) -> None:
        row = {"minutes_id": approved.id, "consultation_id": approved.consultation_id, "content": template}
        await self._connection.execute(sa.insert(minutes_layouts).values(row))

    async def layout(self, minutes_id: str) -> bytes | None:
        query = sa.select(minutes_layouts.c.content).where(minutes_layouts.c.minutes_id == minutes_id)
        found: bytes | None = (await self._connection.execute(query)).scalar()
        return found

    async def _where(self, *conditions: sa.ColumnElement[bool]) -> list[Minutes]:
        query = sa.select(minutes).where(*conditions).order_by(*_ORDER)
        rows = (await self._connection.execute(query)).mappings().all()
        return await asyncio.to_thread(lambda: [_minutes(row) for row in rows])


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
    row = to_row(value) | {"sections": _json([asdict(each) for each in value.sections])}
    for name in ("approval", "despite", "letterhead"):
        part = getattr(value, name)
        row[name] = None if part is None else _json(asdict(part))
    return row


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _minutes(row: Mapping[Any, Any]) -> Minutes:
    return Minutes(
        **{
            **row,
            "kind": MinutesKind(row["kind"]),
            "state": MinutesState(row["state"]),
            "sections": _sections(row["sections"]),
            "approval": None if row["approval"] is None else _approval(json.loads(row["approval"])),
            "despite": None if row["despite"] is None else _despite(json.loads(row["despite"])),
            "letterhead": None if row["letterhead"] is None else Letterhead(**json.loads(row["letterhead"])),
        }
    )


def _sections(text: str) -> tuple[Section, ...]:
    return tuple(Section(**each) for each in json.loads(text))


def _approval(said: dict[str, Any]) -> Approval:
    gaps = tuple(PrintedGap(**{**each, "state": GapState(each["state"])}) for each in said["gaps"])
    return Approval(**{**said, "gaps": gaps})


def _despite(said: dict[str, Any]) -> Despite:
    return Despite(**{**said, "gaps": tuple(KnownGap(**each) for each in said["gaps"])})
