"""Lists of terms at work: every wrong spelling in a text is found in one pass, and how it is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from conference.model.terms import Term
from conference.text.numbers import figures


class TermIndex:
    """One list, made to be looked up in. Texts are short and a term has forty characters at most: so a dictionary is
    as good as an automaton, and is made in a thread without anything else standing still."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.instead = dict[str, str]()
        for each in terms:
            self.instead.setdefault(each.right, each.right)
            if each.wrong:
                self.instead[each.wrong] = each.right
        lengths = defaultdict[str, set[int]](set)
        for known in self.instead:
            lengths[known[0]].add(len(known))
        self.lengths = {first: tuple(sorted(each, reverse=True)) for first, each in lengths.items()}


class TermList:
    """Lists one above the other; plain texts, never patterns; the longest of those that begin first counts.

    What is right already stays: a right spelling is found as well, and keeps a shorter wrong one in it from being seen.
    """

    def __init__(self, *lists: TermIndex) -> None:
        """Of the same wrong spelling the first list counts."""
        self._lists = [each for each in lists if each.instead]

    def rewrite(self, text: str) -> Sequence[tuple[int, int, str]]:
        """A transcript_edit.Rewrite: terms, and figures where no term is."""
        found = list(self._terms(text)) if self._lists else []
        numbers = [
            number
            for number in figures(text)
            if not any(first < number[1] and number[0] < last for first, last, _ in found)
        ]
        changed = [each for each in found if text[each[0] : each[1]] != each[2]]
        return sorted([*changed, *numbers])

    def _terms(self, text: str) -> Iterable[tuple[int, int, str]]:
        first = 0
        while first < len(text):
            last, right = self._longest(text, first)
            if right is not None and not (_runs_on(text, first) or _runs_on(text, last)):
                yield first, last, right
            first = last

    def _longest(self, text: str, first: int) -> tuple[int, str | None]:
        """The longest that begins here: its end, and how it is written."""
        for length in self._lengths(text[first]):
            last = first + length
            if last <= len(text) and (right := self._right(text[first:last])) is not None:
                return last, right
        return first + 1, None

    def _lengths(self, character: str) -> Sequence[int]:
        """Of all that begin with it, the longest first."""
        found = [each.lengths[character] for each in self._lists if character in each.lengths]
        if len(found) < 2:
            return found[0] if found else ()
        return sorted({length for each in found for length in each}, reverse=True)

    def _right(self, known: str) -> str | None:
        found = None
        for each in self._lists:
            right = each.instead.get(known)
            if right is not None and right != known:
                return right
            found = found or right
        return found


def _runs_on(text: str, at: int) -> bool:
    """Whether a Latin word or a number goes on over this place: AI is not found in MAIL."""
    return 0 < at < len(text) and _is_latin(text[at - 1]) and _is_latin(text[at])


def _is_latin(character: str) -> bool:
    return character.isalnum() and character < "\u0250"
