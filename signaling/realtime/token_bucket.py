"""Rates: a bucket that refills with time."""

from __future__ import annotations

from collections import OrderedDict


class TokenBucket:
    """Allows `burst` at once and `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._updated_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Whether one more is allowed now."""
        if self._updated_s is not None:
            self._level = min(self._burst, self._level + (now_s - self._updated_s) * self._rate)
        self._updated_s = now_s
        if self._level < 1:
            return False
        self._level -= 1
        return True


class TokenBuckets:
    """One bucket per key, for the `max_keys` keys seen last."""

    def __init__(self, rate: float, burst: float, max_keys: int = 10_000) -> None:
        self._rate = rate
        self._burst = burst
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, key: str, now_s: float) -> bool:
        """Whether one more of this key is allowed now."""
        bucket = self._buckets.pop(key, None) or TokenBucket(self._rate, self._burst)
        self._buckets[key] = bucket
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return bucket.take(now_s)
