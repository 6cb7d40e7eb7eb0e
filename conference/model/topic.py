"""Topics: what the groups of a consultation's comments are about, as it was found at one time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conference.model.ids import new_id


@dataclass(frozen=True, slots=True)
class Topic:
    """Groups that are about one thing, the most typical first. `name`: up to three of their words."""

    id: str
    name: str
    group_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topics:
    """As they were found. `regrouped`: how often the board's groups had changed then; what comes later into a group
    belongs to its topic."""

    at_wall_ms: int
    regrouped: int
    topics: tuple[Topic, ...] = ()

    def get(self, topic_id: str) -> Topic | None:
        return next((each for each in self.topics if each.id == topic_id), None)


def named(found: Sequence[tuple[str, Sequence[str]]], before: Sequence[Topic]) -> tuple[Topic, ...]:
    """Names and groups as topics: one that shares most groups with one from before keeps its id."""
    owner = {group_id: topic.id for topic in before for group_id in topic.group_ids}
    free, topics = {topic.id for topic in before}, list[Topic]()
    for name, group_ids in found:
        shared = Counter(owner[each] for each in group_ids if each in owner)
        kept = next((each for each, _ in shared.most_common() if each in free), None)
        free.discard(kept or "")
        topics.append(Topic(kept or new_id("t"), name, tuple(group_ids)))
    return tuple(topics)
