"""Promotions (上会): proposing a comment, putting it before the meeting as an item of its agenda, and ending that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from conference.desk_views import PromotionCard
from conference.model.agenda import Agenda, AgendaItem, promotion_item
from conference.model.audit import AuditEntry, Value
from conference.model.comment import Comment, Decision
from conference.model.consultation import Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.floor import Turn
from conference.model.ids import new_id
from conference.model.permissions import Action, allowed, require
from conference.model.promotion import Promotion, PromotionPhase, PromotionState
from conference.services.agendas import MAX_ITEMS, title_of, written
from conference.services.cases import NewCase
from conference.services.change import Change
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.live_room import ChangeMark, LiveRoom
from conference.services.trace import Bearer, Caller

_MOST_OPEN: Final = 50  # a short list is what a chair can choose from


@dataclass(frozen=True, slots=True)
class _At:
    """Both locks held: the room's, then the board's."""

    room: LiveRoom
    board: CommentBoard
    caller: Caller

    @property
    def decides(self) -> bool:
        """Whether this caller puts comments to the session without asking."""
        if allowed(self.caller.role, Action.PROMOTION_DECIDE):
            return True
        return self.room.consultation.moderator_promotes and allowed(self.caller.role, Action.COMMENT_PROMOTE)


class Promotions:
    """`by` is an id in the room or at a desk, or a token's bearer."""

    def __init__(self, boards: CommentBoards) -> None:
        self._boards = boards

    @asynccontextmanager
    async def _at(self, consultation_id: str, by: str | Bearer) -> AsyncIterator[_At]:
        async with (
            self._boards.rooms.locked(consultation_id) as room,
            self._boards.locked(consultation_id) as board,
        ):
            yield _At(room, board, room.caller(by))

    async def promote(self, consultation_id: str, by: str | Bearer, comment_id: str) -> PromotionCard:
        """Put it to the session; by a moderator it is a proposal, unless the policy lets moderators do it.

        Repeating it is harmless. comment_changed when the comment was rejected, hidden or withdrawn meanwhile.
        """
        async with self._at(consultation_id, by) as at:
            require(at.caller.role, Action.COMMENT_PROMOTE)
            at.room.consultation.require_open()
            comment = at.board.get(comment_id)
            _require_of_this(at, comment)
            promotion = self._open(at, comment)
            if promotion is not None and promotion.phase(at.room.agenda) is PromotionPhase.CURRENT:
                return card(at.board, promotion, at.room.agenda, at.room.turn)
            if not at.decides:
                return await self._propose(at, comment, promotion)
            if promotion is None or not promotion.is_open:
                promotion = self._made(at, comment)
            return await self._take(at, at.board.get(promotion.comment_id), promotion)

    @staticmethod
    def _open(at: _At, comment: Comment) -> Promotion | None:
        """The proposal of this comment or its group, or what of it is before the meeting now."""
        promotion = at.board.promotion_of(comment)
        if promotion is not None and promotion.phase(at.room.agenda) is PromotionPhase.ENDED:
            return None  # it may be put to the session again
        return promotion

    def _made(self, at: _At, comment: Comment) -> Promotion:
        return Promotion(
            id=new_id("pr"),
            consultation_id=at.room.id,
            comment_id=comment.id,
            group_id=comment.group_id,
            state=PromotionState.PROPOSED,
            authors=at.board.authors(comment.group_id),
            proposed_by=at.caller.name,
            proposed_wall_ms=self._boards.clock.wall_ms(),
        )

    async def _propose(self, at: _At, comment: Comment, there: Promotion | None) -> PromotionCard:
        comment.decided(Decision.PROMOTE, None, None)  # or comment_changed
        if there is None:
            if sum(each.is_open for each in at.board.promotions.values()) >= _MOST_OPEN:
                raise ConferenceError("too_large", f"{_MOST_OPEN} proposals")
            there = self._made(at, comment)
            entry = self._entry(at, "promotion.proposed", there, authors=there.authors)
            await self._boards.rooms.commit(at.room, Change(promotions=(there,)), [entry])
            at.board.put_promotion(there)
        return card(at.board, there, at.room.agenda, at.room.turn)

    async def _take(self, at: _At, comment: Comment, promotion: Promotion) -> PromotionCard:
        room, now_ms = at.room, self._boards.rooms.program_time_ms(at.room.consultation)
        wall_ms = self._boards.clock.wall_ms()
        if len(room.agenda.items) >= MAX_ITEMS:
            raise ConferenceError("too_large", f"{MAX_ITEMS} agenda items")
        after = at.board.shown_after(comment.decided(Decision.PROMOTE, at.caller.name, wall_ms))
        item = promotion_item(comment.id, comment.text, comment.nickname, comment.region)
        agenda = room.agenda.interrupted(item, now_ms)
        taken = promotion.taken(item.id, self._interrupted(at), at.caller.name, wall_ms)
        entries = [
            self._entry(at, "promotion.started", taken, item=item.id, authors=taken.authors),
            *self._stepped(at, agenda, item),
        ]
        # No department is asked about what was written for a rehearsal.
        actor = at.caller.actor
        case = None if after.is_test else NewCase(after, taken.authors, actor, wall_ms, now_ms, taken.id)
        change = Change(agenda=agenda, comments=(after,), promotions=(taken,), case=case)
        await self._boards.rooms.commit(room, change, entries)
        self._mark(at)
        at.board.put(after)
        at.board.put_promotion(taken)
        return card(at.board, taken, room.agenda, room.turn)

    @staticmethod
    def _interrupted(at: _At) -> str | None:
        """What goes on afterwards: behind one comment comes what was there before the first."""
        current = at.room.agenda.current
        if current is None or current.comment_id is None:
            return None if current is None else current.id
        taken = (each for each in at.board.promotions.values() if each.item_id == current.id)
        return next((each.interrupted_id for each in taken), None)

    async def decline(self, consultation_id: str, by: str | Bearer, promotion_id: str) -> PromotionCard:
        """Take a proposal off the list: by the chair it was declined, by a moderator withdrawn."""
        async with self._at(consultation_id, by) as at:
            require(at.caller.role, Action.COMMENT_PROMOTE)
            promotion = self._get(at, promotion_id)
            decides = allowed(at.caller.role, Action.PROMOTION_DECIDE)
            state = PromotionState.DECLINED if decides else PromotionState.WITHDRAWN
            closed = promotion.closed(state, at.caller.name, self._boards.clock.wall_ms())
            if closed is not promotion:
                entry = self._entry(at, "promotion.declined", closed, state=state.value)
                await self._boards.rooms.commit(at.room, Change(promotions=(closed,)), [entry])
                at.board.put_promotion(closed)
            return card(at.board, closed, at.room.agenda, at.room.turn)

    async def end(
        self, consultation_id: str, by: str | Bearer, promotion_id: str | None = None
    ) -> PromotionCard:
        """The card goes, and what it interrupted goes on. Without an id: whatever is before the meeting."""
        async with self._at(consultation_id, by) as at:
            if not at.decides:
                require(at.caller.role, Action.PROMOTION_DECIDE)
            promotion = self._current(at) if promotion_id is None else self._get(at, promotion_id)
            return await self._end(at, promotion)

    async def drop(self, consultation_id: str, by: str | Bearer, comment_ids: frozenset[str]) -> None:
        """These comments were hidden: none of them stays before the meeting."""
        async with self._at(consultation_id, by) as at:
            current = at.room.agenda.current
            if current is not None and current.comment_id in comment_ids:
                await self._end(at, self._current(at))

    async def _end(self, at: _At, promotion: Promotion) -> PromotionCard:
        phase = promotion.phase(at.room.agenda)
        if phase not in (PromotionPhase.CURRENT, PromotionPhase.ENDED):
            raise ConferenceError("comment_changed", f"the promotion is {phase}")
        if phase is PromotionPhase.CURRENT:
            now_ms = self._boards.rooms.program_time_ms(at.room.consultation)
            agenda = at.room.agenda.resumed(promotion.interrupted_id, now_ms)
            entries = [self._entry(at, "promotion.ended", promotion, item=promotion.item_id)]
            current = agenda.current
            if current is None:
                entries.append(self._boards.rooms.entry(at.room, at.caller.actor, "agenda.ended", at.room.id))
            else:
                entries.append(self._started(at, current))
            await self._boards.rooms.commit(at.room, Change(agenda=agenda), entries)
            self._mark(at)
            at.board.is_changed = True
        return card(at.board, promotion, at.room.agenda, at.room.turn)

    async def every(self, consultation_id: str, by: str | Bearer) -> tuple[PromotionCard, ...]:
        """All of them, the newest first."""
        async with self._at(consultation_id, by) as at:
            require(at.caller.role, Action.COMMENT_PROMOTE)
            found = reversed(at.board.promotions.values())
            return tuple(card(at.board, each, at.room.agenda, at.room.turn) for each in found)

    @staticmethod
    def _get(at: _At, promotion_id: str) -> Promotion:
        promotion = at.board.promotions.get(promotion_id)
        if promotion is None:
            raise NotFoundError(f"promotion {promotion_id}")
        return promotion

    @staticmethod
    def _current(at: _At) -> Promotion:
        for promotion in at.board.promotions.values():
            if promotion.phase(at.room.agenda) is PromotionPhase.CURRENT:
                return promotion
        raise NotFoundError("no comment is before the meeting")

    def _entry(self, at: _At, action: str, promotion: Promotion, **content: Value) -> AuditEntry:
        said: dict[str, Value] = {"comment": promotion.comment_id, "group": promotion.group_id, **content}
        return self._boards.rooms.entry(at.room, at.caller.actor, action, promotion.id, **said)

    def _stepped(self, at: _At, agenda: Agenda, item: AgendaItem) -> list[AuditEntry]:
        """The agenda as it is written now, for the public's clock, and its step."""
        rooms, actor = self._boards.rooms, at.caller.actor
        edited = rooms.entry(at.room, actor, "agenda.edited", at.room.id, items=written(agenda))
        return [edited, self._started(at, item)]

    def _started(self, at: _At, item: AgendaItem) -> AuditEntry:
        rooms = self._boards.rooms
        return rooms.entry(at.room, at.caller.actor, "agenda.started", item.id, title=title_of(item))

    @staticmethod
    def _mark(at: _At) -> None:
        at.room.agenda_mark = ChangeMark(at.room.version, at.caller.actor.id, at.caller.name)


