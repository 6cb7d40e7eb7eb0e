"""Which tables of a database stand in `metadata`: all but those of the search, which differ from kind to kind."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from conference.storage.tables import metadata

_SEARCH = "transcript_search"  # a virtual table of SQLite, and the tables that it makes for itself
_SEARCH_INDEX = "ix_transcript_grams_grams"


def is_declared(name: str | None, kind: str, _parents: Any = None) -> bool:
    """Whether a table or an index of the database should be found in `metadata`."""
    if kind == "table":
        return not (name or "").startswith(_SEARCH)
    return name != _SEARCH_INDEX


def differences(connection: sa.Connection) -> list[object]:
    """How the tables of the database differ from those that the code knows."""
    context = MigrationContext.configure(connection, opts={"include_name": is_declared})
    return list(compare_metadata(context, metadata))
