"""What a speaker is told of losses: those on the way to us, and those on the way on to the listeners.

A browser puts what came before into each packet of sound once again (RFC 6716, section 2.1.7) only as far as reports
say that packets get lost. Reports of its own way alone would leave listeners on bad links without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from conference.rtc.rtcp import ReportBlock

MOST: Final = 51
"""In 1/256: a listener whose link is hopeless shall not take more of everybody's sound than this."""


def told_loss(block: ReportBlock, onward: Iterable[float]) -> ReportBlock:
    """`onward`: the share that each listener lost last, 0 to 1. Only the fraction grows: what a sender counts from the
    other fields, which is the rate of its own link, stays as it is."""
    worst = max(onward, default=0.0)
    together = round(256 * worst + block.fraction_lost * (1.0 - worst))
    return replace(block, fraction_lost=max(block.fraction_lost, min(MOST, together)))
