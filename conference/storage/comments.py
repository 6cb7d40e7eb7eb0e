"""Rows of the public's comments, of who liked or reported them, of their groups, and of the word lists."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import astuple, fields
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.comment import (
    GONE,
    SHOWN,
    TEST_DEVICE,
    Comment,
    CommentState,
    Level,
    Mark,
    MarkKind,
    Reason,
    Word,
)
from conference.model.comment_group import CommentGroup
from conference.model.errors import ConferenceError
from conference.model.identity import IdentityKind
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import comment_groups, comment_marks, comment_words, comments

_AT_ONCE: Final = 200  # SQLite counts the parameters of a statement
_CHANGING: Final = (
    "state",
    "group_id",
    "shown_number",
    "likes",
    "reports",
    "decided_by",
    "decided_wall_ms",
    "reject_reason",
)
_FIELDS: Final = tuple(each.name for each in fields(Comment))
_KEPT: Final = tuple(column.name for column in comments.c)


class SqlComments:
    """Implements services.ports.CommentRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def pages(self, consultation_id: str, size: int) -> AsyncGenerator[list[Comment], None]:
        query = _select().where(comments.c.consultation_id == consultation_id).order_by(comments.c.number)
        async with self._connection.stream(query, execution_options={"yield_per": size}) as result:
            async for rows in result.partitions():
                yield [_comment(row) for row in rows]

    async def named(self, comment_ids: Collection[str]) -> list[Comment]:
        wanted, found = sorted(set(comment_ids)), list[Comment]()
        for first in range(0, len(wanted), _AT_ONCE):
            query = _select().where(comments.c.id.in_(wanted[first : first + _AT_ONCE]))
            found += [_comment(row) for row in await self._connection.execute(query)]
        return found

    async def in_group(self, consultation_id: str, group_id: str, limit: int) -> list[Comment]:
        query = (
            _select()
            .where(comments.c.group_id == group_id, comments.c.consultation_id == consultation_id)
            .order_by(comments.c.number)
            .limit(limit)
        )
        return [_comment(row) for row in await self._connection.execute(query)]

    async def groups_of(self, consultation_id: str, device_hash: str) -> set[str]:
        query = sa.select(comments.c.group_id).where(
            comments.c.consultation_id == consultation_id,
            comments.c.device_hash == device_hash,
            comments.c.state.in_([each.value for each in CommentState if each not in GONE]),
        )
        return set((await self._connection.execute(query.distinct())).scalars())

    async def add(self, added: Iterable[Comment]) -> None:
        rows = [_row(each) for each in added]
        if not rows:
            return
        try:
            await self._connection.execute(sa.insert(comments), rows)
        except IntegrityError as error:
            raise ConferenceError("stale", "comments were added meanwhile") from error

    async def save(self, saved: Iterable[Comment]) -> None:
        rows = [
            {
                "changed_id": each.id,
                **{name: value for name, value in _row(each).items() if name in _CHANGING},
            }
            for each in saved
        ]
        if rows:
            changed = sa.update(comments).where(comments.c.id == sa.bindparam("changed_id"))
            values: dict[str, Any] = {name: sa.bindparam(name) for name in _CHANGING}
            await self._connection.execute(changed.values(values), rows)

    async def mark(self, marks: Collection[Mark]) -> list[Mark]:
        wanted = sorted({(each.comment_id, each.kind.value, each.device_hash) for each in marks})
        c = comment_marks.c
        there: set[tuple[str, ...]] = set()
        for first in range(0, len(wanted), _AT_ONCE):
            query = sa.select(c.comment_id, c.kind, c.device_hash).where(
                sa.tuple_(c.comment_id, c.kind, c.device_hash).in_(wanted[first : first + _AT_ONCE])
            )
            there |= {tuple(row) for row in await self._connection.execute(query)}
        fresh = [Mark(each[0], MarkKind(each[1]), each[2]) for each in wanted if each not in there]
        if fresh:
            await self._connection.execute(
                insert(self._connection, comment_marks).on_conflict_do_nothing(),
                [to_row(each) for each in fresh],
            )
        return fresh

    async def unmark(self, mark: Mark) -> bool:
        c = comment_marks.c
        own = sa.and_(
            c.comment_id == mark.comment_id, c.kind == mark.kind.value, c.device_hash == mark.device_hash
        )
        there = (await self._connection.execute(sa.select(c.comment_id).where(own))).first()
        if there is not None:
            await self._connection.execute(sa.delete(comment_marks).where(own))
        return there is not None

    async def groups(self, consultation_id: str) -> list[CommentGroup]:
        query = sa.select(comment_groups).where(comment_groups.c.consultation_id == consultation_id)
        return [CommentGroup(**row) for row in (await self._connection.execute(query)).mappings()]

    async def save_groups(self, saved: Iterable[CommentGroup]) -> None:
        rows = [to_row(each) for each in saved]
        if not rows:
            return
        statement = insert(self._connection, comment_groups)
        changing = ("representative_id", "claimed_by", "claimed_name", "claimed_wall_ms")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[comment_groups.c.id],
                set_={name: statement.excluded[name] for name in changing},
            ),
            rows,
        )

    async def words(self, consultation_id: str) -> list[Word]:
        c = comment_words.c
        query = (
            sa.select(c.text, c.level, c.category)
            .where(c.consultation_id == consultation_id)
            .order_by(c.text)
        )
        return [
            Word(row.text, Level(row.level), row.category) for row in await self._connection.execute(query)
        ]

    async def save_words(self, consultation_id: str, words: Iterable[Word]) -> None:
        await self._connection.execute(
            sa.delete(comment_words).where(comment_words.c.consultation_id == consultation_id)
        )
        rows = [{**to_row(each), "consultation_id": consultation_id} for each in words]
        if rows:
            await self._connection.execute(sa.insert(comment_words), rows)

    async def shown_count(self, consultation_id: str) -> int:
        query = sa.select(sa.func.count()).where(
            comments.c.consultation_id == consultation_id,
            comments.c.state.in_(sorted(state.value for state in SHOWN)),
            comments.c.device_hash != TEST_DEVICE,
        )
        return (await self._connection.execute(query)).scalar_one()

    async def address(self, comment_id: str) -> str:
        query = sa.select(comments.c.address).where(comments.c.id == comment_id)
        return (await self._connection.execute(query)).scalar() or ""

    async def with_addresses(self, before_wall_ms: int) -> list[str]:
        query = sa.select(comments.c.consultation_id).where(
            comments.c.address != "", comments.c.at_wall_ms < before_wall_ms
        )
        return sorted((await self._connection.execute(query.distinct())).scalars())

    async def erase_addresses(self, consultation_id: str, before_wall_ms: int) -> int:
        gone = await self._connection.execute(
            sa.update(comments)
            .where(
                comments.c.consultation_id == consultation_id,
                comments.c.address != "",
                comments.c.at_wall_ms < before_wall_ms,
            )
            .values(address="")
        )
        return gone.rowcount


def _select() -> sa.Select[Any]:
    """The columns in the order of the fields."""
    return sa.select(*(comments.c[name] for name in _FIELDS))


def _row(comment: Comment) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(comment, name) for name in _KEPT}
    reasons = [astuple(each) for each in comment.reasons]
    row["state"], row["level"] = comment.state.value, comment.level.value
    row["reasons"] = json.dumps(reasons, ensure_ascii=False)
    row["identity"] = None if comment.identity is None else comment.identity.value
    return row


_STATES: Final = {state.value: state for state in CommentState}
_LEVELS: Final = {level.value: level for level in Level}
_STATE: Final = _FIELDS.index("state")  # level and reasons follow
_IDENTITY: Final = _FIELDS.index("identity")


def _comment(row: Row[Any]) -> Comment:
    """By place: a hundred thousand are read while people wait."""
    values: list[Any] = list(row)
    state, level, reasons = values[_STATE : _STATE + 3]
    found = () if reasons == "[]" else tuple(Reason(*each) for each in json.loads(reasons))
    values[_STATE : _STATE + 3] = _STATES[state], _LEVELS[level], found
    if values[_IDENTITY] is not None:
        values[_IDENTITY] = IdentityKind(values[_IDENTITY])
    return Comment(*values)
