"""The transcript as a workbook: how long everybody spoke, and what was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.transcript import TranscriptSegment
from signaling.tables.layouts import REMOTE, ROLE_NAMES
from signaling.tables.messages import Heading, Kind, Sheet, Value

_WHO: Final = (
    Heading("发言人", width=18),
    Heading("身份"),
    Heading("单位职务", width=28),
    Heading("会场", width=20),
)


@dataclass(slots=True)
class _Sum:
    first: TranscriptSegment
    speeches: int = 0
    spoken_ms: int = 0
    characters: int = 0


def transcript_sheets(
    segments: Sequence[TranscriptSegment],
    titles: Mapping[str, str],
    floor_ms: Mapping[str, int],
    began_wall_ms: int,
) -> tuple[Sheet, ...]:
    """`titles` of the items of the agenda, by id; `floor_ms`: how long each had the floor, by participant."""
    return (_times(segments, floor_ms), _by_item(segments, titles), _texts(segments, titles, began_wall_ms))


def _times(segments: Iterable[TranscriptSegment], floor_ms: Mapping[str, int]) -> Sheet:
    """A row for each speaker, the one who spoke longest first."""
    sums: dict[tuple[str, str], _Sum] = {}
    before: tuple[str, str] | None = None
    for each in segments:
        key = (each.participant_id, each.speaker.name)
        found = sums.setdefault(key, _Sum(each))
        found.speeches += key != before
        found.spoken_ms += each.end_ms - each.start_ms
        found.characters += len(each.text)
        before = key
    total_ms = sum(each.spoken_ms for each in sums.values())
    rows: list[tuple[Value, ...]] = [
        (
            *_who(each.first),
            each.speeches,
            each.spoken_ms,
            round(100 * each.spoken_ms / total_ms, 1) if total_ms else 0,
            each.characters,
            floor_ms.get(participant_id, 0),
            "" if each.first.speaker.is_certain else "发言人待确认",
        )
        for (participant_id, _), each in sorted(sums.items(), key=lambda item: -item[1].spoken_ms)
    ]
    headings = (
        *_WHO,
        Heading("发言次数", Kind.NUMBER),
        Heading("发言时长", Kind.DURATION),
        Heading("占比（%）", Kind.NUMBER),
        Heading("字数", Kind.NUMBER),
        Heading("持有发言权时长", Kind.DURATION, 16),
        Heading("说明", width=18),
    )
    return Sheet("发言时长", headings, rows)


def _by_item(segments: Iterable[TranscriptSegment], titles: Mapping[str, str]) -> Sheet:
    spoken: defaultdict[tuple[str | None, str], int] = defaultdict(int)
    for each in segments:
        spoken[each.item_id, each.speaker.name] += each.end_ms - each.start_ms
    rows: list[tuple[Value, ...]] = [
        (titles.get(item or "", ""), name, spoken_ms) for (item, name), spoken_ms in spoken.items()
    ]
    headings = (Heading("议程", width=40), Heading("发言人", width=18), Heading("发言时长", Kind.DURATION))
    return Sheet("按议程", headings, rows)


def _texts(segments: Iterable[TranscriptSegment], titles: Mapping[str, str], began_wall_ms: int) -> Sheet:
    rows: list[tuple[Value, ...]] = [
        (
            began_wall_ms + each.start_ms,
            each.end_ms - each.start_ms,
            *_who(each),
            titles.get(each.item_id or "", ""),
            each.text,
            "；".join(_notes(each)),
        )
        for each in segments
    ]
    headings = (
        Heading("时间", Kind.MOMENT, 20),
        Heading("时长", Kind.DURATION),
        *_WHO,
        Heading("议程", width=30),
        Heading("内容", width=90),
        Heading("说明", width=18),
    )
    return Sheet("转写稿", headings, rows)


def _who(segment: TranscriptSegment) -> tuple[Value, ...]:
    speaker = segment.speaker
    return speaker.name, ROLE_NAMES[speaker.role], speaker.title or "", speaker.venue or REMOTE


def _notes(segment: TranscriptSegment) -> Iterable[str]:
    if not segment.speaker.is_certain:
        yield "发言人待确认"
    if segment.is_unclear:
        yield "不清"
    if segment.is_confidential:
        yield "不公开"
    if segment.is_edited:
        yield "已校对"
