"""Rows of departments, of the cases that they answer, of what authors say of it, and of notices to departments."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, fields, replace
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from conference.model.comment import SHOWN
from conference.model.department import Department
from conference.model.errors import ConferenceError
from conference.model.notice import Channel, Notice, NoticeKind, NoticeState
from conference.model.response import (
    Answer,
    Extension,
    FollowUp,
    Rating,
    Response,
    ResponseRating,
    ResponseState,
    Visibility,
)
from conference.storage.rows import to_row
from conference.storage.statements import insert
from conference.storage.tables import comments, departments, follow_ups, notices, response_ratings, responses

_KEPT_FOR_EVER: Final = frozenset({"id", "consultation_id", "number", "comment_id", "opened_wall_ms"})
_AT_ONCE: Final = 200  # SQLite counts the parameters of a statement


class SqlDepartments:
    """Implements services.ports.DepartmentRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[Department]:
        query = (
            sa.select(departments)
            .where(departments.c.consultation_id == consultation_id)
            .order_by(departments.c.created_wall_ms, departments.c.id)
        )
        return [Department(**row) for row in (await self._connection.execute(query)).mappings()]

    async def get(self, department_id: str) -> Department | None:
        return await self._one(departments.c.id == department_id)

    async def by_link(self, link_hash: str) -> Department | None:
        return await self._one(departments.c.link_hash == link_hash)

    async def _one(self, condition: sa.ColumnElement[bool]) -> Department | None:
        query = sa.select(departments).where(condition)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else Department(**row)

    async def save(self, department: Department) -> None:
        statement = insert(self._connection, departments).values(to_row(department))
        changing = [
            c.name for c in departments.c if c.name not in ("id", "consultation_id", "created_wall_ms")
        ]
        try:
            await self._connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[departments.c.id],
                    set_={name: statement.excluded[name] for name in changing},
                )
            )
        except IntegrityError as error:
            raise ConferenceError("department_in_use", department.name) from error


