"""Terms (词表): names, places and words of policy that recognition gets wrong, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Final

from conference.model.errors import ConferenceError
from conference.model.folding import tidied

MAX_TERMS: Final = 50_000
MAX_TERM: Final = 40  # characters
_SORTED: Final = 1_000  # at once: a millisecond


@dataclass(frozen=True, slots=True)
class Term:
    """Plain text, never a pattern. Without `wrong` it is only told to engines that take hot words."""

    right: str
    wrong: str = ""


def checked(terms: Iterable[Term]) -> list[Term]:
    """A list as it is kept: tidied, of equal wrong spellings the last. bad_request for a term that is empty or too
    long, too_many_words for too many."""
    found: dict[tuple[str, str], Term] = {}
    for each in terms:
        term = tidied_term(each.wrong, each.right)
        if not term.right or max(len(term.right), len(term.wrong)) > MAX_TERM:
            raise ConferenceError("bad_request", f"a term of 1 to {MAX_TERM} characters")
        found[(term.wrong, "" if term.wrong else term.right)] = term
    if len(found) > MAX_TERMS:
        raise ConferenceError("too_many_words", f"{len(found)} terms")
    return in_order(found.values())


def in_order(terms: Iterable[Term]) -> list[Term]:
    """By wrong spelling, then by right one. Piece by piece: nothing else of the process runs while a sort does."""
    listed = list(terms)
    pieces = (sorted(listed[first : first + _SORTED], key=_order) for first in range(0, len(listed), _SORTED))
    return list(merge(*pieces, key=_order))


def _order(term: Term) -> tuple[str, str]:
    return term.wrong, term.right


def tidied_term(wrong: str, right: str) -> Term:
    """Without needless blanks; what is right already needs no wrong spelling."""
    wrong, right = tidied(wrong), tidied(right)
    return Term(right, "" if wrong == right else wrong)


def merged(own: Sequence[Term], of_body: Sequence[Term]) -> tuple[Term, ...]:
    """What counts in a consultation: its own terms stand above those of its body."""
    written = {each.wrong for each in own if each.wrong}
    return (*own, *(each for each in of_body if each.wrong not in written))
