"""The limit of a receiver that tells a rate instead of when packets arrive (draft-alvestrand-rmcat-remb-03)."""

from __future__ import annotations

_HOLDS_S = 5.0
_DOUBT = 3.0
_FALL = 0.9
_RISE = 1.02
_TRIAL_S = 10.0  # a fall so soon after more was offered is the answer to it
_LEAST_WAIT_S = 4.0
_MOST_WAIT_S = 64.0


class ToldRate:
    """Such a rate rises to half above what comes in, and falls where a queue grows.

    It does not show whether the next layer would pass, which costs three times the one below. So a multiple of it is
    the limit, until it falls or does not rise to what is sent: then it is taken by its word, for longer each time.
    """

    def __init__(self) -> None:
        self._told: tuple[int, float] | None = None
        self._highest = 0  # since the last fall
        self._careful_until = float("-inf")
        self._wait_s = _LEAST_WAIT_S

    def take(self, bps: int, sent_bps: float, now: float) -> None:
        """What the receiver says now, and what it was sent lately."""
        self._highest = max(self._highest, bps)
        is_rising = self._told is not None and bps > _RISE * self._told[0]
        if bps < _FALL * self._highest or (bps < _FALL * sent_bps and not is_rising):
            self._highest = bps
            if now >= self._careful_until:
                is_answer = now - self._careful_until < _TRIAL_S
                self._wait_s = min(_MOST_WAIT_S, 2 * self._wait_s) if is_answer else _LEAST_WAIT_S
            self._careful_until = now + self._wait_s
        self._told = (bps, now)

    def limit_bps(self, now: float) -> int | None:
        """What may be sent; None where nothing was told lately."""
        if self._told is None or now - self._told[1] >= _HOLDS_S:
            return None
        return self._told[0] if now < self._careful_until else int(_DOUBT * self._told[0])
