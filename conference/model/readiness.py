"""What a consultation still lacks before its links may go out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conference.model.consultation import Consultation


class Part(StrEnum):
    """Where in the preparing something is missing."""

    BASICS = "basics"
    VENUES = "venues"
    INVITEES = "invitees"
    AGENDA = "agenda"
    LINKS = "links"


class Lack(StrEnum):
    """What can be missing."""

    NO_TIME = "no_time"
    NO_CHAIR = "no_chair"  # nobody of those invited leads
    NO_AGENDA = "no_agenda"
    IMPORT_OPEN = "import_open"  # rows of a list of invitees that could not be taken over


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing; `count` says how many."""

    code: Lack
    part: Part
    count: int = 1


@dataclass(frozen=True, slots=True)
class Prepared:
    """What there is."""

    chairs: int
    agenda_items: int
    bad_rows: int


def missing(consultation: Consultation, prepared: Prepared) -> tuple[Missing, ...]:
    """What has to be done yet, in the order in which one would."""
    found = []
    if consultation.scheduled_at_ms is None:
        found.append(Missing(Lack.NO_TIME, Part.BASICS))
    if not prepared.chairs:
        found.append(Missing(Lack.NO_CHAIR, Part.INVITEES))
    if prepared.bad_rows:
        found.append(Missing(Lack.IMPORT_OPEN, Part.INVITEES, prepared.bad_rows))
    if not prepared.agenda_items:
        found.append(Missing(Lack.NO_AGENDA, Part.AGENDA))
    return tuple(found)
