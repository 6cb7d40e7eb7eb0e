"""The transcript with its revisions, what was listened to, terms, the search, and who wants captions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# SQLite keeps the index of the search beside the table; so nobody who writes has to think of it.
_SQLITE_SEARCH = (
    """CREATE VIRTUAL TABLE transcript_search USING fts5(
        grams, content='transcript_grams', content_rowid='number', tokenize='ascii', detail='none')""",
    """CREATE TRIGGER transcript_grams_added AFTER INSERT ON transcript_grams BEGIN
        INSERT INTO transcript_search(rowid, grams) VALUES (new.number, new.grams);
    END""",
    """CREATE TRIGGER transcript_grams_removed AFTER DELETE ON transcript_grams BEGIN
        INSERT INTO transcript_search(transcript_search, rowid, grams)
            VALUES ('delete', old.number, old.grams);
    END""",
    """CREATE TRIGGER transcript_grams_changed AFTER UPDATE OF grams ON transcript_grams BEGIN
        INSERT INTO transcript_search(transcript_search, rowid, grams)
            VALUES ('delete', old.number, old.grams);
        INSERT INTO transcript_search(rowid, grams) VALUES (new.number, new.grams);
    END""",
)
# The lexemes are the bigrams themselves: no parser of PostgreSQL decides what a word is.
_POSTGRESQL_SEARCH = (
    """CREATE INDEX ix_transcript_grams_grams ON transcript_grams
        USING gin (array_to_tsvector(string_to_array(grams, ' ')))""",
)


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consultation_id"],
        ["consultations.id"],
        name=f"fk_{table}_consultation_id",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.add_column(
        "consultations", sa.Column("captions", sa.Boolean, nullable=False, server_default=sa.true())
    )
    op.add_column(
        "consultations", sa.Column("program_captions", sa.Boolean, nullable=False, server_default=sa.false())
    )
    _segments()
    _search()
    _listening()
    op.create_table(
        "terms",
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("wrong", sa.String(64), nullable=False),
        sa.Column("right", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64)),
        sa.PrimaryKeyConstraint("owner_id", "wrong", "right", name="pk_terms"),
        _of_consultation("terms"),
    )
    op.create_index("ix_terms_consultation_id", "terms", ["consultation_id"])


def _segments() -> None:
    op.create_table(
        "transcript_segments",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("speaker_name", sa.String(200), nullable=False),
        sa.Column("speaker_role", sa.String(32), nullable=False),
        sa.Column("speaker_venue", sa.String(200)),
        sa.Column("speaker_title", sa.String(200)),
        sa.Column("is_certain", sa.Boolean, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("item_id", sa.String(64)),
        sa.Column("turn_id", sa.String(64)),
        sa.Column("automatic", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("is_edited", sa.Boolean, nullable=False),
        sa.Column("is_unclear", sa.Boolean, nullable=False),
        sa.Column("is_confidential", sa.Boolean, nullable=False),
        sa.Column("proposal", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_transcript_segments"),
        _of_consultation("transcript_segments"),
    )
    op.create_index(
        "ix_transcript_segments_consultation_id_start_ms",
        "transcript_segments",
        ["consultation_id", "start_ms", "id"],
    )
    op.create_table(
        "transcript_revisions",
        sa.Column("segment_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("speaker_before", sa.String(200), nullable=False),
        sa.Column("speaker_after", sa.String(200), nullable=False),
        sa.Column("by_id", sa.String(64), nullable=False),
        sa.Column("by_name", sa.String(200), nullable=False),
        sa.Column("at_wall_ms", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("segment_id", "revision", name="pk_transcript_revisions"),
        _of_consultation("transcript_revisions"),
    )
    op.create_index("ix_transcript_revisions_consultation_id", "transcript_revisions", ["consultation_id"])


def _search() -> None:
    op.create_table(
        "transcript_grams",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("segment_id", sa.String(64), nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("grams", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_transcript_grams"),
        sa.ForeignKeyConstraint(
            ["segment_id"],
            ["transcript_segments.id"],
            name="fk_transcript_grams_segment_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("segment_id", name="uq_transcript_grams_segment_id"),
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE_SEARCH if is_sqlite else _POSTGRESQL_SEARCH:
        op.execute(statement)


def _listening() -> None:
    op.create_table(
        "transcript_coverage",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(
            "consultation_id", "participant_id", "from_ms", name="pk_transcript_coverage"
        ),
        _of_consultation("transcript_coverage"),
    )
    op.create_table(
        "transcript_gaps",
        sa.Column("consultation_id", sa.String(64), nullable=False),
        sa.Column("participant_id", sa.String(64), nullable=False),
        sa.Column("from_ms", sa.BigInteger, nullable=False),
        sa.Column("to_ms", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint(
            "consultation_id", "participant_id", "from_ms", "to_ms", name="pk_transcript_gaps"
        ),
        _of_consultation("transcript_gaps"),
    )
