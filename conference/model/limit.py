"""A rate limit: how often something may happen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` times within any `per_s` seconds. `name` keeps the counts of limits apart."""

    name: str
    amount: int
    per_s: float
