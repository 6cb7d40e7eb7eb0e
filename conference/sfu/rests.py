"""Pictures of one encoding that did not fit soon after they came back: they rest, longer each time.

To come back they need a keyframe, which everybody gets, and which is what does not fit a thin link: without a rest it
would be asked for again as soon as it has passed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

_LEAST_S = 5.0
_MOST_S = 60.0
_SOON_S = 15.0  # after it came back
_WIDER = 2.0  # times what there was: another link, which knows nothing of the failure


@dataclass(slots=True)
class _Rest:
    began: float = float("-inf")  # to be sent
    until: float = float("-inf")
    wait_s: float = 0.0
    available_bps: int = 0


class Rests:
    """Of one receiver, by publication."""

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}

    def holds(self, publication_id: str, available_bps: int | None, now: float) -> bool:
        """Whether the picture is not to be tried yet."""
        rest = self._rests.get(publication_id)
        if rest is None or now >= rest.until or available_bps is None:
            return False
        return available_bps < _WIDER * rest.available_bps

    def began(self, publication_id: str, now: float) -> None:
        """It is sent from now on."""
        self._rests.setdefault(publication_id, _Rest()).began = now

    def failed(self, publication_id: str, available_bps: int | None, now: float) -> None:
        """It is sent no more, because it does not fit."""
        rest = self._rests.setdefault(publication_id, _Rest())
        is_soon = now - rest.began < _SOON_S
        rest.wait_s = min(_MOST_S, max(_LEAST_S, 2 * rest.wait_s)) if is_soon else _LEAST_S
        rest.until = now + rest.wait_s
        rest.available_bps = available_bps or 0

    def keep(self, publication_ids: Collection[str]) -> None:
        """The others are gone."""
        for gone in self._rests.keys() - set(publication_ids):
            del self._rests[gone]
