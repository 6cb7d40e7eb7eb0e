"""Each receiver's pictures, chosen anew a few times a second: by what it shows, what there is, and what fits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from conference.rtc.layer_selector import MAX_TEMPORAL

from .allocator import HEADROOM, Allocation, Given, Reason, Wanted, allocate
from .demand import Demand
from .rests import Rests
from .subscription import Subscription, SubscriptionState
from .wishes import Wish

if TYPE_CHECKING:
    from .publication import Publication

_BEGINNING_S = 8.0  # in which the estimate is found: what fits is given without waiting
_COLLAPSE = (
    0.7  # of what is sent: with less than that, a large layer is not sent on until the small one begins
)
_TURN_S = 0.5  # between two times for the same receiver, where nothing is urgent
_MAIN, _LARGE, _STRIP = 2, 1, 0
_LARGE_SHARE = 0.25  # of the largest tile's area
_RESTING = Given(None, None, 0, 0, Reason.BANDWIDTH)
_HIDDEN = Given(None, None, 0, 0, Reason.HIDDEN)


class Downstream(Protocol):
    """What is needed of a Subscriber."""

    is_fixed: bool

    def subscriptions(self) -> Iterable[Subscription]: ...

    def available_bps(self, now: float) -> int | None: ...

    def probe_for(self, bps: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What of each picture a receiver is sent, by publication."""

    given: Mapping[str, Given]
    sound_only: bool
    available_bps: int | None


@dataclass(slots=True)
class _Receiver:
    subscriber: Downstream
    since: float
    wishes: Mapping[str, Wish] | None
    allocation: Allocation
    next_turn: float
    told: dict[str, Given]
    available_bps: int | None = None
    rests: Rests = field(default_factory=Rests)