def _require_of_this(at: _At, comment: Comment) -> None:
    """rehearsal_comment for what somebody of the public wrote: a rehearsal must not use it up."""
    if at.room.consultation.status is Status.REHEARSAL and not comment.is_test:
        raise ConferenceError("rehearsal_comment", comment.id)


def card(board: CommentBoard, promotion: Promotion, agenda: Agenda, turn: Turn | None) -> PromotionCard:
    """A promotion with the words of its comment. Who has the floor during it answers."""
    comment = board.get(promotion.comment_id)
    item = next((each for each in agenda.items if each.id == promotion.item_id), None)
    answers = turn.name if turn is not None and item is not None and turn.item_id == item.id else None
    return PromotionCard(
        id=promotion.id,
        comment_id=comment.id,
        group_id=promotion.group_id,
        phase=promotion.phase(agenda),
        text=comment.text,
        nickname=comment.nickname,
        place=comment.region,
        authors=promotion.authors,
        proposed_by=promotion.proposed_by,
        proposed_wall_ms=promotion.proposed_wall_ms,
        decided_by=promotion.decided_by,
        item_id=promotion.item_id,
        started_at_ms=None if item is None else item.started_at_ms,
        ended_at_ms=None if item is None else item.ended_at_ms,
        answering=(item.speaker if item is not None else None) or answers,
    )
