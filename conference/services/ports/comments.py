"""Rows of what the public says, and what the services need of the filter, the grouping and the key of addresses."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from typing import Protocol

from conference.model.comment import Comment, Mark, Verdict, Word
from conference.model.comment_group import CommentGroup
from conference.model.promotion import Promotion


class CommentRepository(Protocol):
    """Rows of comments, of likes and reports, of groups and of word lists."""

    def pages(self, consultation_id: str, size: int) -> AsyncGenerator[list[Comment], None]:
        """All of them in the order of arrival, so many at a time."""

    async def named(self, comment_ids: Collection[str]) -> list[Comment]:
        """Those of them that are there, in any order."""

    async def in_group(self, consultation_id: str, group_id: str, limit: int) -> list[Comment]:
        """The first so many of a group, in the order of arrival."""

    async def groups_of(self, consultation_id: str, device_hash: str) -> set[str]:
        """Groups with a comment of this device that was neither turned down nor taken back."""

    async def add(self, added: Iterable[Comment]) -> None:
        """Raises ConferenceError stale when a number or a key is taken: somebody else added some meanwhile."""

    async def save(self, saved: Iterable[Comment]) -> None:
        """Write what changes of those that are there: state, group, counts, who decided."""

    async def mark(self, marks: Collection[Mark]) -> list[Mark]:
        """Note likes and reports; returns those that were not there yet."""

    async def unmark(self, mark: Mark) -> bool:
        """Take one back; whether it was there."""

    async def groups(self, consultation_id: str) -> list[CommentGroup]:
        """Those of which anything was said."""

    async def save_groups(self, saved: Iterable[CommentGroup]) -> None:
        """Insert or overwrite."""

    async def words(self, consultation_id: str) -> list[Word]:
        """The word list, by text."""

    async def save_words(self, consultation_id: str, words: Iterable[Word]) -> None:
        """The whole list instead of what was there."""

    async def shown_count(self, consultation_id: str) -> int:
        """How many the public sees."""

    async def address(self, comment_id: str) -> str:
        """The sealed address of its author; empty once it was erased."""

    async def with_addresses(self, before_wall_ms: int) -> list[str]:
        """Consultations that have addresses of comments older than that, UTC."""

    async def erase_addresses(self, consultation_id: str, before_wall_ms: int) -> int:
        """Delete these addresses; returns how many."""


class BodyWordRepository(Protocol):
    """Rows of the word lists of bodies."""

    async def of(self, organization_id: str) -> list[Word]:
        """By text."""

    async def revisions(self, organization_ids: Collection[str]) -> dict[str, int]:
        """Of all that are asked for: one more after each change, 0 before the first."""

    async def replace(self, organization_id: str, seen: int, words: Iterable[Word]) -> int:
        """The whole list instead of the one at revision `seen`; the new revision. edit_conflict when it has another."""


class PromotionRepository(Protocol):
    """Rows of what was proposed for the session, and put to it."""

    async def of(self, consultation_id: str) -> list[Promotion]:
        """In the order in which they were proposed."""

    async def save(self, saved: Iterable[Promotion]) -> None:
        """Insert, or write what became of it."""


class Judge(Protocol):
    """The filter with one word list."""

    def judge(self, text: str, nickname: str, region: str | None) -> Verdict: ...


class Grouping(Protocol):
    """Near-duplicates of one consultation, found as they arrive. Group ids are labels without meaning."""

    def add(self, comment_id: str, text: str) -> str:
        """The group of a new comment."""

    def restore(self, comments: Iterable[tuple[str, str, str]]) -> None:
        """Comments that have their groups already: id, text and group, in the order of arrival."""

    def move(self, comment_ids: Sequence[str], group_id: str) -> None:
        """A person put them there: what is like them follows from now on."""


class CommentReader(Protocol):
    """Makes filters and groupings, and finds topics."""

    def judge(self, *lists: Sequence[Word]) -> Judge:
        """One that has these lists beside its own; where several have a word the later list counts."""

    def grouping(self) -> Grouping: ...

    def fold(self, text: str) -> str:
        """Equal for texts that say the same to a person."""

    def topics(self, texts: Sequence[str]) -> Sequence[tuple[str, Sequence[int]]]:
        """What they are about: names, and places in `texts`, the most typical first; the largest topic first. Takes its
        time, so call it in a thread."""


class Sealer(Protocol):
    """Encrypts what only administrators may read again."""

    def seal(self, text: str) -> str: ...

    def open(self, sealed: str) -> str:
        """Raises ConferenceError not_found for what cannot be read any more."""

    def renewed(self, sealed: str) -> str | None:
        """The same under the key that seals now; None for what is under it, or cannot be read."""
