"""The media side of a live consultation: participants, their two connections, and who receives what.

Everybody receives what everybody else publishes. Rules about who may do what live in the services.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from conference.rtc import sdp

from .active_speaker import ActiveSpeakerDetector
from .adaptation import Adaptation, Report
from .audio_choice import AudioChoice
from .feed import PROGRAM, Feed, program_publications
from .feeding import Feeding
from .participant import Participant
from .publication import Publication
from .publisher import Publisher
from .publishing import Publishing
from .room_error import RoomError
from .subscribing import Subscribing
from .surroundings import Surroundings
from .tap import Tap
from .track_hint import MICROPHONE, TrackHint
from .transport import TransportState
from .wishes import Wish

_PUBLISHER_TICK_S = 0.02
_SUBSCRIBER_TICK_S = 0.1
_SPEAKER_TICK_S = 0.25
_SOUND_TICK_S = 0.04
_QUALITY_TICK_S = 2.0


class Room:
    """Owned by the media process; `tick` drives everything that depends on time."""

    def __init__(self, room_id: str, surroundings: Surroundings) -> None:
        self.id = room_id
        self.participants: dict[str, Participant] = {}
        self.taps: dict[str, Tap] = {}  # by name
        self.program = program_publications()
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
        self._subscribing = Subscribing(room_id, surroundings, self.participants)
        self._publishing = Publishing(
            room_id,
            surroundings,
            self.participants,
            self.taps,
            observe=self._observe,
            on_subscription=self._subscribing.note_state,
        )
        self._feeding = Feeding(
            room_id, surroundings, self.participants, self._publishing, self.program, observe=self._observe
        )
        for publication in self.program.values():
            publication.on_subscription = self._subscribing.note_state

    # ── coming and going ────────────────────────────────────────────────────────────────────────

    def join(
        self,
        participant_id: str,
        *,
        sound_open: bool,
        hears: bool = True,
        hall: Collection[str] = (),
        deaf_to: Collection[str] = (),
    ) -> None:
        """Make the participant known. Raises RoomError("room_full").

        Who does not hear gets no slots for sound, who is deaf to a hall none for what is said in it: `hall` and
        `deaf_to` are names, one in common is enough. A change counts for the next subscription.
        """
        participant = self.participants.get(participant_id)
        if participant is not None:
            participant.hears = hears
            participant.hall, participant.deaf_to = frozenset(hall), frozenset(deaf_to)
            self.set_sound(participant_id, is_open=sound_open)
            return
        if len(self.participants) >= self._with.max_participants:
            raise RoomError("room_full", "the room is full")
        participant = Participant(participant_id, sound_open=sound_open, hears=hears)
        participant.hall, participant.deaf_to = frozenset(hall), frozenset(deaf_to)
        self.participants[participant_id] = participant

    def leave(self, participant_id: str) -> None:
        """Close everything of the participant; unknown ids are ignored."""
        participant = self.participants.pop(participant_id, None)
        if participant is None:
            return
        self._feeding.end(participant_id)
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
            self._publishing.withdraw(participant, publication)

    @property
    def is_needed(self) -> bool:
        """Somebody is in it, a tap waits for those who come, or a program is fed."""
        return bool(self.participants) or bool(self.taps) or PROGRAM in self._feeding.feeds

    def close(self) -> None:
        for name in list(self.taps):
            self.drop_tap(name)
        for participant_id in self.fed:
            self.drop_feed(participant_id)
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
        return self._publishing.take(self._get(participant_id), text, hints, now)

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

    # ── feeds ───────────────────────────────────────────────────────────────────────────────────

    @property
    def fed(self) -> tuple[str, ...]:
        """Who is fed by a process of ours now."""
        return tuple(self._feeding.feeds)

    def begin_feed(self, participant_id: str, ask_keyframe: Callable[[int], None], now: float) -> Feed:
        """Forward what this feed brings as the participant's tracks, or as the program; another one of it is dropped
        first. `ask_keyframe(track)` as of Feed. Raises RoomError not_found."""
        return self._feeding.begin(participant_id, ask_keyframe, now)

    def lose_feed(self, participant_id: str, feed: Feed, now: float) -> bool:
        """This feed broke: its tracks wait for the next one. Whether it still stood."""
        if self._feeding.feeds.get(participant_id) is not feed:
            return False
        self._feeding.lose(participant_id, now)
        return True

    def drop_feed(self, participant_id: str) -> None:
        """The participant's tracks go; those who receive the program wait for the next feed. Idempotent."""
        self._feeding.end(participant_id)

    # ── subscribing ─────────────────────────────────────────────────────────────────────────────

    def subscribe(self, participant_id: str, now: float, *, fresh: bool) -> None:
        """Begin to offer the others' tracks; `fresh` begins again on a new connection."""
        self._subscribing.begin(self._get(participant_id), now, fresh=fresh)

    def answer(self, participant_id: str, generation: int, text: str, now: float) -> None:
        """Take the answer to the offer of that generation. Raises RoomError stale or sdp_invalid."""
        self._subscribing.answer(self._get(participant_id), generation, text, now)

    def pull(self, participant_id: str, target_id: str, text: str, now: float) -> str:
        """WHEP: answer an offer to receive the target's microphone and camera, or the program. Raises RoomError."""
        participant = self._get(participant_id)
        published = self.program if target_id == PROGRAM else self._get(target_id).publications
        return self._subscribing.pull(participant, target_id, published, text, now)

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
        transport.restart_ice(self._with.new_credentials(), remote)
        mids = (
            list(connection.lines)
            if isinstance(connection, Publisher)
            else [slot.mid for slot in connection.slots]
        )
        return sdp.build_fragment(self._with.describe(transport), mids)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        participants = list(self.participants.values())
        for tap in self.taps.values():
            tap.tick(now)
        self._feeding.tick(now)
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
                self._publishing.drop_orphans(participant, now)
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
            if publication.source == MICROPHONE
        ]
        open_ids = {publication.participant_id for publication in microphones}
        heard = self._sound.update(open_ids, self.floor_ids | self.chair_ids, now)
        for publication in microphones:
            publication.set_audible(heard is None or publication.participant_id in heard)

    def _judge(self, participant: Participant) -> None:
        quality = participant.judge()
        if quality is not None and quality != participant.quality:
            participant.quality = quality
            self._with.listener.quality_changed(self.id, participant.id, quality)

    def _observe(self, participant_id: str, level: int, voice: bool, now: float) -> None:
        self._speakers.observe(participant_id, level, voice, now)
        self._sound.observe(participant_id, level, voice, now)

    def _allocation_changed(self, participant_id: str, report: Report) -> None:
        self._with.listener.allocation_changed(self.id, participant_id, report)
