"""In this process: rate limits as exact sliding windows, and the registry of a node that is alone."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from typing import Final

from conference.clock import Clock
from conference.model.claim import Elsewhere, Hold, NodeState
from conference.model.limit import Limit

MAX_KEYS: Final = 100_000  # of one limit; who floods us with keys pushes out the oldest
_LEAST_WAIT_S: Final = 0.001  # a refusal is never 0.0, nor longer than the window, whatever rounding does


class MemoryRateLimits:
    """Implements services.ports.RateLimits.

    The library `limits` is not used: its memory storage reads the wall clock, which an administrator may set
    back by an hour, and starts a thread for each key whenever it tidies up.
    """

    def __init__(self, clock: Clock, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._windows: dict[str, OrderedDict[str, deque[float]]] = {}  # the key counted last stands last

    async def hit(self, limit: Limit, key: str) -> float:
        now_s = self._clock.monotonic()
        windows = self._windows.setdefault(limit.name, OrderedDict())
        self._tidy(windows, now_s - limit.per_s)
        times = windows.get(key)
        if times is None:
            times = windows[key] = deque()
        _forget(times, now_s - limit.per_s)
        if len(times) >= limit.amount:
            return min(limit.per_s, max(_LEAST_WAIT_S, times[0] + limit.per_s - now_s))
        times.append(now_s)
        windows.move_to_end(key)
        if len(windows) > self._max_keys:
            windows.popitem(last=False)
        return 0.0

    async def remaining(self, limit: Limit, key: str) -> int:
        windows = self._windows.get(limit.name)
        times = windows.get(key) if windows is not None else None
        if times is None:
            return limit.amount
        _forget(times, self._clock.monotonic() - limit.per_s)
        return max(0, limit.amount - len(times))

    async def reset(self, limit: Limit, key: str) -> None:
        windows = self._windows.get(limit.name)
        if windows is not None:
            windows.pop(key, None)

    @staticmethod
    def _tidy(windows: OrderedDict[str, deque[float]], before_s: float) -> None:
        """Drop the keys whose last hit does not count any more."""
        while windows:
            key, times = next(iter(windows.items()))
            if times and times[-1] > before_s:
                return
            del windows[key]


def _forget(times: deque[float], before_s: float) -> None:
    while times and times[0] <= before_s:
        times.popleft()


class MemoryPresence:
    """Implements services.ports.PresenceRegistry for a node that is alone: it holds every room."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._held: set[str] = set()

    @property
    def node(self) -> str:
        return self._node

    @property
    def is_shared(self) -> bool:
        return False

    @property
    def is_up(self) -> bool:
        return True

    def elsewhere(self) -> Mapping[str, Elsewhere]:
        return {}

    def nodes(self) -> tuple[NodeState, ...]:
        return ()

    async def claim(self, room_id: str, *, only_ours: bool = False) -> Hold:
        if only_ours and room_id not in self._held:
            return Hold("", is_ours=False)
        hold = Hold(self._node, is_ours=True, is_new=room_id not in self._held)
        self._held.add(room_id)
        return hold

    async def release(self, room_id: str) -> None:
        self._held.discard(room_id)

    async def renew(self, present: Mapping[str, int], *, is_draining: bool = False) -> set[str]:
        return set()
