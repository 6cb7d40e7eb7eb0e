"""Finding in minutes what was said and is not for everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from conference.model.minutes import Section

_LEAST: Final = 6  # letters of a sentence that says something; "好的" is everywhere
_SENTENCES: Final = re.compile(r"[。！？!?；;\n]+")
_MARKS: Final = re.compile(r"[\W_]+")


def spilled(confidential: Iterable[str], sections: Sequence[Section]) -> list[str]:
    """Sentences of confidential texts that stand in the sections word for word; blanks and marks do not count."""
    sentences = {each.strip() for text in confidential for each in _SENTENCES.split(text)}
    wanted = {each: _bare(each) for each in sentences}
    if not any(len(bare) >= _LEAST for bare in wanted.values()):
        return []
    said = "\n".join(_bare(each.text) for each in sections)
    return sorted(each for each, bare in wanted.items() if len(bare) >= _LEAST and bare in said)


def _bare(text: str) -> str:
    return _MARKS.sub("", text).casefold()
