"""The receiving side of a room: who is offered which tracks, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conference.rtc import sdp

from .feed import PROGRAM
from .participant import Participant
from .publication import Publication, main_camera
from .publishing import CLIENT_OFFER
from .room_error import RoomError
from .subscriber import Subscriber
from .subscription import Subscription, SubscriptionState
from .surroundings import Surroundings
from .transport import TransportState

SUBSCRIBE: Final = "subscribe"


class Subscribing:
    """Owned by the Room, which has the participants."""

    def __init__(
        self, room_id: str, surroundings: Surroundings, participants: Mapping[str, Participant]
    ) -> None:
        self._room_id = room_id
        self._with = surroundings
        self._participants = participants

    def begin(self, participant: Participant, now: float, *, fresh: bool) -> None:
        """Begin to offer the others' tracks; `fresh` begins again on a new connection."""
        old = participant.subscriber
        if old is not None and not fresh and old.transport.state is not TransportState.CLOSED:
            return
        generation = 0
        if old is not None:
            generation = old.generation
            old.on_state = None
            old.close()
        transport = self._with.new_transport(now)
        subscriber = Subscriber(
            transport, lambda: self._with.describe(transport), self._with.counters, generation=generation
        )
        subscriber.on_state = lambda state: self._subscriber_changed(participant, subscriber, state)
        participant.subscriber = subscriber
        for other in self._participants.values():
            if other is not participant:
                for publication in other.publications.values():
                    if participant.takes(publication, other.hall):
                        subscriber.want(publication)
        # Only now: the first offer carries everything that is there.
        subscriber.listen(lambda offer: self._with.listener.offered(self._room_id, participant.id, offer))

    def answer(self, participant: Participant, generation: int, text: str, now: float) -> None:
        """Take the answer to the offer of that generation. Raises RoomError stale or sdp_invalid."""
        if participant.subscriber is None:
            raise RoomError("stale", "no offer is open")
        try:
            if not participant.subscriber.answer(generation, text, now):
                raise RoomError("stale", "the answer is for another offer")
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error

    def pull(
        self,
        participant: Participant,
        target_id: str,
        published: Mapping[str, Publication],
        text: str,
        now: float,
    ) -> str:
        """WHEP: answer an offer to receive the target's microphone and camera, or the program. Raises RoomError."""
        target = self._participants.get(target_id)
        hall = None if target is None else target.hall
        try:
            offer = sdp.parse(text, **CLIENT_OFFER)
            transport = self._with.new_transport(now)
            subscriber = Subscriber(transport, lambda: self._with.describe(transport), self._with.counters)
            try:
                wanted = [
                    each
                    for each in self._wanted(offer, target_id, published)
                    if participant.takes(each[1], hall)
                ]
                answer = subscriber.take_fixed(offer, wanted, now)
            except sdp.SdpError:
                subscriber.close()
                raise
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error
        if participant.subscriber is not None:
            participant.subscriber.on_state = None
            participant.subscriber.close()
        subscriber.on_state = lambda state: self._subscriber_changed(participant, subscriber, state)
        participant.subscriber = subscriber
        return answer

    def _wanted(
        self, offer: sdp.SessionDescription, target_id: str, published: Mapping[str, Publication]
    ) -> list[tuple[str, Publication]]:
        """The first m-line of each kind gets the target's main track; one not there yet is kept a place."""
        wanted: list[tuple[str, Publication]] = []
        sources = ("microphone", "camera") if target_id != PROGRAM else (PROGRAM, PROGRAM)
        for kind, source in zip(("audio", "video"), sources, strict=True):
            mid = next((media.mid for media in offer.media if media.kind == kind and media.receives), None)
            if mid is None:
                continue
            fitting = [p for p in published.values() if (p.kind, p.source) == (kind, source)]
            publication = main_camera(fitting) or next(iter(fitting), None)
            if publication is None:
                publication = Publication("awaited", target_id, kind, source, "", is_open=True)
            wanted.append((mid, publication))
        return wanted

    def _subscriber_changed(
        self, participant: Participant, subscriber: Subscriber, state: TransportState
    ) -> None:
        if participant.subscriber is subscriber:
            self._with.listener.transport_changed(self._room_id, participant.id, SUBSCRIBE, state)

    def note_state(self, subscription: Subscription, was: SubscriptionState) -> None:
        """Tell of what a receiver cannot be sent, and of what it can again."""
        unsupported = SubscriptionState.UNSUPPORTED_CODEC
        if subscription.state is unsupported:
            self._with.counters.unsupported_codec += 1
        elif was is not unsupported:
            return
        receiver = next(
            (
                p
                for p in self._participants.values()
                if p.subscriber is not None and p.subscriber.transport is subscription.transport
            ),
            None,
        )
        if receiver is not None:
            self._with.listener.subscription_changed(
                self._room_id, receiver.id, subscription.publication, subscription.state
            )
