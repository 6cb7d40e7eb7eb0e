"""Subtitles out of a transcript: cues that can be read, as WebVTT and as SRT. Times are program time, ms. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from conference.model.transcript import TranscriptSegment
from conference.model.transcript_edit import times_of

MOST_CHARACTERS: Final = 36  # two lines of Chinese
LEAST_MS: Final = 700  # what is shown for less is not read
_WIDE_FROM: Final = 0x2E80
_ENDS: Final = "。！？；.!?;"
_PAUSES: Final = "，、：,: "


@dataclass(frozen=True, slots=True)
class Cue:
    """What is shown from one moment to another."""

    from_ms: int
    to_ms: int
    speaker: str
    text: str


def cues(segments: Iterable[TranscriptSegment], *, mark_unclear: bool = False) -> Iterator[Cue]:
    """The segments, long ones in pieces that begin when they are said."""
    for segment in segments:
        pieces = _pieces(segment.text)
        said_ms = times_of(segment, [at for at, _ in pieces])
        ends_ms = [*said_ms[1:], max(segment.end_ms, said_ms[-1] + LEAST_MS)]
        for number, (_, text) in enumerate(pieces):
            mark = "［听不清］" if mark_unclear and segment.is_unclear and number == 0 else ""
            to_ms = max(ends_ms[number], said_ms[number] + 1)
            yield Cue(said_ms[number], to_ms, segment.speaker.name, mark + text)


def _pieces(text: str) -> list[tuple[int, str]]:
    """Where each begins, and what it says: broken behind a sentence, else behind a comma, else where it is full."""
    found: list[tuple[int, str]] = []
    begin = 0
    while _width(text[begin:]) > MOST_CHARACTERS:
        full, width = begin, 0.0
        while width <= MOST_CHARACTERS:
            width += _width(text[full])
            full += 1
        full -= 1
        at = _last(text, begin, full, _ENDS) or _last(text, begin, full, _PAUSES) or full
        found.append((begin, text[begin:at].strip()))
        begin = at
    found.append((begin, text[begin:].strip()))
    return [each for each in found if each[1]] or [(0, text)]


def _last(text: str, begin: int, end: int, among: str) -> int | None:
    """Behind the last of these characters, unless hardly anything would stand before it."""
    least = begin + max(1, (end - begin) // 3)
    return next((at + 1 for at in range(end - 1, least - 1, -1) if text[at] in among), None)


def _width(text: str) -> float:
    """In Chinese characters; others are half as wide."""
    return sum(1.0 if ord(each) >= _WIDE_FROM else 0.5 for each in text)


def vtt(found: Iterable[Cue], head: str = "") -> str:
    """A WebVTT file; `head` are further lines of its header."""
    blocks = (
        f"{_clock(each.from_ms, '.')} --> {_clock(each.to_ms, '.')}\n"
        f"<v {_escaped(each.speaker)}>{_escaped(each.text)}</v>\n"
        for each in found
    )
    return "\n".join([f"WEBVTT\n{head}", *blocks])


def srt(found: Iterable[Cue]) -> str:
    """An SRT file."""
    blocks = (
        f"{number}\n{_clock(each.from_ms, ',')} --> {_clock(each.to_ms, ',')}\n"
        f"{_line(each.speaker)}：{_line(each.text)}\n"
        for number, each in enumerate(found, start=1)
    )
    return "\n".join(blocks)


def _escaped(text: str) -> str:
    return _line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(text: str) -> str:
    """What ends a cue or looks like a time is no text."""
    return " ".join(text.split()).replace("-->", "→")


def _clock(at_ms: int, point: str) -> str:
    seconds, ms = divmod(at_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}"
