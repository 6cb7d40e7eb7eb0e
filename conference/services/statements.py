"""Written statements: adding, liking, taking to the floor, reading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conference.events import OwnStatementView
from conference.model.audit import Personal
from conference.model.errors import ConferenceError
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.model.statement import Statement, taken
from conference.services.live_room import LiveRoom
from conference.services.rooms import Rooms
from conference.services.trace import Bearer, Caller, person
from conference.services.views import own_statement_view

MAX_STATEMENTS: Final = 20_000  # of one consultation


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Oldest first. `next` leads to the following page."""

    items: tuple[OwnStatementView, ...]
    next: str | None


class Statements:
    """Private notes exist for their author and the secretariat only."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def add(
        self,
        room_id: str,
        participant_id: str,
        text: str,
        *,
        key: str,
        reply_to: str | None = None,
        private: bool = False,
    ) -> OwnStatementView:
        """Add one at the end; the same key again is the same statement."""
        async with self._rooms.locked(room_id) as room:
            author = room.seat(participant_id).participant
            require(author.role, Action.STATEMENT_ADD)
            statement = room.board.with_key(participant_id, key)
            if statement is not None:
                return own_statement_view(room.board, statement, participant_id)
            room.consultation.require_open()
            if len(room.board.statements) >= MAX_STATEMENTS:
                raise ConferenceError("too_many_statements")
            if reply_to is not None:
                private = room.board.get(reply_to, participant_id, author.role).private or private
            statement = Statement(
                id=new_id("s"),
                consultation_id=room.id,
                number=room.board.next_number,
                participant_id=participant_id,
                name=author.name,
                role=author.role,
                venue=author.venue,
                text=text,
                at_ms=self._rooms.program_time_ms(room.consultation),
                at_wall_ms=self._rooms.clock.wall_ms(),
                key=key,
                reply_to=reply_to,
                private=private,
            )
            entry = self._rooms.entry(
                room,
                person(author),
                "statement.added",
                statement.id,
                text=Personal(text),
                private=private,
                reply_to=reply_to,
            )
            async with self._rooms.storage.transaction() as unit:
                await unit.statements.add(statement)
                await unit.audit.append(entry)
            room.add_statement(statement)
            return own_statement_view(room.board, statement, participant_id)

    async def like(
        self, room_id: str, participant_id: str, statement_id: str, liked: bool
    ) -> OwnStatementView:
        """Like it, or not any more; each participant counts once."""
        async with self._rooms.locked(room_id) as room:
            participant = room.seat(participant_id).participant
            require(participant.role, Action.STATEMENT_LIKE)
            statement = room.board.get(statement_id, participant_id, participant.role)
            if room.board.is_liked(statement_id, participant_id) != liked:
                room.consultation.require_open()
                action = "statement.liked" if liked else "statement.unliked"
                entry = self._rooms.entry(room, person(participant), action, statement_id)
                async with self._rooms.storage.transaction() as unit:
                    await unit.statements.like(statement_id, participant_id, liked)
                    await unit.audit.append(entry)
                room.board.like(statement_id, participant_id, liked)
                room.change_statement(statement)
            return own_statement_view(room.board, statement, participant_id)

    async def take(
        self, room_id: str, by: str | Bearer, statement_id: str, is_taken: bool
    ) -> OwnStatementView:
        """Take it to the floor."""
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            require(caller.role, Action.STATEMENT_TAKE)
            statement = self._seen(room, caller, statement_id)
            if statement.taken != is_taken:
                statement = taken(statement, is_taken)
                action = "statement.taken" if is_taken else "statement.returned"
                entry = self._rooms.entry(room, caller.actor, action, statement_id)
                async with self._rooms.storage.transaction() as unit:
                    await unit.statements.take(statement_id, is_taken)
                    await unit.audit.append(entry)
                room.change_statement(statement)
            return own_statement_view(room.board, statement, caller.participant_id)

    async def before(self, room_id: str, by: str | Bearer, before: str | None, limit: int) -> StatementPage:
        """The newest ones, or those right before a statement; `next` is the `before` of the page above."""
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            visible = room.board.visible(caller.participant_id, caller.role)
            if before is not None:
                visible = visible[: visible.index(self._seen(room, caller, before))]
            page = visible[-limit:]
            more = len(visible) > len(page)
            return self._page(room, caller, page, page[0].id if more else None)

    async def after(self, room_id: str, by: str | Bearer, after: str | None, limit: int) -> StatementPage:
        """From the first one on, or from behind a statement."""
        async with self._rooms.locked(room_id) as room:
            caller = room.caller(by)
            visible = room.board.visible(caller.participant_id, caller.role)
            if after is not None:
                visible = visible[visible.index(self._seen(room, caller, after)) + 1 :]
            page = visible[:limit]
            more = len(visible) > len(page)
            return self._page(room, caller, page, page[-1].id if more else None)

    @staticmethod
    def _seen(room: LiveRoom, caller: Caller, statement_id: str) -> Statement:
        return room.board.get(statement_id, caller.participant_id, caller.role)

    @staticmethod
    def _page(room: LiveRoom, caller: Caller, page: list[Statement], following: str | None) -> StatementPage:
        views = (own_statement_view(room.board, each, caller.participant_id) for each in page)
        return StatementPage(tuple(views), following)
