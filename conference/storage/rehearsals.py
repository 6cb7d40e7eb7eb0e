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
# Here its rows stand beside others, and are told from them by their ids: wall clocks are set back now and then.
BESIDE: Final = (clip_plays, floor_turns, participants, statements, stays, venue_messages)
# These go with a comment that goes, or are put back row by row.
WITH_OTHERS: Final = (agenda_items, comment_groups, comments, promotions, statement_likes)
_AT_ONCE: Final = 200  # SQLite counts the parameters of a statement


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

    async def there(self, consultation_id: str) -> dict[str, tuple[str, ...]]:
        found = {}
        for table in BESIDE:
            query = sa.select(table.c.id).where(table.c.consultation_id == consultation_id)
            found[table.name] = tuple((await self._connection.execute(query)).scalars())
        return found

    async def _made(self, table: sa.Table, rehearsal: Rehearsal) -> list[list[str]]:
        """Ids of its rows in a table where others stand, too, some at a time."""
        before = set(rehearsal.before.rows[table.name])
        query = sa.select(table.c.id).where(table.c.consultation_id == rehearsal.consultation_id)
        made = [each for each in (await self._connection.execute(query)).scalars() if each not in before]
        return [made[first : first + _AT_ONCE] for first in range(0, len(made), _AT_ONCE)]

    async def erase(self, rehearsal: Rehearsal) -> dict[str, int]:
        cid, counts = rehearsal.consultation_id, dict[str, int]()
        for table in MADE:
            counts[table.name] = await self._delete(table, table.c.consultation_id == cid)
        for table in BESIDE:
            gone = self._gone(table)
            counts[table.name] = sum(
                [
                    await self._delete(table, table.c.id.in_(ids), gone)
                    for ids in await self._made(table, rehearsal)
                ]
            )
        counts["comments"] = await self._put_back(rehearsal)
        return {name: count for name, count in counts.items() if count}

    @staticmethod
    def _gone(table: sa.Table) -> sa.ColumnElement[bool]:
        """Who came in the rehearsal and is still there stays, and so does the connection."""
        if table is participants:
            return participants.c.left_at_ms.is_not(None)
        return stays.c.to_wall_ms.is_not(None) if table is stays else sa.true()

    async def _put_back(self, rehearsal: Rehearsal) -> int:
        """Statements, attendance and comments of before, as they were. How many test comments went."""
        cid, before = rehearsal.consultation_id, rehearsal.before
        ours = statements.c.consultation_id == cid
        for taken in (True, False):
            chosen = statements.c.id.in_(before.taken) if taken else statements.c.id.not_in(before.taken)
            await self._connection.execute(sa.update(statements).where(ours, chosen).values(taken=taken))
        own = sa.select(statements.c.id).where(ours)
        await self._delete(statement_likes, statement_likes.c.statement_id.in_(own))
        likes = [
            {"statement_id": of, "participant_id": liker}
            for of, likers in before.likes.items()
            for liker in likers
        ]
        if likes:
            await self._connection.execute(sa.insert(statement_likes), likes)
        # Connections of before have no program time; those that still stand did not begin in the rehearsal either.
        there = stays.c.consultation_id == cid
        await self._connection.execute(sa.update(stays).where(there).values(from_ms=None, to_ms=None))
        removed = sa.and_(participants.c.consultation_id == cid, participants.c.removed_at_ms.is_not(None))
        kept_out = participants.c.id.not_in(before.removed)
        await self._connection.execute(
            sa.update(participants).where(removed, kept_out).values(removed_at_ms=None)
        )
        return await self._delete_tests(cid)

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
        ended = set(rehearsal.before.ended_stays)
        query = sa.select(stays).where(stays.c.consultation_id == rehearsal.consultation_id)
        rows_of_stays = (await self._connection.execute(query)).mappings()
        connections = [dict(row) for row in rows_of_stays if row["id"] not in ended]
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
        for table in MADE:
            counts[table.name] = await self._give(table, table.c.consultation_id == cid, kept, items, people)
        for table in (clip_plays, floor_turns, statements):
            counts[table.name] = sum(
                [
                    await self._give(table, table.c.id.in_(ids), kept, items, people)
                    for ids in await self._made(table, rehearsal)
                ]
            )
        c = recordings.c
        path = sa.literal(f"{kept.id}/") + sa.func.substr(c.path, len(cid) + 2)
        await self._connection.execute(
            sa.update(recordings).where(c.consultation_id == kept.id).values(path=path)
        )
        return counts

    async def _give(
        self,
        table: sa.Table,
        own: sa.ColumnElement[bool],
        kept: Consultation,
        items: dict[str, str],
        people: dict[str, str],
    ) -> int:
        for name, ids in (("participant_id", people), ("item_id", items)):
            for before, after in ids.items() if name in table.c else ():
                same = sa.and_(own, table.c[name] == before)
                await self._connection.execute(sa.update(table).where(same).values({name: after}))
        moved = sa.update(table).where(own).values(consultation_id=kept.id)
        return (await self._connection.execute(moved)).rowcount

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
