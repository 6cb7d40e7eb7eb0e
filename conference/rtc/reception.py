"""Reception of one RTP stream for receiver reports, and NTP time (RFC 3550, sections 4, 6.4 and appendix A)."""

from __future__ import annotations

from conference.rtc.rtcp import ReportBlock

_MAX_DROPOUT = 3000
_MAX_MISORDER = 100
_NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970


def ntp_time(wall_s: float) -> int:
    """Unix time in seconds as 64-bit NTP time."""
    return int((wall_s + _NTP_EPOCH_S) * 4_294_967_296) & 0xFFFFFFFFFFFFFFFF


def unix_time(ntp: int) -> float:
    """64-bit NTP time as Unix time in seconds; the era is the one that 1968 to 2104 lie in (RFC 4330)."""
    seconds = ntp / 4_294_967_296 - _NTP_EPOCH_S
    return seconds if ntp >> 63 else seconds + 4_294_967_296


def middle_bits(ntp: int) -> int:
    """The 32 bits of an NTP time that reports carry, in 1/65536 s."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip_s(block: ReportBlock, ntp_now: int) -> float | None:
    """Seconds there and back from a report on our stream; None when it knows no sender report of ours."""
    if block.lsr == 0:
        return None
    elapsed = (middle_bits(ntp_now) - block.lsr - block.dlsr) & 0xFFFFFFFF
    if elapsed >= 0x80000000:  # clocks are coarse: slightly negative is none
        return 0.0 if elapsed >= 0xFFFF0000 else None
    return elapsed / 65536


class ReceptionStatistics:
    """Counts for one SSRC. Feed it what arrived as itself, not what RTX brought back."""

    __slots__ = (
        "_bad_seq",
        "_base_seq",
        "_clock_rate",
        "_expected_prior",
        "_highest",
        "_jitter",
        "_last_rtp_ts",
        "_lsr",
        "_received_prior",
        "_sr_at",
        "_transit",
        "octets",
        "received",
    )

    def __init__(self, clock_rate: int) -> None:
        self._clock_rate = clock_rate
        self.received = 0
        self.octets = 0
        self._highest = -1  # extended: cycles << 16 | seq; -1 before the first packet
        self._base_seq = 0
        self._bad_seq = -1
        self._expected_prior = 0
        self._received_prior = 0
        self._jitter = 0.0
        self._transit = 0
        self._last_rtp_ts = -1
        self._lsr = 0
        self._sr_at = 0.0

    def on_packet(self, seq: int, rtp_ts: int, arrival_s: float, size: int) -> None:
        """A packet came. `size` in bytes, counted as `octets`."""
        highest = self._highest
        ahead = (seq - highest) & 0xFFFF
        if highest < 0:
            self._restart(seq)
        elif 0 < ahead < _MAX_DROPOUT:
            self._highest = highest + ahead
        elif ahead and ahead <= 0x10000 - _MAX_MISORDER:
            if seq != self._bad_seq:
                self._bad_seq = (seq + 1) & 0xFFFF
                return
            self._restart(seq)
        self.received += 1
        self.octets += size
        if rtp_ts != self._last_rtp_ts:  # the packets of one picture share a time stamp and leave in a row
            transit = int(arrival_s * self._clock_rate) - rtp_ts
            if self._last_rtp_ts >= 0:
                difference = (transit - self._transit) & 0xFFFFFFFF
                if difference >= 0x80000000:
                    difference = 0x100000000 - difference
                self._jitter += (difference - self._jitter) / 16
            self._transit = transit
            self._last_rtp_ts = rtp_ts

    def on_sender_report(self, ntp: int, now: float) -> None:
        """A sender report of this SSRC came."""
        self._lsr = middle_bits(ntp)
        self._sr_at = now

    @property
    def highest_seq(self) -> int:
        """Extended highest sequence number; 0 before the first packet."""
        return max(self._highest, 0)

    @property
    def expected(self) -> int:
        return self._highest - self._base_seq + 1 if self._highest >= 0 else 0

    @property
    def lost(self) -> int:
        """Packets missing so far; negative when more came twice than went missing."""
        return self.expected - self.received

    @property
    def jitter(self) -> int:
        """Interarrival jitter in RTP ticks."""
        return int(self._jitter)

    def report_block(self, ssrc: int, now: float) -> ReportBlock:
        """What to report now. The fraction lost is that since the last call."""
        expected = self.expected
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self.received - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self.received
        fraction = 0
        if expected_interval > 0 and lost_interval > 0:
            fraction = min(255, (lost_interval << 8) // expected_interval)
        return ReportBlock(
            ssrc=ssrc,
            fraction_lost=fraction,
            lost=max(-0x800000, min(0x7FFFFF, self.lost)),
            highest_seq=self.highest_seq & 0xFFFFFFFF,
            jitter=min(self.jitter, 0xFFFFFFFF),
            lsr=self._lsr,
            dlsr=min(0xFFFFFFFF, max(0, int((now - self._sr_at) * 65536))) if self._lsr else 0,
        )

    def _restart(self, seq: int) -> None:
        self._base_seq = seq
        self._highest = seq
        self._bad_seq = -1
        self.received = 0
        self.octets = 0
        self._expected_prior = 0
        self._received_prior = 0
        self._last_rtp_ts = -1
