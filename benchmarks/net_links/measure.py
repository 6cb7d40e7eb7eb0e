"""From what a viewer's page noted to figures: sound, freezes, adaptation. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.net_links.watch import Notes, Sample

SAMPLE_RATE = 48_000
FREEZE_S = 0.5
"""A picture that stands longer counts as frozen."""
HEARD = 1e-5
"""Sound energy a second (full scale squared) below which nobody hears anything."""
CLEAN = 0.05
"""Share of sound that may be made up where it counts as clean."""
HELD_S = 3.0
"""For so long sound is clean and the picture moves before a row counts as adapted."""
RISEN_S = 1.0
_GRID_S = 0.1


@dataclass(frozen=True)
class Span:
    """A stretch of the page's clock."""

    since_s: float
    until_s: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.until_s - self.since_s


@dataclass(frozen=True)
class Quality:
    """What a viewer saw and heard in a span."""

    concealed: float
    """Share of the sound that the browser had to make up, or did not have at all."""
    silence_s: float
    """Longest time without anything to be heard; speech has pauses of its own."""
    frozen: float
    """Share of the time in pauses between two pictures longer than FREEZE_S, those included that do not end."""
    frozen_by_stats: float
    """Share of `totalFreezesDuration`, which lacks freezes that do not end."""
    longest_freeze_s: float
    fps: float
    height: int
    """Lines of the picture in the middle of the time in which it was shown."""
    least_height: int
    sound_wait_ms: float
    """How long sound waited in the receiver's buffer on average."""


def _steps(notes: Notes, span: Span) -> Iterator[tuple[Sample, Sample]]:
    """Neighbouring samples, the later of which lies in the span."""
    for before, after in pairwise(notes.samples):
        if span.since_s < after.at_s <= span.until_s:
            yield before, after


def _growth(before: Sample, after: Sample, kind: str, key: str) -> float:
    """A new connection begins at zero."""
    now = getattr(after, kind).get(key, 0.0)
    then = getattr(before, kind).get(key, 0.0) if before.peer == after.peer else 0.0
    return max(0.0, float(now - then))


def total(notes: Notes, span: Span, kind: str, key: str) -> float:
    """Growth of a sum over a span, over all connections."""
    return sum(_growth(before, after, kind, key) for before, after in _steps(notes, span))


def concealed(notes: Notes, span: Span) -> float:
    """Share of sound made up or missing: without a connection all of it is."""
    made_up = played = 0.0
    for before, after in _steps(notes, span):
        if after.peer < 0 or not after.audio:
            missing = (after.at_s - before.at_s) * SAMPLE_RATE
            made_up, played = made_up + missing, played + missing
            continue
        made_up += _growth(before, after, "audio", "concealedSamples")
        played += _growth(before, after, "audio", "totalSamplesReceived")
    return made_up / played if played else 1.0


def longest_silence_s(notes: Notes, span: Span) -> float:
    """Longest run of samples between which nothing was to be heard."""
    longest = run = 0.0
    for before, after in _steps(notes, span):
        lasted = after.at_s - before.at_s
        heard = _growth(before, after, "audio", "totalAudioEnergy")
        run = 0.0 if lasted > 0 and heard / lasted >= HEARD else run + lasted
        longest = max(longest, run)
    return longest


def pauses_s(notes: Notes, span: Span) -> list[float]:
    """Times between neighbouring pictures, from the beginning of the span and up to its end."""
    shown = [picture.at_s for picture in notes.pictures if span.since_s <= picture.at_s <= span.until_s]
    last = max((p.at_s for p in notes.pictures if p.at_s < span.since_s), default=span.since_s)
    # A freeze under way at the beginning counts from there, but is as long as it is.
    edges = [max(last, span.since_s - FREEZE_S), *shown, span.until_s]
    return [after - before for before, after in pairwise(edges)]


def frozen_s(notes: Notes, span: Span) -> float:
    """Time in which the picture stood."""
    return min(span.seconds, sum(pause for pause in pauses_s(notes, span) if pause > FREEZE_S))


def median_height(notes: Notes, span: Span) -> tuple[int, int]:
    """Of the pictures shown in a span, weighed by how long each was: (median, least); (0, 0) without any."""
    inside = [p for p in notes.pictures if span.since_s <= p.at_s <= span.until_s]
    if not inside:
        return 0, 0
    ends = [p.at_s for p in inside[1:]] + [span.until_s]
    weighed = sorted((p.height, end - p.at_s) for p, end in zip(inside, ends, strict=True))
    half, passed = sum(length for _, length in weighed) / 2, 0.0
    for height, length in weighed:
        passed += length
        if passed >= half:
            return height, weighed[0][0]
    return weighed[-1][0], weighed[0][0]


def quality(notes: Notes, span: Span) -> Quality:
    """All of it."""
    count = sum(span.since_s <= picture.at_s <= span.until_s for picture in notes.pictures)
    height, least = median_height(notes, span)
    emitted = total(notes, span, "audio", "jitterBufferEmittedCount")
    waited_s = total(notes, span, "audio", "jitterBufferDelay")
    return Quality(
        concealed=concealed(notes, span),
        silence_s=longest_silence_s(notes, span),
        frozen=frozen_s(notes, span) / span.seconds,
        frozen_by_stats=total(notes, span, "video", "totalFreezesDuration") / span.seconds,
        longest_freeze_s=max(pauses_s(notes, span)),
        fps=count / span.seconds,
        height=height,
        least_height=least,
        sound_wait_ms=1000 * waited_s / emitted if emitted else 0.0,
    )


def _is_good(notes: Notes, span: Span) -> bool:
    return frozen_s(notes, span) == 0 and concealed(notes, span) < CLEAN


def adapted_after_s(notes: Notes, span: Span) -> float | None:
    """How long after the beginning of a span sound is clean and the picture moves for HELD_S; None: never."""
    at_s = span.since_s
    while at_s + HELD_S <= span.until_s:
        if _is_good(notes, Span(at_s, at_s + HELD_S)):
            return at_s - span.since_s
        at_s += _GRID_S
    return None


def risen_after_s(notes: Notes, span: Span, height: int) -> float | None:
    """How long after the beginning of a span the picture moves in its former height for RISEN_S; None: never."""
    at_s = span.since_s
    while at_s + RISEN_S <= span.until_s:
        inner = Span(at_s, at_s + RISEN_S)
        heights = [p.height for p in notes.pictures if inner.since_s <= p.at_s <= inner.until_s]
        if heights and min(heights) >= height and frozen_s(notes, inner) == 0:
            return at_s - span.since_s
        at_s += _GRID_S
    return None


def height_before(notes: Notes, at_s: float) -> int:
    """What was shown in the second before."""
    heights = [p.height for p in notes.pictures if at_s - 1.0 <= p.at_s < at_s]
    return round(statistics.median(heights)) if heights else 0
