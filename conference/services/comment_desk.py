"""Moderating: the queue by groups, decisions on one or a whole group, claims, the word list, and who wrote."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from heapq import nsmallest
from typing import Final

from conference.desk_views import CommentCounts, CommentGroupView, CommentView, PromotionCard
from conference.events import CommentsUpdated
from conference.model.audit import Personal
from conference.model.comment import MAX_WORDS, Comment, CommentState, Word
from conference.model.comment_group import CommentGroup
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.permissions import Action, allowed
from conference.model.promotion import PromotionPhase
from conference.services.comment_board import CommentBoard, comment_view
from conference.services.comment_boards import CommentBoards
from conference.services.comment_changes import BoardChange, Decided, caller_of, changing
from conference.services.comment_decisions import CommentDecisions
from conference.services.comment_topics import TopicList, topic_list, topic_of
from conference.services.live_room import LiveRoom
from conference.services.pauses import Pauses
from conference.services.ports import Sealer
from conference.services.promotions import Promotions, card
from conference.services.trace import Bearer

MAX_IDS: Final = 200  # named in one request
_AT_ONCE: Final = 500  # comments between two turns of others
_SEARCHED_AT_ONCE: Final = 100  # the same where each is read
_MAX_TOLD: Final = 100  # groups in one event


class Order(StrEnum):
    """How a queue is listed."""

    AUTHORS = "authors"
    OLDEST = "oldest"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the queue is asked for. `after`: the id of a group; `reason`: the code of a filter's verdict, or its
    first words (`contact` for `contact_phone`)."""

    states: tuple[CommentState, ...] = (CommentState.PENDING,)
    search: str = ""
    reason: str | None = None
    order: Order = Order.AUTHORS
    after: str | None = None
    limit: int = 50
    topic: str | None = None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """`next` is the `after` of the next page; `total`: how many groups there are on all."""

    items: tuple[CommentGroupView, ...]
    next: str | None
    total: int
    counts: CommentCounts
    promotions: tuple[PromotionCard, ...]


@dataclass(frozen=True, slots=True)
class CommentPage:
    items: tuple[CommentView, ...]
    next: str | None


