"""What of each picture one receiver gets, given how much may be sent to it: pure, called again and again.

Sound is paid first. Pictures of a higher rank are served whole before those of a lower one; among equals everybody is
given the least before anybody is given more. A picture loses half of its frames before it loses size, and more of them
only where it has no smaller size. What falls falls at once; what rises needs headroom for some time, unless the
receiver itself asked for more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby
from typing import Final

HEADROOM: Final = 1.2  # times what it costs must be there before more is sent
HOLD_S: Final = 2.0  # and for so long

_ENOUGH: Final = 0.75  # of the shown height: a picture may be stretched by a third
_MINIMUM_STRETCH: Final = 1.25  # times the budget that the dearest picture's least may cost


class Reason(StrEnum):
    """Why a picture comes as it does; the values are conference.model.media.AllocationReason's."""

    SIZE = "size"
    BANDWIDTH = "bandwidth"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Layer:
    """An encoding. Of one that is not active, height and bit rate are expected ones.

    `temporal`: the share of the bit rate up to each temporal layer, rising to 1.
    """

    name: str
    height: int
    bitrate_bps: int
    is_active: bool = True
    temporal: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A picture that is shown `shown_height` pixels high (0: as large as there is), and its layers, the smallest
    first, one at least. One `is_kept` is never paused."""

    publication_id: str
    shown_height: int
    layers: tuple[Layer, ...]
    rank: int = 0
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What is sent of a picture. `max_temporal`: the highest temporal layer, counted from 0, None for all of them."""

    layer: str | None
    max_temporal: int | None
    height: int
    cost_bps: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Allocation:
    """All of it. `wished_bps`: what it would take to send everything as large as it is shown."""

    given: Mapping[str, Given] = field(default_factory=dict)
    used_bps: int = 0
    wished_bps: int = 0
    rising_since: float | None = None  # for the next call

    @property
    def is_short(self) -> bool:
        """Something is less than it is shown."""
        return any(one.reason is Reason.BANDWIDTH for one in self.given.values())

    @property
    def sound_only(self) -> bool:
        """Pictures are shown, and none fits."""
        return bool(self.given) and all(one.layer is None for one in self.given.values())


def allocate(
    available_bps: int | None,
    sound_bps: int,
    wanted: Sequence[Wanted],
    previous: Allocation,
    now: float,
) -> Allocation:
    """Share `available_bps` (None: no limit is known); of equal rank, those named first go first.

    With more bandwidth, the first of its decisions that falls out otherwise falls out for more.
    """
    ladders = [_Ladder(one) for one in sorted(wanted, key=lambda one: -one.rank)]
    wished = sound_bps + sum(max(ladder.costs[-1], ladder.expected_bps) for ladder in ladders)
    if available_bps is None:
        tops = [len(ladder.costs) - 1 for ladder in ladders]
        return _result(ladders, tops, None, sound_bps, wished, None)
    budget = max(0, available_bps - sound_bps)
    steps, decided = _fill(budget, ladders, [ladder.cap(previous) for ladder in ladders])
    rising_since = None
    if any(step < len(ladder.costs) - 1 for step, ladder in zip(steps, ladders, strict=True)):
        no_caps = [len(ladder.costs) for ladder in ladders]
        better, would_decide = _fill(int(budget / HEADROOM), ladders, no_caps)
        if would_decide > decided:
            rising_since = now if previous.rising_since is None else previous.rising_since
            if now - rising_since >= HOLD_S:
                steps, rising_since = better, None
    return _result(ladders, steps, budget, sound_bps, wished, rising_since)


