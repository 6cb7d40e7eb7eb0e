"""The media side of a live consultation: participants, their two connections, and who receives what.

Everybody receives what everybody else publishes. Rules about who may do what live in the services.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from conference.rtc import sdp
from conference.rtc.dtls import DtlsCertificate

from .active_speaker import ActiveSpeakerDetector
from .adaptation import Adaptation, Report
from .audio_choice import AudioChoice
from .counters import Counters
from .feed import PROGRAM, Feed, program_publications
from .path import Directory
from .publication import Publication
from .publisher import Publisher
from .subscriber import Offer, Subscriber
from .subscription import Subscription, SubscriptionState
from .tap import Tap
from .transport import Transport, TransportState
from .wishes import Wish

_PUBLISHER_TICK_S = 0.02
_SUBSCRIBER_TICK_S = 0.1
_SPEAKER_TICK_S = 0.25
_SOUND_TICK_S = 0.04
_MICROPHONE = "microphone"
_QUALITY_TICK_S = 2.0
_CLIENT_OFFER = {"max_media": 24, "max_length": 64 << 10}  # a client's own offer; reading costs by the line
_ORPHAN_S = 15.0  # how long tracks wait for their publisher to reconnect

PUBLISH = "publish"
SUBSCRIBE = "subscribe"


class RoomError(Exception):
    """The request cannot be met; `code` is one of services.ports.MediaError's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Listener(Protocol):
    """Told of everything that happens in rooms; must not block."""

    def offered(self, room_id: str, participant_id: str, offer: Offer) -> None: ...

    def transport_changed(
        self, room_id: str, participant_id: str, direction: str, state: TransportState
    ) -> None: ...

    def publications_changed(
        self, room_id: str, participant_id: str, publications: Sequence[Publication]
    ) -> None: ...

    def speakers_changed(self, room_id: str, speakers: Sequence[tuple[str, int]]) -> None: ...

    def quality_changed(self, room_id: str, participant_id: str, quality: int) -> None: ...

    def subscription_changed(
        self, room_id: str, participant_id: str, publication: Publication, state: SubscriptionState
    ) -> None: ...

    def layers_needed(
        self, room_id: str, participant_id: str, publication: Publication, layers: Sequence[str]
    ) -> None: ...

    def allocation_changed(self, room_id: str, participant_id: str, report: Report) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every room of the process shares."""

    certificate: DtlsCertificate
    directory: Directory
    counters: Counters
    candidates: tuple[sdp.Candidate, ...]
    listener: Listener
    max_participants: int
    max_tracks: int


@dataclass(frozen=True, slots=True)
class TrackHint:
    """What the client says of an m-line: where the track comes from, and its label."""

    source: str
    label: str


class Participant:
    """Somebody's media in the room; closed by leaving."""

    def __init__(self, participant_id: str, *, sound_open: bool, hears: bool) -> None:
        self.id = participant_id
        self.sound_open = sound_open
        self.hears = hears
        self.publisher: Publisher | None = None
        self.subscriber: Subscriber | None = None
        self.publications: dict[str, Publication] = {}
        self.wishes: Mapping[str, Wish] | None = None  # by publication; None before the first word of it
        self.orphaned_at: float | None = None
        self.quality = -1

    def takes(self, publication: Publication) -> bool:
        """Whether it is to receive such a track."""
        return self.hears or publication.kind != "audio"


