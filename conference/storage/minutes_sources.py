"""What minutes are made of, counted and sought in the rows of the transcript and of the trace."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.transcript import TranscriptSegment
from conference.storage.tables import audit_lines, transcript_segments
from conference.storage.transcript import segments_in
from conference.storage.transcript_search import brief_segments

# Lines of the trace after which a record reads otherwise than it would now.
_CHANGES: Final = (
    "transcript.heard",
    "transcript.edited",
    "transcript.split",
    "transcript.joined",
    "transcript.speaker_named",
    "transcript.marked",
    "transcript.replaced",
    "transcript.rendered",
    "transcript.restored",
    "transcript.proposal_taken",
    "transcript.gap_waived",
    "transcript.gap_retried",
    "statement.added",
    "statement.taken",
    "statement.returned",
    "agenda.edited",
    "agenda.started",
    "agenda.ended",
    "consultation.ended",
)
_NO_WORD: Final = '"segments":0}'  # ends `transcript.heard` of a stretch in which nobody said anything


class SqlMinutesSources:
    """Implements services.ports.MinutesSourcesRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def later_changes(self, consultation_id: str, number: int) -> int:
        c = audit_lines.c
        query = sa.select(sa.func.count()).where(
            c.chain == consultation_id,
            c.number > number,
            c.action.in_(_CHANGES),
            sa.not_(sa.and_(c.action == "transcript.heard", c.content.endswith(_NO_WORD))),
        )
        return (await self._connection.execute(query)).scalar_one()

    async def doubts(self, consultation_id: str) -> tuple[int, int]:
        c = transcript_segments.c
        query = sa.select(
            sa.func.count().filter(sa.not_(c.is_certain)), sa.func.count().filter(c.is_unclear)
        ).where(c.consultation_id == consultation_id)
        uncertain, unclear = (await self._connection.execute(query)).one()
        return uncertain, unclear

    async def confidential_texts(self, consultation_id: str) -> list[str]:
        c = transcript_segments.c
        query = sa.select(c.text).where(c.consultation_id == consultation_id, c.is_confidential)
        return list((await self._connection.execute(query)).scalars())

    async def is_said_openly(self, consultation_id: str, words: str) -> bool:
        c = transcript_segments.c
        query = sa.select(c.id).where(
            c.consultation_id == consultation_id,
            sa.not_(c.is_confidential),
            c.text.contains(words, autoescape=True),
        )
        return (await self._connection.execute(query.limit(1))).first() is not None

    async def said_by(
        self, consultation_id: str, participant_ids: Collection[str], name: str | None
    ) -> list[TranscriptSegment]:
        c = transcript_segments.c
        theirs = c.participant_id.in_(sorted(participant_ids))
        query = brief_segments().where(
            c.consultation_id == consultation_id,
            theirs if name is None else sa.or_(theirs, c.speaker_name == name),
        )
        return await segments_in(self._connection, query.order_by(c.start_ms, c.id))