class SqlResponses:
    """Implements services.ports.ResponseRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, consultation_id: str) -> list[Response]:
        query = (
            sa.select(responses)
            .where(responses.c.consultation_id == consultation_id)
            .order_by(responses.c.number)
        )
        return [_response(row) for row in (await self._connection.execute(query)).mappings()]

    async def in_state(self, state: ResponseState) -> list[Response]:
        query = sa.select(responses).where(responses.c.state == state.value).order_by(responses.c.id)
        return [_response(row) for row in (await self._connection.execute(query)).mappings()]

    async def shown_totals(self, consultation_id: str) -> tuple[int, int]:
        shown = sorted(state.value for state in SHOWN)
        query = (
            sa.select(sa.func.count(), sa.func.count(responses.c.answered_wall_ms))
            .join(comments, comments.c.id == responses.c.comment_id)
            .where(responses.c.consultation_id == consultation_id, comments.c.state.in_(shown))
        )
        total, answered = (await self._connection.execute(query)).one()
        return total, answered

    async def get(self, response_id: str) -> Response | None:
        query = sa.select(responses).where(responses.c.id == response_id)
        return await self._one(query)

    async def locked(self, response_id: str) -> Response | None:
        # SQLite leaves FOR UPDATE out: there each writing transaction is alone from its beginning.
        return await self._one(sa.select(responses).where(responses.c.id == response_id).with_for_update())

    async def _one(self, query: sa.Select[Any]) -> Response | None:
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else _response(row)

    async def open(self, response: Response, highest: int | None = None) -> Response:
        if highest is None:
            query = sa.select(sa.func.max(responses.c.number)).where(
                responses.c.consultation_id == response.consultation_id
            )
            highest = (await self._connection.execute(query)).scalar() or 0
        opened = replace(response, number=highest + 1)
        try:
            await self._connection.execute(sa.insert(responses).values(_row(opened)))
        except IntegrityError as error:
            raise ConferenceError("stale", "a case was opened meanwhile") from error
        return opened

    async def save(self, response: Response) -> None:
        values = {name: value for name, value in _row(response).items() if name not in _KEPT_FOR_EVER}
        await self._connection.execute(
            sa.update(responses).where(responses.c.id == response.id).values(values)
        )

    async def rate(self, rating: ResponseRating) -> None:
        statement = insert(self._connection, response_ratings).values(to_row(rating))
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[response_ratings.c.response_id, response_ratings.c.device_hash],
                set_={name: statement.excluded[name] for name in ("rating", "at_wall_ms")},
            )
        )

    async def ratings(self, consultation_id: str) -> list[ResponseRating]:
        query = (
            sa.select(response_ratings)
            .join(responses, responses.c.id == response_ratings.c.response_id)
            .where(responses.c.consultation_id == consultation_id)
            .order_by(response_ratings.c.response_id, response_ratings.c.device_hash)
        )
        rows = (await self._connection.execute(query)).mappings()
        return [ResponseRating(**{**row, "rating": Rating(row["rating"])}) for row in rows]

    async def add_follow_up(self, follow_up: FollowUp) -> None:
        await self._connection.execute(sa.insert(follow_ups).values(to_row(follow_up)))

    async def follow_ups(self, consultation_id: str) -> list[FollowUp]:
        query = (
            sa.select(follow_ups)
            .join(responses, responses.c.id == follow_ups.c.response_id)
            .where(responses.c.consultation_id == consultation_id)
            .order_by(follow_ups.c.at_wall_ms, follow_ups.c.id)
        )
        return [FollowUp(**row) for row in (await self._connection.execute(query)).mappings()]


class SqlNotices:
    """Implements services.ports.NoticeRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, added: Iterable[Notice]) -> list[Notice]:
        fresh = []
        for notice in added:
            statement = insert(self._connection, notices).values(to_row(notice))
            made = await self._connection.execute(statement.on_conflict_do_nothing())
            if made.rowcount:
                fresh.append(notice)
        return fresh

    async def keys(self, response_ids: Collection[str]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        wanted = sorted(response_ids)
        for first in range(0, len(wanted), _AT_ONCE):
            query = sa.select(notices.c.response_id, notices.c.key).where(
                notices.c.response_id.in_(wanted[first : first + _AT_ONCE])
            )
            found |= {(row.response_id, row.key) for row in await self._connection.execute(query.distinct())}
        return found

    async def of(self, response_id: str) -> list[Notice]:
        query = (
            sa.select(notices)
            .where(notices.c.response_id == response_id)
            .order_by(notices.c.created_wall_ms, notices.c.id)
        )
        return [_notice(row) for row in (await self._connection.execute(query)).mappings()]

    async def waiting(self, wall_ms: int, channels: Collection[Channel], limit: int) -> list[Notice]:
        query = (
            sa.select(notices)
            .where(
                notices.c.state == NoticeState.QUEUED.value,
                notices.c.next_wall_ms <= wall_ms,
                notices.c.channel.in_(sorted(each.value for each in channels)),
            )
            .order_by(notices.c.next_wall_ms, notices.c.id)
            .limit(limit)
        )
        return [_notice(row) for row in (await self._connection.execute(query)).mappings()]

    async def lease(self, notice: Notice, until_wall_ms: int) -> bool:
        taken = await self._connection.execute(
            sa.update(notices)
            .where(
                notices.c.id == notice.id,
                notices.c.state == NoticeState.QUEUED.value,
                notices.c.next_wall_ms == notice.next_wall_ms,
            )
            .values(next_wall_ms=until_wall_ms)
        )
        return taken.rowcount == 1

    async def save(self, notice: Notice) -> None:
        changing = ("state", "attempts", "next_wall_ms", "done_wall_ms")
        values = {name: value for name, value in to_row(notice).items() if name in changing}
        await self._connection.execute(sa.update(notices).where(notices.c.id == notice.id).values(values))


def _row(response: Response) -> dict[str, Any]:
    row = {field.name: getattr(response, field.name) for field in fields(response)}
    for name in ("answer", "earlier", "extension"):
        row[name] = None if row[name] is None else json.dumps(asdict(row[name]), ensure_ascii=False)
    return {name: each.value if isinstance(each, Enum) else each for name, each in row.items()}


def _response(row: RowMapping) -> Response:
    extension = row["extension"]
    return Response(
        **{
            **row,
            "state": ResponseState(row["state"]),
            "answer": _answer(row["answer"]),
            "earlier": _answer(row["earlier"]),
            "extension": None if extension is None else Extension(**json.loads(extension)),
        }
    )


def _answer(said: str | None) -> Answer | None:
    if said is None:
        return None
    values = json.loads(said)
    return Answer(**{**values, "visibility": Visibility(values["visibility"])})


def _notice(row: RowMapping) -> Notice:
    return Notice(
        **{
            **row,
            "kind": NoticeKind(row["kind"]),
            "channel": Channel(row["channel"]),
            "state": NoticeState(row["state"]),
        }
    )
