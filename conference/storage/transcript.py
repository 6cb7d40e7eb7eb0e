"""Rows of segments of the transcript, of what was done to them, and of what was listened to."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.permissions import Role
from conference.model.transcript import (
    Coverage,
    Gap,
    GapState,
    Revision,
    RevisionKind,
    SpeakerLabel,
    TranscriptSegment,
    Word,
    merged,
)
from conference.model.transcript_place import Place
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import (
    transcript_coverage,
    transcript_gaps,
    transcript_grams,
    transcript_revisions,
    transcript_segments,
)
from conference.storage.transcript_search import brief_segments, grams_row, matching

_AT_ONCE: Final = 200  # SQLite counts the parameters of a statement
_KEPT_FOR_EVER: Final = frozenset({"id", "consultation_id", "participant_id", "engine"})
_ORDER: Final = (transcript_segments.c.start_ms, transcript_segments.c.id)


class SqlTranscript:
    """Implements services.ports.TranscriptRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # ── segments ────────────────────────────────────────────────────────────────────────────────

    async def get(self, segment_id: str) -> TranscriptSegment | None:
        found = await self._rows(_select().where(transcript_segments.c.id == segment_id))
        return found[0] if found else None

    async def locked(self, segment_ids: Collection[str]) -> dict[str, TranscriptSegment]:
        # SQLite leaves FOR UPDATE out: there each writing transaction is alone from its beginning.
        wanted, found = sorted(set(segment_ids)), dict[str, TranscriptSegment]()
        for first in range(0, len(wanted), _AT_ONCE):
            query = _select().where(transcript_segments.c.id.in_(wanted[first : first + _AT_ONCE]))
            query = query.order_by(transcript_segments.c.id).with_for_update()
            found |= {each.id: each for each in await self._rows(query)}
        return found

    async def of(
        self,
        consultation_id: str,
        *,
        after: Place | str | None = None,
        limit: int | None = None,
        participant_id: str | None = None,
        brief: bool = False,
    ) -> list[TranscriptSegment]:
        c = transcript_segments.c
        query = _select(brief=brief).where(c.consultation_id == consultation_id)
        if participant_id is not None:
            query = query.where(c.participant_id == participant_id)
        if isinstance(after, str):
            place = sa.select(c.start_ms).where(c.consultation_id == consultation_id, c.id == after)
            start_ms = (await self._connection.execute(place)).scalar()
            if start_ms is None:
                return []
            after = Place(start_ms, after)
        if after is not None:
            query = query.where(_behind(after))
        return await self._rows(query.order_by(*_ORDER).limit(limit))

    async def following(self, segment: TranscriptSegment) -> TranscriptSegment | None:
        c = transcript_segments.c
        query = _select().where(
            c.consultation_id == segment.consultation_id,
            c.participant_id == segment.participant_id,
            _behind(Place.of(segment)),
        )
        found = await self._rows(query.order_by(*_ORDER).limit(1))
        return found[0] if found else None

    async def between(self, consultation_id: str, from_ms: int, to_ms: int) -> list[TranscriptSegment]:
        c = transcript_segments.c
        query = _select().where(c.consultation_id == consultation_id, c.start_ms < to_ms, c.end_ms > from_ms)
        return await self._rows(query.order_by(*_ORDER))

    async def newest(self, consultation_id: str, before_ms: int, limit: int) -> list[TranscriptSegment]:
        c = transcript_segments.c
        query = _select(brief=True).where(c.consultation_id == consultation_id, c.start_ms < before_ms)
        found = await self._rows(query.order_by(c.start_ms.desc(), c.id.desc()).limit(limit))
        return found[::-1]

    async def save(self, segments: Sequence[TranscriptSegment]) -> None:
        if not segments:
            return
        statement = insert(self._connection, transcript_segments)
        changing = [each.name for each in transcript_segments.c if each.name not in _KEPT_FOR_EVER]
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[transcript_segments.c.id],
                set_={name: statement.excluded[name] for name in changing},
            ),
            [_row(each) for each in segments],
        )
        found = insert(self._connection, transcript_grams)
        await self._connection.execute(
            found.on_conflict_do_update(
                index_elements=[transcript_grams.c.segment_id],
                set_={name: found.excluded[name] for name in ("folded", "grams")},
            ),
            [grams_row(each) for each in segments],
        )

    async def remove(self, segment_ids: Sequence[str]) -> None:
        for first in range(0, len(segment_ids), _AT_ONCE):
            gone = transcript_segments.c.id.in_(segment_ids[first : first + _AT_ONCE])
            await self._connection.execute(sa.delete(transcript_segments).where(gone))

    async def search(
        self, consultation_ids: Sequence[str], words: str, *, confidential: bool, limit: int
    ) -> list[TranscriptSegment]:
        found = matching(self._connection.dialect.name, consultation_ids, words, confidential=confidential)
        if found is None:
            return []
        return await self._rows(found.limit(limit))

    async def _rows(self, query: sa.Select[Any]) -> list[TranscriptSegment]:
        return await segments_in(self._connection, query)

    # ── what was done to them ───────────────────────────────────────────────────────────────────

    async def add_revisions(self, revisions: Sequence[Revision]) -> None:
        c = transcript_segments.c
        wanted, of = sorted({each.segment_id for each in revisions}), dict[str, str]()
        for first in range(0, len(wanted), _AT_ONCE):
            query = sa.select(c.id, c.consultation_id).where(c.id.in_(wanted[first : first + _AT_ONCE]))
            of |= {row.id: row.consultation_id for row in await self._connection.execute(query)}
        rows = [{**to_row(each), "consultation_id": of[each.segment_id]} for each in revisions]
        if rows:
            await self._connection.execute(sa.insert(transcript_revisions), rows)

    async def revisions(self, segment_id: str) -> list[Revision]:
        c = transcript_revisions.c
        query = sa.select(transcript_revisions).where(c.segment_id == segment_id).order_by(c.revision)
        return [_revision(row) for row in (await self._connection.execute(query)).mappings()]

    # ── what was listened to ────────────────────────────────────────────────────────────────────

    async def covered(self, consultation_id: str, participant_id: str | None = None) -> list[Coverage]:
        c = transcript_coverage.c
        query = sa.select(transcript_coverage).where(c.consultation_id == consultation_id)
        if participant_id is not None:
            query = query.where(c.participant_id == participant_id)
        rows = (await self._connection.execute(query.order_by(c.from_ms, c.participant_id))).mappings()
        return [Coverage(**row) for row in rows]

    async def cover(self, coverage: Coverage) -> None:
        c = transcript_coverage.c
        touching = sa.and_(
            c.consultation_id == coverage.consultation_id,
            c.participant_id == coverage.participant_id,
            c.from_ms <= coverage.to_ms,
            c.to_ms >= coverage.from_ms,
        )
        query = sa.select(c.from_ms, c.to_ms).where(touching)
        there = [(row.from_ms, row.to_ms) for row in await self._connection.execute(query)]
        spans = merged([*there, (coverage.from_ms, coverage.to_ms)])
        if sorted(there) == spans:
            return
        await self._connection.execute(sa.delete(transcript_coverage).where(touching))
        rows = [
            to_row(Coverage(coverage.consultation_id, coverage.participant_id, from_ms, to_ms))
            for from_ms, to_ms in spans
        ]
        await self._connection.execute(sa.insert(transcript_coverage), rows)

    async def gaps_noted(self, consultation_id: str) -> list[Gap]:
        c = transcript_gaps.c
        query = sa.select(transcript_gaps).where(c.consultation_id == consultation_id)
        query = query.order_by(c.from_ms, c.participant_id, c.to_ms)
        rows = (await self._connection.execute(query)).mappings()
        return [Gap(**{**row, "state": GapState(row["state"])}) for row in rows]

    async def note_gap(self, gap: Gap) -> None:
        statement = insert(self._connection, transcript_gaps).values(to_row(gap))
        changing = ("name", "state", "reason", "note")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(transcript_gaps.primary_key.columns),
                set_={name: statement.excluded[name] for name in changing},
            )
        )


