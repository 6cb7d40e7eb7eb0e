"""One row with one server: settle on the wide link, go through the steps, mend the link, measure."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.net_links.measure import (
    Quality,
    Span,
    adapted_after_s,
    height_before,
    quality,
    risen_after_s,
)
from benchmarks.net_links.meeting import Meeting
from benchmarks.net_links.rows import WIDE, Row, Step
from benchmarks.net_links.watch import Notes
from tests.support.link import LinkReport

SETTLE_S = 4.0
MENDED_S = 30.0
"""How long a picture may take to be as large as before once the link is wide again."""
_LOOK_S = 1.0


@dataclass(frozen=True)
class Load:
    """Of the steps with a rate: what was put on the link, by what fits through it, and what its queue dropped."""

    offered: float
    dropped: float


@dataclass(frozen=True)
class Outcome:
    """One run. `down_s`, `up_s`: None when it did not happen; -1 where the row has nothing to measure."""

    row: str
    title: str
    target: str
    quality: Quality
    load: Load | None
    down_s: float | None
    up_s: float | None
    height_before: int
    facts: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """As a line."""
        return asdict(self)


async def run_row(meeting: Meeting, row: Row) -> Outcome:
    """The meeting is new, and is closed afterwards."""
    try:
        await meeting.open()
        await asyncio.sleep(SETTLE_S)
        began_s = await meeting.now_s()
        meeting.facts["publishing_before"] = await meeting.publishing()
        reports = [await _set(meeting, row, Step(0, WIDE))]
        for step in row.steps:
            reports.append(await _set(meeting, row, step))
            await asyncio.sleep(step.seconds)
        reports.append(await _set(meeting, row, Step(0, WIDE)))
        ended_s = await meeting.now_s()
        meeting.facts["publishing_after"] = await meeting.publishing()
        before = height_before(await meeting.notes(), began_s)
        await _mended(meeting, row, began_s, before)
        notes = await meeting.notes()
        return _outcome(meeting, row, notes, Span(began_s, ended_s), before, reports[1:])
    finally:
        await meeting.close()


async def _set(meeting: Meeting, row: Row, step: Step) -> LinkReport:
    assert meeting.link is not None
    up, down = (step.media, step.back) if row.side == "up" else (step.back, step.media)
    return await asyncio.to_thread(meeting.link.set, up=up, down=down)


def _up_since_s(row: Row, began_s: float) -> float:
    assert row.up_at is not None
    return began_s + row.starts_s(row.up_at)


async def _mended(meeting: Meeting, row: Row, began_s: float, before: int) -> None:
    """Wait until the picture is as large as before, if that is measured."""
    if row.up_at is None:
        return
    until_s = await meeting.now_s() + MENDED_S
    while (now_s := await meeting.now_s()) < until_s:
        span = Span(_up_since_s(row, began_s), now_s)
        if risen_after_s(await meeting.notes(), span, before) is not None:
            return
        await asyncio.sleep(_LOOK_S)


def _outcome(
    meeting: Meeting, row: Row, notes: Notes, span: Span, before: int, reports: list[LinkReport]
) -> Outcome:
    down_s: float | None = -1.0
    up_s: float | None = -1.0
    if row.down_at is not None:
        down_s = adapted_after_s(notes, Span(span.since_s + row.starts_s(row.down_at), span.until_s))
    if row.up_at is not None:
        since_s = _up_since_s(row, span.since_s)
        up_s = risen_after_s(notes, Span(since_s, notes.samples[-1].at_s), before)
        if row.down_at is None:
            down_s = adapted_after_s(notes, Span(since_s, notes.samples[-1].at_s))
    return Outcome(
        row.name,
        row.title,
        meeting.name,
        quality(notes, span),
        load_of(row, reports),
        down_s,
        up_s,
        before,
        meeting.facts,
    )


def load_of(row: Row, reports: list[LinkReport]) -> Load | None:
    """`reports`: at the beginning of each step, and after the last. None where no step has a rate."""
    offered = capacity = 0.0
    packets = dropped = 0
    for step, before, after in zip(row.steps, reports, reports[1:], strict=False):
        if not step.media.rate_bps:
            continue
        one, two = (before.up, after.up) if row.side == "up" else (before.down, after.down)
        offered += 8 * (two.bytes - one.bytes)
        capacity += step.media.rate_bps * step.seconds
        packets += two.packets - one.packets
        dropped += two.queue_drops - one.queue_drops
    return Load(offered / capacity, dropped / max(1, packets)) if capacity else None