class Adaptation:
    """Owned by the room. `on_change(participant_id, report)` when what somebody is sent looks different."""

    def __init__(self, on_change: Callable[[str, Report], None]) -> None:
        self._on_change = on_change
        self._receivers: dict[str, _Receiver] = {}
        self._demands: WeakKeyDictionary[Publication, Demand] = WeakKeyDictionary()

    def forget(self, participant_id: str) -> None:
        """The participant left."""
        self._receivers.pop(participant_id, None)

    def report(self, participant_id: str) -> Report | None:
        """What somebody is sent now; None before it was looked at."""
        one = self._receivers.get(participant_id)
        return None if one is None else Report(one.told, one.allocation.sound_only, one.available_bps)

    def reports(self) -> list[Report]:
        """The same of all receivers."""
        return [
            Report(one.told, one.allocation.sound_only, one.available_bps) for one in self._receivers.values()
        ]

    def adapt(
        self,
        participant_id: str,
        subscriber: Downstream,
        wishes: Mapping[str, Wish] | None,
        floor_ids: Collection[str],
        now: float,
    ) -> None:
        """Call for every receiver ten times a second or so; mostly there is nothing to do."""
        one = self._receivers.get(participant_id)
        if one is None or one.subscriber is not subscriber:
            one = self._receivers[participant_id] = _Receiver(subscriber, now, wishes, Allocation(), 0.0, {})
        available = subscriber.available_bps(now)
        is_new_wish = one.wishes is not wishes
        is_over = available is not None and available < one.allocation.used_bps
        if now < one.next_turn and not is_new_wish and not is_over:
            return
        one.next_turn = now + _TURN_S
        one.wishes = wishes
        one.available_bps = available
        pictures: list[tuple[Subscription, Wish | None]] = []
        hidden: list[Subscription] = []
        resting: list[Subscription] = []
        sound = 0
        for subscription in subscriber.subscriptions():
            publication = subscription.publication
            if publication.kind == "audio":
                sound += self._demand(publication).sound_bps(publication, now)
            elif subscription.state is SubscriptionState.UNSUPPORTED_CODEC:
                continue
            elif wishes is None or subscriber.is_fixed:
                # A player may be shown small, and is never paused.
                pictures.append((subscription, None if wishes is None else wishes.get(publication.id)))
            elif publication.id in wishes and one.rests.holds(publication.id, available, now):
                resting.append(subscription)
            elif publication.id in wishes:
                pictures.append((subscription, wishes[publication.id]))
            else:
                hidden.append(subscription)
        wanted = self._ranked(pictures, floor_ids, is_kept=subscriber.is_fixed, now=now)
        used = one.allocation.used_bps
        before = one.allocation if now - one.since > _BEGINNING_S else Allocation()
        allocation = self._with_resting(allocate(available, sound, wanted, before, now), resting, now)
        self._note_rests(one, allocation, pictures, available, now)
        one.allocation = allocation
        subscriber.probe_for(int(one.allocation.wished_bps * HEADROOM) if one.allocation.is_short else 0)
        for subscription in (*hidden, *resting):
            subscription.publication.retarget(subscription, None, MAX_TEMPORAL, now)
        is_collapse = available is not None and available < _COLLAPSE * used
        for subscription, _ in pictures:
            publication = subscription.publication
            given = one.allocation.given[publication.id]
            top = MAX_TEMPORAL if given.max_temporal is None else given.max_temporal
            if is_collapse and _is_larger(subscription.layer, given.layer, publication.order):
                publication.retarget(subscription, None, top, now)
            # What has one encoding goes on or rests by itself; asking for it again would begin it anew.
            is_short = len(publication.order) > 1
            publication.retarget(subscription, given.layer, top, now, is_short=is_short)
        self._tell(participant_id, one, hidden, anew=is_new_wish)

    def _with_resting(
        self, allocation: Allocation, resting: Collection[Subscription], now: float
    ) -> Allocation:
        """What rests is wished for, too."""
        if not resting:
            return allocation
        publications = [subscription.publication for subscription in resting]
        wished = sum(self._demand(each).layers(each, now)[-1].bitrate_bps for each in publications)
        given = {**allocation.given, **{each.id: _RESTING for each in publications}}
        return replace(allocation, given=given, wished_bps=allocation.wished_bps + wished)

    def _note_rests(
        self,
        one: _Receiver,
        allocation: Allocation,
        pictures: Iterable[tuple[Subscription, Wish | None]],
        available_bps: int | None,
        now: float,
    ) -> None:
        for subscription, wish in pictures:
            publication = subscription.publication
            if wish is None or len(publication.order) > 1:
                continue
            before = one.allocation.given.get(publication.id)
            was_sent = before is not None and before.layer is not None
            is_sent = allocation.given[publication.id].layer is not None
            if is_sent and not was_sent:
                one.rests.began(publication.id, now)
            elif was_sent and not is_sent:
                one.rests.failed(publication.id, available_bps, now)
        one.rests.keep(allocation.given.keys())

    def _ranked(
        self,
        pictures: Iterable[tuple[Subscription, Wish | None]],
        floor_ids: Collection[str],
        *,
        is_kept: bool,
        now: float,
    ) -> list[Wanted]:
        """Those that count more first: what the viewer says, then the area of the tile."""
        pictures = list(pictures)
        largest = max((wish.width * wish.height for _, wish in pictures if wish is not None), default=0)
        ordered: list[tuple[int, int, Wanted]] = []
        for subscription, wish in pictures:
            publication = subscription.publication
            priority, area = (0, largest) if wish is None else (wish.priority, wish.width * wish.height)
            if priority or publication.source == "screen" or publication.participant_id in floor_ids:
                rank = _MAIN
            else:
                rank = _LARGE if area >= _LARGE_SHARE * largest else _STRIP
            layers = self._demand(publication).layers(publication, now)
            shown = 0 if wish is None else wish.height
            ordered.append((priority, area, Wanted(publication.id, shown, layers, rank, is_kept)))
        ordered.sort(key=lambda each: (-each[0], -each[1], each[2].publication_id))
        return [wanted for _, _, wanted in ordered]

    def _demand(self, publication: Publication) -> Demand:
        demand = self._demands.get(publication)
        if demand is None:
            demand = self._demands[publication] = Demand()
        return demand

    def _tell(
        self, participant_id: str, one: _Receiver, hidden: Iterable[Subscription], *, anew: bool
    ) -> None:
        """A wish is answered in any case: a client that comes back does not know what it was told."""
        told = {
            name: replace(given, cost_bps=0, max_temporal=None)
            for name, given in one.allocation.given.items()
        }
        told.update((subscription.publication.id, _HIDDEN) for subscription in hidden)
        if anew or told != one.told:
            one.told = told  # a new one each time: reports show it
            if not one.subscriber.is_fixed:
                self._on_change(participant_id, Report(told, one.allocation.sound_only, one.available_bps))


def _is_larger(layer: str | None, other: str | None, order: Sequence[str]) -> bool:
    return layer in order and other in order and order.index(layer) > order.index(other)
