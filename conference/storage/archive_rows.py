"""Everything that belongs to one consultation, table by table, as it goes into an archive.

A table belongs to it by its column `consultation_id`, by a foreign key into such a table, or, for the trace, by
its chain. A new table is in the archive without any word here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.storage.tables import (
    audit_heads,
    audit_lines,
    audit_texts,
    consultations,
    identity_proofs,
    invitee_imports,
    metadata,
    minutes_templates,
    organization_rules,
    organization_word_lists,
    organization_words,
    organizations,
    revoked_tokens,
    shared_directories,
    staff_sessions,
    storage_uses,
    transcript_grams,
    users,
)

NOT_ARCHIVED: Final = frozenset(
    {
        audit_heads,
        audit_lines,
        audit_texts,
        revoked_tokens,
        organization_rules,
        organization_word_lists,
        organization_words,
        organizations,
        storage_uses,
        users,
        staff_sessions,
        identity_proofs,
        invitee_imports,
        shared_directories,  # of servers
        minutes_templates,  # of bodies
        transcript_grams,  # made from the segments, for the search
    }
)
# Columns that stay here: what opens a door, telephone numbers, which the record does not need, from where the
# public wrote, and who a viewer is.
SECRETS: Final = frozenset(
    {
        "resume_hash",
        "link_hash",
        "entry_code",
        "phone",
        "email",
        "operator_phone",
        "address",
        "device_hash",
        "subject_hash",
        "sealed_subject",
        "sealed_address",  # the way into a camera
    }
)


class SqlArchiveRows:
    """Implements services.ports.ArchiveRows. The trace is read through SqlAudit."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def tables(self) -> list[str]:
        return [table.name for table in metadata.sorted_tables if table not in NOT_ARCHIVED]

    async def rows(self, table: str, consultation_id: str) -> AsyncGenerator[dict[str, Any], None]:
        source = metadata.tables[table]
        columns = [column for column in source.c if column.name not in SECRETS]
        query = (
            sa.select(*columns).where(belongs(source, consultation_id)).order_by(*source.primary_key.columns)
        )
        async with self._connection.stream(query) as result:
            async for row in result.mappings():
                yield dict(row)


def belongs(table: sa.Table, consultation_id: str) -> sa.ColumnElement[bool]:
    """The condition by which rows of a table are those of the consultation; LookupError when there is none."""
    if table is consultations:
        return table.c.id == consultation_id
    if "consultation_id" in table.c:
        return table.c.consultation_id == consultation_id
    for key in sorted(table.foreign_keys, key=str):
        parent = key.column.table
        if parent is not table:
            return key.parent.in_(sa.select(key.column).where(belongs(parent, consultation_id)))
    raise LookupError(f"{table.name} belongs to no consultation: put it into NOT_ARCHIVED")
