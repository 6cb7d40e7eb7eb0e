"""The law of the trace, enforced on an engine: no transaction changes rows without a line about it."""

from __future__ import annotations

import re
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

_WRITE: Final = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)", re.IGNORECASE)
_HOUSEKEEPING: Final = re.compile(
    r"UPDATE (participants SET last_seen_ms|consultations SET program_high_water_ms|notices SET next_wall_ms)=\S+ WHERE"
    r"|(INSERT INTO|DELETE FROM) storage_uses\b"  # what was measured is nobody's doing
)
_CHANGED: Final = "changed_tables"


class UntracedChangeError(AssertionError):
    """A use case wrote rows and no line."""


def enforce_trace_law(engine: AsyncEngine) -> None:
    """From now on a commit fails that changed rows and appended nothing to an audit chain."""
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "before_cursor_execute", _execute)
    event.listen(engine.sync_engine, "commit", _commit)


def _begin(connection: sa.Connection) -> None:
    connection.info[_CHANGED] = set()


def _execute(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
    written = _WRITE.match(statement)
    if written and not _HOUSEKEEPING.match(statement):
        connection.info.setdefault(_CHANGED, set()).add(written[1])


def _commit(connection: sa.Connection) -> None:
    changed = connection.info.get(_CHANGED, set())
    if changed and "audit_lines" not in changed and "alembic_version" not in changed:
        raise UntracedChangeError(f"no line about {sorted(changed)}")
