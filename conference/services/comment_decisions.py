"""Decisions on comments: on some by name, on what was shown of groups or of a topic, and undoing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from conference.model.audit import AuditEntry, Personal, Value
from conference.model.comment import WAITING, Comment, CommentState, Decision
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.services.comment_board import CommentBoard
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
_AT_ONCE: Final = 200  # in one transaction; as many as can be named in one request
_Choice = tuple[tuple[str, ...], tuple[Comment, ...]]  # groups, and comments of them
_Any = TypeVar("_Any")


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

        def choose(at: BoardChange) -> _Choice:
            named = [at.board.get(each) for each in dict.fromkeys(comment_ids)]
            group_ids = tuple(dict.fromkeys(each.group_id for each in named))
            chosen = {each.id: each for each in named}
            if group:
                for each in _members(at.board, group_ids, _WITH_GROUP[decision]):
                    chosen.setdefault(each.id, each)
            return group_ids, tuple(chosen.values())

        return await self._decide(consultation_id, by, decision, choose, reason)

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
        counted = _WITH_GROUP[decision] if decision is Decision.HIDE else WAITING

        def choose(at: BoardChange) -> _Choice:
            group_ids = _group_ids(at.board, batch)
            shown = [
                each
                for each in _members(at.board, group_ids, counted)
                if batch.up_to is None or each.number <= batch.up_to
            ]
            if len(shown) > batch.waiting:
                raise ConferenceError("comment_changed", f"{len(shown)}, not {batch.waiting}")
            return group_ids, tuple(each for each in shown if each.state in _WITH_GROUP[decision])

        return await self._decide(consultation_id, by, decision, choose, reason)

    async def _decide(
        self,
        consultation_id: str,
        by: str | Bearer,
        decision: Decision,
        choose: Callable[[BoardChange], _Choice],
        reason: str | None,
    ) -> Decided:
        """The first so many at once, all of them or none; the rest in turns with who else writes, as far as nobody
        decided otherwise meanwhile."""
        async with changing(self._boards, consultation_id, by) as at:
            group_ids, chosen = choose(at)
            at.require_free(group_ids)
            after = await self._write(at, decision, chosen[:_AT_ONCE], reason)
        try:
            for some in _turns(chosen[_AT_ONCE:]):
                async with changing(self._boards, consultation_id, by) as at:
                    now = [at.board.get(each.id) for each in some]
                    same = [each for each, then in zip(now, some, strict=True) if each.state is then.state]
                    after += await self._write(at, decision, same, reason)
        finally:  # what was written can be undone, and nothing that is hidden stays before the meeting
            undo = _remember(at.board, chosen, after)
            if decision is Decision.HIDE and after:
                await self._promotions.drop(consultation_id, by, frozenset(each.id for each in after))
        return Decided.of(after, at.views(group_ids), undo)

    async def undo(self, consultation_id: str, by: str | Bearer, undo: str) -> Decided:
        """Everything that a decision changed is again as it was, but for what somebody decided otherwise meanwhile.

        Proposals that fell with a comment stay closed. not_found for a decision that is too long ago.
        """
        async with changing(self._boards, consultation_id, by) as at:
            decision = at.board.undoable.get(undo)
            if decision is None:
                raise NotFoundError(f"decision {undo}")
            at.require_free(at.board.get(before.id).group_id for before, _ in decision)
        after: list[Comment] = []
        for some in _turns(decision):
            async with changing(self._boards, consultation_id, by) as at:
                earlier = [before for before, state in some if at.board.get(before.id).state is state]
                after += await self._restore(at, earlier)
        at.board.undoable.pop(undo, None)  # now: one that was broken off can be gone on with
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

    async def _restore(self, at: BoardChange, earlier: Sequence[Comment]) -> list[Comment]:
        now = [at.board.get(each.id) for each in earlier]
        after = [each.as_before(before) for each, before in zip(now, earlier, strict=True)]
        if after:
            closed = closed_promotions(at.board, after, at.caller.name, at.wall_ms)
            entries = [
                at.entry("comment.undone", each.id, **{"from": each.state.value, "to": back.state.value})
                for each, back in zip(now, after, strict=True)
            ]
            entries += self._boards.closings(at.consultation, at.caller.actor, closed)
            await at.commit(entries, comments=after, promotions=closed)
        return after


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


def _turns(all_of_them: Sequence[_Any]) -> Iterator[Sequence[_Any]]:
    """So many at a time."""
    for first in range(0, len(all_of_them), _AT_ONCE):
        yield all_of_them[first : first + _AT_ONCE]


def _remember(board: CommentBoard, chosen: Sequence[Comment], after: Sequence[Comment]) -> str | None:
    """A name under which this can be undone; the oldest ones are forgotten."""
    if not after:
        return None
    undo, before = new_id("u"), {each.id: each for each in chosen}
    board.remember(undo, tuple((before[each.id], each.state) for each in after))
    return undo
