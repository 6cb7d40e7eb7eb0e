"""What was said under one item of the agenda, as paragraphs of the record: each speech, what was not caught, gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.floor import Turn
from conference.model.minutes_words import ROLE_WORDS, clock_s, titled
from conference.model.sitting import Sitting
from conference.model.timeline import began_ms
from conference.model.transcript import Gap, TranscriptSegment

_LONG: Final = 380  # characters after which a speech gets another paragraph
_PAUSE_MS: Final = 3_000  # and as long a pause where it is half as long
_ENDS: Final = "。！？…”）"
UNCLEAR: Final = "（此处不清）"
CONFIDENTIAL: Final = "（此处内容不公开，略）"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Something that stands in the record, by its time."""

    at_ms: int
    what: TranscriptSegment | Turn | Gap


def speeches(sitting: Sitting) -> dict[str | None, list[str]]:
    """Paragraphs by item, in the order of time. `None`: what was under no item."""
    return {item_id: _paragraphs(sitting, entries) for item_id, entries in _entries(sitting).items()}


def _paragraphs(sitting: Sitting, entries: Sequence[_Entry]) -> list[str]:
    found: list[str] = []
    speaking: TranscriptSegment | None = None
    introduced: set[tuple[str, str]] = set()
    for entry in entries:
        match entry.what:
            case TranscriptSegment() as segment:
                text = _text(segment)
                if speaking is None or not _is_same(speaking, segment):
                    found.append(f"{_speaker(segment, introduced)}：{text}")
                elif _breaks(found[-1], speaking, segment):
                    found.append(text)
                elif not (text == CONFIDENTIAL and found[-1].endswith(CONFIDENTIAL)):
                    found[-1] += text
                speaking = segment
            case Turn() as turn:
                until = "" if turn.ended_at_ms is None else f"至{_clock(sitting, turn.ended_at_ms)}"
                who = titled(turn.name, ROLE_WORDS[turn.role], turn.venue)
                found.append(f"{who}：（{_clock(sitting, began_ms(turn))}{until}发言，没有文字）")
                speaking = None
            case Gap() as gap:
                found.append(_gap(sitting, gap))
                speaking = None
    return found


def _entries(sitting: Sitting) -> dict[str | None, list[_Entry]]:
    """Segments, turns of which nothing was caught, and gaps, by item; each list in the order of time."""
    known = {each.id for each in sitting.agenda}
    found: defaultdict[str | None, list[_Entry]] = defaultdict(list)

    def put(at_ms: int, what: TranscriptSegment | Turn | Gap, said: str | None = None) -> None:
        found[said if said in known else sitting.item_at(at_ms)].append(_Entry(at_ms, what))

    for segment in sitting.segments:
        put(segment.start_ms, segment, segment.item_id)
    heard = {each.turn_id for each in sitting.segments}
    for turn in sitting.record.turns:
        is_silent = turn.id not in heard and turn.first_started_at_ms is not None
        if is_silent and not _is_heard(sitting, turn):
            put(began_ms(turn), turn, turn.item_id)
    for gap in sitting.gaps:
        put(gap.from_ms, gap)
    return {item_id: sorted(each, key=lambda entry: entry.at_ms) for item_id, each in found.items()}


def _is_heard(sitting: Sitting, turn: Turn) -> bool:
    """Whether anything was caught of its holder while the floor was theirs."""
    until_ms = turn.ended_at_ms
    return any(
        each.participant_id == turn.participant_id
        and each.end_ms > began_ms(turn)
        and (until_ms is None or each.start_ms < until_ms)
        for each in sitting.segments
    )


def _is_same(before: TranscriptSegment, after: TranscriptSegment) -> bool:
    return (before.participant_id, before.speaker) == (after.participant_id, after.speaker)


def _breaks(paragraph: str, before: TranscriptSegment, after: TranscriptSegment) -> bool:
    if not paragraph.endswith(tuple(_ENDS)):
        return False
    pause_ms = after.start_ms - before.end_ms
    return len(paragraph) >= _LONG or (pause_ms >= _PAUSE_MS and len(paragraph) >= _LONG // 2)


def _speaker(segment: TranscriptSegment, introduced: set[tuple[str, str]]) -> str:
    """With role and place where the name comes for the first time below this heading."""
    speaker = segment.speaker
    if not speaker.is_certain:
        return titled(speaker.name, "发言人待确认")
    key = (segment.participant_id, speaker.name)
    if key in introduced:
        return speaker.name
    introduced.add(key)
    return titled(speaker.name, speaker.title or ROLE_WORDS[speaker.role], speaker.venue)


def _text(segment: TranscriptSegment) -> str:
    if segment.is_confidential:
        return CONFIDENTIAL
    # In brackets: behind what was said before it, the mark alone would not say which words it means.
    return f"〔{segment.text}〕{UNCLEAR}" if segment.is_unclear else segment.text


def _gap(sitting: Sitting, gap: Gap) -> str:
    times = f"{_clock(sitting, gap.from_ms)}至{_clock(sitting, gap.to_ms)}"
    return f"（{times}，{gap.name}：{gap.words or '没有录到文字'}）"


def _clock(sitting: Sitting, at_ms: int) -> str:
    return clock_s(sitting.wall_ms(at_ms), sitting.zone)
