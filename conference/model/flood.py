"""Floods: the same again and again, by one device or by many."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

from conference.model.comment import Reason

REPEAT_S: Final = 600.0  # one device, the same words
FLOOD_S: Final = 60.0  # any devices, the same words
FLOOD_COUNT: Final = 20
_SHORT_CHARS: Final = 4  # 支持, 赞: many people say just that
_KEPT: Final = 50_000


class FloodGate:
    """Remembers folded texts for a while, those said last. Times are monotonic seconds."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._kept = kept
        self._said: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._heard: OrderedDict[str, deque[float]] = OrderedDict()

    def judge(self, device_hash: str, folded: str, now_s: float) -> Reason | None:
        """Count this one; why it is too much, if it is."""
        own = device_hash, folded
        before_s = self._said.pop(own, None)
        self._said[own] = now_s
        if len(self._said) > self._kept:
            self._said.popitem(last=False)
        times = self._heard.pop(folded, None) or deque(maxlen=FLOOD_COUNT)
        is_flood = len(times) == FLOOD_COUNT and now_s - times[0] < FLOOD_S
        times.append(now_s)
        self._heard[folded] = times
        if len(self._heard) > self._kept:
            self._heard.popitem(last=False)
        if before_s is not None and now_s - before_s < REPEAT_S:
            return Reason("repeat")
        return Reason("flood") if is_flood and len(folded) > _SHORT_CHARS else None
