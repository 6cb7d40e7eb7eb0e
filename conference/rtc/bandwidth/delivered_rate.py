"""The rate at which packets come out at the receiver."""

from __future__ import annotations

from collections import deque

_WINDOW_S = 0.5
_LEAST_SPAN_S = 0.1
_PAUSE_S = 2.0  # after this another measurement begins


class DeliveredRate:
    """Bits a second over the last half second of the receiver's clock; None before there is so much."""

    def __init__(self) -> None:
        self.bps: float | None = None
        self._points: deque[tuple[float, int]] = deque()
        self._bytes = 0  # of all points but the first, which only says where the window begins

    def update(self, arrival_s: float, size_bytes: int) -> None:
        """So many bytes had come by `arrival_s`."""
        points = self._points
        if points and arrival_s - points[-1][0] > _PAUSE_S:
            self.clear()
        if points and arrival_s <= points[-1][0]:
            last, size = points.pop()  # told late: it belongs somewhere before
            arrival_s, counted = last, size_bytes + size
            if points:
                self._bytes -= size
        else:
            counted = size_bytes
        if points:
            self._bytes += counted
        points.append((arrival_s, counted))
        while len(points) > 2 and arrival_s - points[1][0] >= _WINDOW_S:
            points.popleft()
            self._bytes -= points[0][1]
        span = arrival_s - points[0][0]
        if span >= _LEAST_SPAN_S:
            self.bps = 8 * self._bytes / span

    def restart(self) -> None:
        """Something between was not told: measure from here on, and say the last rate until then."""
        self._points.clear()
        self._bytes = 0

    def clear(self) -> None:
        """Begin anew: what comes now has nothing to do with what came before."""
        self.restart()
        self.bps = None
