"""Titles of documents, broken into lines where a person would."""

from __future__ import annotations

from typing import Final

from conference.model.minutes_words import quoted

_LINE: Final = 19  # characters of 22 pt


def title_of(title: str, word: str) -> tuple[str, ...]:
    """“议题”远程协商会会议记录: in one line where it fits, else the kind of document on a line of its own."""
    is_meeting = title.endswith("会")
    topic, rest = (title, word) if is_meeting else (quoted(title), f"远程协商会{word}")
    if len(topic) + len(rest) <= _LINE:
        return (topic + rest,)
    count = -(-len(topic) // _LINE)
    size = -(-len(topic) // count)
    return (*(topic[at : at + size] for at in range(0, len(topic), size)), rest)
