"""The directory that the servers of this database share: one row at most."""

from __future__ import annotations

import sqlalchemy as sa

from conference.storage.tables.base import metadata

shared_directories = sa.Table(
    "shared_directories",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # always 1
    sa.Column("id", sa.String(64), nullable=False),
    sa.Column("is_marked", sa.Boolean, nullable=False),  # the directory says the same
)
