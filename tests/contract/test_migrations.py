"""Migrations: from every schema that was ever released, with a row in every table, to the newest.

Rows are made from the tables as each revision left them, so a further revision is covered without a word here.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from conference.model.audit import CLI, AuditEntry
from conference.storage import database as database_module
from conference.storage.database import Database, newest_version, open_engine
from tests.support.schema import differences, is_declared

MIGRATIONS = Path(database_module.__file__).parent / "migrations"
SCRIPTS = ScriptDirectory(str(MIGRATIONS))
REVISIONS = [script.revision for script in reversed([*SCRIPTS.walk_revisions()])]

# What the code reads as one of a few words; any other text column takes any text.
WORDS = {
    ("consultations", "status"): "live",
    ("consultations", "mode"): "free",
    ("consultations", "kind"): "thematic",
    ("consultations", "moderation"): "post",
    ("consultations", "comment_identity"): "required",
    ("comments", "identity"): "wechat",
    ("identities", "kind"): "phone",
    ("identity_proofs", "kind"): "wechat",
    ("broadcast_cuts", "kind"): "cut",
    ("comments", "state"): "held",
    ("comments", "level"): "hold",
    ("comments", "reasons"): '[["contact", "138", 0, 3]]',
    ("comment_marks", "kind"): "like",
    ("cameras", "transport"): "tcp",
    ("comment_words", "level"): "block",
    ("promotions", "state"): "proposed",
    ("responses", "state"): "answered",
    ("responses", "answer"): '{"text": "a", "visibility": "public", "handler": "b", "submitted_wall_ms": 7}',
    ("response_ratings", "rating"): "fairly",
    ("notices", "kind"): "due",
    ("notices", "channel"): "email",
    ("notices", "state"): "queued",
    ("exports", "kind"): "program",
    ("exports", "state"): "queued",
    ("minutes", "kind"): "record",
    ("minutes", "sections"): '[{"key": "name", "heading": "水", "text": "a", "source": null}]',
    ("minutes", "state"): "approved",
    ("participants", "role"): "member",
    ("participants", "kind"): "client",
    ("participants", "entered_by"): "token",
    ("transcript_segments", "speaker_role"): "member",
    ("transcript_segments", "words"): '[["水", 0, 7, 0.5]]',
    ("transcript_segments", "automatic"): "[1]",
    ("transcript_segments", "other_words"): '[["水", 0, 7, 0.5]]',
    ("second_passes", "state"): "waiting",
    ("transcript_revisions", "kind"): "edited",
    ("transcript_gaps", "state"): "failed",
}
# What only some rows have, and would make these rows mean something else.
EMPTY = {
    ("consultations", "ended_at_ms"),
    ("broadcast_cuts", "to_ms"),
    ("broadcast_cuts", "reinstated_wall_ms"),
    ("broadcast_cuts", "erased_wall_ms"),
    ("exports", "deleted_at_ms"),
    ("minutes", "approval"),
    ("minutes", "despite"),
    ("minutes", "letterhead"),
    ("responses", "earlier"),
    ("responses", "extension"),
    ("participants", "left_at_ms"),
    ("participants", "leave_reason"),
    ("participants", "device"),
    ("participants", "mute_all_mark"),
    ("participants", "floor_gate"),
    ("participants", "waiting_since_ms"),
    ("participants", "removed_at_ms"),
}


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def reflect(connection: sa.Connection) -> sa.MetaData:
    tables = sa.MetaData()
    tables.reflect(connection, only=lambda name, _: is_declared(name, "table"))
    tables.remove(tables.tables["alembic_version"])
    return tables


def value(table: sa.Table, column: sa.Column[Any]) -> Any:
    """Something for every column; a foreign key points at the one row of the other table."""
    if column.foreign_keys:
        if next(iter(column.foreign_keys)).column.table is table:
            return None  # the first of a tree has no parent
        return value(next(iter(column.foreign_keys)).column.table, next(iter(column.foreign_keys)).column)
    if (table.name, column.name) in EMPTY:
        return None
    if (table.name, column.name) in WORDS:
        return WORDS[table.name, column.name]
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.Integer | sa.Numeric):
        return 7
    if isinstance(kind, sa.LargeBinary):
        return b"\x00\xff"
    if isinstance(kind, sa.String):
        text = f"{table.name}.{column.name} 水" if column.name not in ("hash", "chain") else f"{column.name}7"
        return text[: kind.length] if kind.length is not None else text
    raise AssertionError(f"{table.name}.{column.name}: what is a {kind!r}?")


def fill(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """One row in each table; returns them."""
    tables = reflect(connection)
    rows = {}
    for table in tables.sorted_tables:
        rows[table.name] = {column.name: value(table, column) for column in table.columns}
        connection.execute(sa.insert(table).values(rows[table.name]))
    return rows


def kept(connection: sa.Connection, rows: dict[str, dict[str, Any]]) -> None:
    """Every row is there still, with every value; what was added has one, where it must."""
    tables = reflect(connection).tables
    for name, row in rows.items():
        table = tables[name]
        same = [column == row[column.name] for column in table.primary_key]
        found = connection.execute(sa.select(table).where(*same)).mappings().one()
        assert {column: found[column] for column in row} == row, name
        assert not [each.name for each in table.columns if not each.nullable and found[each.name] is None]


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_rows_of_every_released_schema_survive(url: str, revision: str) -> None:
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade, revision)
        rows = await connection.run_sync(fill)
        await connection.commit()
    await engine.dispose()
    assert rows

    database = Database(open_engine(url))
    assert await database.migrate() == newest_version()
    async with database.transaction() as unit:
        # What the code of today makes of the rows of then, and that it can go on writing.
        (consultation,) = await unit.consultations.live()
        (participant,) = await unit.participants.present()
        assert (consultation.program, consultation.public_delay_s, consultation.recording_paused) == (
            (True, 0, False) if revision < "0006" else (True, 7, True)
        )
        assert [each.is_running for each in await unit.broadcast_cuts.of(consultation.id)] == [True] * (
            revision >= "0006"
        )
        assert [each.title for each in await unit.exports.queued()] == ["exports.title 水"] * (
            revision >= "0007"
        )
        shown = [each.state async for page in unit.comments.pages(consultation.id, 100) for each in page]
        assert shown == ["held"] * (revision >= "0008")
        assert len(await unit.promotions.of(consultation.id)) == (revision >= "0008")
        answers = [each.answer for each in await unit.responses.of(consultation.id)]
        assert [each.text for each in answers if each is not None] == ["a"] * (revision >= "0009")
        segments = await unit.transcript.of(consultation.id)
        assert [each.words[0].text for each in segments] == ["水"] * (revision >= "0012")
        minutes = await unit.minutes.of(consultation.id)
        assert [each.sections[0].heading for each in minutes] == ["水"] * (revision >= "0013")
        await unit.consultations.save(consultation)
        await unit.participants.save([participant])
        await unit.audit.append(AuditEntry(consultation.id, 1, None, CLI, "a", None, {}))
    await database.close()

    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(kept, rows)
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_servers_that_start_at_once_migrate_once(url: str) -> None:
    databases = [Database(open_engine(url)) for _ in range(3)]
    versions = await asyncio.gather(*(each.migrate() for each in databases))
    assert set(versions) == {newest_version()}
    for each in databases:
        await each.close()


def test_revisions_are_one_chain_whose_end_is_the_newest() -> None:
    assert SCRIPTS.get_heads() == [newest_version()]
    assert sorted(REVISIONS) == REVISIONS
    assert len(REVISIONS) >= 4


async def test_what_ended_before_there_was_recognition_is_not_recognised_by_itself(url: str) -> None:
    engine = open_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(upgrade, "0011")
        rows = await connection.run_sync(fill)
        consultations = (await connection.run_sync(reflect)).tables["consultations"]
        row = rows["consultations"]
        await connection.execute(sa.insert(consultations), [{**row, "id": "over", "status": "ended"}])
        await connection.commit()
    await engine.dispose()
    database = Database(open_engine(url))
    await database.migrate()
    async with database.reading() as unit:
        over, live = await unit.consultations.get("over"), await unit.consultations.get(row["id"])
    await database.close()
    assert over is not None
    assert live is not None
    assert (over.captions, live.captions) == (False, True)
