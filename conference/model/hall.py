"""Halls: out of which hall a participant's sound comes, and into which hall somebody's loudspeakers play. Pure.

A hall must not be given its own sound: it would hear itself a moment late, and howl. Its voice comes by several ways
(operator's console, encoders and cameras, phones in the hall); its loudspeakers hang at the console or at the screen.
"""

from __future__ import annotations

from typing import Protocol

from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role


class Housed(Protocol):
    """Somebody with a venue: tokens of the command line know its name, links its id as well."""

    @property
    def venue(self) -> str | None: ...
    @property
    def venue_id(self) -> str | None: ...


def names_of(housed: Housed) -> tuple[str, ...]:
    """What a venue is called; two that have one of these in common are the same. No id is taken for a name."""
    by_id = () if housed.venue_id is None else (f"id:{housed.venue_id}",)
    return by_id if housed.venue is None else (*by_id, f"name:{housed.venue}")


def hall_of(participant: Participant) -> tuple[str, ...]:
    """The hall that this participant's sound comes out of, by its names; nothing for who sits at home, and for members
    who are only put down for a venue."""
    is_equipment = participant.kind is not ParticipantKind.CLIENT or participant.role is Role.VENUE_OPERATOR
    return names_of(participant) if is_equipment or participant.in_hall else ()


def deaf_to(participant: Participant) -> tuple[str, ...]:
    """The hall that this participant plays into with loudspeakers: of its sound it gets nothing."""
    plays = participant.kind is ParticipantKind.SCREEN or participant.role is Role.VENUE_OPERATOR
    return names_of(participant) if plays else ()
