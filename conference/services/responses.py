"""The ledger of answers (办理答复): opening cases, asking departments, approving what they answer, closing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import tzinfo
from typing import Final

from conference.model.audit import AuditEntry
from conference.model.comment import Comment, CommentState, Decision
from conference.model.due import default_due_ms
from conference.model.errors import ConferenceError
from conference.model.notice import NoticeKind
from conference.model.permissions import Action, allowed, require
from conference.model.promotion import PromotionState
from conference.model.response import Response, ResponseState, Visibility
from conference.services.case_views import CaseCard, card
from conference.services.cases import CaseChange, NewCase, personal, require_worth_answering
from conference.services.comment_board import CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.consultations import consultation_of
from conference.services.ledger import Ledgers, ledger_of
from conference.services.notices import Notices
from conference.services.trace import Bearer

_MINUTE_MS: Final = 60_000
_MOST_DUE_MS: Final = 3 * 366 * 86_400_000


class Responses:
    """For those who keep the ledger. `zone`: of the people who read dates."""

    def __init__(self, boards: CommentBoards, ledgers: Ledgers, notices: Notices, zone: tzinfo) -> None:
        self._boards = boards
        self._storage = boards.storage
        self._clock = boards.clock
        self._ledgers = ledgers
        self._notices = notices
        self._zone = zone

    # ── opening and asking ──────────────────────────────────────────────────────────────────────

    async def open(
        self,
        consultation_id: str,
        by: Bearer,
        comment_id: str,
        department_id: str | None = None,
        due_wall_ms: int | None = None,
    ) -> CaseCard:
        """Make a case of a comment and its group; the one that is open when there is one.

        A department is asked at once by those who may; named by others it is a suggestion. comment_changed for what
        was turned down.
        """
        require(by.role, Action.RESPONSE_OPEN)
        async with self._boards.locked(consultation_id) as board:
            comment = board.get(comment_id)
            require_worth_answering(comment)
            wall_ms, authors = self._clock.wall_ms(), board.authors(comment.group_id)
            async with self._storage.transaction() as unit:
                consultation = await consultation_of(unit, consultation_id)
                program_time_ms = self._boards.rooms.program_time_ms(consultation)
                case = NewCase(
                    comment,
                    authors,
                    by.actor,
                    wall_ms,
                    program_time_ms,
                    None,
                    suggested_department_id=department_id,
                )
                opened = await case.write(unit)
                change = await CaseChange.begin(
                    unit,
                    consultation_id,
                    opened.id,
                    actor=by.actor,
                    wall_ms=wall_ms,
                    program_time_ms=program_time_ms,
                )
                if department_id is not None:
                    await change.department(department_id)
                    if opened.state is ResponseState.UNASSIGNED and allowed(by.role, Action.RESPONSE_MANAGE):
                        await self._assign(change, department_id, due_wall_ms, None)
        return await self._written(consultation_id, opened.id)

    async def assign(
        self,
        consultation_id: str,
        by: Bearer,
        response_id: str,
        department_id: str,
        due_wall_ms: int | None = None,
        reason: str | None = None,
    ) -> CaseCard:
        """Ask a department, or another one: that wants a reason. Two weeks, unless another day is said."""
        async with self._changing(consultation_id, by, response_id) as change:
            await self._assign(change, department_id, due_wall_ms, reason)
        return await self._written(consultation_id, response_id)

    async def _assign(
        self, change: CaseChange, department_id: str, due_wall_ms: int | None, reason: str | None
    ) -> None:
        before, wall_ms = change.response, change.wall_ms
        department = await change.department(department_id)
        other = before.department_id not in (None, department_id)
        if other and not reason:
            raise ConferenceError("bad_request", "another department wants a reason")
        if due_wall_ms is None:
            due_wall_ms = (
                before.due_wall_ms
                if not other and before.due_wall_ms
                else default_due_ms(wall_ms, self._zone)
            )
        _require_day(due_wall_ms, wall_ms)
        after = before.assigned(department_id, due_wall_ms, wall_ms)
        if after == before:
            return
        lasting = await change.keep_door_open(department, due_wall_ms)
        entry = change.entry(
            "response.assigned",
            department=department_id,
            name=department.name,
            before=before.department_id,
            due_wall_ms=due_wall_ms,
            reason=personal(reason),
        )
        if department_id != before.department_id:
            key = f"assigned:{wall_ms}"
            await self._notices.note(change.unit, after, lasting, NoticeKind.ASSIGNED, key, wall_ms)
        await change.write(after, entry)

    async def extend(
        self,
        consultation_id: str,
        by: Bearer,
        response_id: str,
        until_wall_ms: int,
        reason: str | None = None,
    ) -> CaseCard:
        """More time: what was asked for, or another day, or without having been asked."""
        async with self._changing(consultation_id, by, response_id) as change:
            before = change.response
            _require_day(until_wall_ms, change.wall_ms)
            after = before.with_more_time(until_wall_ms, change.wall_ms)
            await change.keep_door_open(await change.department(before.department_id), until_wall_ms)
            entry = change.entry(
                "response.extended",
                before_wall_ms=before.due_wall_ms,
                due_wall_ms=until_wall_ms,
                asked=before.extension is not None,
                reason=personal(reason),
            )
            await change.write(after, entry)
        return await self._written(consultation_id, response_id)

    async def deny_extension(
        self, consultation_id: str, by: Bearer, response_id: str, reason: str
    ) -> CaseCard:
        """It stays due when it was."""
        async with self._changing(consultation_id, by, response_id) as change:
            after = change.response.without_more_time()
            await change.write(after, change.entry("response.extension_denied", reason=personal(reason)))
        return await self._written(consultation_id, response_id)

    async def remind(self, consultation_id: str, by: Bearer, response_id: str) -> CaseCard:
        """Write to the department now; once a minute at most. no_channel when nothing reaches it."""
        async with self._changing(consultation_id, by, response_id) as change:
            before = change.response
            after = before.reminded_once_more()
            department = await change.department(before.department_id)
            if not self._notices.reaches(department):
                raise ConferenceError("no_channel", "neither mail nor telephone")
            sent = await change.unit.notices.of(response_id)
            if any(
                each.kind is NoticeKind.BY_HAND and change.wall_ms - each.created_wall_ms < _MINUTE_MS
                for each in sent
            ):
                return card(await ledger_of(change.unit, consultation_id), before, change.wall_ms, self._zone)
            key = f"by_hand:{change.wall_ms}"
            noted = await self._notices.note(
                change.unit, after, department, NoticeKind.BY_HAND, key, change.wall_ms
            )
            channels = [each.channel.value for each in noted]
            entry = change.entry("response.reminded", kind=NoticeKind.BY_HAND.value, channels=channels)
            await change.write(after, entry)
        return await self._written(consultation_id, response_id)

    # ── answers ─────────────────────────────────────────────────────────────────────────────────

    async def give_back(self, consultation_id: str, by: Bearer, response_id: str, reason: str) -> CaseCard:
        """The department is to mend its answer."""
        async with self._changing(consultation_id, by, response_id) as change:
            after = change.response.returned(reason)
            await self._tell_again(change, after)
            await change.write(after, change.entry("response.returned", reason=personal(reason)))
        return await self._written(consultation_id, response_id)

    async def _tell_again(self, change: CaseChange, after: Response) -> None:
        if after.department_id is None:
            return
        department, key = await change.department(after.department_id), f"returned:{change.wall_ms}"
        await self._notices.note(change.unit, after, department, NoticeKind.RETURNED, key, change.wall_ms)

    async def approve(
        self, consultation_id: str, by: Bearer, response_id: str, visibility: Visibility | None = None
    ) -> CaseCard:
        """The answer counts, and what of its group is shown is marked as answered."""
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._boards.locked(consultation_id) as board:
            async with self._changing(consultation_id, by, response_id) as change:
                after = change.response.approved(visibility, change.wall_ms)
                comments = [
                    each.decided(Decision.ANSWER, by.name, change.wall_ms)
                    for each in self._group(board, after)
                    if each.may(Decision.ANSWER)
                ]
                assert after.answer is not None  # just approved
                entry = change.entry(
                    "response.approved", visibility=after.answer.visibility.value, answered=len(comments)
                )
                await self._write_with(change, after, entry, "comment.answered", comments)
            for each in comments:
                board.put(each)
        return await self._written(consultation_id, response_id)

    async def unapprove(self, consultation_id: str, by: Bearer, response_id: str) -> CaseCard:
        """Undo: within a minute the answer waits for approval again, and its comments are as they were."""
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._boards.locked(consultation_id) as board:
            async with self._changing(consultation_id, by, response_id) as change:
                after = change.response.unapproved(change.wall_ms)
                comments: list[Comment] = []
                if not after.is_answered:
                    comments = [
                        _unanswered(board, each, by.name, change.wall_ms)
                        for each in self._group(board, after)
                        if each.state is CommentState.ANSWERED
                    ]
                entry = change.entry("response.unapproved", comments=len(comments))
                await self._write_with(change, after, entry, "comment.unanswered", comments)
            for each in comments:
                board.put(each)
        return await self._written(consultation_id, response_id)

    @staticmethod
    def _group(board: CommentBoard, response: Response) -> list[Comment]:
        return board.members(board.get(response.comment_id).group_id)

    @staticmethod
    async def _write_with(
        change: CaseChange, after: Response, entry: AuditEntry, action: str, comments: list[Comment]
    ) -> None:
        """A case together with comments, each with a line of its own."""
        await change.unit.comments.save(comments)
        lines = [
            AuditEntry(
                entry.chain,
                entry.at_ms,
                entry.program_time_ms,
                entry.actor,
                action,
                each.id,
                {"response": after.id, "state": each.state.value},
            )
            for each in comments
        ]
        await change.write(after, entry, *lines)

    async def reopen(self, consultation_id: str, by: Bearer, response_id: str, reason: str) -> CaseCard:
        """Answer again; what was answered stays public until the next answer is approved."""
        async with self._changing(consultation_id, by, response_id) as change:
            due_wall_ms = default_due_ms(change.wall_ms, self._zone)
            after = change.response.reopened(reason, due_wall_ms, change.wall_ms)
            if after.department_id is not None:
                department = await change.department(after.department_id)
                await change.keep_door_open(department, due_wall_ms)
            entry = change.entry("response.reopened", due_wall_ms=after.due_wall_ms, reason=personal(reason))
            await self._tell_again(change, after)
            await change.write(after, entry)
        return await self._written(consultation_id, response_id)

    async def close(self, consultation_id: str, by: Bearer, response_id: str) -> CaseCard:
        """Nothing more is to be done. Repeating it is harmless."""
        async with self._changing(consultation_id, by, response_id) as change:
            after = change.response.closed(change.wall_ms)
            if after is not change.response:
                entry = change.entry("response.closed", answered=after.is_answered)
                await change.write(after, entry)
        return await self._written(consultation_id, response_id)

    # ── used above ──────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _changing(
        self, consultation_id: str, by: Bearer, response_id: str
    ) -> AsyncIterator[CaseChange]:
        require(by.role, Action.RESPONSE_MANAGE)
        async with self._storage.transaction() as unit:
            consultation = await consultation_of(unit, consultation_id)
            yield await CaseChange.begin(
                unit,
                consultation_id,
                response_id,
                actor=by.actor,
                wall_ms=self._clock.wall_ms(),
                program_time_ms=self._boards.rooms.program_time_ms(consultation),
            )

    async def _written(self, consultation_id: str, response_id: str) -> CaseCard:
        """As the rows say now."""
        self._ledgers.forget(consultation_id)
        async with self._storage.reading() as unit:
            ledger = await ledger_of(unit, consultation_id)
        return card(ledger, ledger.responses[response_id], self._clock.wall_ms(), self._zone)


def _unanswered(board: CommentBoard, comment: Comment, by: str, wall_ms: int) -> Comment:
    """As it was shown before: put to the session, or approved."""
    taken = {each.comment_id for each in board.promotions.values() if each.state is PromotionState.TAKEN}
    decision = Decision.PROMOTE if comment.id in taken else Decision.UNANSWER
    return comment.decided(decision, by, wall_ms)


def _require_day(due_wall_ms: int, wall_ms: int) -> None:
    """bad_request for a day that is over, or years away."""
    if not wall_ms < due_wall_ms <= wall_ms + _MOST_DUE_MS:
        raise ConferenceError("bad_request", "due")
