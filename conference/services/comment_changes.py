"""What every change by those who moderate has: a permission, the board's lock, one transaction, and views of groups."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from conference.desk_views import CommentGroupView
from conference.model.audit import AuditEntry, Value
from conference.model.comment import Comment
from conference.model.comment_group import CommentGroup
from conference.model.consultation import Consultation
from conference.model.permissions import Action, require
from conference.model.promotion import Promotion
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.trace import Bearer, Caller


@dataclass(frozen=True, slots=True)
class Decided:
    """How many comments changed and which, and the groups as they are now. `undo`: the name of the decision, while it
    can be undone."""

    changed: int
    ids: tuple[str, ...]
    groups: tuple[CommentGroupView, ...]
    undo: str | None = None

    @classmethod
    def of(
        cls, after: Sequence[Comment], groups: tuple[CommentGroupView, ...], undo: str | None = None
    ) -> Decided:
        return cls(len(after), tuple(each.id for each in after), groups, undo)


@dataclass(frozen=True, slots=True)
class BoardChange:
    """A change that is being made: the board's lock is held."""

    boards: CommentBoards
    consultation: Consultation
    caller: Caller
    board: CommentBoard
    wall_ms: int

    def entry(self, action: str, subject: str | None, **content: Value) -> AuditEntry:
        """A line by the one who asked."""
        return self.boards.entry(self.consultation, self.caller.actor, action, subject, **content)

    def require_free(self, group_ids: Iterable[str]) -> None:
        """comment_claimed when somebody else works on one of them."""
        for each in dict.fromkeys(group_ids):
            self.board.group(each).require_free(self.caller.actor.id, self.wall_ms)

    async def commit(
        self,
        entries: Sequence[AuditEntry],
        *,
        comments: Sequence[Comment] = (),
        groups: Sequence[CommentGroup] = (),
        promotions: Sequence[Promotion] = (),
    ) -> None:
        """Rows and lines in one transaction, then the board."""
        async with self.boards.storage.transaction() as unit:
            await unit.comments.save(comments)
            await unit.comments.save_groups(groups)
            await unit.promotions.save(promotions)
            await unit.audit.append_all(entries)
        for comment in comments:
            self.board.put(comment)
        for group in groups:
            self.board.put_group(group)
        for promotion in promotions:
            self.board.put_promotion(promotion)

    def views(self, group_ids: Iterable[str]) -> tuple[CommentGroupView, ...]:
        """Each once, those that are still there."""
        there = (each for each in dict.fromkeys(group_ids) if self.board.has_group(each))
        return tuple(self.board.group_view(each, self.wall_ms) for each in there)


async def caller_of(
    boards: CommentBoards, consultation_id: str, by: str | Bearer, action: Action = Action.COMMENT_MODERATE
) -> tuple[Consultation, Caller]:
    """Who asks, if the table allows it."""
    async with boards.rooms.locked(consultation_id) as room:
        caller = room.caller(by)
        require(caller.role, action)
        return room.consultation, caller


@asynccontextmanager
async def changing(
    boards: CommentBoards, consultation_id: str, by: str | Bearer
) -> AsyncIterator[BoardChange]:
    """The board's lock, for those who moderate."""
    consultation, caller = await caller_of(boards, consultation_id, by)
    async with boards.locked(consultation_id) as board:
        yield BoardChange(boards, consultation, caller, board, boards.clock.wall_ms())
