"""The publishing side of a room: clients' offers, and the tracks that are made, handed around and withdrawn by them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from conference.rtc import sdp

from .participant import Participant
from .publication import CAMERA, Publication, main_camera
from .publisher import Publisher
from .room_error import RoomError
from .subscription import Subscription, SubscriptionState
from .surroundings import Surroundings
from .tap import Tap
from .track_hint import MICROPHONE, TrackHint, name_sources
from .transport import TransportState

CLIENT_OFFER: Final = {
    "max_media": 24,
    "max_length": 64 << 10,
}  # of its own making; reading costs by the line
PUBLISH: Final = "publish"
ORPHAN_S: Final = 15.0  # how long tracks wait for their publisher to reconnect


class Publishing:
    """Owned by the Room, which has participants and taps. `observe(participant_id, level, voice, now)` for every packet
    of sound with a level; `on_subscription` for every change of a receiver's state."""

    def __init__(
        self,
        room_id: str,
        surroundings: Surroundings,
        participants: Mapping[str, Participant],
        taps: Mapping[str, Tap],
        *,
        observe: Callable[[str, int, bool, float], None],
        on_subscription: Callable[[Subscription, SubscriptionState], None],
    ) -> None:
        self._room_id = room_id
        self._with = surroundings
        self._participants = participants
        self._taps = taps
        self._observe = observe
        self._on_subscription = on_subscription

    def take(
        self, participant: Participant, text: str, hints: Mapping[str, TrackHint], now: float
    ) -> tuple[str, tuple[Publication, ...]]:
        """Take the client's offer; returns the answer and what is published. Raises RoomError."""
        try:
            offer = sdp.parse(text, **CLIENT_OFFER)
            sending = sum(1 for media in offer.media if media.sends and media.kind in ("audio", "video"))
            if sending > self._with.max_tracks:
                raise RoomError("too_many_tracks", f"more than {self._with.max_tracks} tracks")
            publisher = self._publisher_for(participant, offer, now)
            try:
                known = {mid: line.publication for mid, line in publisher.lines.items()}
                hints = {**hints, **{mid: _still(each, hints.get(mid)) for mid, each in known.items()}}
                named = name_sources([(each.mid, each.kind) for each in offer.media if each.sends], hints)
                if sum(each.source == MICROPHONE for each in named.values()) > 1:
                    raise RoomError("too_many_tracks", "more than one microphone")
                answer, accepted = publisher.answer(offer, self._with.describe(publisher.transport))
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
        self._follow_main(participant)
        publications = tuple(participant.publications.values())
        self._with.listener.publications_changed(self._room_id, participant.id, publications)
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
                old.transport.restart_ice(self._with.new_credentials(), offer.credentials)
            return old
        transport = self._with.new_transport(now)
        observe = partial(self._observe, participant.id)
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
            publication.label, publication.is_main = hint.label, hint.main
            publisher.set_line(media, publication)
        for publication in list(participant.publications.values()):
            if publication.id not in kept and not publication.is_fed:
                self.withdraw(participant, publication)

    def _publication_for(
        self, participant: Participant, kind: str, hint: TrackHint, taken: set[str], now: float
    ) -> Publication:
        """The track of the same source that its publisher lost and brings again, or a new one."""
        for publication in participant.publications.values():
            is_free = publication.id not in taken and not publication.is_fed
            if is_free and (publication.kind, publication.source, publication.label) == (
                kind,
                hint.source,
                hint.label,
            ):
                return publication
        return self._make(participant, kind, hint, now)

    def add(self, participant: Participant, kind: str, hint: TrackHint, now: float) -> Publication:
        """A new track that does not come by the participant's connection; who adds it tells of it."""
        publication = self._make(participant, kind, hint, now)
        self._follow_main(participant)
        return publication

    def _make(self, participant: Participant, kind: str, hint: TrackHint, now: float) -> Publication:
        """A new track, for everybody who is to get it."""
        is_open = participant.sound_open or kind == "video"
        publication = Publication(
            secrets.token_urlsafe(9), participant.id, kind, hint.source, hint.label, is_open=is_open
        )
        publication.on_codec = lambda _: self._with.listener.publications_changed(
            self._room_id, participant.id, tuple(participant.publications.values())
        )
        publication.on_subscription = self._on_subscription
        publication.on_layers = lambda one, layers: self._with.listener.layers_needed(
            self._room_id, participant.id, one, layers
        )
        participant.publications[publication.id] = publication
        for tap in self._taps.values():
            if tap.takes(publication):
                publication.add_tap(tap.open(publication), now)
        for other in self._participants.values():
            if other is not participant and other.subscriber is not None:
                if publication.source != CAMERA:
                    other.subscriber.replace(publication)
                if other.takes(publication, participant.hall):
                    other.subscriber.want(publication)
        return publication

    def _follow_main(self, participant: Participant) -> None:
        """Players that were promised the participant's camera (WHEP) get the main one."""
        main = main_camera(participant.publications.values())
        if main is None:
            return
        for other in self._participants.values():
            if other is not participant and other.subscriber is not None:
                other.subscriber.replace(main)

    def withdraw(self, participant: Participant, publication: Publication) -> None:
        """The track has gone: nobody has a place for it any more."""
        participant.publications.pop(publication.id, None)
        for other in self._participants.values():
            if other.subscriber is not None:
                other.subscriber.unwant(publication)
        publication.close()

    def drop_orphans(self, participant: Participant, now: float) -> None:
        """Withdraw tracks whose publisher has been gone for too long; call a few times a second."""
        publisher = participant.publisher
        if not participant.publications or publisher is None:
            return
        if publisher.transport.state is not TransportState.CLOSED:
            participant.orphaned_at = None
        elif participant.orphaned_at is None:
            participant.orphaned_at = now
        elif now - participant.orphaned_at > ORPHAN_S:
            orphans = [each for each in participant.publications.values() if not each.is_fed]
            for publication in orphans:
                self.withdraw(participant, publication)
            if orphans:
                left = tuple(participant.publications.values())
                self._with.listener.publications_changed(self._room_id, participant.id, left)

    def _publisher_changed(
        self, participant: Participant, publisher: Publisher, state: TransportState
    ) -> None:
        if participant.publisher is publisher:
            self._with.listener.transport_changed(self._room_id, participant.id, PUBLISH, state)


def _still(publication: Publication, hint: TrackHint | None) -> TrackHint:
    """What an m-line that is known carries: the same source as ever; label and place may be said anew."""
    if hint is None:
        return TrackHint(publication.source, publication.label, publication.is_main)
    return TrackHint(publication.source, hint.label, hint.main)