class _Ladder:
    """What one picture can be sent as, step by step, each dearer than the one before."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        layers = wanted.layers
        enough = _ENOUGH * wanted.shown_height
        last = len(layers) - 1
        self.needed = last
        if wanted.shown_height:
            self.needed = next((i for i, each in enumerate(layers) if each.height >= enough), last)
        self.steps: list[tuple[int, int | None]] = []  # the layer's place, and the highest temporal layer
        self.costs: list[int] = []
        active = [i for i, each in enumerate(layers) if each.is_active]
        small = [i for i in active if i <= self.needed]
        if small:
            for i in small:
                self._add(i, layers[i])
        elif active:
            self._add(self.needed, layers[active[0]])  # the larger one comes until the right one is there
        else:
            self.steps.append((0, None))  # nothing comes: asking costs nothing
            self.costs.append(0)
        self.expected_bps = layers[self.needed].bitrate_bps

    def _add(self, place: int, source: Layer) -> None:
        last = len(source.temporal) - 1
        for temporal, share in enumerate(source.temporal):
            cost = max(1, int(source.bitrate_bps * share))
            if temporal == last:
                while self.costs and self.costs[-1] >= cost:
                    del self.costs[-1], self.steps[-1]
            elif self.costs and (self.costs[-1] >= cost or temporal < last - 1):
                continue
            self.steps.append((place, None if temporal == last else temporal))
            self.costs.append(cost)

    def cap(self, previous: Allocation) -> int:
        """The highest step that needs no headroom: what it had, where it was short."""
        free = len(self.costs)
        before = previous.given.get(self.wanted.publication_id)
        if before is None or before.reason is not Reason.BANDWIDTH:
            return free
        if before.layer is None:
            return -1
        names = [each.name for each in self.wanted.layers]
        if before.layer not in names:
            return free
        had = (names.index(before.layer), _order(before.max_temporal))
        return max(
            (i for i, (place, top) in enumerate(self.steps) if (place, _order(top)) <= had),
            default=0,
        )


def _order(max_temporal: int | None) -> int:
    return 1 << 8 if max_temporal is None else max_temporal


def _fill(budget: int, ladders: Sequence[_Ladder], caps: Sequence[int]) -> tuple[list[int], list[bool]]:
    """Each picture's step, -1 for none; and every decision in the order in which they were made."""
    steps = [-1] * len(ladders)
    decided: list[bool] = []
    used = 0
    for _, group in groupby(range(len(ladders)), key=lambda i: ladders[i].wanted.rank):
        places = list(group)
        for step in range(max(len(ladders[i].costs) for i in places)):
            for i in places:
                costs = ladders[i].costs
                if step >= len(costs):
                    continue
                total = used + costs[step] - (costs[step - 1] if step else 0)
                limit = budget * _MINIMUM_STRETCH if step == i == 0 else budget
                is_taken = steps[i] == step - 1 and step <= caps[i] and total <= limit
                if step == 0 and ladders[i].wanted.is_kept:
                    is_taken = True
                if is_taken:
                    steps[i] = step
                    used = total
                decided.append(is_taken)
    return steps, decided


def _result(
    ladders: Sequence[_Ladder],
    steps: Sequence[int],
    budget: int | None,
    sound_bps: int,
    wished_bps: int,
    rising_since: float | None,
) -> Allocation:
    used = sum(ladder.costs[step] for ladder, step in zip(ladders, steps, strict=True) if step >= 0)
    left = None if budget is None else budget - used
    given: dict[str, Given] = {}
    for ladder, step in zip(ladders, steps, strict=True):
        wanted = ladder.wanted
        if step < 0:
            given[wanted.publication_id] = Given(None, None, 0, 0, Reason.BANDWIDTH)
            continue
        place, top = ladder.steps[step]
        cost = ladder.costs[step]
        reason = Reason.BANDWIDTH if step < len(ladder.costs) - 1 else Reason.SIZE
        target = place
        if top is None and place < ladder.needed:
            above = ladder.needed + 1 if step == len(ladder.costs) - 1 else ladder.steps[step + 1][0]
            target, left = _reach(ladder, range(place, above), cost, left)
            if target < ladder.needed:
                reason = Reason.BANDWIDTH
        given[wanted.publication_id] = Given(
            wanted.layers[target].name, top, wanted.layers[place].height, cost, reason
        )
    return Allocation(given, sound_bps + used, wished_bps, rising_since)


def _reach(ladder: _Ladder, places: range, cost: int, left: int | None) -> tuple[int, int | None]:
    """The best layer that does not come yet and that there would be room for: it is asked for with what is left over
    only, because it may never come. Returns its place (the first one for none), and what is left then."""
    for target in reversed(places[1:]):
        extra = max(0, ladder.wanted.layers[target].bitrate_bps - cost)
        if left is None:
            return target, None
        if extra * HEADROOM <= left:
            return target, left - extra
    return places[0], left
