"""Decisions on comments: on some by name, on what was shown of groups or of a topic, and undoing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from conference.model.audit import AuditEntry, Personal, Value
from conference.model.comment import Comment, CommentState, Decision
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.services.comment_board import WAITING, CommentBoard
from conference.services.comment_boards import CommentBoards
from conference.services.comment_changes import BoardChange, Decided, changing
from conference.services.comment_topics import topic_of
from conference.services.comments import closed_promotions
from conference.services.promotions import Promotions
from conference.services.trace import Bearer

_DECIDED: Final = {
    Decision.APPROVE: "comment.approved",
    Decision.REJECT: "comment.rejected",
    Decision.HOLD: "comment.held",
    Decision.HIDE: "comment.hidden",
    Decision.REOPEN: "comment.reopened",
}
# What of a group goes with the comment that was named: never what waits for another reason.
_WITH_GROUP: Final = {
    Decision.APPROVE: frozenset({CommentState.PENDING}),
    Decision.REJECT: WAITING,
    Decision.HOLD: frozenset({CommentState.PENDING}),
    Decision.HIDE: frozenset({CommentState.APPROVED}),
    Decision.REOPEN: frozenset[CommentState](),
}


@dataclass(frozen=True, slots=True)
class Batch:
    """What a moderator has before the eyes: groups, or a topic. `waiting`: how many comments were said to wait in it
    (to be hidden: are approved), `up_to`: the number of the newest comment then; later ones are left alone."""

    waiting: int
    group_ids: tuple[str, ...] = ()
    topic_id: str | None = None
    up_to: int | None = None


class CommentDecisions:
    """`by` is an id in the room or at a desk, or a token's bearer."""

    def __init__(self, boards: CommentBoards, promotions: Promotions) -> None:
        self._boards = boards
        self._promotions = promotions

    async def decide(
        self,
        consultation_id: str,
        by: str | Bearer,
        decision: Decision,
        comment_ids: Sequence[str],
        *,
        group: bool = False,
        reason: str | None = None,
    ) -> Decided:
        """The same decision on all of these, and with `group` on what waits beside them in their groups.

        comment_changed and nothing happens when one of those that were named does not take it any more;
        comment_claimed when somebody else works on one of the groups.
        """
        if decision not in _DECIDED:
            raise ConferenceError("bad_request", decision)
        async with changing(self._boards, consultation_id, by) as at:
            named = [at.board.get(each) for each in dict.fromkeys(comment_ids)]
            group_ids = dict.fromkeys(each.group_id for each in named)
            at.require_free(group_ids)
            chosen = {each.id: each for each in named}
            if group:
                for each in _members(at.board, group_ids, _WITH_GROUP[decision]):
                    chosen.setdefault(each.id, each)
            after = await self._write(at, decision, chosen.values(), reason)
            decided = Decided.of(after, at.views(group_ids), _remember(at.board, chosen, after))
        await self._drop(consultation_id, by, decision, after)
        return decided

    async def decide_batch(
        self,
        consultation_id: str,
        by: str | Bearer,
        decision: Decision,
        batch: Batch,
        *,
        reason: str | None = None,
    ) -> Decided:
        """The decision on what of these groups, or of this topic, was shown.

        comment_changed and nothing happens when more waits there by now than was shown, or a group is no more;
        comment_claimed when somebody else works on one of the groups; not_found for a topic that is no more.
        """
        if decision not in _DECIDED or decision is Decision.REOPEN:
            raise ConferenceError("bad_request", decision)
        async with changing(self._boards, consultation_id, by) as at:
            group_ids = _group_ids(at.board, batch)
            at.require_free(group_ids)
            counted = _WITH_GROUP[decision] if decision is Decision.HIDE else WAITING
            shown = [
                each
                for each in _members(at.board, group_ids, counted)
                if batch.up_to is None or each.number <= batch.up_to
            ]
            if len(shown) > batch.waiting:
                raise ConferenceError("comment_changed", f"{len(shown)}, not {batch.waiting}")
            chosen = {each.id: each for each in shown if each.state in _WITH_GROUP[decision]}
            after = await self._write(at, decision, chosen.values(), reason)
            decided = Decided.of(after, at.views(group_ids), _remember(at.board, chosen, after))
        await self._drop(consultation_id, by, decision, after)
        return decided

    async def undo(self, consultation_id: str, by: str | Bearer, undo: str) -> Decided:
        """Everything that a decision changed is again as it was, but for what somebody decided otherwise meanwhile.

        Proposals that fell with a comment stay closed. not_found for a decision that is too long ago.
        """
        async with changing(self._boards, consultation_id, by) as at:
            decision = at.board.undoable.get(undo)
            if decision is None:
                raise NotFoundError(f"decision {undo}")
            earlier: list[Comment] = []
            for before, state in decision:
                if at.board.get(before.id).state is state:
                    earlier.append(before)
            now = [at.board.get(each.id) for each in earlier]
            at.require_free(each.group_id for each in now)
            after = [each.as_before(before) for each, before in zip(now, earlier, strict=True)]
            if after:
                closed = closed_promotions(at.board, after, at.caller.name, at.wall_ms)
                entries = [
                    at.entry("comment.undone", each.id, **{"from": each.state.value, "to": back.state.value})
                    for each, back in zip(now, after, strict=True)
                ]
                entries += self._boards.closings(at.consultation, at.caller.actor, closed)
                await at.commit(entries, comments=after, promotions=closed)
            at.board.undoable.pop(undo)
            return Decided.of(after, at.views(each.group_id for each in after))

    # ── used above, with the board's lock held ──────────────────────────────────────────────────

    async def _write(
        self, at: BoardChange, decision: Decision, chosen: Iterable[Comment], reason: str | None
    ) -> list[Comment]:
        after, shown = list[Comment](), at.board.last_shown
        for each in chosen:
            changed = each.decided(decision, at.caller.name, at.wall_ms, reason)
            if changed is each:
                continue
            if changed.is_shown and changed.shown_number is None:
                shown += 1
                changed = replace(changed, shown_number=shown)
            after.append(changed)
        if after:
            closed = closed_promotions(at.board, after, at.caller.name, at.wall_ms)
            entries = [_entry(at, decision, each, reason) for each in after]
            entries += self._boards.closings(at.consultation, at.caller.actor, closed)
            await at.commit(entries, comments=after, promotions=closed)
        return after

    async def _drop(
        self, consultation_id: str, by: str | Bearer, decision: Decision, after: Sequence[Comment]
    ) -> None:
        """Nothing that is hidden stays before the meeting; the room's lock comes before the board's."""
        if decision is Decision.HIDE and after:
            await self._promotions.drop(consultation_id, by, frozenset(each.id for each in after))


def _entry(at: BoardChange, decision: Decision, comment: Comment, reason: str | None) -> AuditEntry:
    content: dict[str, Value] = {"from": at.board.get(comment.id).state.value}
    if reason is not None:
        content["reason"] = Personal(reason)
    return at.entry(_DECIDED[decision], comment.id, **content)


def _members(board: CommentBoard, group_ids: Iterable[str], states: frozenset[CommentState]) -> list[Comment]:
    return [each for group_id in group_ids for each in board.members(group_id) if each.state in states]


def _group_ids(board: CommentBoard, batch: Batch) -> tuple[str, ...]:
    if batch.topic_id is None:
        gone = [each for each in batch.group_ids if not board.has_group(each)]
        if gone:
            raise ConferenceError("comment_changed", f"no group {gone[0]} any more")
        return tuple(dict.fromkeys(batch.group_ids))
    return tuple(each for each in topic_of(board, batch.topic_id).group_ids if board.has_group(each))


def _remember(board: CommentBoard, before: dict[str, Comment], after: Sequence[Comment]) -> str | None:
    """A name under which this can be undone; the oldest ones are forgotten."""
    if not after:
        return None
    undo = new_id("u")
    board.remember(undo, tuple((before[each.id], each.state) for each in after))
    return undo
