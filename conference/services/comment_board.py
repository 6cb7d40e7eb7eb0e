"""The comments of one consultation in memory: what a desk lists and the public reads, always as the rows say."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from conference.desk_views import CommentCounts, CommentGroupView, CommentView
from conference.model.comment import COUNTED, SHOWN, WAITING, Comment, CommentState, Word
from conference.model.comment_group import CommentGroup
from conference.model.errors import NotFoundError
from conference.model.flood import FloodGate
from conference.model.identity import IdentityKind
from conference.model.promotion import Promotion, PromotionState
from conference.model.topic import Topics
from conference.services.body_words import NO_WORDS, BodyWordList
from conference.services.ports import Grouping, Judge

_RATE_S: Final = 10.0
_MAX_UNDOABLE: Final = 200  # decisions
_MAX_UNDOABLE_COMMENTS: Final = 50_000


UndoableDecision = tuple[tuple[Comment, CommentState], ...]  # each comment before, and its state since


@dataclass(slots=True)
class _Members:
    """The comments of a group, in the order of arrival, and how many are in each state."""

    ids: dict[str, None] = field(default_factory=dict)
    states: Counter[CommentState] = field(default_factory=Counter)


@dataclass(slots=True, weakref_slot=True)
class CommentBoard:
    """`lock`: held from planning a change until rows and memory agree. `unwritten`: what waits for the next commit."""

    consultation_id: str
    judge: Judge
    grouping: Grouping
    words: tuple[Word, ...] = ()
    organization_id: str | None = None
    body: BodyWordList = NO_WORDS  # its own words count where both have one
    identities: dict[str, IdentityKind] = field(default_factory=dict)  # what devices have shown
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    unwritten: list[Any] = field(default_factory=list)
    committing: asyncio.Event | None = None  # set when the commit that goes on is over
    flood: FloodGate = field(default_factory=FloodGate)
    comments: dict[str, Comment] = field(default_factory=dict)
    promotions: dict[str, Promotion] = field(default_factory=dict)
    is_grouped: bool = True  # whether the grouping knows all comments
    is_stale: bool = False  # the rows say something else: read them again
    revision: int = 0  # one more whenever the public sees something else
    regrouped: int = 0  # one more whenever a group gained or lost a comment
    topics: Topics | None = None  # as somebody last asked for them
    undoable: dict[str, UndoableDecision] = field(default_factory=dict)
    last_number: int = 0
    last_shown: int = 0
    used_at_s: float = 0.0
    dirty: dict[str, None] = field(default_factory=dict)  # groups that desks have not been told of
    is_changed: bool = False  # anything else that desks have not been told of
    moderators: tuple[str, ...] = ()  # as desks were told
    _groups: dict[str, CommentGroup] = field(default_factory=dict)
    _members: dict[str, _Members] = field(default_factory=dict)
    _queues: dict[CommentState, dict[str, None]] = field(
        default_factory=lambda: {state: {} for state in CommentState}
    )
    _states: Counter[CommentState] = field(default_factory=Counter)
    _by_key: dict[tuple[str, str], str] = field(default_factory=dict)
    _taken: dict[str, str] = field(default_factory=dict)  # by group, what of it was put to the session
    _shown: dict[int, str] = field(default_factory=dict)
    _tests: set[str] = field(default_factory=set)  # written for a rehearsal, for nobody to see
    _nicknames: set[tuple[str, str]] = field(default_factory=set)  # with their devices, once approved
    _arrivals: deque[float] = field(default_factory=lambda: deque(maxlen=5_000))

    # ── changing it, once rows are committed ────────────────────────────────────────────────────

    def put(self, comment: Comment) -> None:
        """A new one, or a new state of one."""
        before = self.comments.get(comment.id)
        self.comments[comment.id] = comment
        if before is not None:
            self._leave(before)
        if before is None or before.group_id != comment.group_id:
            self.regrouped += 1
        members = self._members.setdefault(comment.group_id, _Members())
        members.ids.setdefault(comment.id)
        members.states[comment.state] += 1
        self._queues[comment.state].setdefault(comment.group_id)
        self._states[comment.state] += 1
        self.dirty.setdefault(comment.group_id)
        self.last_number = max(self.last_number, comment.number)
        self._by_key[comment.device_hash, comment.key] = comment.id
        if comment.is_test:
            self._tests.add(comment.id)
        if comment.shown_number is not None:
            self._shown[comment.shown_number] = comment.id
            self.last_shown = max(self.last_shown, comment.shown_number)
            self._nicknames.add((comment.device_hash, comment.nickname))
        if comment.is_shown or (before is not None and before.is_shown):
            self.revision += 1

    def _leave(self, before: Comment) -> None:
        members = self._members[before.group_id]
        members.states[before.state] -= 1
        self._states[before.state] -= 1
        if not members.states[before.state]:
            del members.states[before.state]
            self._queues[before.state].pop(before.group_id, None)
        if self.comments[before.id].group_id != before.group_id:
            del members.ids[before.id]
            self.dirty.setdefault(before.group_id)
            if not members.ids:
                del self._members[before.group_id]

    def put_group(self, group: CommentGroup) -> None:
        self._groups[group.id] = group
        self.dirty.setdefault(group.id)

    def put_promotion(self, promotion: Promotion) -> None:
        self.promotions[promotion.id] = promotion
        if promotion.state is PromotionState.TAKEN:
            self._taken[promotion.group_id] = promotion.comment_id
        self.is_changed = True
        self.revision += 1

    def shown_after(self, comment: Comment) -> Comment:
        """With its place among what was ever shown, if it is shown now and has none."""
        if not comment.is_shown or comment.shown_number is not None:
            return comment
        return replace(comment, shown_number=self.last_shown + 1)

    def remember(self, undo: str, decision: UndoableDecision) -> None:
        """Keep a decision that may be undone; the oldest ones make room."""
        self.undoable[undo] = decision
        while len(self.undoable) > _MAX_UNDOABLE or (
            len(self.undoable) > 1 and sum(map(len, self.undoable.values())) > _MAX_UNDOABLE_COMMENTS
        ):
            del self.undoable[next(iter(self.undoable))]

    def arrived(self, now_s: float) -> None:
        """Count one that just came in; monotonic seconds."""
        self._arrivals.append(now_s)

    # ── finding ─────────────────────────────────────────────────────────────────────────────────

    def get(self, comment_id: str) -> Comment:
        """The comment, or NotFoundError."""
        comment = self.comments.get(comment_id)
        if comment is None:
            raise NotFoundError(f"comment {comment_id}")
        return comment

    def with_key(self, device_hash: str, key: str) -> Comment | None:
        """What this device wrote under this key before."""
        comment_id = self._by_key.get((device_hash, key))
        return None if comment_id is None else self.comments[comment_id]

    def group(self, group_id: str) -> CommentGroup:
        """What was said of it; NotFoundError for one without comments."""
        if group_id not in self._members:
            raise NotFoundError(f"comment group {group_id}")
        return self._groups.get(group_id) or CommentGroup(group_id, self.consultation_id)

    def members(self, group_id: str) -> list[Comment]:
        """In the order of arrival."""
        found = self._members.get(group_id)
        return [] if found is None else [self.comments[each] for each in found.ids]

    def is_known(self, device_hash: str, nickname: str) -> bool:
        """Whether something of this device was shown under this nickname."""
        return (device_hash, nickname) in self._nicknames

    def promotion_of(self, comment: Comment) -> Promotion | None:
        """The last one of its group that was not turned down."""
        for promotion in reversed(self.promotions.values()):
            open_or_taken = promotion.state in (PromotionState.PROPOSED, PromotionState.TAKEN)
            if open_or_taken and (
                promotion.comment_id == comment.id or promotion.group_id == comment.group_id
            ):
                return promotion
        return None

    def taken(self, comment: Comment) -> Comment | None:
        """The one of its group that was put to the session, if any was."""
        taken_id = self._taken.get(comment.group_id)
        return None if taken_id is None else self.comments.get(taken_id)

    @property
    def shown_count(self) -> int:
        tests = sum(self.comments[each].state in SHOWN for each in self._tests)
        return sum(self._states[state] for state in SHOWN) - tests

    @property
    def test_count(self) -> int:
        """How many were written for a rehearsal."""
        return len(self._tests)

    def shown_before(self, number: int | None) -> Iterator[Comment]:
        """What the public sees, newest first, below that place, wherever it lies: anybody may name one."""
        first = self.last_shown if number is None else min(self.last_shown, number - 1)
        for place in range(first, 0, -1):
            comment = self.comments.get(self._shown.get(place, ""))
            if comment is not None and comment.is_shown:
                yield comment

    # ── for desks ───────────────────────────────────────────────────────────────────────────────

    def queue(self, states: Iterable[CommentState]) -> list[str]:
        """Ids of the groups with a comment in one of these states."""
        found: dict[str, None] = {}
        for state in states:
            found |= self._queues[state]
        return list(found)

    def representative(self, group_id: str) -> Comment:
        """Who stands for the group: chosen, or the first that may be shown."""
        members = self.members(group_id)
        chosen = self.group(group_id).representative_id
        for comment in members:
            if comment.id == chosen:
                return comment
        return next((each for each in members if each.state in COUNTED), members[0])

    def states(self, group_id: str) -> Counter[CommentState]:
        """How many of its comments are in each state; none of a group that is no more."""
        found = self._members.get(group_id)
        return Counter() if found is None else found.states

    def waiting(self, group_id: str) -> int:
        """How many of its comments somebody has to decide about."""
        states = self.states(group_id)
        return sum(states[each] for each in WAITING)

    def size(self, group_id: str) -> int:
        """How many comments are in it; none in a group that is no more."""
        found = self._members.get(group_id)
        return 0 if found is None else len(found.ids)

    def span(self, group_id: str) -> tuple[int, int]:
        """Numbers of its first and its last comment."""
        ids = self._members[group_id].ids
        return self.comments[next(iter(ids))].number, self.comments[next(reversed(ids))].number

    def authors(self, group_id: str) -> int:
        """For how many people it stands."""
        ids = self._members[group_id].ids
        if len(ids) == 1:  # most are
            return int(self.comments[next(iter(ids))].state in COUNTED)
        members = self.members(group_id)
        return len({each.device_hash for each in members if each.state in COUNTED})

    def group_view(self, group_id: str, wall_ms: int) -> CommentGroupView:
        group, members = self.group(group_id), self.members(group_id)
        is_claimed = group.claimant(wall_ms) is not None
        return CommentGroupView(
            id=group_id,
            representative=comment_view(self.representative(group_id)),
            authors=self.authors(group_id),
            states=dict(self._members[group_id].states),
            claimed_by=group.claimed_name if is_claimed else None,
            first_wall_ms=members[0].at_wall_ms,
            last_wall_ms=members[-1].at_wall_ms,
        )

    @property
    def group_count(self) -> int:
        return len(self._members)

    def state_counts(self) -> dict[CommentState, int]:
        """How many comments are in each state."""
        return {state: self._states[state] for state in CommentState}

    def has_group(self, group_id: str) -> bool:
        return group_id in self._members

    def counts(self, now_s: float) -> CommentCounts:
        pending, held = self._queues[CommentState.PENDING], self._queues[CommentState.HELD]
        members = self.members(next(iter(pending), ""))  # the group that waits longest
        since = (each.at_wall_ms for each in members if each.state is CommentState.PENDING)
        recent = sum(1 for each in self._arrivals if now_s - each < _RATE_S)
        return CommentCounts(
            states=self.state_counts(),
            waiting_groups=len(pending) + len(held) - len(pending.keys() & held.keys()),
            last_number=self.last_number,
            oldest_wall_ms=min(since, default=None),
            per_second=round(recent / _RATE_S, 1),
        )


def comment_view(comment: Comment) -> CommentView:
    """A comment for those who moderate: nothing of its device and address."""
    return CommentView(**{name: getattr(comment, name) for name in CommentView.__slots__})
