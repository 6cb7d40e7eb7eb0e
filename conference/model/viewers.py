"""How many watch, from a sample: a few pages give a sign of life now and then, and the share of them is known.

A page draws a random id and takes part while the number in it is below the share that is announced, so that whoever
takes part stays in it when the share falls, and a page cannot choose to be counted more than once. The estimate is the
number of ids of the last period and a half, divided by the share.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

EVERY_S: Final = 30  # between two signs of a page
WINDOW_S: Final = 1.5 * EVERY_S
MOST_A_SECOND: Final = 50
ID_PATTERN: Final = r"^[0-9a-f]{32}$"
_TOO_MANY_A_SECOND: Final = 20.0  # far below the most: pages learn of a smaller share seconds later only
_ENOUGH_A_SECOND: Final = 12.0  # what a smaller share shall leave of them
_FEW_A_SECOND: Final = 7.0
_LOOK_S: Final = 3.0
_ADAPT_S: Final = 0.1
_LEAST_SHARE: Final = 2.0**-20
_KEPT: Final = 20_000  # ids
_OF_ADDRESS: Final = (
    2_000  # pages at one address, the sample's share of them; carriers put thousands behind one
)
_OF_ADDRESS_AT_LEAST: Final = 100  # ids, however small the share is
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Beacon:
    """What pages are asked for: a sign of life every so often, by this share of them."""

    every_s: int
    share: float


@dataclass(frozen=True, slots=True)
class ViewerMinute:
    """A minute of a consultation, by its beginning, UTC. `viewers`: at once, at its end; `arrived`: page views that
    began in it. Both are estimates."""

    consultation_id: str
    minute_wall_ms: int
    viewers: int
    arrived: int


@dataclass(frozen=True, slots=True)
class ViewerTotals:
    """Of a whole consultation: page views, and the most at once."""

    total: int = 0
    peak: int = 0


def place_of(page_id: str) -> float:
    """The number in [0, 1) by which a page takes part."""
    return int(page_id[:8], 16) / 2**32


def rounded(viewers: int) -> int:
    """As people say it: exact below 100, then two figures."""
    if viewers < 100:
        return viewers
    step: int = 10 ** (len(str(viewers)) - 2)
    return (viewers + step // 2) // step * step


def _rate(places: Sequence[float], share: float) -> float:
    """How many a second of those who spoke of late would still, with that share."""
    return sum(place < share for place in places) / _LOOK_S


@dataclass(slots=True)
class _Page:
    seen_s: float
    place: float
    address: str


@dataclass(slots=True)
class Crowd:
    """The viewers of one consultation. `now_s` is monotonic; `there_before`: how many a server that was started anew
    knows of: these do not arrive again."""

    consultation_id: str
    began_s: float
    there_before: int = 0
    share: float = 1.0
    last_s: float = 0.0
    _shares: deque[tuple[float, float]] = field(default_factory=deque)  # until when another one was announced
    _changed_s: float = 0.0
    _adapted_s: float = 0.0
    _pages: OrderedDict[str, _Page] = field(default_factory=OrderedDict)  # the one seen last stands last
    _at_address: Counter[str] = field(default_factory=Counter)
    _signs: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=2_000))  # when, and place
    _minute_ms: int | None = None
    _arrived: float = 0.0
    _unknown: float = 0.0  # of those who were there before, who have not been seen since

    def __post_init__(self) -> None:
        self.last_s = self._changed_s = self.began_s
        self._adapted_s = self.began_s - _ADAPT_S
        self._unknown = float(self.there_before)
        while self.there_before * self.share / EVERY_S > _ENOUGH_A_SECOND and self.share > _LEAST_SHARE:
            self.share /= 2

    # ── signs of life ───────────────────────────────────────────────────────────────────────────

    def seen(self, page_id: str, address: str, now_s: float, wall_ms: int) -> None:
        """A page says that it is there. What comes from an address that says too much is left out."""
        self._begin(wall_ms)
        self.last_s = now_s
        self._forget(now_s)
        place = place_of(page_id)
        page = self._pages.get(page_id)
        if page is None:
            if self._at_address[address] >= max(_OF_ADDRESS_AT_LEAST, int(_OF_ADDRESS * self.share)):
                return
            page = self._pages[page_id] = _Page(now_s, place, address)
            self._at_address[address] += 1
            self._count_arrival(place, now_s)
            if len(self._pages) > _KEPT:
                self._drop(next(iter(self._pages)))
        page.seen_s = now_s
        self._pages.move_to_end(page_id)
        self._signs.append((now_s, place))
        self._adapt(now_s)

    def _count_arrival(self, place: float, now_s: float) -> None:
        share = self._counted_share(now_s)
        if place >= share:
            return
        if self._unknown > 0 and now_s - self.began_s < 2 * WINDOW_S:
            self._unknown -= 1 / share
        else:
            self._arrived += 1 / share

    def _forget(self, now_s: float) -> None:
        """Pages that are gone make room. One that comes back after so long is a new view."""
        while self._pages:
            page_id, page = next(iter(self._pages.items()))
            if now_s - page.seen_s < 2 * WINDOW_S:
                return
            self._drop(page_id)

    def _drop(self, page_id: str) -> None:
        page = self._pages.pop(page_id)
        self._at_address[page.address] -= 1
        if not self._at_address[page.address]:
            del self._at_address[page.address]

    # ── how many are asked ──────────────────────────────────────────────────────────────────────

    def beacon(self, now_s: float) -> Beacon:
        """What to ask for now."""
        self._adapt(now_s)
        return Beacon(EVERY_S, self.share)

    def _adapt(self, now_s: float) -> None:
        """A smaller share at once, as far as those show who would still take part; a larger one a step a window."""
        if now_s - self._adapted_s < _ADAPT_S:
            return
        self._adapted_s = now_s
        recent = [place for at_s, place in self._signs if now_s - at_s < _LOOK_S]
        if _rate(recent, self.share) > _TOO_MANY_A_SECOND:
            share = self.share
            while _rate(recent, share) > _ENOUGH_A_SECOND and share > _LEAST_SHARE:
                share /= 2
            self._change(share, now_s)
        if self.share < 1 and now_s - self._changed_s >= WINDOW_S:
            expected = max(self._there(self.share, now_s) / EVERY_S, self._unknown * self.share / EVERY_S)
            if expected < _FEW_A_SECOND:
                self._change(self.share * 2, now_s)

    def _change(self, share: float, now_s: float) -> None:
        self._shares.append((now_s, self.share))
        self.share, self._changed_s = share, now_s

    def _counted_share(self, now_s: float) -> float:
        """The smallest share of the window: whoever is below it was asked all the time."""
        while self._shares and now_s - self._shares[0][0] >= WINDOW_S:
            self._shares.popleft()
        return min(self.share, min((share for _, share in self._shares), default=1.0))

    def _there(self, share: float, now_s: float) -> int:
        """Ids of the window below that share."""
        count = 0
        for page in reversed(self._pages.values()):
            if now_s - page.seen_s >= WINDOW_S:
                break
            count += page.place < share
        return count

    # ── how many there are ──────────────────────────────────────────────────────────────────────

    def viewers(self, now_s: float) -> int | None:
        """The estimate; None while nobody is known, or a server that was started anew has not heard of all."""
        if self.there_before and now_s - self.began_s < EVERY_S:
            return None
        share = self._counted_share(now_s)
        return round(self._there(share, now_s) / share) or None

    @property
    def arrived(self) -> int:
        """Page views since the last minute that was noted."""
        return round(self._arrived)

    def _begin(self, wall_ms: int) -> None:
        if self._minute_ms is None:
            self._minute_ms = wall_ms - wall_ms % _MINUTE_MS

    def minute(self, now_s: float, wall_ms: int, *, unfinished: bool = False) -> ViewerMinute | None:
        """The minute that is over, once; with `unfinished` the one that goes on. None when nobody was there."""
        if self._minute_ms is None or (wall_ms < self._minute_ms + _MINUTE_MS and not unfinished):
            return None
        viewers, arrived = self.viewers(now_s) or 0, self.arrived
        made = ViewerMinute(self.consultation_id, self._minute_ms, viewers, arrived)
        self._arrived -= arrived
        self._minute_ms = None if unfinished or not viewers else wall_ms - wall_ms % _MINUTE_MS
        return made if viewers or arrived else None
