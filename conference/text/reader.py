"""The filter and the grouping as the services ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from conference.model import comment
from conference.text.filter import judge
from conference.text.folding import fold_text
from conference.text.near_duplicates import Groups
from conference.text.topics import cluster
from conference.text.words import Category, Word, WordList, default_words


def _readable(text: str) -> str:
    return fold_text(text) or text.strip()  # pictures alone: each its own text


class ListJudge:
    """The default list and others, of which the later counts where several have one."""

    def __init__(self, *lists: Sequence[comment.Word]) -> None:
        known: Sequence[tuple[str, Word]] = _default_by_key()
        for words in lists:
            more = [
                (fold_text(word.text), Word(word.text, word.level, _category(word.category)))
                for word in words
            ]
            overruled = {key for key, _ in more}
            known = [*((key, word) for key, word in known if key not in overruled), *more]
        self._words = WordList(word for _, word in known)

    def judge(self, text: str, nickname: str, region: str | None) -> comment.Verdict:
        """Judge all that an author wrote."""
        verdict = judge(text, nickname, region or "", self._words)
        return comment.Verdict(
            verdict.level,
            tuple(
                comment.Reason(reason.code, reason.what, reason.start, reason.end, str(reason.field))
                for reason in verdict.reasons
            ),
        )


@cache
def _default_by_key() -> tuple[tuple[str, Word], ...]:
    return tuple((fold_text(word.text), word) for word in default_words())


def _category(name: str) -> Category:
    return Category(name) if name in set(Category) else Category.OTHER


class TextGrouping:
    """Near-duplicates of one consultation, from texts as they were written."""

    def __init__(self, capacity: int) -> None:
        self._groups = Groups(capacity)

    def add(self, comment_id: str, text: str) -> str:
        """The group of a new comment."""
        return self._groups.add(comment_id, _readable(text))

    def restore(self, comments: Iterable[tuple[str, str, str]]) -> None:
        """Comments that have their groups already: id, text and group, in the order of arrival."""
        self._groups.restore([(each, _readable(text), group_id) for each, text, group_id in comments])

    def move(self, comment_ids: Sequence[str], group_id: str) -> None:
        """A person put them there: what is like them follows from now on."""
        self._groups.move(comment_ids, group_id)


class TextReader:
    """Makes filters and groupings. `capacity`: comments of one consultation that groupings remember."""

    def __init__(self, capacity: int = 100_000) -> None:
        self._capacity = capacity

    def judge(self, *lists: Sequence[comment.Word]) -> ListJudge:
        """A filter with these lists beside the default one; where several have a word the later list counts."""
        return ListJudge(*lists)

    def grouping(self) -> TextGrouping:
        """An empty grouping."""
        return TextGrouping(self._capacity)

    def topics(self, texts: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
        """What they are about, the largest topic first."""
        return [(each.name, each.members) for each in cluster(texts)]

    def fold(self, text: str) -> str:
        """Equal for texts that say the same to a person."""
        return _readable(text)
