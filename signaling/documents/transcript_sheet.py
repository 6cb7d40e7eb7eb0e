"""The transcript as a document: below each item of the agenda who said what and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from conference.model.consultation import Consultation
from conference.model.minutes_speech import UNCLEAR
from conference.model.minutes_words import ROLE_WORDS, clock_s, numeral, span, titled
from conference.model.transcript import SpeakerLabel, TranscriptSegment
from signaling.documents.messages import Block, Document, Style
from signaling.documents.titles import title_of

NOTICE = "转写稿由系统识别、人工校对，仅供核对发言使用，不是会议记录或会议纪要。"
_NO_ITEM = "议程以外"
_CONFIDENTIAL = "（不公开）"  # beside what only some may read: a file is passed on
_MOST_NUMBERED = 100


def transcript_document(
    consultation: Consultation,
    segments: Sequence[TranscriptSegment],
    titles: Mapping[str, str],
    zone: tzinfo,
    left_out: int = 0,
) -> Document:
    """Of the segments that may be read. `titles` of the items of the agenda, by id; `left_out`: how many segments may
    not be read."""
    return Document(
        title_of(consultation.title, "转写稿"),
        "",
        consultation.organization or "",
        tuple(_blocks(consultation, segments, titles, zone, left_out)),
    )


def speaker_words(speaker: SpeakerLabel) -> str:
    """Who spoke, with role and place."""
    if not speaker.is_certain:
        return titled(speaker.name, "发言人待确认")
    return titled(speaker.name, ROLE_WORDS[speaker.role], speaker.venue)


def _blocks(
    consultation: Consultation,
    segments: Sequence[TranscriptSegment],
    titles: Mapping[str, str],
    zone: tzinfo,
    left_out: int,
) -> Iterator[Block]:
    began = consultation.started_at_ms
    if began is not None:
        yield Block(Style.FIELD, span(began, consultation.ended_at_ms, zone), "时间")
    missing = f"\n另有{left_out}段内容不公开，没有列入。" if left_out else ""
    yield Block(Style.FIELD, f"{NOTICE}{missing}", "说明")
    headings = 0
    for before, segment in zip((None, *segments), segments, strict=False):
        if titles and (before is None or before.item_id != segment.item_id):
            headings += 1
            yield Block(Style.HEADING, _heading(headings, titles.get(segment.item_id or "", _NO_ITEM)))
        at = clock_s((began or 0) + segment.start_ms, zone)
        mark = UNCLEAR if segment.is_unclear else ""
        label = f"{speaker_words(segment.speaker)}\u3000{at}"
        if segment.is_confidential:
            label += f"\u3000{_CONFIDENTIAL}"
        yield Block(Style.TIMED, segment.text + mark, label)


def _heading(number: int, title: str) -> str:
    return f"{numeral(number)}、{title}" if number < _MOST_NUMBERED else title
