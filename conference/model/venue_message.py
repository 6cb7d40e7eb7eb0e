"""Talkback: what desk and operators of venues write to each other. Text only, never shown to anybody else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from conference.model.participant import Participant
from conference.model.permissions import Action, Role, allowed

MAX_TEXT_CHARS: Final = 500
MAX_MESSAGES: Final = 10_000  # of one consultation
NEWEST: Final = 200  # in a snapshot


@dataclass(frozen=True, slots=True)
class VenueMessage:
    """One message. Times: program time, and UTC.

    `venue_id` is the id of a prepared venue; a hall that is known by its name alone (a token of the command line) has
    its name there. `from_venue`: an operator wrote it; else the desk did. `key` makes a client's repeated attempt the
    same message.
    """

    id: str
    consultation_id: str
    number: int
    venue_id: str
    venue: str
    from_venue: bool
    author_id: str
    name: str
    role: Role
    text: str
    at_ms: int | None
    at_wall_ms: int
    key: str | None = None


def hall_key(participant: Participant) -> str | None:
    """What the hall of a participant is called by in talkback and on the board: the venue's id, else its name."""
    return participant.venue_id or participant.venue


@dataclass(slots=True)
class Talkback:
    """All messages of a consultation, oldest first."""

    messages: list[VenueMessage] = field(default_factory=list)
    _by_key: dict[tuple[str, str], VenueMessage] = field(default_factory=dict)

    @classmethod
    def of(cls, messages: Iterable[VenueMessage]) -> Talkback:
        """In their order."""
        talkback = cls()
        for each in messages:
            talkback.put(each)
        return talkback

    @property
    def next_number(self) -> int:
        return 1 + (self.messages[-1].number if self.messages else 0)

    def put(self, message: VenueMessage) -> None:
        """Add it at the end."""
        self.messages.append(message)
        if message.key is not None:
            self._by_key[message.author_id, message.key] = message

    def with_key(self, author_id: str, key: str | None) -> VenueMessage | None:
        """What was written under this key before."""
        return None if key is None else self._by_key.get((author_id, key))

    def visible(self, role: Role, venue_id: str | None, venue: str | None) -> list[VenueMessage] | None:
        """Those that somebody of this role and this hall may read, oldest first; None for who may read none."""
        if not (allowed(role, Action.VENUE_WATCH) or allowed(role, Action.VENUE_MESSAGE)):
            return None
        return [each for each in self.messages if visible_to(each, role, venue_id, venue)]


def visible_to(message: VenueMessage, role: Role, venue_id: str | None, venue: str | None) -> bool:
    """Those who watch over the venues read all; operators what concerns their own hall."""
    if allowed(role, Action.VENUE_WATCH):
        return True
    if not allowed(role, Action.VENUE_MESSAGE):
        return False
    if venue_id is not None and venue_id == message.venue_id:
        return True
    return venue is not None and venue == message.venue
