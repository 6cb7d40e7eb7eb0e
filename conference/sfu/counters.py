"""Counts of one media process, for /metrics. Rare things are counted where they happen; packets by the doors."""

from __future__ import annotations

from collections import Counter


class Counters:
    """`drops` by reason; everything else by the name that /metrics shows."""

    def __init__(self) -> None:
        self.drops: Counter[str] = Counter()
        self.nacks_received = 0
        self.nacks_sent = 0
        self.packets_resent = 0
        self.packets_recovered = 0
        self.plis_received = 0
        self.plis_sent = 0
        self.unsupported_codec = 0
        self.handshakes_failed = 0
        self.tap_dropped = 0