class CommentDesk(CommentDecisions):
    """`by` is an id in the room or at a desk, or a token's bearer."""

    def __init__(self, boards: CommentBoards, promotions: Promotions, sealer: Sealer) -> None:
        super().__init__(boards, promotions)
        self._sealer = sealer

    async def _allow(self, consultation_id: str, by: str | Bearer) -> None:
        await caller_of(self._boards, consultation_id, by)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    async def groups(self, consultation_id: str, by: str | Bearer, wanted: Wanted) -> GroupPage:
        """The queue by groups, and how it stands."""
        await self._allow(consultation_id, by)
        board = await self._boards.get(consultation_id)
        wall_ms, now_s = self._boards.clock.wall_ms(), self._boards.clock.monotonic()
        found, total = await self._found(board, wanted)
        page = [each for each in found[: wanted.limit] if board.has_group(each)]
        return GroupPage(
            tuple(board.group_view(each, wall_ms) for each in page),
            page[-1] if page and len(found) > wanted.limit else None,
            total,
            board.counts(now_s),
            await self._cards(consultation_id, board),
        )

    async def _found(self, board: CommentBoard, wanted: Wanted) -> tuple[list[str], int]:
        """Ids of the groups behind `after` in the order that is wanted, one more than a page; and how many there are on
        all. Others get their turn while a long queue is looked through."""
        searched = self._boards.reader.fold(wanted.search)
        is_choosy = bool(searched) or wanted.reason is not None
        group_ids = board.queue(wanted.states)
        if wanted.topic is not None:
            inside = frozenset(topic_of(board, wanted.topic).group_ids)
            group_ids = [each for each in group_ids if each in inside]
        after = wanted.after
        begin = _place(board, after, wanted.order) if after is not None and board.has_group(after) else None
        nearest: list[tuple[int, int, str]] = []
        total = 0
        looks, reads = Pauses(_AT_ONCE), Pauses(_SEARCHED_AT_ONCE)
        for group_id in group_ids:
            if is_choosy and not await self._matches(board.members(group_id), wanted, searched, reads):
                continue
            if not board.has_group(group_id):  # gone meanwhile
                continue
            total += 1
            place = _place(board, group_id, wanted.order)
            if begin is None or place > begin:
                nearest.append(place)
                if len(nearest) > wanted.limit + _AT_ONCE:
                    nearest = nsmallest(wanted.limit + 1, nearest)
            await looks.after(board.size(group_id))
        return [group_id for *_, group_id in nsmallest(wanted.limit + 1, nearest)], total

    async def _matches(
        self, members: Sequence[Comment], wanted: Wanted, searched: str, pauses: Pauses
    ) -> bool:
        for each in members:
            if each.state in wanted.states and self._is_wanted(each, wanted, searched):
                return True
            await pauses.after()
        return False

    def _is_wanted(self, comment: Comment, wanted: Wanted, searched: str) -> bool:
        if wanted.reason is not None and not any(
            _is_kind(each.code, wanted.reason) for each in comment.reasons
        ):
            return False
        return not searched or searched in self._boards.reader.fold(f"{comment.nickname} {comment.text}")

    async def topics(self, consultation_id: str, by: str | Bearer) -> TopicList:
        """What the comments are about, as of now or a few seconds ago."""
        await self._allow(consultation_id, by)
        board = await self._boards.get(consultation_id)
        return topic_list(board, await self._boards.topics.find(board, self._boards.clock.wall_ms()))

    async def group(
        self, consultation_id: str, by: str | Bearer, group_id: str, after: str | None, limit: int
    ) -> CommentPage:
        """The comments of one group, in the order of arrival."""
        await self._allow(consultation_id, by)
        board = await self._boards.get(consultation_id)
        board.group(group_id)
        return _page(board.members(group_id), after, limit)

    async def every(
        self,
        consultation_id: str,
        by: str | Bearer,
        states: Iterable[CommentState],
        after: str | None,
        limit: int,
    ) -> CommentPage:
        """All comments in these states, in the order of arrival."""
        await self._allow(consultation_id, by)
        board, wanted = await self._boards.get(consultation_id), frozenset(states)
        return _page([each for each in board.comments.values() if each.state in wanted], after, limit)

    async def author(self, consultation_id: str, by: str | Bearer, comment_id: str) -> str | None:
        """From where it was written, host and port; None once that was erased. Every look leaves a line."""
        consultation, caller = await caller_of(self._boards, consultation_id, by, Action.COMMENT_TRACE)
        board = await self._boards.get(consultation_id)
        board.get(comment_id)
        entry = self._boards.entry(consultation, caller.actor, "comment.author_read", comment_id)
        async with self._boards.storage.transaction() as unit:
            sealed = await unit.comments.address(comment_id)
            await unit.audit.append(entry)
        return self._sealer.open(sealed) if sealed else None

    # ── claims and groups ───────────────────────────────────────────────────────────────────────

    async def claim(
        self, consultation_id: str, by: str | Bearer, comment_id: str, *, take_over: bool = False
    ) -> CommentGroupView:
        """Work on the comment's group; nobody else decides on it meanwhile."""
        return await self._grouped(consultation_id, by, comment_id, "comment.claimed", take_over=take_over)

    async def release(self, consultation_id: str, by: str | Bearer, comment_id: str) -> CommentGroupView:
        """Leave it to others. Harmless when it is not claimed."""
        return await self._grouped(consultation_id, by, comment_id, "comment.released")

    async def represent(self, consultation_id: str, by: str | Bearer, comment_id: str) -> CommentGroupView:
        """From now on this comment stands for its group."""
        return await self._grouped(consultation_id, by, comment_id, "comment.represented")

    async def _grouped(
        self, consultation_id: str, by: str | Bearer, comment_id: str, action: str, *, take_over: bool = False
    ) -> CommentGroupView:
        async with changing(self._boards, consultation_id, by) as at:
            group = at.board.group(at.board.get(comment_id).group_id)
            if not take_over:
                at.require_free([group.id])
            after = self._changed(at, group, comment_id, action)
            if after != group:
                await at.commit([at.entry(action, group.id)], groups=[after])
            return at.board.group_view(group.id, at.wall_ms)

    @staticmethod
    def _changed(at: BoardChange, group: CommentGroup, comment_id: str, action: str) -> CommentGroup:
        if action == "comment.claimed":
            return group.claimed(at.caller.actor.id, at.caller.name, at.wall_ms)
        if action == "comment.released":
            return group.released()
        return replace(group, representative_id=comment_id)

    async def merge(self, consultation_id: str, by: str | Bearer, comment_ids: Sequence[str]) -> Decided:
        """All groups of these comments become the one of the first."""
        async with changing(self._boards, consultation_id, by) as at:
            groups = list(dict.fromkeys(at.board.get(each).group_id for each in comment_ids))
            at.require_free(groups)
            moved = [each for group_id in groups[1:] for each in at.board.members(group_id)]
            return await self._move(at, moved, groups[0], "comment.merged")

    async def split(self, consultation_id: str, by: str | Bearer, comment_ids: Sequence[str]) -> Decided:
        """These comments leave their groups and are one of their own, named by the first."""
        async with changing(self._boards, consultation_id, by) as at:
            moved = [at.board.get(each) for each in dict.fromkeys(comment_ids)]
            at.require_free(each.group_id for each in moved)
            return await self._move(at, moved, self._boards.new_group_id(), "comment.split")

    @staticmethod
    async def _move(at: BoardChange, moved: Sequence[Comment], group_id: str, action: str) -> Decided:
        after = [replace(each, group_id=group_id) for each in moved if each.group_id != group_id]
        before = list(dict.fromkeys(each.group_id for each in moved))
        if after:
            entry = at.entry(action, group_id, comments=[each.id for each in after])
            await at.commit([entry], comments=after)
            at.board.grouping.move([each.id for each in after], group_id)
        return Decided.of(after, at.views([group_id, *before]))

    # ── the word list ───────────────────────────────────────────────────────────────────────────

    async def words(self, consultation_id: str, by: str | Bearer) -> tuple[Word, ...]:
        """The word list of this consultation, beside that of its body and the built-in one."""
        await self._allow(consultation_id, by)
        return (await self._boards.get(consultation_id)).words

    async def set_words(
        self, consultation_id: str, by: str | Bearer, words: Sequence[Word]
    ) -> tuple[Word, ...]:
        """The whole list anew; it counts for what comes from now on."""
        if len(words) > MAX_WORDS:
            raise ConferenceError("too_many_words", f"{len(words)}")
        async with changing(self._boards, consultation_id, by) as at:
            wanted = tuple(sorted({each.text: each for each in words}.values(), key=lambda each: each.text))
            if wanted != at.board.words:
                before = {each.text for each in at.board.words}
                added = sorted({each.text for each in wanted} - before)
                entry = at.entry(
                    "comment.words_edited",
                    None,
                    count=len(wanted),
                    added=[Personal(e) for e in added[:50]],
                )
                # Long lists take a while.
                judge = await asyncio.to_thread(self._boards.reader.judge, at.board.body.words, wanted)
                async with self._boards.storage.transaction() as unit:
                    await unit.comments.save_words(consultation_id, wanted)
                    await unit.audit.append(entry)
                at.board.words, at.board.judge = wanted, judge
            return at.board.words

    # ── telling desks ───────────────────────────────────────────────────────────────────────────

    async def tell(self) -> None:
        """Tell the desks that moderate what changed since the last time. Call twice a second."""
        for board in self._boards.all():
            room = self._boards.rooms.find(board.consultation_id)
            names = () if room is None else _moderators(room)
            if not board.dirty and not board.is_changed and names == board.moderators:
                continue
            board.moderators = names
            desks = [] if room is None else _moderating(room)
            if room is not None and desks:
                event = self._event(room, board)
                for session_id in desks:
                    self._boards.rooms.publisher.send(session_id, event)
            board.dirty.clear()
            board.is_changed = False
        self._boards.drop_idle()

    def _event(self, room: LiveRoom, board: CommentBoard) -> CommentsUpdated:
        wall_ms, now_s = self._boards.clock.wall_ms(), self._boards.clock.monotonic()
        there = [each for each in board.dirty if board.has_group(each)]
        return CommentsUpdated(
            counts=board.counts(now_s),
            groups=tuple(board.group_view(each, wall_ms) for each in there[-_MAX_TOLD:]),
            gone=tuple(each for each in board.dirty if not board.has_group(each)),
            complete=len(there) <= _MAX_TOLD,
            promotions=_open_cards(room, board),
            moderators=board.moderators,
        )

    async def _cards(self, consultation_id: str, board: CommentBoard) -> tuple[PromotionCard, ...]:
        async with self._boards.rooms.locked(consultation_id) as room:
            return _open_cards(room, board)


