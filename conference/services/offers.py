"""Offers to subscribers: at most one outstanding per participant, made again when it is not answered."""

from __future__ import annotations

import structlog

from conference.events import MediaOffered
from conference.model.media import SubscriberOffer
from conference.services.live_room import LiveRoom, OutstandingOffer, Seat
from conference.services.ports import MediaError
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)


class Offers:
    """Carries the media process' offers to clients and their answers back."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def begin(self, room: LiveRoom, seat: Seat, *, fresh: bool = False) -> None:
        """Ask for offers; one that was under way when the last session broke is sent again instead."""
        if seat.offer is not None and not fresh:
            self._deliver(seat, seat.offer)
            return
        try:
            await self._rooms.media.subscribe(room.id, seat.id, fresh=fresh)
        except MediaError as error:
            log.warning("media.subscribe_failed", room=room.id, code=error.code)

    def made(self, seat: Seat, offer: SubscriberOffer) -> None:
        """The media process made an offer; it voids the one before."""
        patience_s = seat.offer.patience_s if seat.offer else self._rooms.limits.offer_patience_s
        seat.offer = OutstandingOffer(offer, deadline_s=None, patience_s=patience_s)
        self._deliver(seat, seat.offer)

    async def answered(self, room_id: str, participant_id: str, generation: int, sdp: str) -> None:
        """Hand the client's answer over. MediaError when it is stale or no good: then the offer is made again."""
        room = self._rooms.find(room_id)
        seat = (room.seats.get(participant_id) or room.screens.get(participant_id)) if room else None
        if seat is None or seat.offer is None or seat.offer.offer.generation != generation:
            raise MediaError("stale", f"generation {generation}")
        answered = seat.offer
        await self._rooms.media.answer(room_id, participant_id, generation, sdp)
        if seat.offer is answered:  # the next offer may have come meanwhile
            seat.offer = None

    async def repeat_overdue(self) -> None:
        """Offer anew, on a fresh transport, where no answer came in time; each time with more patience."""
        now_s = self._rooms.clock.monotonic()
        for room in self._rooms.all():
            for seat in room.receivers():
                overdue = seat.offer
                if overdue is None or overdue.deadline_s is None or now_s < overdue.deadline_s:
                    continue
                overdue.deadline_s = None
                overdue.patience_s = min(overdue.patience_s * 2, self._rooms.limits.max_offer_patience_s)
                await self.begin(room, seat, fresh=True)

    def _deliver(self, seat: Seat, outstanding: OutstandingOffer) -> None:
        if seat.session_id is None:
            return
        outstanding.deadline_s = self._rooms.clock.monotonic() + outstanding.patience_s
        offer = outstanding.offer
        self._rooms.publisher.send(seat.session_id, MediaOffered(offer.sdp, offer.generation, offer.tracks))
