"""SQL that SQLAlchemy spells per dialect."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(connection: AsyncConnection, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT; both dialects spell it alike."""
    return _insert(connection.dialect.name, table)


def upsert(connection: AsyncConnection, table: sa.Table, overwritten: tuple[str, ...]) -> sa.Insert:
    """Rows that are there already, by their `id`, get these columns anew. Built once: that takes a millisecond."""
    return _upsert(connection.dialect.name, table, overwritten)


@cache
def _upsert(dialect: str, table: sa.Table, overwritten: tuple[str, ...]) -> sa.Insert:
    statement = _insert(dialect, table)
    values = {name: statement.excluded[name] for name in overwritten}
    return statement.on_conflict_do_update(index_elements=[table.c.id], set_=values)


def _insert(dialect: str, table: sa.Table) -> postgresql.Insert | sqlite.Insert:
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # slow to import, and seldom there

        return postgresql.insert(table)
    return sqlite.insert(table)
