"""The media process' work: rooms, driven by messages from the web process and by time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from conference.model.media import PROGRAM_TARGET
from conference.net.directory import TransportDirectory
from conference.net.doors import Doors
from conference.net.feed_socket import FeedSocket
from conference.net.tap_socket import TapSocket
from conference.rtc.dtls import DtlsCertificate
from conference.sfu.adaptation import Report
from conference.sfu.counters import Counters
from conference.sfu.feed import Feed
from conference.sfu.publication import Publication, main_camera
from conference.sfu.room import Room
from conference.sfu.room_error import RoomError
from conference.sfu.subscriber import Offer
from conference.sfu.subscription import SubscriptionState
from conference.sfu.surroundings import Surroundings
from conference.sfu.tap import Tap
from conference.sfu.track_hint import TrackHint
from conference.sfu.transport import TransportState
from conference.sfu.trial import Trials
from conference.sfu.wishes import Wish

from . import messages
from .room_report import read_page
from .settings import MediaSettings
from .statistics import collect

log = logging.getLogger("media")


class Node:
    """All rooms of one media process. `emit` sends an event to the web process."""

    def __init__(self, settings: MediaSettings, emit: Callable[[messages.Event], None]) -> None:
        self.counters = Counters()
        self.directory = TransportDirectory()
        self.doors = Doors(self.directory, self.counters)
        self.rooms: dict[str, Room] = {}
        self.loop_lag_s = 0.0
        self._taps: dict[tuple[str, str], TapSocket] = {}  # by room and name
        self._feeds: dict[tuple[str, str], FeedSocket] = {}  # by room and participant
        self._settings = settings
        self._emit = emit
        self._surroundings: Surroundings | None = None
        self._trials: Trials | None = None
        self._next_log = 0.0

    async def open(self) -> int:
        """Bind the sockets; returns the port. Raises OSError when it is taken."""
        await self.doors.open(self._settings.host, self._settings.port)
        self._surroundings = Surroundings(
            certificate=DtlsCertificate(),
            directory=self.directory,
            counters=self.counters,
            candidates=self.doors.candidates(self._settings.addresses, self._settings.shared_tcp_port),
            listener=self,
            max_participants=self._settings.max_participants,
            max_tracks=self._settings.max_tracks,
            process=self._settings.number,
        )
        with_ = self._surroundings
        self._trials = Trials(
            with_.certificate, self.directory, self.counters, with_.candidates, with_.process
        )
        return self.doors.port

    async def close(self) -> None:
        """Say goodbye to every peer and give the sockets back."""
        for room in self.rooms.values():
            room.close()
        self.rooms.clear()
        if self._trials is not None:
            self._trials.close()
        for sink in self._taps.values():
            sink.flush()
            sink.abort()
        self._taps.clear()
        for source in self._feeds.values():
            source.close()
        self._feeds.clear()
        await self.doors.close()

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        for room in list(self.rooms.values()):
            try:
                room.tick(now)
            except Exception:  # one room must not stop the others
                self.counters.drops["tick_failed"] += 1
                if now >= self._next_log:
                    self._next_log = now + 1.0
                    log.exception("the tick of a room failed")
        if self._trials is not None:
            self._trials.tick(now)
        self.doors.flush()

    # ── requests ────────────────────────────────────────────────────────────────────────────────

    def handle(self, request: messages.Request) -> messages.Result:
        """Carry out one request; refusals come back as Failure."""
        try:
            result = self._handle(request, time.monotonic())
        except RoomError as error:
            result = messages.Failure(error.code, str(error))
        self.doors.flush()
        return result

    def _handle(self, request: messages.Request, now: float) -> messages.Result:
        match request:
            case messages.Join(room_id, participant_id, sound_open, hears, hall, deaf_to):
                self._room(room_id, create=True).join(
                    participant_id, sound_open=sound_open, hears=hears, hall=hall, deaf_to=deaf_to
                )
            case messages.Leave(room_id, participant_id):
                room = self.rooms.get(room_id)
                self._close_feed(room_id, participant_id)
                if room is not None:
                    room.leave(participant_id)
                    self._drop_if_unneeded(room)
            case messages.Publish(room_id, participant_id, sdp, hints):
                by_mid = {hint.mid: TrackHint(hint.source, hint.label, hint.main) for hint in hints}
                text, publications = self._room(room_id).publish(participant_id, sdp, by_mid, now)
                return messages.Published(text, _describe(publications))
            case messages.Subscribe(room_id, participant_id, fresh):
                self._room(room_id).subscribe(participant_id, now, fresh=fresh)
            case messages.Answer(room_id, participant_id, generation, sdp):
                self._room(room_id).answer(participant_id, generation, sdp, now)
            case messages.Pull(room_id, participant_id, target_id, sdp):
                return messages.Description(self._room(room_id).pull(participant_id, target_id, sdp, now))
            case messages.Trickle(room_id, participant_id, fragment):
                return messages.Description(self._room(room_id).trickle(participant_id, fragment) or "")
            case messages.TryOut(sdp):
                if self._trials is None:
                    raise RoomError("media_unavailable", "the media process is not open")
                return messages.Description(self._trials.answer(sdp, now))
            case messages.SetSound(room_id, participant_id, is_open):
                self._room(room_id).set_sound(participant_id, is_open=is_open)
            case messages.Wish(room_id, participant_id, wishes):
                by_id = {one.publication_id: Wish(one.width, one.height, one.priority) for one in wishes}
                self._room(room_id).wish(participant_id, by_id)
            case messages.Focus(room_id, floor_ids, chair_ids):
                room = self.rooms.get(room_id)
                if room is not None:
                    room.focus(floor_ids, chair_ids)
            case messages.Tap():
                self._tap(request, now)
            case messages.Untap(room_id, name):
                room = self.rooms.get(room_id)
                if room is not None:
                    room.drop_tap(name)
                    self._taps.pop((room_id, name), None)
                    self._drop_if_unneeded(room)
            case messages.Feed(room_id, path, participant_id):
                self._feed(room_id, path, participant_id, now)
            case messages.Unfeed(room_id, participant_id):
                self._unfeed(room_id, participant_id)
            case messages.GetRoomReport(room_id, after):
                return messages.RoomReport(*read_page(self._room(room_id), after, now))
            case messages.GetStatistics():
                return messages.Statistics(
                    collect(tuple(self.rooms.values()), self.doors, self.counters, self.loop_lag_s)
                )
        return messages.Done()

    def _room(self, room_id: str, *, create: bool = False) -> Room:
        room = self.rooms.get(room_id)
        if room is None:
            if not create or self._surroundings is None:
                raise RoomError("not_found", "no such room")
            room = self.rooms[room_id] = Room(room_id, self._surroundings)
        return room

    def _drop_if_unneeded(self, room: Room) -> None:
        if not room.is_needed:
            self.rooms.pop(room.id, None)

    # ── taps ────────────────────────────────────────────────────────────────────────────────────

    def _tap(self, request: messages.Tap, now: float) -> None:
        room_id, name = request.room_id, request.name
        try:
            sink = TapSocket(
                request.path,
                on_keyframe=lambda number: tap.request_keyframe(number, time.monotonic()),
                on_height=lambda number, height: tap.want_height(number, height, time.monotonic()),
                on_lost=lambda: self._tap_lost(room_id, name, tap),
            )
        except OSError as error:
            raise RoomError("tap_unreachable", f"nobody takes the tap: {error}") from error
        tap = Tap(
            sink,
            self.counters,
            program_time_ms=request.program_time_ms,
            at_s=request.at_s,
            now=now,
            sources=request.sources,
        )
        self._room(room_id, create=True).set_tap(name, tap, now)
        self._taps[room_id, name] = sink

    def _tap_lost(self, room_id: str, name: str, tap: Tap) -> None:
        room = self.rooms.get(room_id)
        if room is None or room.taps.get(name) is not tap:
            return
        room.drop_tap(name)
        del self._taps[room_id, name]
        self._drop_if_unneeded(room)
        self._emit(messages.TapLost(room_id, name))

    # ── feeds ───────────────────────────────────────────────────────────────────────────────────

    def _feed(self, room_id: str, path: str, participant_id: str, now: float) -> None:
        room = self._room(room_id, create=participant_id == PROGRAM_TARGET)
        try:
            source = FeedSocket(
                path,
                on_frame=lambda frame, now: feed.take(frame, now),
                flush=self.doors.flush,
                on_lost=lambda: self._feed_lost(room_id, participant_id, feed),
            )
        except OSError as error:
            self._drop_if_unneeded(room)
            raise RoomError("feed_unreachable", f"nobody sends the feed: {error}") from error
        try:
            feed = room.begin_feed(participant_id, source.ask_keyframe, now)
        except RoomError:
            source.close()
            raise
        self._close_feed(room_id, participant_id)
        self._feeds[room_id, participant_id] = source

    def _unfeed(self, room_id: str, participant_id: str) -> None:
        self._close_feed(room_id, participant_id)
        room = self.rooms.get(room_id)
        if room is not None:
            room.drop_feed(participant_id)
            self._drop_if_unneeded(room)

    def _close_feed(self, room_id: str, participant_id: str) -> None:
        source = self._feeds.pop((room_id, participant_id), None)
        if source is not None:
            source.close()

    def _feed_lost(self, room_id: str, participant_id: str, feed: Feed) -> None:
        room = self.rooms.get(room_id)
        if room is not None and room.lose_feed(participant_id, feed, time.monotonic()):
            self._close_feed(room_id, participant_id)
            self._drop_if_unneeded(room)
            self._emit(messages.FeedLost(room_id, participant_id))

    # ── events (conference.sfu.surroundings.Listener) ───────────────────────────────────────────────────

    def offered(self, room_id: str, participant_id: str, offer: Offer) -> None:
        tracks = tuple(
            messages.Slot(mid, publication.participant_id, publication.id, publication.source)
            for mid, publication in offer.slots
        )
        self._emit(messages.Offer(room_id, participant_id, offer.generation, offer.text, tracks))

    def transport_changed(
        self, room_id: str, participant_id: str, direction: str, state: TransportState
    ) -> None:
        self._emit(messages.Transport(room_id, participant_id, direction, state.value))

    def publications_changed(
        self, room_id: str, participant_id: str, publications: Sequence[Publication]
    ) -> None:
        self._emit(messages.Publications(room_id, participant_id, _describe(publications)))

    def speakers_changed(self, room_id: str, speakers: Sequence[tuple[str, int]]) -> None:
        self._emit(
            messages.Speakers(room_id, tuple(messages.Speaking(who, level) for who, level in speakers))
        )

    def quality_changed(self, room_id: str, participant_id: str, quality: int) -> None:
        self._emit(messages.Quality(room_id, participant_id, quality))

    def subscription_changed(
        self, room_id: str, participant_id: str, publication: Publication, state: SubscriptionState
    ) -> None:
        self._emit(messages.Subscription(room_id, participant_id, publication.id, state.value))

    def layers_needed(
        self, room_id: str, participant_id: str, publication: Publication, layers: Sequence[str]
    ) -> None:
        self._emit(messages.LayersNeeded(room_id, participant_id, publication.id, tuple(layers)))

    def allocation_changed(self, room_id: str, participant_id: str, report: Report) -> None:
        tracks = tuple(
            messages.AllocatedTrack(publication_id, given.layer, given.height, given.reason.value)
            for publication_id, given in report.given.items()
        )
        self._emit(
            messages.Allocation(room_id, participant_id, tracks, report.sound_only, report.available_bps)
        )


def _describe(publications: Sequence[Publication]) -> tuple[messages.Publication, ...]:
    """All of one participant: which of its cameras is the main one is seen only beside the others."""
    main = main_camera(publications)
    return tuple(
        messages.Publication(each.id, each.kind, each.source, each.label, each.codec, each is main)
        for each in publications
    )
