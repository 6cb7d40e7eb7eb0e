"""The requests about agenda and statements: in the room and at a desk alike."""

from __future__ import annotations

from typing import Any

from conference.events import OwnStatementView
from conference.model.agenda import AgendaItem
from conference.services.agendas import Agendas
from conference.services.statements import Statements
from signaling.realtime.dispatch import Call, Session
from signaling.realtime.requests import (
    AgendaSet,
    AgendaStart,
    AgendaStep,
    StatementAdd,
    StatementLike,
    StatementsList,
    StatementTake,
)
from signaling.realtime.wire import render_view


class AgendaRequests:
    """Handlers."""

    def __init__(self, agendas: Agendas) -> None:
        self._agendas = agendas

    def calls(self) -> dict[str, Call]:
        return {
            "agenda.set": self._set,
            "agenda.start": self._start,
            "agenda.next": self._next,
            "agenda.end": self._end,
        }

    async def _set(self, session: Session, request: AgendaSet) -> dict[str, Any]:
        return _agenda(
            await self._agendas.edit(
                session.room_id, session.participant_id, request.drafts(), request.version
            )
        )

    async def _start(self, session: Session, request: AgendaStart) -> dict[str, Any]:
        return _agenda(
            await self._agendas.start(
                session.room_id, session.participant_id, request.item_id, request.version
            )
        )

    async def _next(self, session: Session, request: AgendaStep) -> dict[str, Any]:
        return _agenda(await self._agendas.advance(session.room_id, session.participant_id, request.version))

    async def _end(self, session: Session, request: AgendaStep) -> dict[str, Any]:
        return _agenda(await self._agendas.end(session.room_id, session.participant_id, request.version))


class StatementRequests:
    """Handlers."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def calls(self) -> dict[str, Call]:
        return {
            "statement.add": self._add,
            "statement.like": self._like,
            "statement.take": self._take,
            "statements.list": self._list,
        }

    async def _add(self, session: Session, request: StatementAdd) -> dict[str, Any]:
        return _statement(
            await self._statements.add(
                session.room_id,
                session.participant_id,
                request.text,
                key=request.key,
                reply_to=request.reply_to,
                private=request.private,
            )
        )

    async def _like(self, session: Session, request: StatementLike) -> dict[str, Any]:
        return _statement(
            await self._statements.like(session.room_id, session.participant_id, request.id, request.liked)
        )

    async def _take(self, session: Session, request: StatementTake) -> dict[str, Any]:
        return _statement(
            await self._statements.take(session.room_id, session.participant_id, request.id, request.taken)
        )

    async def _list(self, session: Session, request: StatementsList) -> dict[str, Any]:
        page = await self._statements.before(
            session.room_id, session.participant_id, request.before, request.limit
        )
        return {"items": [render_view(each) for each in page.items], "next": page.next}


def _agenda(items: tuple[AgendaItem, ...]) -> dict[str, Any]:
    return {"agenda": [render_view(each) for each in items]}


def _statement(view: OwnStatementView) -> dict[str, Any]:
    return {"statement": render_view(view)}
