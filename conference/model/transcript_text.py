"""The transcript as a text to read: who spoke, when, and what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Final

from conference.model.consultation import Consultation
from conference.model.transcript import SpeakerLabel, TranscriptSegment

UNCLEAR: Final = "［听不清］"
_NOTICE: Final = "本稿由语音识别自动生成，标点和停顿为自动添加，须经人工核对，不是会议纪要。"


def transcript_text(
    consultation: Consultation,
    segments: Sequence[TranscriptSegment],
    zone: tzinfo,
    *,
    left_out: int = 0,
    mark_unclear: bool = False,
) -> str:
    """Plain text with a heading. `left_out`: how many confidential segments are missing."""
    lines = [f"{consultation.title}　转写稿"]
    if consultation.started_at_ms is not None:
        started = datetime.fromtimestamp(consultation.started_at_ms / 1000, zone)
        lines.append(f"开始时间：{started:%Y年%m月%d日 %H:%M}")
    corrected = sum(each.is_edited for each in segments)
    lines.append(f"共 {len(segments)} 段，其中人工校对 {corrected} 段。{_NOTICE}")
    if left_out:
        lines.append(f"另有 {left_out} 段标记为不公开，未列入。")
    return "\n".join([*lines, "", *_spoken(segments, mark_unclear=mark_unclear)]) + "\n"


def _spoken(segments: Iterable[TranscriptSegment], *, mark_unclear: bool) -> Iterator[str]:
    """One heading for all that somebody said without another in between."""
    before: tuple[str, SpeakerLabel] | None = None
    for each in segments:
        who = each.participant_id, each.speaker
        if who != before:
            if before is not None:
                yield ""
            yield f"[{clock(each.start_ms)}] {speaker_line(each.speaker)}"
        before = who
        yield (UNCLEAR if mark_unclear and each.is_unclear else "") + each.text


def speaker_line(speaker: SpeakerLabel) -> str:
    """A name with what is known of who it is."""
    venue = speaker.venue if speaker.venue != speaker.name else None
    known = [each for each in (speaker.title, venue) if each]
    if not speaker.is_certain:
        known.append("发言人待确认")
    return f"{speaker.name}（{'，'.join(known)}）" if known else speaker.name


def clock(at_ms: int) -> str:
    """Program time as hours, minutes and seconds."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"
