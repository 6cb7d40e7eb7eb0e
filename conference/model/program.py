"""The program (节目画面): how it fares, and who chooses its picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PROGRAM_TAP: Final = "program"  # the name of the tap that a program is made from


class ProgramState(StrEnum):
    """What desks are told."""

    OFF = "off"
    STARTING = "starting"
    ON = "on"
    TROUBLE = "trouble"  # it should be on, and nothing is made now


class DirectionMode(StrEnum):
    """Who chooses the picture."""

    AUTO = "auto"
    MANUAL = "manual"


class Layout(StrEnum):
    """How people are put on the picture."""

    SPEAKER = "speaker"
    STRIP = "strip"
    GRID = "grid"
    SIDE = "side"
    SCREEN = "screen"


class Phase(StrEnum):
    """Where the meeting stands, as the picture shows it."""

    LIVE = "live"
    BREAK = "break"
    ENDED = "ended"


class PersonKind(StrEnum):
    VENUE = "venue"
    PERSON = "person"
    STREAM = "stream"
    CLIP = "clip"  # a film that is played: a screen, and nobody


@dataclass(frozen=True, slots=True)
class Direction:
    """In manual mode a layout or people left out are chosen as in automatic mode."""

    mode: DirectionMode = DirectionMode.AUTO
    layout: Layout | None = None
    people: tuple[str, ...] = ()
