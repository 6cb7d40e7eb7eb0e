"""Pre-checks as desks and operators are shown them."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.precheck import CheckedItem, Precheck, Verdict
from conference.model.precheck_figures import Figures, PrecheckItem


@dataclass(frozen=True, slots=True)
class PrecheckItemView:
    """One of the nine items. `faults`: stable codes, the gravest first. `figures` are null where it was skipped;
    `reason` is why it was, or why it was handed in though it failed."""

    item: PrecheckItem
    verdict: Verdict
    faults: tuple[str, ...]
    figures: Figures | None
    reason: str

    @classmethod
    def of(cls, checked: CheckedItem) -> PrecheckItemView:
        judged = checked.judgement
        return cls(checked.item, judged.verdict, judged.faults, checked.figures, checked.reason)


@dataclass(frozen=True, slots=True)
class PrecheckView:
    """A sheet that was handed in. `number` counts those of the venue from 1; `took_ms` is without pauses."""

    id: str
    venue_id: str
    venue: str
    number: int
    by: str
    verdict: Verdict
    took_ms: int
    ended_wall_ms: int
    items: tuple[PrecheckItemView, ...]

    @classmethod
    def of(cls, precheck: Precheck) -> PrecheckView:
        return cls(
            id=precheck.id,
            venue_id=precheck.venue_id,
            venue=precheck.venue,
            number=precheck.number,
            by=precheck.by,
            verdict=precheck.verdict,
            took_ms=precheck.took_ms,
            ended_wall_ms=precheck.ended_wall_ms,
            items=tuple(PrecheckItemView.of(each) for each in precheck.items),
        )


@dataclass(frozen=True, slots=True)
class PrecheckUpdated:
    """To desks that may read them: a venue has handed in another sheet."""

    precheck: PrecheckView
