"""The time of a source: its own clock beside ours, and RTP time stamps that follow it without ever going back. Pure.

A camera's clock may run fast or slow, and begins anew when it is connected again. Sound and picture of one connection
share it: one StreamClock a source, one Stamps a track. Times are in seconds.
"""

from __future__ import annotations

from typing import Final

from conference.rtc.sync import SlidingMinimum

_WINDOW_S: Final = 5.0
_BUCKET_S: Final = 0.1
_ASTRAY_S: Final = 2.0  # a step of stream time so far from the step of ours is none of the stream's course


class StreamClock:
    """Where the source's time lies on our monotonic clock: by what took least on its way in the last seconds."""

    def __init__(self) -> None:
        self._offsets = SlidingMinimum(_WINDOW_S, _BUCKET_S)

    def on_packet(self, stream_s: float, arrival_s: float) -> None:
        """A packet of any track came."""
        offset = arrival_s - stream_s
        known = self._offsets.value
        if known is not None and abs(offset - known) > _ASTRAY_S:
            self._offsets.clear()  # it was set anew, or stood still
        self._offsets.add(arrival_s, offset)

    def our_s(self, stream_s: float) -> float:
        """The same moment on our clock. Never before the first packet."""
        offset = self._offsets.value
        if offset is None:
            raise ValueError("no packet yet")
        return stream_s + offset

    def restart(self) -> None:
        """The source is connected anew."""
        self._offsets.clear()


class Stamps:
    """RTP time of one track, over all connections of its source."""

    def __init__(self, clock_rate: int) -> None:
        self._rate = clock_rate
        self._offset: float | None = None  # stream time to the time that is stamped
        self._last: tuple[float, float] | None = None  # stream time and ours of the packet before
        self._stamp = 0  # extended, the last one given

    def stamp(self, stream_s: float, our_s: float) -> int:
        """The time stamp of a packet, by the source's clock: later than the one before, by how much later it is there.

        Where the source's time steps (it is connected anew, clips are moved) ours says how much later it is.
        """
        last = self._last
        if self._offset is None or last is None:
            self._offset = our_s - stream_s
            self._stamp = int(our_s * self._rate) - 1
        elif abs((stream_s - last[0]) - (our_s - last[1])) > _ASTRAY_S:
            elapsed = max(our_s - last[1], 0.0)
            self._offset = (self._stamp + 1) / self._rate + elapsed - stream_s
        self._last = (stream_s, our_s)
        self._stamp = max(self._stamp + 1, round((stream_s + self._offset) * self._rate))
        return self._stamp & 0xFFFFFFFF

    def jump(self) -> None:
        """What comes next is another place of the source: ours says how much later it is."""
        if self._last is not None:
            self._last = (float("-inf"), self._last[1])

    @property
    def last(self) -> int:
        """The stamp that was given last."""
        return self._stamp & 0xFFFFFFFF
