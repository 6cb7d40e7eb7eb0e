"""RTP time to program time: publishers' clocks are minutes apart, and only their reports tie sound to picture.

One ClockGroup for all streams of a participant that share a CNAME, one TrackClock a stream. Times are seconds;
`arrival_s` is the media process' monotonic clock, and so is what TrackClock.time_s answers; ProgramTime has the rest.

- A sender report says which NTP time an RTP time is. The publisher's clock is placed by the smallest (arrival - NTP) of
  the last minute: what took least on the way is nearest to the truth.
- Before the first report, and where reports are absurd, the smallest (arrival - RTP time) of the last seconds does.
- Corrections are slewed by at most 2 % of the time that passes, so that sound and picture never jump or go back. Only
  where a stream itself jumps (its sender paused or began anew) the place is taken as it is found, and counted.
"""

from __future__ import annotations

from collections import deque

from .reception import unix_time

SLEW = 0.02
_REPORT_WINDOW_S = 60.0
_ARRIVAL_WINDOW_S = 5.0
_BUCKET_S = 0.1
_FASTER_S = 0.25  # no way gets shorter by that much at once: the publisher's clock was set forward
_SLOWER_S = 1.0  # twice in a row: it was set back
_TRUSTED_S = 3.0  # a report may differ so much from what arrivals say
_STEP_S = 1.0  # an error that slewing would take a minute for is no drift
_ASTRAY_S = (
    10.0  # a time stamp so far from all others is a fault, or, with a second one beside it, a new beginning
)


class SlidingMinimum:
    """The smallest value of the last `window_s`, with at most one entry for each `bucket_s`."""

    def __init__(self, window_s: float, bucket_s: float = 0.0) -> None:
        self._window_s = window_s
        self._bucket_s = bucket_s
        self._entries: deque[tuple[float, float]] = deque()  # (when, value), values going up

    def add(self, now: float, value: float) -> None:
        """`now` never goes back by more than packets are out of order."""
        entries = self._entries
        while entries and entries[-1][1] >= value:
            entries.pop()
        if not entries or now - entries[-1][0] >= self._bucket_s:
            entries.append((now, value))
        while len(entries) > 1 and entries[0][0] < now - self._window_s:
            entries.popleft()

    @property
    def value(self) -> float | None:
        return self._entries[0][1] if self._entries else None

    def clear(self) -> None:
        self._entries.clear()


class ClockGroup:
    """A publisher's wall clock against ours. `life` counts how often it was set: older reports are void then."""

    def __init__(self) -> None:
        self.life = 0
        self._minimum = SlidingMinimum(_REPORT_WINDOW_S)
        self._slower = 0

    def on_report(self, ntp_s: float, arrival_s: float) -> None:
        """A report of any stream of the group."""
        offset = arrival_s - ntp_s
        known = self._minimum.value
        if known is not None:
            self._slower = self._slower + 1 if offset > known + _SLOWER_S else 0
            if offset < known - _FASTER_S or self._slower >= 2:
                self.life += 1
                self._slower = 0
                self._minimum.clear()
        self._minimum.add(arrival_s, offset)

    @property
    def offset_s(self) -> float | None:
        """To be added to the publisher's NTP time; None before the first report."""
        return self._minimum.value


class TrackClock:
    """One stream. Feed it every packet as it arrives and every report, then ask it for the times of frames in order."""

    def __init__(self, clock_rate: int, group: ClockGroup) -> None:
        """`clock_rate` in Hz, as in tap_frames.Open. Raises ValueError where it is not positive."""
        if clock_rate <= 0:
            raise ValueError("clock rate")
        self.jumps = 0  # times that the place was taken anew
        self._rate = clock_rate
        self._group = group
        self._arrivals = SlidingMinimum(_ARRIVAL_WINDOW_S, _BUCKET_S)
        self._last = -1  # extended RTP time of the last packet; -1 before the first
        self._report: tuple[float, int] | None = None  # NTP minus RTP time, life of the group
        self._offset: float | None = None  # what is added to RTP time in seconds now
        self._stray: float | None = None
        self._asked = 0.0  # RTP time in seconds up to which times were given

    def on_packet(self, rtp_timestamp: int, arrival_s: float) -> None:
        """A packet came, in order or not."""
        extended = self._extend(rtp_timestamp)
        value = arrival_s - extended / self._rate
        known = self._arrivals.value
        if known is not None and abs(value - known) > _ASTRAY_S:
            if self._stray is None or abs(value - self._stray) > _STEP_S:
                self._stray = value
                return
            self._arrivals.clear()
            self._report = None
            self._last = extended
        self._stray = None
        self._last = max(self._last, extended)
        self._arrivals.add(arrival_s, value)

    def on_report(self, ntp: int, rtp_timestamp: int, arrival_s: float) -> None:
        """A sender report of this stream came; `ntp` 0 says that its sender has no clock."""
        if ntp == 0:
            return
        ntp_s = unix_time(ntp)
        self._group.on_report(ntp_s, arrival_s)
        if self._last < 0:
            self._last = self._extend(rtp_timestamp)
        self._report = (ntp_s - self._extend(rtp_timestamp) / self._rate, self._group.life)

    def time_s(self, rtp_timestamp: int) -> float | None:
        """When this was captured, on the media process' monotonic clock.

        Later RTP times get later answers, but after a jump. None before the first packet, and for a time stamp that is
        far from those of all other packets.
        """
        target = self._target()
        at = self._extend(rtp_timestamp) / self._rate
        if target is None or abs(at - self._last / self._rate) > _ASTRAY_S:
            return None
        if self._offset is None:
            self._offset = target
            self._asked = at
        elif abs(target - self._offset) > _STEP_S:
            self._offset = target
            self._asked = max(self._asked, at)
            self.jumps += 1
        elif at > self._asked:
            most = (at - self._asked) * SLEW
            self._offset += max(-most, min(most, target - self._offset))
            self._asked = at
        return at + self._offset

    def _target(self) -> float | None:
        arrived = self._arrivals.value
        offset = self._group.offset_s
        if self._report is None or offset is None or self._report[1] != self._group.life:
            return arrived
        reported = self._report[0] + offset
        if arrived is not None and abs(reported - arrived) > _TRUSTED_S:
            return arrived
        return reported

    def _extend(self, rtp_timestamp: int) -> int:
        """32 bits made to go on: the reading that lies nearest to the last packet's."""
        if self._last < 0:
            return 1 << 32 | rtp_timestamp
        ahead = (rtp_timestamp - self._last) & 0xFFFFFFFF
        return self._last + (ahead if ahead < 0x80000000 else ahead - 0x100000000)


class ProgramTime:
    """The last Clock frame: the monotonic clock in program time."""

    def __init__(self) -> None:
        self._base: tuple[int, int] | None = None

    def set(self, monotonic_us: int, program_time_ms: int) -> None:
        self._base = (monotonic_us, program_time_ms)

    def at_ms(self, monotonic_s: float) -> float:
        """Program time in ms, fractions kept. Raises ValueError before the first Clock frame."""
        if self._base is None:
            raise ValueError("no clock yet")
        monotonic_us, program_time_ms = self._base
        return program_time_ms + monotonic_s * 1000 - monotonic_us / 1000