async def segments_in(connection: AsyncConnection, query: sa.Select[Any]) -> list[TranscriptSegment]:
    """What a query of whole or brief rows finds."""
    return [_segment(row) for row in (await connection.execute(query)).mappings()]


def _select(*, brief: bool = False) -> sa.Select[Any]:
    return brief_segments() if brief else sa.select(transcript_segments)


def _behind(place: Place) -> sa.ColumnElement[bool]:
    c = transcript_segments.c
    together = sa.and_(c.start_ms == place.start_ms, c.id > place.segment_id)
    return sa.or_(c.start_ms > place.start_ms, together)


def _row(segment: TranscriptSegment) -> dict[str, Any]:
    row = to_row(segment)
    speaker = row.pop("speaker")
    return row | {
        "speaker_name": speaker.name,
        "speaker_role": speaker.role.value,
        "speaker_venue": speaker.venue,
        "speaker_title": speaker.title,
        "is_certain": speaker.is_certain,
        "words": _words_row(segment.words),
        "other_words": _words_row(segment.other_words),
        "automatic": json.dumps(segment.automatic, separators=(",", ":")),
    }


def _segment(row: RowMapping) -> TranscriptSegment:
    return TranscriptSegment(
        id=row["id"],
        consultation_id=row["consultation_id"],
        participant_id=row["participant_id"],
        speaker=SpeakerLabel(
            row["speaker_name"],
            Role(row["speaker_role"]),
            row["speaker_venue"],
            row["speaker_title"],
            row["is_certain"],
        ),
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        text=row["text"],
        raw=row.get("raw", ""),
        words=_words(row, "words"),
        engine=row["engine"],
        item_id=row["item_id"],
        turn_id=row["turn_id"],
        automatic=tuple(json.loads(row["automatic"])),
        revision=row["revision"],
        is_edited=row["is_edited"],
        is_unclear=row["is_unclear"],
        is_confidential=row["is_confidential"],
        proposal=row["proposal"],
        other_words=_words(row, "other_words"),
    )


def _words_row(words: Sequence[Word]) -> str:
    values = [(each.text, each.start_ms, each.end_ms, each.confidence) for each in words]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _words(row: RowMapping, name: str) -> tuple[Word, ...]:
    return tuple(Word(*each) for each in json.loads(row.get(name, "[]")))


def _revision(row: RowMapping) -> Revision:
    values = {name: row[name] for name in row if name != "consultation_id"}
    return Revision(**{**values, "kind": RevisionKind(row["kind"])})
