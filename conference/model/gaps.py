"""Gaps of a transcript: sound that was recorded, or was on air, and of which there is no text yet. Pure.

Times are program time in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from conference.model.errors import ConferenceError
from conference.model.floor import Turn
from conference.model.gap_reasons import GapReason
from conference.model.participant import Participant
from conference.model.recording import FileState, Recording
from conference.model.speaking import speaks_for
from conference.model.transcript import MAX_REASON, Coverage, Gap, GapState, Span, merged, without

LEAST_MS: Final = 1_000  # shorter ones are no gaps: nobody says anything in them
_LOST_LEAST_MS: Final = 3_000  # so exactly is it known when somebody was on air
_EVERYBODY: Final = "全场"  # whose sound a gap of the whole consultation is
_MICROPHONE: Final = "microphone"

Spans = Mapping[str, Sequence[Span]]  # by participant


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a consultation. `now_ms` None: it is over, since `ended_ms`. `horizons`: up to there each
    microphone was dealt with or will not be, by participant; `horizon_ms` of those that are not among them. `deleted`:
    files that were there."""

    files: Sequence[Recording]
    coverage: Sequence[Coverage]
    noted: Sequence[Gap]
    turns: Sequence[Turn] = ()
    people: Mapping[str, Participant] = field(default_factory=dict)
    unkept: Sequence[Span] = ()  # when it was live and nothing was recorded although it should have been
    now_ms: int | None = None
    horizon_ms: int | None = None
    horizons: Mapping[str, int] = field(default_factory=dict)
    deleted: Sequence[Recording] = ()
    ended_ms: int | None = None

    def horizon(self, participant_id: str) -> int | None:
        """None: everything counts."""
        return self.horizons.get(participant_id, self.horizon_ms)


def gaps_of(heard: Heard) -> list[Gap]:
    """Waiting, failed, lost and waived ones, by their beginning."""
    covered = _by_participant((each.participant_id, (each.from_ms, each.to_ms)) for each in heard.coverage)
    waived = [each for each in heard.noted if each.state is GapState.WAIVED]
    failed = [each for each in heard.noted if each.state is GapState.FAILED]
    recorded = recorded_spans(heard.files, heard.now_ms)
    unsettled, deleted = _unsettled_spans(heard), recorded_spans(heard.deleted, None)
    names = {each.participant_id: each.name for each in (*heard.deleted, *heard.files)}
    found = list(waived)
    for participant_id, spans in recorded.items():
        dealt_with = [*covered.get(participant_id, ()), *_spans(waived, participant_id)]
        left = without(_before(spans, heard.horizon(participant_id)), dealt_with)
        found += _states(heard, participant_id, names[participant_id], left, failed)
    kept = [recorded]
    for spans_of, state, reason in (
        (unsettled, GapState.WAITING, GapReason.UNSETTLED),
        (deleted, GapState.LOST, GapReason.DELETED),
    ):
        for pid, spans in spans_of.items():
            known = [*covered.get(pid, ()), *_spans(waived, pid), *(e for k in kept for e in k.get(pid, ()))]
            for part in _long(without(_before(spans, heard.horizon(pid)), known)):
                found.append(Gap(_of(heard), pid, names[pid], *part, state, reason))
        kept.append(spans_of)
    found += _lost(heard, kept, covered, waived)
    return sorted(found, key=lambda each: (each.from_ms, each.participant_id, each.to_ms))


def unheard(heard: Heard) -> list[Gap]:
    """Where nothing was to be written down: one gap from the first to the last recorded second that nobody listened to,
    of the whole consultation: its id stands for the participant. Beside it what was waived."""
    waived = [each for each in heard.noted if each.state is GapState.WAIVED]
    covered = _by_participant((each.participant_id, (each.from_ms, each.to_ms)) for each in heard.coverage)
    recorded = recorded_spans((*heard.files, *heard.deleted), heard.ended_ms)
    left: list[Span] = []
    for pid, spans in recorded.items():
        left += _long(without(spans, [*covered.get(pid, ()), *_spans(waived, pid)]))
    if not left:
        return waived
    consultation_id = _of(heard)
    left = _long(without(left, _spans(waived, consultation_id)))
    if left:
        span = left[0][0], left[-1][1]
        reason = GapReason.NOT_LISTENED if heard.coverage else GapReason.NOT_TRANSCRIBED
        waived.append(Gap(consultation_id, consultation_id, _EVERYBODY, *span, GapState.LOST, reason))
    return waived


def untranscribed(consultation_id: str, ended_ms: int) -> Gap:
    """For what nobody listened to, and of which nothing was kept either: nothing to decide, but to be told."""
    who, span = (consultation_id, _EVERYBODY), (0, max(ended_ms, 1))
    return Gap(consultation_id, *who, *span, GapState.WAIVED, GapReason.NOT_TRANSCRIBED)


def recorded_spans(files: Iterable[Recording], now_ms: int | None) -> dict[str, list[Span]]:
    """Where the files of each participant's microphone lie. One that is being written reaches up to `now_ms`; where
    that is None it is left out."""
    found: list[tuple[str, Span]] = []
    for file in files:
        if file.source != _MICROPHONE:
            continue
        end_ms = file.started_at_ms + file.duration_ms
        if file.state is FileState.RECORDING:
            if now_ms is None:
                continue
            end_ms = now_ms
        found.append((file.participant_id, (file.started_at_ms, end_ms)))
    return {participant_id: merged(spans) for participant_id, spans in _by_participant(found).items()}


