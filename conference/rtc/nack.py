"""Lost packets: which ones to ask the sender for, and how often to answer receivers that ask us (RFC 4585)."""

from __future__ import annotations

REORDER_DELAY_S = 0.010  # a gap may fill by itself
RETRY_S = 0.050  # doubles with every try
MAX_TRIES = 4
MAX_MISSING = 1000
_MAX_BEHIND = 1000  # older than this is no late packet but another numbering

_HISTORY = 1024  # packets whose resends are remembered
_HISTORY_S = 10.0  # after this a sequence number is a new packet


class NackGenerator:
    """What is missing from one incoming RTP stream.

    `overflow` is set when packets were given up in bulk: the caller asks for a keyframe and clears it.
    """

    __slots__ = ("_jump", "_missing", "_next", "_wake_at", "given_up", "overflow", "recovered")

    def __init__(self) -> None:
        self._next = -1  # the sequence number that would be in order; -1 before the first packet
        self._missing: dict[int, tuple[float, int]] = {}  # seq -> (ask at, tries so far), oldest first
        self._wake_at = 0.0  # no entry is due before this
        self._jump = -1  # what would confirm a numbering that began anew
        self.overflow = False
        self.given_up = 0
        self.recovered = 0  # missing packets that came, by themselves or asked for

    def on_packet(self, seq: int, now: float, *, recovered: bool = False) -> None:
        """A packet of the stream came; `recovered` when it came as RTX."""
        expected = self._next
        if seq == expected:
            self._next = (seq + 1) & 0xFFFF
            return
        ahead = (seq - expected) & 0xFFFF
        if expected < 0:
            if not recovered:
                self._next = (seq + 1) & 0xFFFF
        elif ahead >= 0x8000:
            if self._missing.pop(seq, None) is not None:
                self.recovered += 1
            elif ahead < 0x10000 - _MAX_BEHIND and not recovered:
                self._on_stray(seq)
        elif ahead > MAX_MISSING:
            if not recovered:
                self._restart(seq)
        else:
            self._on_gap(expected, ahead, now)
            self._next = (seq + 1) & 0xFFFF

    def due(self, now: float, rtt_s: float) -> list[int]:
        """Sequence numbers to ask for now, in order. Those asked for often enough are given up."""
        missing = self._missing
        if not missing or now < self._wake_at:
            return []
        asked: list[int] = []
        given_up: list[int] = []
        wake_at = now + RETRY_S
        for seq, (ask_at, tries) in missing.items():
            if ask_at > now:
                wake_at = min(wake_at, ask_at)
            elif tries >= MAX_TRIES:
                given_up.append(seq)
            else:
                asked.append(seq)
                missing[seq] = (now + max(RETRY_S * (1 << tries), rtt_s), tries + 1)
        for seq in given_up:
            del missing[seq]
        self.given_up += len(given_up)
        self._wake_at = wake_at
        return asked

    def next_deadline(self) -> float | None:
        """When `due` may have something; None while nothing is missing."""
        return self._wake_at if self._missing else None

    @property
    def missing(self) -> int:
        """How many packets are missing now."""
        return len(self._missing)

    def _on_gap(self, first: int, size: int, now: float) -> None:
        missing = self._missing
        excess = len(missing) + size - MAX_MISSING
        if excess > 0:
            for seq in list(missing)[:excess]:
                del missing[seq]
            self.given_up += excess
            self.overflow = True
        entry = (now + REORDER_DELAY_S, 0)
        if not missing or entry[0] < self._wake_at:
            self._wake_at = entry[0]
        for seq in range(first, first + size):
            missing[seq & 0xFFFF] = entry

    def _on_stray(self, seq: int) -> None:
        """Far behind: two in a row mean that the sender began anew (RFC 3550, A.1)."""
        if seq == self._jump:
            self._restart(seq)
        else:
            self._jump = (seq + 1) & 0xFFFF

    def _restart(self, seq: int) -> None:
        self.given_up += len(self._missing)
        self._missing.clear()
        self._next = (seq + 1) & 0xFFFF
        self._jump = -1
        self.overflow = True


class RtxLimiter:
    """How much may be sent again to one receiver: per packet by count and spacing, together by a share of the rate.

    Without it a thin link that drops packets gets more of them, which it drops.
    """

    __slots__ = ("_credit", "_credit_at", "_history", "_media_bps", "_share", "refused", "sent")

    def __init__(self, share: float = 0.3, media_bps: float = 500_000.0) -> None:
        self._share = share
        self._media_bps = media_bps
        self._credit = self._burst_bits()
        self._credit_at: float | None = None
        self._history: dict[int, tuple[int, float]] = {}  # seq -> (resends, last one at)
        self.sent = 0
        self.refused = 0

    def set_media_rate(self, media_bps: float) -> None:
        """The media rate towards this receiver in bit/s; call it every second or so."""
        self._media_bps = max(100_000.0, media_bps)

    def allow(self, seq: int, size: int, now: float) -> bool:
        """Whether packet `seq` of `size` bytes may be sent again now; counts it when so."""
        resends, last_at = self._history.get(seq, (0, 0.0))
        if resends and now - last_at > _HISTORY_S:
            resends = 0
        if resends >= MAX_TRIES or (resends and now - last_at < RETRY_S * (1 << (resends - 1))):
            self.refused += 1
            return False
        if self._credit_at is None:
            self._credit_at = now
        earned = max(0.0, now - self._credit_at) * self._media_bps * self._share
        self._credit = min(self._burst_bits(), self._credit + earned)
        self._credit_at = now
        if self._credit < size * 8:
            self.refused += 1
            return False
        self._credit -= size * 8
        self._history.pop(seq, None)
        if len(self._history) >= _HISTORY:
            del self._history[next(iter(self._history))]
        self._history[seq] = (resends + 1, now)
        self.sent += 1
        return True

    def _burst_bits(self) -> float:
        """Half a second of media: a keyframe's worth."""
        return max(256_000.0, self._media_bps / 2)
