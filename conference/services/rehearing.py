"""What is heard again for each segment of a transcript, and what is made of the answer. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conference.model.audit import AuditLine
from conference.model.gaps import common
from conference.model.recording import FileState, Recording
from conference.model.second_pass import BetterText, heard_span
from conference.model.transcript import MAX_TEXT, Span, TranscriptSegment, merged, without
from conference.model.transcript_edit import Rewrite, render
from conference.worker_events import Passage, Reheard, SoundFile

_POINTS: Final = frozenset("，。、；：？！,.;:?!")
_EVER_MS: Final = 1 << 53
_SPARE_MS: Final = 1_000  # a file whose writer was killed is a little longer than its row says


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the consultation around some segments. `unkept`: the recording was paused; `refused`: the
    revision at which somebody refused a proposal, by segment."""

    neighbours: Sequence[TranscriptSegment]
    files: Sequence[Recording]
    unkept: Sequence[Span]
    terms: tuple[str, ...]
    refused: Mapping[str, int]


def was_refused(segment: TranscriptSegment, around: Surroundings) -> bool:
    """Whether somebody refused a proposal for the very text that stands there: it is not asked for again."""
    return around.refused.get(segment.id) == segment.revision


def passage_of(segment: TranscriptSegment, around: Surroundings) -> Passage | None:
    """What is to be heard for it; None where nothing was recorded, or nothing was to be."""
    own, span = (segment.start_ms, segment.end_ms), heard_span(segment, around.neighbours)
    silent = merged(part for each in around.unkept for part in common(span, each))
    files = [
        each
        for each in around.files
        if each.participant_id == segment.participant_id and common(span, _span(each))
    ]
    if not any(common(own, _span(each)) for each in files) or not without([own], silent):
        return None
    sounds = tuple(SoundFile(each.path, each.started_at_ms) for each in files)
    return Passage(segment.id, sounds, *span, silent=tuple(silent), terms=around.terms)


def better_text(segment: TranscriptSegment, told: Reheard, rewrite: Rewrite) -> BetterText | None:
    """With the terms of the consultation, and with commas at pauses where the engine puts no punctuation itself; None
    for what cannot stand in a segment."""
    has_points = any(each in _POINTS for each in told.text)
    if told.words and not has_points:
        text = render(told.words, rewrite).text
    else:
        text, at = "", 0
        for first, last, instead in rewrite(told.text):
            text += told.text[at:first] + instead
            at = last
        text += told.text[at:]
    if not any(each.isalnum() for each in text) or len(text) > MAX_TEXT:
        return None
    return BetterText(segment.id, (segment.start_ms, segment.end_ms), text, told.words)


def refusals(lines: Iterable[AuditLine]) -> dict[str, int]:
    """The revision that the last refusal of each segment made."""
    return {line.subject: json.loads(line.content)["revision"] for line in lines if line.subject is not None}


def _span(file: Recording) -> Span:
    end_ms = file.started_at_ms + file.duration_ms
    if file.state is FileState.RECORDING:  # it is being closed
        end_ms = _EVER_MS
    return file.started_at_ms, end_ms if file.state is FileState.DONE else end_ms + _SPARE_MS