def _place(board: CommentBoard, group_id: str, order: Order) -> tuple[int, int, str]:
    """What comes first has the smallest; those with as many authors by their age."""
    first, last = board.span(group_id)
    if order is Order.AUTHORS:
        return -board.authors(group_id), first, group_id
    return (first if order is Order.OLDEST else -last), 0, group_id


def _moderating(room: LiveRoom) -> list[str]:
    return [
        each.session_id for each in room.desks.values() if allowed(each.bearer.role, Action.COMMENT_MODERATE)
    ]


def _moderators(room: LiveRoom) -> tuple[str, ...]:
    """Names of those at a desk, each once."""
    there = (
        each.bearer for each in room.desks.values() if allowed(each.bearer.role, Action.COMMENT_MODERATE)
    )
    return tuple(dict.fromkeys(each.name for each in there))


def _open_cards(room: LiveRoom, board: CommentBoard) -> tuple[PromotionCard, ...]:
    """What is proposed, and what is before the meeting."""
    cards = (card(board, each, room.agenda, room.turn) for each in board.promotions.values())
    shown = (PromotionPhase.PROPOSED, PromotionPhase.CURRENT)
    return tuple(each for each in cards if each.phase in shown)


def _page(found: Sequence[Comment], after: str | None, limit: int) -> CommentPage:
    ids = [each.id for each in found]
    if after is not None and after not in ids:
        raise NotFoundError(f"comment {after}")
    begin = 0 if after is None else ids.index(after) + 1
    page = found[begin : begin + limit]
    is_more = len(found) > begin + len(page)
    return CommentPage(tuple(map(comment_view, page)), page[-1].id if is_more else None)


def _is_kind(code: str, wanted: str) -> bool:
    return code == wanted or code.startswith(f"{wanted}_")
