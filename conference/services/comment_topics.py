"""What the comments of one consultation are about: topics of whole groups, found on demand beside the event loop."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from conference.model.comment import COUNTED, WAITING, CommentState
from conference.model.errors import NotFoundError
from conference.model.topic import Topic, Topics, named
from conference.services.comment_board import CommentBoard
from conference.services.pauses import Pauses
from conference.services.ports import CommentReader

MAX_GROUPS: Final = 4_000  # that topics are made of: those that wait first, then the largest
_FRESH_MS: Final = 3_000  # desks that ask again get the same
_AT_ONCE: Final = 500  # comments between two turns of others


@dataclass(frozen=True, slots=True)
class TopicView:
    """`groups` and `comments`: what is shown of it or waits. `waiting`: comments somebody has to decide about."""

    id: str
    name: str
    groups: int
    comments: int
    waiting: int


@dataclass(frozen=True, slots=True)
class TopicList:
    """Where most waits first. `at_wall_ms`: when they were found; `last_number`: of the newest comment counted."""

    topics: tuple[TopicView, ...]
    at_wall_ms: int
    last_number: int


@dataclass(slots=True)
class CommentTopics:
    """Finds topics; one search at a time, for each takes up to two seconds of a thread."""

    reader: CommentReader
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, board: CommentBoard, wall_ms: int) -> Topics:
        """The topics of the board as it is now; a topic that is found again keeps its id."""
        async with self._turn:
            there, regrouped = board.topics, board.regrouped
            if there is not None and (there.regrouped == regrouped or wall_ms - there.at_wall_ms < _FRESH_MS):
                return there
            chosen = await _chosen(board)
            texts = [board.representative(each).text for each in chosen]
            found = await asyncio.to_thread(self.reader.topics, texts)
            groups = [(name, [chosen[place] for place in places]) for name, places in found]
            board.topics = Topics(wall_ms, regrouped, named(groups, () if there is None else there.topics))
            return board.topics


async def _chosen(board: CommentBoard) -> list[str]:
    """Ids of the groups that count; others get their turn while there are many."""
    ranked: list[tuple[bool, int, int, str]] = []
    pauses = Pauses(_AT_ONCE)
    for group_id in board.queue(COUNTED):
        if board.has_group(group_id):  # others had their turn meanwhile
            first, _ = board.span(group_id)
            ranked.append((not board.waiting(group_id), -board.authors(group_id), first, group_id))
            await pauses.after(board.size(group_id))
    return [each for *_, each in sorted(ranked)[:MAX_GROUPS] if board.has_group(each)]


def topic_of(board: CommentBoard, topic_id: str) -> Topic:
    """One that was found, or NotFoundError: ask for the topics again."""
    topic = None if board.topics is None else board.topics.get(topic_id)
    if topic is None:
        raise NotFoundError(f"topic {topic_id}")
    return topic


def topic_list(board: CommentBoard, found: Topics) -> TopicList:
    """How each topic stands now."""
    views = [view for each in found.topics if (view := _view(board, each)).comments]
    return TopicList(
        tuple(sorted(views, key=lambda each: (-each.waiting, -each.comments, each.id))),
        found.at_wall_ms,
        board.last_number,
    )


def _view(board: CommentBoard, topic: Topic) -> TopicView:
    states = Counter[CommentState]()
    groups = 0
    for group_id in topic.group_ids:
        own = board.states(group_id)
        groups += any(own[state] for state in COUNTED)
        states.update(own)
    return TopicView(
        topic.id,
        topic.name,
        groups,
        sum(states[state] for state in COUNTED),
        sum(states[state] for state in WAITING),
    )
