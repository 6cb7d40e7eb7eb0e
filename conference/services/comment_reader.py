"""What a comment says, by conference.text: the filter with its word lists, and which comments say the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from conference.model.comment import Level, Reason, Verdict, Word
from conference.services.ports import Grouping, Judge
from conference.text import filter as text_filter
from conference.text import words as text_words
from conference.text.folding import fold


class TextReader:
    """Implements ports.CommentReader."""

    def judge(self, words: Sequence[Word]) -> Judge:
        return TextJudge(_word_list(tuple(words)))

    def grouping(self) -> Grouping:
        return SameWords()

    def fold(self, text: str) -> str:
        return fold(text).text


@cache
def _default_words() -> text_words.WordList:
    return text_words.WordList(text_words.default_words())


def _word_list(words: tuple[Word, ...]) -> text_words.WordList:
    if not words:
        return _default_words()
    known = {each.value for each in text_words.Category}
    own = (
        text_words.Word(
            each.text,
            text_words.Level(each.level.value),
            text_words.Category(each.category) if each.category in known else text_words.Category.OTHER,
        )
        for each in words
    )
    return text_words.WordList((*text_words.default_words(), *own))


class TextJudge:
    """Implements ports.Judge with one list of words."""

    def __init__(self, words: text_words.WordList) -> None:
        self._words = words

    def judge(self, text: str, nickname: str, region: str | None) -> Verdict:
        found = text_filter.judge(text, nickname, region or "", self._words)
        reasons = (
            Reason(each.code, each.what, each.start, each.end, each.field.value) for each in found.reasons
        )
        return Verdict(Level(found.level.value), tuple(reasons))


class SameWords:
    """Implements ports.Grouping for texts that are the same once they are folded."""

    def __init__(self) -> None:
        self._groups: dict[str, str] = {}
        self._texts: dict[str, str] = {}

    def add(self, comment_id: str, text: str) -> str:
        folded = self._texts[comment_id] = fold(text).text
        return self._groups.setdefault(folded, comment_id) if folded else comment_id

    def restore(self, comment_id: str, text: str, group_id: str) -> None:
        folded = self._texts[comment_id] = fold(text).text
        if folded:
            self._groups[folded] = group_id

    def move(self, comment_ids: Sequence[str], group_id: str) -> None:
        for each in comment_ids:
            folded = self._texts.get(each)
            if folded:
                self._groups[folded] = group_id