class Room:
    """Owned by the media process; `tick` drives everything that depends on time."""

    def __init__(self, room_id: str, surroundings: Surroundings) -> None:
        self.id = room_id
        self.participants: dict[str, Participant] = {}
        self.taps: dict[str, Tap] = {}  # by name
        self.program = program_publications()
        self.feed: Feed | None = None
        self.floor_ids: frozenset[str] = frozenset()
        self.chair_ids: frozenset[str] = frozenset()
        self._with = surroundings
        self._speakers = ActiveSpeakerDetector()
        self._next_publishers = 0.0
        self._next_subscribers = 0.0
        self._sound = AudioChoice()
        self._adaptation = Adaptation(self._allocation_changed)
        self._next_speakers = 0.0
        self._next_sound = 0.0
        self._next_quality = 0.0
        for publication in self.program.values():
            publication.on_subscription = self._subscription_changed

    # ── coming and going ────────────────────────────────────────────────────────────────────────

    def join(self, participant_id: str, *, sound_open: bool, hears: bool = True) -> None:
        """Make the participant known. Raises RoomError("room_full").

        Who does not hear gets no slots for sound; a change counts for the next subscription.
        """
        participant = self.participants.get(participant_id)
        if participant is not None:
            participant.hears = hears
            self.set_sound(participant_id, is_open=sound_open)
            return
        if len(self.participants) >= self._with.max_participants:
            raise RoomError("room_full", "the room is full")
        self.participants[participant_id] = Participant(participant_id, sound_open=sound_open, hears=hears)

    def leave(self, participant_id: str) -> None:
        """Close everything of the participant; unknown ids are ignored."""
        participant = self.participants.pop(participant_id, None)
        if participant is None:
            return
        self._speakers.remove(participant_id)
        self._sound.remove(participant_id)
        self._adaptation.forget(participant_id)
        if participant.publisher is not None:
            participant.publisher.on_state = None
            participant.publisher.close()
        if participant.subscriber is not None:
            participant.subscriber.on_state = None
            participant.subscriber.close()
        for publication in list(participant.publications.values()):
            self._withdraw(participant, publication)

    @property
    def is_needed(self) -> bool:
        """Somebody is in it, a tap waits for those who come, or a program is fed."""
        return bool(self.participants) or bool(self.taps) or self.feed is not None

    def close(self) -> None:
        for name in list(self.taps):
            self.drop_tap(name)
        self.drop_feed()
        for participant_id in list(self.participants):
            self.leave(participant_id)

    def _get(self, participant_id: str) -> Participant:
        participant = self.participants.get(participant_id)
        if participant is None:
            raise RoomError("not_found", "no such participant in the room")
        return participant

    # ── publishing ──────────────────────────────────────────────────────────────────────────────

    def publish(
        self, participant_id: str, text: str, hints: Mapping[str, TrackHint], now: float
    ) -> tuple[str, tuple[Publication, ...]]:
        """Take the client's offer; returns the answer and what is published. Raises RoomError."""
        participant = self._get(participant_id)
        try:
            offer = sdp.parse(text, **_CLIENT_OFFER)
            sending = sum(1 for media in offer.media if media.sends and media.kind in ("audio", "video"))
            if sending > self._with.max_tracks:
                raise RoomError("too_many_tracks", f"more than {self._with.max_tracks} tracks")
            publisher = self._publisher_for(participant, offer, now)
            try:
                known = {mid: line.publication for mid, line in publisher.lines.items()}
                hints = {**hints, **{mid: TrackHint(each.source, each.label) for mid, each in known.items()}}
                named = _name_sources([(each.mid, each.kind) for each in offer.media if each.sends], hints)
                if sum(each.source == _MICROPHONE for each in named.values()) > 1:
                    raise RoomError("too_many_tracks", "more than one microphone")
                answer, accepted = publisher.answer(offer, self._local(publisher.transport))
            except (sdp.SdpError, RoomError):
                if publisher is not participant.publisher:
                    publisher.close()
                raise
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error
        self._adopt(participant, publisher)
        is_client = sdp.answer_setup(offer.setup, prefer_active=False) == "active"
        fingerprints = [(one.algorithm, one.value) for one in offer.fingerprints]
        publisher.transport.set_remote(offer.credentials, fingerprints, is_dtls_client=is_client, now=now)
        self._take_lines(participant, publisher, accepted, named, now)
        publications = tuple(participant.publications.values())
        self._with.listener.publications_changed(self.id, participant.id, publications)
        return answer, publications

    def _publisher_for(
        self, participant: Participant, offer: sdp.SessionDescription, now: float
    ) -> Publisher:
        old = participant.publisher
        if (
            old is not None
            and old.session_id == offer.session_id
            and old.transport.state is not TransportState.CLOSED
        ):
            if old.transport.ice.remote != offer.credentials:
                old.transport.restart_ice(_new_credentials(), offer.credentials)
            return old
        transport = self._new_transport(now)

        def observe(level: int, voice: bool, at: float) -> None:
            self._speakers.observe(participant.id, level, voice, at)
            self._sound.observe(participant.id, level, voice, at)

        return Publisher(transport, offer.session_id, self._with.counters, observe)

    def _adopt(self, participant: Participant, publisher: Publisher) -> None:
        """Put a new connection in the place of the old one; its tracks stay for the new to take over."""
        old = participant.publisher
        if old is publisher:
            return
        if old is not None:
            old.on_state = None
            old.close()
        publisher.on_state = lambda state: self._publisher_changed(participant, publisher, state)
        participant.publisher = publisher
        participant.orphaned_at = None

    def _take_lines(
        self,
        participant: Participant,
        publisher: Publisher,
        accepted: Sequence[sdp.AcceptedMedia],
        named: Mapping[str, TrackHint],
        now: float,
    ) -> None:
        active = {media.mid: media for media in accepted if media.active}
        for mid in [mid for mid in publisher.lines if mid not in active]:
            publisher.drop_line(mid)
        kept = {line.publication.id for line in publisher.lines.values()}
        for mid, media in active.items():
            hint = named[mid]
            line = publisher.lines.get(mid)
            publication = line.publication if line is not None else None
            if publication is None:
                publication = self._publication_for(participant, media.kind, hint, kept, now)
            kept.add(publication.id)
            publisher.set_line(media, publication)
        for publication in list(participant.publications.values()):
            if publication.id not in kept:
                self._withdraw(participant, publication)

    def _publication_for(
        self, participant: Participant, kind: str, hint: TrackHint, taken: set[str], now: float
    ) -> Publication:
        """The track of the same source that its publisher lost and brings again, or a new one."""
        for publication in participant.publications.values():
            if publication.id not in taken and (publication.kind, publication.source, publication.label) == (
                kind,
                hint.source,
                hint.label,
            ):
                return publication
        is_open = participant.sound_open or kind == "video"
        publication = Publication(
            secrets.token_urlsafe(9), participant.id, kind, hint.source, hint.label, is_open=is_open
        )
        publication.on_codec = lambda _: self._with.listener.publications_changed(
            self.id, participant.id, tuple(participant.publications.values())
        )
        publication.on_subscription = self._subscription_changed
        publication.on_layers = lambda one, layers: self._with.listener.layers_needed(
            self.id, participant.id, one, layers
        )
        participant.publications[publication.id] = publication
        for tap in self.taps.values():
            if tap.takes(publication):
                publication.add_tap(tap.open(publication), now)
        for other in self.participants.values():
            if other is not participant and other.subscriber is not None:
                other.subscriber.replace(publication)
                if other.takes(publication):
                    other.subscriber.want(publication)
        return publication

    def _withdraw(self, participant: Participant, publication: Publication) -> None:
        participant.publications.pop(publication.id, None)
        for other in self.participants.values():
            if other.subscriber is not None:
                other.subscriber.unwant(publication)
        publication.close()

    def set_sound(self, participant_id: str, *, is_open: bool) -> None:
        """Open or close the gate for every sound of the participant."""
        participant = self._get(participant_id)
        participant.sound_open = is_open
        for publication in participant.publications.values():
            if publication.kind == "audio":
                publication.set_open(is_open)

    # ── tapping ─────────────────────────────────────────────────────────────────────────────────

    def set_tap(self, name: str, tap: Tap, now: float) -> None:
        """Hand every publication that it takes, present and to come, to this tap as well.

        Another one of the same name is dropped first; those of other names go on.
        """
        self.drop_tap(name)
        self.taps[name] = tap
        for participant in self.participants.values():
            for publication in participant.publications.values():
                if tap.takes(publication):
                    publication.add_tap(tap.open(publication), now)

    def drop_tap(self, name: str) -> None:
        """End all tracks of the tap of this name and close it; idempotent."""
        tap = self.taps.pop(name, None)
        if tap is None:
            return
        for participant in self.participants.values():
            for publication in participant.publications.values():
                publication.drop_tap(tap)
        tap.close()

    # ── the program ─────────────────────────────────────────────────────────────────────────────

    def set_feed(self, feed: Feed) -> None:
        """Forward what this feed brings to those who receive the program; another one is dropped first."""
        self.drop_feed()
        self.feed = feed

    def drop_feed(self) -> None:
        """Those who receive the program wait for the next feed; idempotent."""
        feed, self.feed = self.feed, None
        if feed is not None:
            feed.close()

    # ── subscribing ─────────────────────────────────────────────────────────────────────────────

    def subscribe(self, participant_id: str, now: float, *, fresh: bool) -> None:
        """Begin to offer the others' tracks; `fresh` begins again on a new connection."""
        participant = self._get(participant_id)
        old = participant.subscriber
        if old is not None and not fresh and old.transport.state is not TransportState.CLOSED:
            return
        generation = 0
        if old is not None:
            generation = old.generation
            old.on_state = None
            old.close()
        transport = self._new_transport(now)
        subscriber = Subscriber(
            transport, lambda: self._local(transport), self._with.counters, generation=generation
        )
        subscriber.on_state = lambda state: self._subscriber_changed(participant, subscriber, state)
        participant.subscriber = subscriber
        for other in self.participants.values():
            if other is not participant:
                for publication in filter(participant.takes, other.publications.values()):
                    subscriber.want(publication)
        # Only now: the first offer carries everything that is there.
        subscriber.listen(lambda offer: self._with.listener.offered(self.id, participant.id, offer))

    def answer(self, participant_id: str, generation: int, text: str, now: float) -> None:
        """Take the answer to the offer of that generation. Raises RoomError stale or sdp_invalid."""
        participant = self._get(participant_id)
        if participant.subscriber is None:
            raise RoomError("stale", "no offer is open")
        try:
            if not participant.subscriber.answer(generation, text, now):
                raise RoomError("stale", "the answer is for another offer")
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error

    def pull(self, participant_id: str, target_id: str, text: str, now: float) -> str:
        """WHEP: answer an offer to receive the target's microphone and camera, or the program. Raises RoomError."""
        participant = self._get(participant_id)
        published = self.program if target_id == PROGRAM else self._get(target_id).publications
        try:
            offer = sdp.parse(text, **_CLIENT_OFFER)
            transport = self._new_transport(now)
            subscriber = Subscriber(transport, lambda: self._local(transport), self._with.counters)
            try:
                wanted = [
                    each for each in self._wanted(offer, target_id, published) if participant.takes(each[1])
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
            publication = next((p for p in published.values() if (p.kind, p.source) == (kind, source)), None)
            if publication is None:
                publication = Publication("awaited", target_id, kind, source, "", is_open=True)
            wanted.append((mid, publication))
        return wanted

    def wish(self, participant_id: str, wishes: Mapping[str, Wish]) -> None:
        """What the participant shows now, by publication, instead of before. Raises RoomError not_found."""
        self._get(participant_id).wishes = wishes

    def focus(self, floor_ids: Sequence[str], chair_ids: Sequence[str]) -> None:
        """Whose microphone is of who holds the floor, or of who chairs: heard always, the former seen first."""
        self.floor_ids = frozenset(floor_ids)
        self.chair_ids = frozenset(chair_ids)

    def report(self, participant_id: str) -> Report | None:
        """What of each picture somebody is sent; None for those who receive nothing yet."""
        return self._adaptation.report(participant_id)

    def reports(self) -> Sequence[Report]:
        """The same of all receivers."""
        return self._adaptation.reports()

    def trickle(self, participant_id: str, text: str) -> str | None:
        """A WHIP or WHEP fragment: candidates are not needed; new credentials restart ICE."""
        participant = self._get(participant_id)
        connection = participant.publisher or participant.subscriber
        if connection is None:
            raise RoomError("not_found", "nothing is negotiated")
        try:
            remote = sdp.parse_fragment(text)
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error
        transport = connection.transport
        if remote is None or remote == transport.ice.remote:
            return None
        transport.restart_ice(_new_credentials(), remote)
        mids = (
            list(connection.lines)
            if isinstance(connection, Publisher)
            else [slot.mid for slot in connection.slots]
        )
        return sdp.build_fragment(self._local(transport), mids)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        participants = list(self.participants.values())
        for tap in self.taps.values():
            tap.tick(now)
        if self.feed is not None:
            self.feed.tick(now)
        if now >= self._next_publishers:
            self._next_publishers = now + _PUBLISHER_TICK_S
            for participant in participants:
                if participant.publisher is not None:
                    participant.publisher.tick(now)
                if participant.subscriber is not None:
                    participant.subscriber.pace(now)
        if now >= self._next_subscribers:
            self._next_subscribers = now + _SUBSCRIBER_TICK_S
            for participant in participants:
                subscriber = participant.subscriber
                if subscriber is not None:
                    subscriber.tick(now)
                    if subscriber.transport.state is TransportState.CONNECTED:
                        self._adaptation.adapt(
                            participant.id, subscriber, participant.wishes, self.floor_ids, now
                        )
                self._drop_orphans(participant, now)
        if now >= self._next_sound:
            self._next_sound = now + _SOUND_TICK_S
            self._choose_sound(now)
        if now >= self._next_speakers:
            self._next_speakers = now + _SPEAKER_TICK_S
            speakers = self._speakers.update(now)
            if speakers is not None:
                self._with.listener.speakers_changed(self.id, speakers)
        if now >= self._next_quality:
            self._next_quality = now + _QUALITY_TICK_S
            for participant in participants:
                self._judge(participant)

    def _choose_sound(self, now: float) -> None:
        """Forward the microphones of those who are to be heard. Other sound, of a shared screen, always is."""
        microphones = [
            publication
            for participant in self.participants.values()
            if participant.sound_open
            for publication in participant.publications.values()
            if publication.source == "microphone"
        ]
        open_ids = {publication.participant_id for publication in microphones}
        heard = self._sound.update(open_ids, self.floor_ids | self.chair_ids, now)
        for publication in microphones:
            publication.set_audible(heard is None or publication.participant_id in heard)

    def _drop_orphans(self, participant: Participant, now: float) -> None:
        publisher = participant.publisher
        if not participant.publications or publisher is None:
            return
        if publisher.transport.state is not TransportState.CLOSED:
            participant.orphaned_at = None
        elif participant.orphaned_at is None:
            participant.orphaned_at = now
        elif now - participant.orphaned_at > _ORPHAN_S:
            for publication in list(participant.publications.values()):
                self._withdraw(participant, publication)
            self._with.listener.publications_changed(self.id, participant.id, ())

    def _judge(self, participant: Participant) -> None:
        """Quality by the worse direction: 3 good, 2 fair, 1 weak, 0 lost."""
        connections = [c for c in (participant.publisher, participant.subscriber) if c is not None]
        states = [c.transport.state for c in connections]
        if not states or all(state is TransportState.NEW for state in states):
            return
        loss = max(c.worst_loss() for c in connections)
        rtt = participant.subscriber.rtt_s() if participant.subscriber is not None else 0.0
        if any(state in (TransportState.DISCONNECTED, TransportState.CLOSED) for state in states):
            quality = 0
        elif loss > 0.1 or rtt > 0.8:
            quality = 1
        elif loss > 0.03 or rtt > 0.4:
            quality = 2
        else:
            quality = 3
        if quality != participant.quality:
            participant.quality = quality
            self._with.listener.quality_changed(self.id, participant.id, quality)

    # ── inside ──────────────────────────────────────────────────────────────────────────────────

    def _publisher_changed(
        self, participant: Participant, publisher: Publisher, state: TransportState
    ) -> None:
        if participant.publisher is publisher:
            self._with.listener.transport_changed(self.id, participant.id, PUBLISH, state)

    def _subscriber_changed(
        self, participant: Participant, subscriber: Subscriber, state: TransportState
    ) -> None:
        if participant.subscriber is subscriber:
            self._with.listener.transport_changed(self.id, participant.id, SUBSCRIBE, state)

    def _subscription_changed(self, subscription: Subscription, was: SubscriptionState) -> None:
        unsupported = SubscriptionState.UNSUPPORTED_CODEC
        if subscription.state is unsupported:
            self._with.counters.unsupported_codec += 1
        elif was is not unsupported:
            return
        receiver = next(
            (
                p
                for p in self.participants.values()
                if p.subscriber is not None and p.subscriber.transport is subscription.transport
            ),
            None,
        )
        if receiver is not None:
            self._with.listener.subscription_changed(
                self.id, receiver.id, subscription.publication, subscription.state
            )

    def _allocation_changed(self, participant_id: str, report: Report) -> None:
        self._with.listener.allocation_changed(self.id, participant_id, report)

    def _new_transport(self, now: float) -> Transport:
        return Transport(
            certificate=self._with.certificate,
            local=_new_credentials(),
            directory=self._with.directory,
            counters=self._with.counters,
            now=now,
        )

    def _local(self, transport: Transport) -> sdp.LocalTransport:
        return sdp.LocalTransport(
            transport.ice.local,
            sdp.Fingerprint("sha-256", transport.fingerprint),
            "actpass",
            self._with.candidates,
        )


def _new_credentials() -> sdp.Credentials:
    """RFC 8445 section 5.3: at least 24 and 128 bits of randomness, of ice-char only."""
    return sdp.Credentials(secrets.token_hex(8), secrets.token_hex(16))


def _name_sources(lines: Sequence[tuple[str, str]], hints: Mapping[str, TrackHint]) -> dict[str, TrackHint]:
    """What each m-line, by its mid and kind, carries: as the client says, else by order. Sound beyond the first is no
    microphone: of each participant there is one, by which all is kept that was said."""
    sources = {"audio": (_MICROPHONE, "screen_sound"), "video": ("camera", "screen")}
    kinds = {mid: kind for mid, kind in lines if kind in sources}
    said = {
        mid: hints[mid] for mid, kind in kinds.items() if mid in hints and hints[mid].source in sources[kind]
    }
    named: dict[str, TrackHint] = {}
    for mid, kind in kinds.items():
        taken = {each.source for each in (*said.values(), *named.values())}
        free = [each for each in sources[kind] if each not in taken]
        source = free[0] if free else sources[kind][1 if kind == "audio" else 0]
        label = hints[mid].label if mid in hints else ""
        named[mid] = said.get(mid) or TrackHint(source, label)
    return named
