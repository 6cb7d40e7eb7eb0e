"""The media side of the rooms: what clients publish, and what the media process reports."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from conference.events import AllocationNow, LayersNow, MediaReset, SubscriptionNow
from conference.model.media import (
    AllocationChanged,
    FeedLost,
    LayersNeeded,
    MediaEvent,
    MediaRestarted,
    PublicationsChanged,
    QualityChanged,
    Source,
    SpeakersChanged,
    SubscriberOffer,
    SubscriptionChanged,
    TapLost,
    TrackHint,
    TrackReport,
    TrackWish,
    TransportChanged,
    TransportState,
)
from conference.model.participant import ParticipantKind
from conference.model.permissions import Action, require
from conference.services.live_room import Listener, LiveRoom, PlaybackReport, Seat
from conference.services.offers import Offers
from conference.services.ports import MediaError
from conference.services.rooms import Rooms

log = structlog.get_logger(__name__)

RoomsEvent = MediaRestarted | TapLost | FeedLost

_SCREEN_SOURCES = frozenset({Source.SCREEN, Source.SCREEN_SOUND})
_QUALITY_MESSAGES = 600  # of one room each time: a third of a core at most
_LOST_STATES = frozenset({TransportState.DISCONNECTED, TransportState.CLOSED})


class MediaSessions:
    """Between the rooms and the media plane. Events of the media process change memory only, never rows."""

    def __init__(self, rooms: Rooms, offers: Offers) -> None:
        self._rooms = rooms
        self._offers = offers
        self._restarted = asyncio.Event()
        self._emptied: frozenset[str] = frozenset()  # rooms that a new media process does not know
        self._followers: list[Callable[[RoomsEvent], None]] = []
        # By room and participant: what the room is not told yet.
        self._qualities: dict[str, dict[str, int]] = {}
        rooms.media.listen(self.receive)

    def follow(self, receive: Callable[[RoomsEvent], None]) -> None:
        """Call `receive` with what concerns no participant; it never waits, and ignores what is not its own."""
        self._followers.append(receive)

    async def publish(self, room_id: str, participant_id: str, sdp: str, hints: tuple[TrackHint, ...]) -> str:
        """Take a client's publish offer; returns the answer."""
        room, seat = self._seat(room_id, participant_id)
        require(seat.participant.role, Action.MEDIA_PUBLISH)
        if any(hint.source in _SCREEN_SOURCES for hint in hints):
            require(seat.participant.role, Action.MEDIA_SCREEN)
        media = self._rooms.media
        seat.layers.clear()  # on a new connection all are needed until others are told
        try:
            answer, publications = await media.publish(room_id, participant_id, sdp, hints)
        except MediaError as error:
            if error.code != "not_found":
                raise
            # The media process was away for a moment when this participant came in.
            await self._rooms.join_media(room_id, seat.participant)
            await self._offers.begin(room, seat)
            answer, publications = await media.publish(room_id, participant_id, sdp, hints)
        if publications != seat.publications and room.seats.get(participant_id) is seat:
            seat.publications = publications
            room.changed([participant_id])
        return answer

    async def restart(self, room_id: str, participant_id: str) -> None:
        """The client wants its subscribe connection anew."""
        room, seat = self._seat(room_id, participant_id)
        await self._offers.begin(room, seat, fresh=True)

    async def wish(self, room_id: str, participant_id: str, wishes: tuple[TrackWish, ...]) -> None:
        """The pictures that the client shows now, instead of those before."""
        self._seat(room_id, participant_id)
        await self._rooms.media.wish(room_id, participant_id, wishes)

    def report(
        self, room_id: str, participant_id: str, tracks: tuple[TrackReport, ...], interval_ms: int
    ) -> None:
        """How the client played what it received in the last `interval_ms`; kept until the next report."""
        _, seat = self._seat(room_id, participant_id)
        at_s = self._rooms.clock.monotonic()
        seat.playback = PlaybackReport(at_s, interval_ms, {each.publication_id: each for each in tracks})

    def _seat(self, room_id: str, participant_id: str) -> tuple[LiveRoom, Seat]:
        room = self._rooms.find(room_id)
        if room is None:
            raise MediaError("not_found", f"room {room_id}")
        return room, room.receiver(participant_id)

    # ── what the media process reports ──────────────────────────────────────────────────────────

    def receive(self, event: MediaEvent) -> None:
        """Called on the event loop, in order; never waits."""
        if isinstance(event, MediaRestarted):
            self._emptied |= event.room_ids
            self._restarted.set()
        if isinstance(event, RoomsEvent):
            for follow in self._followers:
                follow(event)
            return
        room = self._rooms.find(event.room_id)
        if room is None:
            return
        if isinstance(event, SpeakersChanged):
            room.set_speakers(event.speakers)
            return
        if isinstance(event, TransportChanged) and event.participant_id in room.listeners:
            self._transport_changed(room.listeners[event.participant_id], event.state)
            return
        seat = room.seats.get(event.participant_id) or room.screens.get(event.participant_id)
        if seat is None:
            return
        match event:
            case SubscriberOffer():
                self._offers.made(seat, event)
            case PublicationsChanged():
                if event.publications != seat.publications:
                    seat.publications = event.publications
                    room.changed([seat.id])
            case QualityChanged():
                if seat.id in room.seats:
                    self._qualities.setdefault(room.id, {})[seat.id] = event.quality
                else:
                    seat.quality = event.quality
            case SubscriptionChanged():
                if seat.session_id is not None:
                    state = SubscriptionNow(event.publication_id, event.state)
                    self._rooms.publisher.send(seat.session_id, state)
            case AllocationChanged():
                if seat.session_id is not None:
                    now = AllocationNow(event.tracks, event.sound_only, event.available_bps)
                    self._rooms.publisher.send(seat.session_id, now)
            case LayersNeeded():
                seat.layers[event.publication_id] = event.layers
                if seat.session_id is not None:
                    needed = LayersNow(event.publication_id, event.layers)
                    self._rooms.publisher.send(seat.session_id, needed)
            case TransportChanged():
                if seat.participant.kind is ParticipantKind.WHIP and self._transport_changed(
                    seat, event.state
                ):
                    room.changed([seat.id])

    async def tell_qualities(self) -> None:
        """Tell rooms how their people's connections are now; call a few times a second.

        Each is told to all. When a link that many share is bad for a moment, three hundred change at once, and all
        else that the room has to say would wait for seconds behind them: so they come a few at a time, each as it is
        by then.
        """
        for room_id, waiting in tuple(self._qualities.items()):
            room = self._rooms.find(room_id)
            if room is None:
                waiting.clear()
            else:
                most = max(1, _QUALITY_MESSAGES // max(1, len(room.seats)))
                changed: list[str] = []
                while waiting and len(changed) < most:
                    participant_id = next(iter(waiting))
                    quality = waiting.pop(participant_id)
                    seat = room.seats.get(participant_id)
                    if seat is not None and seat.quality != quality:
                        seat.quality = quality
                        changed.append(participant_id)
                room.changed(changed)
            if not waiting:
                del self._qualities[room_id]

    def _transport_changed(self, peer: Seat | Listener, state: TransportState) -> bool:
        """Follow the transport of a peer without a socket; true when its presence changed."""
        was_lost = peer.lost_at_s is not None
        if state is TransportState.CONNECTED:
            peer.connect_by_s = None
            peer.lost_at_s = None
        elif state in _LOST_STATES and not was_lost:
            peer.lost_at_s = self._rooms.clock.monotonic()
        return was_lost != (peer.lost_at_s is not None)

    # ── a new media process ─────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """Bring every room into each new media process; runs until cancelled."""
        while True:
            await self._restarted.wait()
            self._restarted.clear()
            emptied, self._emptied = self._emptied, frozenset()
            for room in self._rooms.all():
                if room.id in emptied:
                    await self._replay(room.id)

    async def _replay(self, room_id: str) -> None:
        """Join those who are connected, with their gates as the rows say, and tell them to connect anew."""
        if self._rooms.find(room_id) is None:
            return
        async with self._rooms.locked(room_id) as room:
            now_s = self._rooms.clock.monotonic()
            room.set_speakers(())
            for listener in room.listeners.values():
                listener.lost_at_s = now_s
            for seat in room.receivers():
                await self._replay_seat(room, seat, now_s)

    async def _replay_seat(self, room: LiveRoom, seat: Seat, now_s: float) -> None:
        seat.offer = None
        seat.quality = None
        seat.layers.clear()
        had_publications, seat.publications = bool(seat.publications), ()
        if seat.participant.kind is ParticipantKind.WHIP:
            seat.lost_at_s = now_s if seat.lost_at_s is None else seat.lost_at_s
            room.changed([seat.id])
            return
        if had_publications:
            room.changed([seat.id])
        if seat.session_id is None:
            return  # joined when the client comes back
        try:
            await self._rooms.join_media(room.id, seat.participant)
        except MediaError as error:
            log.warning("media.replay_failed", room=room.id, code=error.code)
            return  # that media process is gone as well: its successor replays again
        self._rooms.publisher.send(seat.session_id, MediaReset(self._rooms.media.epoch(room.id)))
        await self._offers.begin(room, seat)
