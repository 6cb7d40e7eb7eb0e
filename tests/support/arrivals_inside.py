"""What participants of a room see of it while others come in: when packets came, and whether any are missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.peer import STAMP, Peer


@dataclass(frozen=True)
class Seen:
    """Of all publications: the longest gap between two packets, how much longer one was than at its sender, and the
    longest way of one (in ms); packets, and numbers that never came."""

    gap_ms: float
    added_gap_ms: float
    way_ms: float
    packets: int
    missing: int


class Watch:
    """Notes arrivals by the kernel's clock, so that a watcher that is late itself sees no gap."""

    def __init__(self, peers: Sequence[Peer]) -> None:
        self._peers = peers
        self._came: dict[int, list[tuple[int, int]]] = {}  # by stream: when, and when it was sent
        for peer in peers:
            peer.on_rtp = self._note

    def _note(self, stream: InboundStream, packet: bytes, arrival_ns: int) -> None:
        if packet[-12:-8] == STAMP:
            sent_ns = int.from_bytes(packet[-8:], "big")
            self._came.setdefault(stream.ssrc, []).append((arrival_ns, sent_ns))

    def end(self) -> Seen:
        """What was seen until now."""
        for peer in self._peers:
            peer.on_rtp = None
        gaps, added, ways = [0], [0], [0]
        for came in self._came.values():
            ways += [arrival - sent for arrival, sent in came]
            for before, after in pairwise(came):
                gap = after[0] - before[0]
                gaps.append(gap)
                added.append(gap - max(0, after[1] - before[1]))
        return Seen(
            gap_ms=max(gaps) / 1e6,
            added_gap_ms=max(added) / 1e6,
            way_ms=max(ways) / 1e6,
            packets=sum(map(len, self._came.values())),
            missing=sum(stream.gaps for peer in self._peers for stream in peer.media_streams()),
        )
