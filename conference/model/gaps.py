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
from conference.model.participant import Participant
from conference.model.recording import FileState, Recording
from conference.model.speaking import speaks_for
from conference.model.transcript import MAX_REASON, Coverage, Gap, GapState, Span, merged, without

LEAST_MS: Final = 1_000  # shorter ones are no gaps: nobody says anything in them
_LOST_LEAST_MS: Final = 3_000  # so exactly is it known when somebody was on air
_MICROPHONE: Final = "microphone"

Spans = Mapping[str, Sequence[Span]]  # by participant


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known of a consultation. `now_ms` None: it is over. `horizons`: up to there each microphone was dealt
    with or will not be, by participant; `horizon_ms` of those that are not among them."""

    files: Sequence[Recording]
    coverage: Sequence[Coverage]
    noted: Sequence[Gap]
    turns: Sequence[Turn] = ()
    people: Mapping[str, Participant] = field(default_factory=dict)
    unkept: Sequence[Span] = ()  # when it was live and nothing was recorded although it should have been
    now_ms: int | None = None
    horizon_ms: int | None = None
    horizons: Mapping[str, int] = field(default_factory=dict)

    def horizon(self, participant_id: str) -> int | None:
        """None: everything counts."""
        return self.horizons.get(participant_id, self.horizon_ms)


def gaps_of(heard: Heard) -> list[Gap]:
    """Waiting, failed, lost and waived ones, by their beginning."""
    covered = _by_participant((each.participant_id, (each.from_ms, each.to_ms)) for each in heard.coverage)
    waived = [each for each in heard.noted if each.state is GapState.WAIVED]
    failed = [each for each in heard.noted if each.state is GapState.FAILED]
    recorded = recorded_spans(heard.files, heard.now_ms)
    names = {each.participant_id: each.name for each in heard.files}
    found = list(waived)
    for participant_id, spans in recorded.items():
        dealt_with = [*covered.get(participant_id, ()), *_spans(waived, participant_id)]
        left = without(_before(spans, heard.horizon(participant_id)), dealt_with)
        found += _states(heard, participant_id, names.get(participant_id, ""), left, failed)
    found += _lost(heard, recorded, covered, waived)
    return sorted(found, key=lambda each: (each.from_ms, each.participant_id, each.to_ms))


def recorded_spans(files: Iterable[Recording], now_ms: int | None) -> dict[str, list[Span]]:
    """Where the files of each participant's microphone lie. One that is being written reaches up to `now_ms`; where
    that is None its end will be known soon, and it is left out."""
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


def _lost(
    heard: Heard, recorded: Spans, covered: Mapping[str, list[Span]], waived: Sequence[Gap]
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
            known += [*recorded.get(microphone, ()), *covered.get(microphone, ())]
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
