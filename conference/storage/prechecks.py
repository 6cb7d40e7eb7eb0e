"""Rows of pre-checks: written once, never changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.precheck import CheckedItem, Judgement, Precheck, Verdict, items_as_data
from conference.model.precheck_figures import FIGURES_OF, PrecheckItem
from conference.storage.tables import prechecks, venues


class SqlPrechecks:
    """Implements services.ports.PrecheckRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, precheck_id: str) -> Precheck | None:
        found = await self._found(sa.select(prechecks).where(prechecks.c.id == precheck_id))
        return found[0] if found else None

    async def of_venue(self, venue_id: str, *, below: int | None = None, limit: int = 100) -> list[Precheck]:
        c = prechecks.c
        query = sa.select(prechecks).where(c.venue_id == venue_id)
        if below is not None:
            query = query.where(c.number < below)
        return await self._found(query.order_by(c.number.desc()).limit(limit))

    async def newest(self, consultation_id: str) -> list[Precheck]:
        c = prechecks.c
        last = (
            sa.select(c.venue_id, sa.func.max(c.number).label("number"))
            .where(c.consultation_id == consultation_id)
            .group_by(c.venue_id)
            .subquery()
        )
        same = sa.and_(c.venue_id == last.c.venue_id, c.number == last.c.number)
        query = sa.select(prechecks).join(last, same).order_by(c.ended_wall_ms.desc(), c.id)
        return await self._found(query)

    async def next_number(self, venue_id: str) -> int:
        # Two sheets of one venue are numbered one after the other.
        await self._connection.execute(
            sa.select(venues.c.id).where(venues.c.id == venue_id).with_for_update()
        )
        query = sa.select(sa.func.max(prechecks.c.number)).where(prechecks.c.venue_id == venue_id)
        return int((await self._connection.execute(query)).scalar() or 0) + 1

    async def add(self, precheck: Precheck) -> None:
        row = {
            "id": precheck.id,
            "consultation_id": precheck.consultation_id,
            "venue_id": precheck.venue_id,
            "number": precheck.number,
            "venue": precheck.venue,
            "checked_by": precheck.by,
            "device": precheck.device,
            "took_ms": precheck.took_ms,
            "ended_wall_ms": precheck.ended_wall_ms,
            "items": json.dumps(items_as_data(precheck.items), ensure_ascii=False),
            "signature": precheck.signature,
        }
        await self._connection.execute(sa.insert(prechecks).values(row))

    async def _found(self, query: sa.Select[Any]) -> list[Precheck]:
        return [_precheck(row) for row in (await self._connection.execute(query)).mappings()]


def _precheck(row: Mapping[str, Any]) -> Precheck:
    known = {name: row[name] for name in row if name not in ("items", "checked_by")}
    items = tuple(_item(each) for each in json.loads(row["items"]))
    return Precheck(**known, by=row["checked_by"], items=items)


def _item(data: Mapping[str, Any]) -> CheckedItem:
    item, figures = PrecheckItem(data["item"]), data["figures"]
    return CheckedItem(
        item,
        Judgement(Verdict(data["verdict"]), tuple(data["faults"])),
        None if figures is None else FIGURES_OF[item](**figures),
        data["reason"],
    )
