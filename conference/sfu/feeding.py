"""The fed side of a room: who of it is fed by a process of ours, and the tracks that come by that.

A participant that is fed publishes as others do: its tracks are offered, tapped, gated and told of. They wait as long
for the next feed as those of others for their publisher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from . import tap_frames
from .feed import PROGRAM, Feed, FeedError
from .participant import Participant
from .publication import Publication
from .publishing import ORPHAN_S, Publishing
from .room_error import RoomError
from .surroundings import Surroundings
from .track_hint import MICROPHONE, TrackHint

_SOURCES: Final = {"audio": (MICROPHONE, "screen_sound"), "video": ("camera", "screen")}


class Feeding:
    """Owned by the Room, which has participants and the publications of its program, by kind.
    `observe(participant_id, level, voice, now)` for every packet of a microphone with a level."""

    def __init__(
        self,
        room_id: str,
        surroundings: Surroundings,
        participants: Mapping[str, Participant],
        publishing: Publishing,
        program: Mapping[str, Publication],
        *,
        observe: Callable[[str, int, bool, float], None],
    ) -> None:
        self.feeds: dict[str, Feed] = {}  # by participant, of those that stand
        self._room_id = room_id
        self._with = surroundings
        self._participants = participants
        self._publishing = publishing
        self._program = program
        self._observe = observe
        self._orphaned: dict[str, float] = {}  # participants with tracks of a feed that is gone: since when

    def begin(self, participant_id: str, ask_keyframe: Callable[[int], None], now: float) -> Feed:
        """A feed of the program or of a participant, instead of the one before; its tracks go on where it brings
        them again. Raises RoomError not_found."""
        if participant_id == PROGRAM:
            feed = Feed(lambda opened, _now: self._program[opened.kind], self._with.counters, ask_keyframe)
        else:
            participant = self._participants.get(participant_id)
            if participant is None:
                raise RoomError("not_found", "no such participant in the room")
            feed = Feed(
                lambda opened, at: self._place(participant, opened, at),
                self._with.counters,
                ask_keyframe,
                observe_level=partial(self._observe, participant_id),
                withdraw=lambda publication: self._withdraw(participant, publication),
            )
        self.lose(participant_id, now)
        if participant_id in self._orphaned:
            self._orphaned[participant_id] = now
        self.feeds[participant_id] = feed
        return feed

    def lose(self, participant_id: str, now: float) -> None:
        """Its worker is gone: what it published waits for the next feed. Idempotent."""
        feed = self.feeds.pop(participant_id, None)
        if feed is not None:
            feed.close()
        participant = self._participants.get(participant_id)
        if participant is not None and any(each.is_fed for each in participant.publications.values()):
            self._orphaned.setdefault(participant_id, now)

    def end(self, participant_id: str) -> None:
        """Nothing is fed any more: the participant's tracks go, the program's stay without a stream. Idempotent."""
        feed = self.feeds.pop(participant_id, None)
        self._orphaned.pop(participant_id, None)
        if feed is not None:
            feed.close()
        participant = self._participants.get(participant_id)
        if participant is not None:
            self._withdraw_all(participant, lambda _: True)

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        for feed in self.feeds.values():
            feed.tick(now)
        for participant_id, since in tuple(self._orphaned.items()):
            if now - since > ORPHAN_S:
                del self._orphaned[participant_id]
                participant = self._participants.get(participant_id)
                if participant is not None:
                    self._drop_orphans(participant)

    def _drop_orphans(self, participant: Participant) -> None:
        """Of those which no feed has brought again."""
        feed = self.feeds.get(participant.id)
        present = () if feed is None else feed.publications()
        self._withdraw_all(participant, lambda publication: publication not in present)

    def _place(self, participant: Participant, opened: tap_frames.Open, now: float) -> Publication:
        """The track of that source and label, or a new one. Raises FeedError."""
        if opened.source not in _SOURCES[opened.kind]:
            raise FeedError(f"{opened.kind} from {opened.source}")
        for publication in participant.publications.values():
            is_same = (publication.kind, publication.source) == (opened.kind, opened.source)
            # Of sound there is one of each source, under whatever label.
            if (
                is_same
                and publication.is_fed
                and (opened.kind == "audio" or publication.label == opened.label)
            ):
                return publication
            if is_same and opened.source == MICROPHONE:
                raise FeedError("more than one microphone")
        if len(participant.publications) >= self._with.max_tracks:
            raise FeedError("too many tracks")
        publication = self._publishing.add(
            participant, opened.kind, TrackHint(opened.source, opened.label), now
        )
        publication.is_fed = True
        self._tell(participant)
        return publication

    def _withdraw(self, participant: Participant, publication: Publication) -> None:
        self._publishing.withdraw(participant, publication)
        self._tell(participant)

    def _withdraw_all(self, participant: Participant, is_meant: Callable[[Publication], bool]) -> None:
        gone = [each for each in participant.publications.values() if each.is_fed and is_meant(each)]
        for publication in gone:
            self._publishing.withdraw(participant, publication)
        if gone:
            self._tell(participant)

    def _tell(self, participant: Participant) -> None:
        publications = tuple(participant.publications.values())
        self._with.listener.publications_changed(self._room_id, participant.id, publications)
