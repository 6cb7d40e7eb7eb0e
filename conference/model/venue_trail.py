"""How a venue fared over the session: one sample a minute, and what changed when. Pure, and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from conference.model.media_report import Path
from conference.model.venue_health import VenueReason, VenueVerdict

MINUTE_MS: Final = 60_000
KEPT_MINUTES: Final = 12 * 60
KEPT_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen of a venue at one moment. Loss is a share of 1; None is unknown."""

    uplink_bps: int
    loss: float
    rtt_ms: int | None


@dataclass(frozen=True, slots=True)
class Minute:
    """The mean of a minute that began at `at_ms`, UTC; `worst_loss` is the highest that was seen in it. A minute in
    which nothing was seen has none of these."""

    at_ms: int
    uplink_bps: int
    loss: float
    worst_loss: float
    rtt_ms: int | None


@dataclass(frozen=True, slots=True)
class VenueEvent:
    """Something that explains a plot, at `at_ms`, UTC: another verdict, or another way through the network."""

    at_ms: int
    verdict: VenueVerdict | None = None
    reason: VenueReason | None = None
    path: Path | None = None


class VenueTrail:
    """Of one venue. Twelve hours at most."""

    def __init__(self) -> None:
        self._minutes: deque[Minute] = deque(maxlen=KEPT_MINUTES)
        self._events: deque[VenueEvent] = deque(maxlen=KEPT_EVENTS)
        self._now: list[Sample] = []
        self._now_ms = 0  # beginning of the minute that is being filled
        self._verdict: tuple[VenueVerdict, VenueReason] | None = None
        self._path: Path | None = None
        self._last_ms = 0

    @property
    def last_ms(self) -> int:
        """When something was last taken, UTC; 0 for never."""
        return self._last_ms

    def take(self, at_ms: int, sample: Sample) -> None:
        """Another look, not earlier than the one before."""
        minute_ms = at_ms - at_ms % MINUTE_MS
        if minute_ms != self._now_ms:
            self._close()
            self._now_ms = minute_ms
        self._now.append(sample)
        self._last_ms = at_ms

    def judged(self, at_ms: int, verdict: VenueVerdict, reason: VenueReason) -> None:
        """What is shown of it now; kept when it is another."""
        if (verdict, reason) != self._verdict:
            if self._verdict is not None:
                self._events.append(VenueEvent(at_ms, verdict, reason))
            self._verdict = verdict, reason
            self._last_ms = at_ms

    def took_way(self, at_ms: int, path: Path) -> None:
        """How its media comes; kept when it is another than before."""
        if path is not Path.NONE and path is not self._path:
            if self._path is not None:
                self._events.append(VenueEvent(at_ms, path=path))
            self._path = path

    def minutes(self, count: int = KEPT_MINUTES) -> tuple[Minute, ...]:
        """The last ones, oldest first, the one that is being filled included."""
        all_of = list(self._minutes)
        if self._now:
            all_of.append(_mean(self._now_ms, self._now))
        return tuple(all_of[-count:])

    def events(self) -> tuple[VenueEvent, ...]:
        """Oldest first."""
        return tuple(self._events)

    def _close(self) -> None:
        if self._now:
            self._minutes.append(_mean(self._now_ms, self._now))
        self._now = []


def _mean(at_ms: int, samples: list[Sample]) -> Minute:
    times = [each.rtt_ms for each in samples if each.rtt_ms is not None]
    return Minute(
        at_ms=at_ms,
        uplink_bps=round(_of(each.uplink_bps for each in samples)),
        loss=round(_of(each.loss for each in samples), 4),
        worst_loss=round(max(each.loss for each in samples), 4),
        rtt_ms=round(_of(times)) if times else None,
    )


def _of(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)
