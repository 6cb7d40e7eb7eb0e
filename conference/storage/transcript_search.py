"""Finding segments by their words: pairs of characters in the index of the database, then the folded text itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from conference.model.transcript import TranscriptSegment
from conference.storage.tables import consultations, transcript_grams, transcript_segments
from conference.text.bigrams import folded, grams, wanted_grams, wanted_words

# Both are spelt as the migration spells them, or the index would not be used.
_IN_SQLITE = sa.text("SELECT rowid FROM transcript_search WHERE transcript_search MATCH :grams")
_IN_POSTGRESQL = "array_to_tsvector(string_to_array(transcript_grams.grams, ' ')) @@ CAST(:grams AS tsquery)"

_HEAVY: Final = frozenset({"words", "raw", "other_words"})


def brief_segments() -> sa.Select[Any]:
    """What lists show: without words and what the engine said."""
    return sa.select(*(each for each in transcript_segments.c if each.name not in _HEAVY))


def grams_row(segment: TranscriptSegment) -> dict[str, Any]:
    """What the search keeps of a segment."""
    found = folded(segment.text)
    return {"segment_id": segment.id, "folded": found, "grams": " ".join(grams(found))}


def matching(
    dialect: str, consultation_ids: Sequence[str], words: str, *, confidential: bool
) -> sa.Select[Any] | None:
    """The segments that contain all these words, the newest consultation first; None when nothing is asked for."""
    wanted = wanted_words(words)
    if not wanted or not consultation_ids:
        return None
    c = transcript_segments.c
    query = (
        brief_segments()
        .join(transcript_grams, transcript_grams.c.segment_id == c.id)
        .join(consultations, consultations.c.id == c.consultation_id)
        .where(
            _indexed(dialect, wanted_grams(wanted)),
            c.consultation_id.in_(consultation_ids),
            *(transcript_grams.c.folded.contains(each) for each in wanted),  # letters and digits: no escape
        )
    )
    if not confidential:
        query = query.where(c.is_confidential.is_(False))
    held_at_ms = sa.func.coalesce(
        consultations.c.started_at_ms, consultations.c.scheduled_at_ms, consultations.c.created_at_ms
    )
    return query.order_by(held_at_ms.desc(), c.consultation_id, c.start_ms, c.id)


def _indexed(dialect: str, wanted: Sequence[str]) -> sa.ColumnElement[bool]:
    if dialect == "postgresql":
        return sa.text(_IN_POSTGRESQL).bindparams(grams=" & ".join(f"'{each}'" for each in wanted))  # type: ignore[return-value]
    quoted = " ".join(f'"{each}"' for each in wanted)
    found = _IN_SQLITE.bindparams(grams=quoted).columns(rowid=sa.Integer)
    return transcript_grams.c.number.in_(found.scalar_subquery())
