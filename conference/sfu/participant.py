"""Somebody in the room, seen from the media: their two connections, and what they publish and wish for."""

from __future__ import annotations

from collections.abc import Mapping

from .publication import Publication
from .publisher import Publisher
from .subscriber import Subscriber
from .transport import TransportState
from .wishes import Wish


class Participant:
    """Somebody's media in the room; closed by leaving."""

    def __init__(self, participant_id: str, *, sound_open: bool, hears: bool) -> None:
        self.id = participant_id
        self.sound_open = sound_open
        self.hears = hears
        self.hall: frozenset[str] = frozenset()  # names of the hall that it stands in
        self.deaf_to: frozenset[str] = frozenset()  # of the hall whose loudspeakers it feeds
        self.publisher: Publisher | None = None
        self.subscriber: Subscriber | None = None
        self.publications: dict[str, Publication] = {}
        self.wishes: Mapping[str, Wish] | None = None  # by publication; None before the first word of it
        self.orphaned_at: float | None = None
        self.quality = -1

    def takes(self, publication: Publication, hall: frozenset[str] | None) -> bool:
        """Whether it is to receive such a track, out of this hall. None is the program, in which all halls are heard.

        Pictures it may have of every hall; of sound a hall must not get its own, or it hears itself late and howls.
        """
        if publication.kind != "audio":
            return True
        if hall is None:
            return self.hears and not self.deaf_to
        return self.hears and self.deaf_to.isdisjoint(hall)

    def judge(self) -> int | None:
        """Quality by the worse direction: 3 good, 2 fair, 1 weak, 0 lost; None before anything was sent."""
        connections = [c for c in (self.publisher, self.subscriber) if c is not None]
        states = [c.transport.state for c in connections]
        if not states or all(state is TransportState.NEW for state in states):
            return None
        loss = max(c.worst_loss() for c in connections)
        rtt = self.subscriber.rtt_s() if self.subscriber is not None else 0.0
        if any(state in (TransportState.DISCONNECTED, TransportState.CLOSED) for state in states):
            return 0
        if loss > 0.1 or rtt > 0.8:
            return 1
        if loss > 0.03 or rtt > 0.4:
            return 2
        return 3
