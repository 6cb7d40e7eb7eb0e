"""A list of terms at work: every wrong spelling in a text is found in one pass, and how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

from conference.model.terms import Term
from conference.text.numbers import figures


class TermList:
    """Plain texts, never patterns; the longest of those that begin first counts.

    What is right already stays: a right spelling is found as well, and keeps a shorter wrong one in it from being seen.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        instead = dict[str, str]()
        for each in terms:
            instead.setdefault(each.right, each.right)
            if each.wrong:
                instead[each.wrong] = each.right
        self._wrong = list(instead)
        self._right = list(instead.values())
        self._automaton = AhoCorasick(self._wrong, matchkind=MatchKind.LeftmostLongest) if instead else None

    def rewrite(self, text: str) -> Sequence[tuple[int, int, str]]:
        """A transcript_edit.Rewrite: terms, and figures where no term is."""
        found = list(self._terms(text))
        numbers = [
            number
            for number in figures(text)
            if not any(first < number[1] and number[0] < last for first, last, _ in found)
        ]
        changed = [each for each in found if text[each[0] : each[1]] != each[2]]
        return sorted([*changed, *numbers])

    def _terms(self, text: str) -> Iterable[tuple[int, int, str]]:
        if self._automaton is None:
            return
        for number, first, last in self._automaton.find_matches_as_indexes(text):
            if not (_runs_on(text, first) or _runs_on(text, last)):
                yield first, last, self._right[number]


def _runs_on(text: str, at: int) -> bool:
    """Whether a Latin word or a number goes on over this place: AI is not found in MAIL."""
    return 0 < at < len(text) and _is_latin(text[at - 1]) and _is_latin(text[at])


def _is_latin(character: str) -> bool:
    return character.isalnum() and character < "\u0250"
