"""Rows of rehearsals, and what belongs to one: erased, or given to a consultation of its own.

Every table of a consultation is named here, so that a new one cannot be forgotten (tests/unit/storage).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.comment import TEST_DEVICE
from conference.model.rehearsal import Before, Rehearsal, RehearsalState
from conference.storage.statements import insert
from conference.storage.tables import (
    broadcast_cuts,
    clip_plays,
    comment_groups,
    comments,
    exports,
    floor_turns,
    participants,
    program_gaps,
    recordings,
    rehearsals,
    second_passes,
    statement_likes,
    statements,
    stays,
    transcript_coverage,
    transcript_gaps,
    transcript_revisions,
    transcript_segments,
    venue_messages,
)

# Before a consultation is live there is nothing in them: whatever is there, the rehearsal made.
MADE: Final = (
    broadcast_cuts,
    exports,
    program_gaps,
    recordings,
    second_passes,
    transcript_coverage,
    transcript_gaps,
    transcript_revisions,
    transcript_segments,
)
# Here its rows stand beside others, and are told from them by the time at which they began, UTC.
MADE_SINCE: Final = {
    clip_plays: clip_plays.c.started_wall_ms,
    floor_turns: floor_turns.c.granted_wall_ms,
    statements: statements.c.at_wall_ms,
    venue_messages: venue_messages.c.at_wall_ms,
}


class SqlRehearsals:
    """Implements services.ports.RehearsalRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, consultation_id: str) -> Rehearsal | None:
        return next(iter(await self._where(rehearsals.c.consultation_id == consultation_id)), None)

    async def all(self) -> list[Rehearsal]:
        return await self._where(sa.true())

    async def save(self, rehearsal: Rehearsal) -> None:
        row = asdict(rehearsal) | {
            "state": rehearsal.state.value,
            "before": json.dumps(asdict(rehearsal.before), ensure_ascii=False),
        }
        statement = insert(self._connection, rehearsals).values(row)
        changing = [each.name for each in rehearsals.c if each.name != "consultation_id"]
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[rehearsals.c.consultation_id],
                set_={name: statement.excluded[name] for name in changing},
            )
        )

    async def forget(self, consultation_id: str) -> None:
        await self._connection.execute(
            sa.delete(rehearsals).where(rehearsals.c.consultation_id == consultation_id)
        )

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[Rehearsal]:
        query = sa.select(rehearsals).where(condition).order_by(rehearsals.c.consultation_id)
        return [
            Rehearsal(
                **{
                    **row,
                    "state": RehearsalState(row["state"]),
                    "before": Before.read(json.loads(row["before"])),
                }
            )
            for row in (await self._connection.execute(query)).mappings()
        ]

    # ── the end ─────────────────────────────────────────────────────────────────────────────────

    async def erase(self, rehearsal: Rehearsal) -> dict[str, int]:
        counts = {}
        for table in MADE:
            own = table.c.consultation_id == rehearsal.consultation_id
            counts[table.name] = await self._delete(table, own)
        for table, since in MADE_SINCE.items():
            own = table.c.consultation_id == rehearsal.consultation_id
            counts[table.name] = await self._delete(table, own, since >= rehearsal.started_wall_ms)
        counts |= await self._put_back(rehearsal)
        return {name: count for name, count in counts.items() if count}

    async def _put_back(self, rehearsal: Rehearsal) -> dict[str, int]:
        """Statements, attendance and comments of before, as they were."""
        cid, since_ms = rehearsal.consultation_id, rehearsal.started_wall_ms
        await self._connection.execute(
            sa.update(statements)
            .where(statements.c.consultation_id == cid)
            .values(taken=statements.c.id.in_(rehearsal.before.taken))
        )
        ours = sa.select(statements.c.id).where(statements.c.consultation_id == cid)
        await self._delete(statement_likes, statement_likes.c.statement_id.in_(ours))
        likes = [
            {"statement_id": of, "participant_id": liker}
            for of, likers in rehearsal.before.likes.items()
            for liker in likers
        ]
        if likes:
            await self._connection.execute(sa.insert(statement_likes), likes)
        return {
            "stays": await self._put_stays_back(cid, since_ms),
            "participants": await self._delete(
                participants,
                participants.c.consultation_id == cid,
                participants.c.joined_at_ms >= since_ms,
                participants.c.left_at_ms.is_not(None),
            ),
            "comments": await self._delete_tests(cid),
        }

    async def _put_stays_back(self, consultation_id: str, since_ms: int) -> int:
        """Connections of before have no program time; those that still stand did not begin in the rehearsal either."""
        c = stays.c
        own = c.consultation_id == consultation_id
        gone = await self._delete(stays, own, c.from_wall_ms >= since_ms, c.to_wall_ms.is_not(None))
        await self._connection.execute(sa.update(stays).where(own).values(from_ms=None, to_ms=None))
        await self._connection.execute(
            sa.update(participants)
            .where(
                participants.c.consultation_id == consultation_id, participants.c.removed_at_ms >= since_ms
            )
            .values(removed_at_ms=None)
        )
        return gone

    async def _delete_tests(self, consultation_id: str) -> int:
        """Comments that were written for the rehearsal, with what was made of them, and groups that they alone were."""
        c = comments.c
        own = c.consultation_id == consultation_id
        gone = await self._delete(comments, own, c.device_hash == TEST_DEVICE)
        left = sa.select(c.group_id).where(own)
        await self._delete(
            comment_groups,
            comment_groups.c.consultation_id == consultation_id,
            comment_groups.c.id.not_in(left),
        )
        return gone

    async def _delete(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        return (await self._connection.execute(sa.delete(table).where(*conditions))).rowcount
