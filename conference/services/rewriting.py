"""What the terms of a consultation and of its body make of a text."""

from __future__ import annotations

from conference.model.transcript_edit import Rewrite
from conference.services.term_lists import TermLists
from conference.text.terms import TermList


class TermRewriter:
    """Asked once for some sentences, before they are written: it may have to read a long list."""

    def __init__(self, lists: TermLists) -> None:
        self._lists = lists

    async def __call__(self, consultation_id: str) -> Rewrite:
        """The consultation's own terms stand above those of its body."""
        lists = await self._lists.of_consultation(consultation_id)
        return TermList(*(each.index for each in lists)).rewrite
