"""Rows of rehearsals, and what belongs to one: erased, or given to a consultation of its own.

Every table of a consultation is named here, so that a new one cannot be forgotten (tests/unit/storage).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.agenda import Agenda
from conference.model.comment import TEST_DEVICE
from conference.model.consultation import Consultation
from conference.model.ids import new_id
from conference.model.participant import LeaveReason
from conference.model.rehearsal import Before, Rehearsal, RehearsalState
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import (
    agenda_items,
    broadcast_cuts,
    clip_plays,
    comment_groups,
    comments,
    exports,
    floor_turns,
    participants,
    program_gaps,
    promotions,
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

    async def keep(self, rehearsal: Rehearsal, kept: Consultation, agenda: Agenda) -> dict[str, int]:
        items = {each.id: new_id("a") for each in agenda.items}
        rows = [
            {**to_row(item), "id": items[item.id], "consultation_id": kept.id, "position": place}
            for place, item in enumerate(agenda.items)
        ]
        if rows:
            await self._connection.execute(sa.insert(agenda_items), rows)
        people = await self._copied_people(rehearsal, kept)
        counts = await self._moved(rehearsal, kept, items, people)
        counts["comments"] = await self._moved_tests(rehearsal.consultation_id, kept.id, items)
        return {name: count for name, count in counts.items() if count}

    async def _copied_people(self, rehearsal: Rehearsal, kept: Consultation) -> dict[str, str]:
        """Everybody who was connected during the rehearsal, under other ids: they are in the meeting itself, too."""
        c, since_ms = stays.c, rehearsal.started_wall_ms
        there = sa.or_(c.to_wall_ms.is_(None), c.to_wall_ms >= since_ms)
        query = sa.select(stays).where(c.consultation_id == rehearsal.consultation_id, there)
        connections = [dict(row) for row in (await self._connection.execute(query)).mappings()]
        ids = {each["participant_id"]: new_id("p") for each in connections}
        own = participants.c.consultation_id == rehearsal.consultation_id
        found = [
            dict(row)
            for row in (await self._connection.execute(sa.select(participants).where(own))).mappings()
        ]
        rows = [
            {
                **row,
                "id": ids[row["id"]],
                "consultation_id": kept.id,
                "resume_hash": "",
                "hand_order": None,
                "floor_gate": None,
                "left_at_ms": row["left_at_ms"] or kept.ended_at_ms,
                "leave_reason": row["leave_reason"] or LeaveReason.LEFT.value,
            }
            for row in found
            if row["id"] in ids
        ]
        over = kept.program_high_water_ms
        copies = [
            {
                **each,
                "id": new_id("y"),
                "consultation_id": kept.id,
                "participant_id": ids[each["participant_id"]],
                "from_ms": each["from_ms"] or 0,
                "to_ms": over if each["to_ms"] is None else each["to_ms"],
                "to_wall_ms": each["to_wall_ms"] or kept.ended_at_ms,
                "reason": each["reason"] or LeaveReason.LEFT.value,
            }
            for each in connections
        ]
        if rows:
            await self._connection.execute(sa.insert(participants), rows)
            await self._connection.execute(sa.insert(stays), copies)
        return ids

    async def _moved(
        self, rehearsal: Rehearsal, kept: Consultation, items: dict[str, str], people: dict[str, str]
    ) -> dict[str, int]:
        cid, counts = rehearsal.consultation_id, dict[str, int]()
        for table in (*MADE, *(each for each in MADE_SINCE if each is not venue_messages)):
            own = table.c.consultation_id == cid
            if table in MADE_SINCE:
                own = sa.and_(own, MADE_SINCE[table] >= rehearsal.started_wall_ms)
            for name, ids in (("participant_id", people), ("item_id", items)):
                for before, after in ids.items() if name in table.c else ():
                    same = sa.and_(own, table.c[name] == before)
                    await self._connection.execute(sa.update(table).where(same).values({name: after}))
            moved = sa.update(table).where(own).values(consultation_id=kept.id)
            counts[table.name] = (await self._connection.execute(moved)).rowcount
        c = recordings.c
        path = sa.literal(f"{kept.id}/") + sa.func.substr(c.path, len(cid) + 2)
        await self._connection.execute(
            sa.update(recordings).where(c.consultation_id == kept.id).values(path=path)
        )
        return counts

    async def _moved_tests(self, consultation_id: str, kept_id: str, items: dict[str, str]) -> int:
        c, p = comments.c, promotions.c
        tests = sa.select(c.id).where(c.consultation_id == consultation_id, c.device_hash == TEST_DEVICE)
        theirs = p.comment_id.in_(tests)
        for name in ("item_id", "interrupted_id"):
            for before, after in items.items():
                same = sa.and_(theirs, p[name] == before)
                await self._connection.execute(sa.update(promotions).where(same).values({name: after}))
        await self._connection.execute(sa.update(promotions).where(theirs).values(consultation_id=kept_id))
        moved = sa.update(comments).where(c.id.in_(tests)).values(consultation_id=kept_id)
        return (await self._connection.execute(moved)).rowcount

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