def unkept_spans(steps: Iterable[tuple[str, int]], outages: Iterable[Span], end_ms: int) -> list[Span]:
    """When nothing was recorded although it should have been, from what the trace says of the recording, in order:
    actions without `recording.`, with their program time. `outages`: nobody was on air, for the server was down."""
    kept: list[Span] = []
    paused: list[Span] = []
    since_ms: dict[str, int] = {}

    def close(what: str, spans: list[Span], at_ms: int) -> None:
        first_ms = since_ms.pop(what, None)
        if first_ms is not None:
            spans.append((first_ms, at_ms))

    for action, at_ms in steps:
        if action == "started":
            since_ms.setdefault("kept", at_ms)
        elif action in ("interrupted", "ended", "paused"):
            close("kept", kept, at_ms)
        if action == "paused":
            since_ms.setdefault("paused", at_ms)
        elif action == "resumed":
            close("paused", paused, at_ms)
    close("kept", kept, end_ms)
    close("paused", paused, end_ms)
    return without([(0, end_ms)], [*kept, *paused, *outages])


def require_note(text: str) -> str:
    """Why there is no text of a stretch. Raises ConferenceError bad_request."""
    found = " ".join(text.split())
    if not found or len(found) > MAX_REASON:
        raise ConferenceError("bad_request", f"a note of 1 to {MAX_REASON} characters")
    return found


def pieces(gap: Gap, most_ms: int) -> list[Span]:
    """A gap in pieces of about the same length, none above `most_ms`."""
    count = -(-(gap.to_ms - gap.from_ms) // most_ms)
    edges = [gap.from_ms + (gap.to_ms - gap.from_ms) * number // count for number in range(count + 1)]
    return list(pairwise(edges))


def _states(
    heard: Heard, participant_id: str, name: str, left: Sequence[Span], failed: Sequence[Gap]
) -> Iterator[Gap]:
    own = [each for each in failed if each.participant_id == participant_id]
    for span in left:
        if span[1] - span[0] < LEAST_MS:
            continue
        tried = next((each for each in own if each.from_ms <= span[0] and span[1] <= each.to_ms), None)
        if tried is not None:
            yield replace(tried, from_ms=span[0], to_ms=span[1])
            continue
        yield from (
            Gap(each.consultation_id, participant_id, name, *part, GapState.FAILED, each.reason)
            for each in own
            for part in common(span, (each.from_ms, each.to_ms))
        )
        consultation_id = heard.files[0].consultation_id
        yield from (
            Gap(consultation_id, participant_id, name, *part, GapState.WAITING)
            for part in without([span], _spans(own, participant_id))
            if part[1] - part[0] >= LEAST_MS
        )


def _unsettled_spans(heard: Heard) -> dict[str, list[Span]]:
    """Files that are not closed although it is over: up to where they may reach."""
    if heard.ended_ms is None or heard.now_ms is not None:
        return {}
    return recorded_spans((e for e in heard.files if e.state is FileState.RECORDING), heard.ended_ms)


def _of(heard: Heard) -> str:
    """The consultation of files that are there."""
    return (*heard.files, *heard.deleted)[0].consultation_id


def _long(spans: Iterable[Span]) -> list[Span]:
    return [each for each in spans if each[1] - each[0] >= LEAST_MS]


def _lost(
    heard: Heard, kept: Sequence[Spans], covered: Mapping[str, list[Span]], waived: Sequence[Gap]
) -> Iterator[Gap]:
    """Turns of the floor in which somebody was heard while nothing was kept."""
    for turn in heard.turns:
        if turn.first_started_at_ms is None:
            continue  # nobody was heard
        end_ms = heard.now_ms if turn.is_open else turn.ended_at_ms
        if end_ms is None:
            continue
        pid = turn.participant_id
        spoken = _before([(turn.first_started_at_ms, end_ms)], heard.horizon(pid))
        known = _spans(waived, pid)
        for microphone in _microphones(turn, heard.people):
            known += [each for spans in (*kept, covered) for each in spans.get(microphone, ())]
        for unkept in heard.unkept:
            for part in (found for span in without(spoken, known) for found in common(span, unkept)):
                if part[1] - part[0] >= _LOST_LEAST_MS:
                    yield Gap(turn.consultation_id, pid, turn.name, *part, GapState.LOST)


def _microphones(turn: Turn, people: Mapping[str, Participant]) -> list[str]:
    """That somebody with the floor speaks into: the own one, or that of the hall."""
    holder = people.get(turn.participant_id)
    shared = () if holder is None else (each.id for each in people.values() if speaks_for(holder, each))
    return list(dict.fromkeys((turn.participant_id, *shared)))


def _by_participant(found: Iterable[tuple[str, Span]]) -> dict[str, list[Span]]:
    spans: dict[str, list[Span]] = {}
    for participant_id, span in found:
        spans.setdefault(participant_id, []).append(span)
    return spans


def _spans(gaps: Iterable[Gap], participant_id: str) -> list[Span]:
    return [(each.from_ms, each.to_ms) for each in gaps if each.participant_id == participant_id]


def _before(spans: Iterable[Span], horizon_ms: int | None) -> list[Span]:
    if horizon_ms is None:
        return list(spans)
    return [(first, min(last, horizon_ms)) for first, last in spans if first < horizon_ms]


def common(one: Span, other: Span) -> list[Span]:
    """What both have; empty when that is nothing."""
    first, last = max(one[0], other[0]), min(one[1], other[1])
    return [(first, last)] if first < last else []
