"""What the program worker is told of the consultation: one whole state at a time, the newest counts.

Ids of people are participant ids. Wall times are milliseconds since 1970, program times milliseconds of 会议时间.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MAX_PEOPLE = 500
MAX_TEXT = 4000

Phase = Literal["before", "live", "break", "ended"]
PersonKind = Literal["venue", "person", "stream", "clip"]
LayoutName = Literal["speaker", "strip", "grid", "side", "screen"]
Mode = Literal["auto", "manual"]

_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Ids = Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_PEOPLE)]


class Person(msgspec.Struct, frozen=True):
    """Somebody, or a hall, in the room. `line` stands under the name: "医药卫生界 · 主会场".

    `venue` is the venue's id, the same for the hall and for those who sit in it: who has no picture of their
    own is shown in their hall's. `camera` and `microphone`: sent and not shut.
    """

    id: _Text
    name: _Text
    line: _Text = ""
    venue: _Text | None = None
    kind: PersonKind = "person"
    is_main: bool = False
    camera: bool = False
    microphone: bool = False
    connected: bool = True
    camera_id: _Text | None = None  # the track to show, where there are several cameras


class Direction(msgspec.Struct, frozen=True):
    """Who chooses the picture. In manual mode a layout or people left out are chosen as in automatic mode."""

    mode: Mode = "auto"
    layout: LayoutName | None = None
    people: _Ids = ()


class Promotion(msgspec.Struct, frozen=True):
    """The comment that is before the meeting (上会)."""

    text: _Text
    nickname: _Text = ""
    place: _Text | None = None
    answering: _Text | None = None


class Caption(msgspec.Struct, frozen=True):
    """One line of what is being said."""

    text: _Text
    speaker: _Text | None = None


class Scene(msgspec.Struct, frozen=True):
    """The whole state. `people` in the room's order; `venues` are names for the title card."""

    phase: Phase = "before"
    title: _Text = ""
    organization: _Text = ""
    item: _Text | None = None
    program_started_wall_ms: int | None = None
    starts_wall_ms: int | None = None
    resumes_wall_ms: int | None = None
    venues: _Ids = ()
    people: Annotated[tuple[Person, ...], msgspec.Meta(max_length=MAX_PEOPLE)] = ()
    floor: _Text | None = None
    floor_ends_ms: int | None = None  # program time at which the floor holder's time is over
    direction: Direction = Direction()
    promotion: Promotion | None = None
    captions: Annotated[tuple[Caption, ...], msgspec.Meta(max_length=16)] = ()
    rehearsal: bool = False  # 演练: every picture says so

    def person(self, participant_id: str | None) -> Person | None:
        """Them, if they are in the room's list."""
        return next((person for person in self.people if person.id == participant_id), None)


def scene_from(value: object) -> Scene:
    """From the decoded JSON of a "scene" line. Raises msgspec.ValidationError when it is none."""
    return msgspec.convert(value, Scene)
