"""The repositories of what happens in a session: agenda, floor, statements, attendance."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.agenda import Agenda
from conference.model.attendance import Stay
from conference.model.floor import SpokenTime, Turn
from conference.model.statement import Statement, StatementBoard
from conference.storage.rows import to_agenda_item, to_row, to_statement, to_stay, to_turn
from conference.storage.statements import insert, upsert
from conference.storage.tables import agenda_items, floor_turns, statement_likes, statements, stays


class SqlAgenda:
    """Rows of agenda items."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, consultation_id: str) -> Agenda:
        query = (
            sa.select(agenda_items)
            .where(agenda_items.c.consultation_id == consultation_id)
            .order_by(agenda_items.c.position)
        )
        rows = (await self._connection.execute(query)).mappings()
        return Agenda(tuple(to_agenda_item(row) for row in rows))

    async def save(self, consultation_id: str, agenda: Agenda) -> None:
        await self._connection.execute(
            sa.delete(agenda_items).where(agenda_items.c.consultation_id == consultation_id)
        )
        rows = [
            {**to_row(item), "consultation_id": consultation_id, "position": position}
            for position, item in enumerate(agenda.items)
        ]
        if rows:
            await self._connection.execute(sa.insert(agenda_items), rows)


class SqlFloor:
    """Rows of turns: who held the floor, and who holds it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open_turn(self, consultation_id: str) -> Turn | None:
        query = (
            sa.select(floor_turns)
            .where(floor_turns.c.consultation_id == consultation_id, floor_turns.c.end_reason.is_(None))
            .order_by(floor_turns.c.granted_wall_ms.desc())
        )
        row = (await self._connection.execute(query)).mappings().first()
        return None if row is None else to_turn(row)

    async def open_turns(self) -> list[Turn]:
        query = sa.select(floor_turns).where(floor_turns.c.end_reason.is_(None))
        return [to_turn(row) for row in (await self._connection.execute(query)).mappings()]

    async def turns(self, consultation_id: str) -> list[Turn]:
        query = (
            sa.select(floor_turns)
            .where(floor_turns.c.consultation_id == consultation_id)
            .order_by(floor_turns.c.granted_wall_ms, floor_turns.c.id)
        )
        return [to_turn(row) for row in (await self._connection.execute(query)).mappings()]

    async def spoken(self, consultation_id: str) -> list[SpokenTime]:
        turns = floor_turns.c
        query = (
            sa.select(
                turns.participant_id,
                sa.func.max(turns.name).label("name"),
                sa.func.max(turns.venue).label("venue"),
                turns.item_id,
                sa.func.sum(turns.spoken_ms).label("spoken_ms"),
            )
            .where(turns.consultation_id == consultation_id)
            .group_by(turns.participant_id, turns.item_id)
            .order_by(sa.func.min(turns.granted_wall_ms), turns.participant_id)
        )
        return [
            SpokenTime(**{**row, "spoken_ms": int(row["spoken_ms"])})
            for row in (await self._connection.execute(query)).mappings()
        ]

    async def save(self, turn: Turn) -> None:
        statement = insert(self._connection, floor_turns).values(to_row(turn))
        kept = {"id", "consultation_id"}
        overwritten = {c.name: statement.excluded[c.name] for c in floor_turns.c if c.name not in kept}
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=[floor_turns.c.id], set_=overwritten)
        )


class SqlStatements:
    """Rows of written statements and their likes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def board(self, consultation_id: str) -> StatementBoard:
        board = StatementBoard()
        query = (
            sa.select(statements)
            .where(statements.c.consultation_id == consultation_id)
            .order_by(statements.c.number)
        )
        for row in (await self._connection.execute(query)).mappings():
            board.put(to_statement(row))
        likes = (
            sa.select(statement_likes).join(statements).where(statements.c.consultation_id == consultation_id)
        )
        for row in (await self._connection.execute(likes)).mappings():
            board.like(row["statement_id"], row["participant_id"], liked=True)
        return board

    async def add(self, statement: Statement) -> None:
        await self._connection.execute(sa.insert(statements).values(to_row(statement)))

    async def take(self, statement_id: str, taken: bool) -> None:
        await self._connection.execute(
            sa.update(statements).where(statements.c.id == statement_id).values(taken=taken)
        )

    async def like(self, statement_id: str, participant_id: str, liked: bool) -> None:
        likes = statement_likes.c
        if liked:
            added = insert(self._connection, statement_likes)
            await self._connection.execute(
                added.values(
                    statement_id=statement_id, participant_id=participant_id
                ).on_conflict_do_nothing()
            )
            return
        await self._connection.execute(
            sa.delete(statement_likes).where(
                likes.statement_id == statement_id, likes.participant_id == participant_id
            )
        )


class SqlStays:
    """Rows of attendance."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[Stay]:
        return await self._where(stays.c.consultation_id == consultation_id)

    async def open(self) -> list[Stay]:
        return await self._where(stays.c.to_wall_ms.is_(None))

    async def _where(self, condition: sa.ColumnElement[bool]) -> list[Stay]:
        query = sa.select(stays).where(condition).order_by(stays.c.from_wall_ms, stays.c.id)
        return [to_stay(row) for row in (await self._connection.execute(query)).mappings()]

    async def save(self, stay: Stay) -> None:
        statement = upsert(self._connection, stays, ("to_ms", "to_wall_ms", "reason"))
        await self._connection.execute(statement, [to_row(stay)])
