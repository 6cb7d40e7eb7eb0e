"""Direction: who is shown, from the floor, from who is heard, or from what somebody chose on the desk.

Time is an argument. Automatic: the floor holder; else who has been heard for 1.5 s; else the main venue; a shared
screen comes first, with that person beside it. Between the main venue and a branch that talk freely both are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from recording.program.layout import MAX_GRID, MAX_STRIP, Key, Name, Seat, Shot
from recording.program.scene import LayoutName, Person, Scene

SPEECH_DB: Final = -45.0  # louder than this is speech
HOLD_S: Final = 0.5  # a pause in speech that is none
TAKES_OVER_S: Final = 1.5  # heard so long before the picture changes
SILENCE_S: Final = 8.0  # nobody speaks
DOMINANT_DB: Final = 6.0  # somebody must be so much louder to be minded beside who speaks already
_CARDS: Final[Mapping[str, Name]] = {"before": "title", "break": "break", "ended": "end"}
_SMOOTHING_S: Final = 0.3


class Voices:
    """Who speaks, from levels: with pauses bridged, and with the hysteresis that the picture needs."""

    def __init__(self) -> None:
        self.active: str | None = None
        self.speaking: frozenset[str] = frozenset()
        self._loudness: dict[str, float] = {}
        self._heard_s: dict[str, float] = {}
        self._candidate: str | None = None
        self._candidate_since_s = 0.0
        self._now_s: float | None = None

    def hear(self, levels: Mapping[str, float], now_s: float) -> None:
        """Levels in dBFS of those who are here; who is missing is silent, or gone."""
        elapsed = max(0.0, now_s - self._now_s) if self._now_s is not None else 0.0
        self._now_s = now_s
        share = min(1.0, elapsed / _SMOOTHING_S)
        for person, level in levels.items():
            before = self._loudness.get(person, level)
            self._loudness[person] = before + (level - before) * share
            if level >= SPEECH_DB:
                self._heard_s[person] = now_s
        for gone in [person for person in self._loudness if person not in levels]:
            del self._loudness[gone]
            self._heard_s.pop(gone, None)
        self.speaking = frozenset(
            person for person, heard_s in self._heard_s.items() if now_s - heard_s <= HOLD_S
        )
        self._decide(now_s)

    def _decide(self, now_s: float) -> None:
        if self.active is not None:
            heard_s = self._heard_s.get(self.active)
            if heard_s is None or now_s - heard_s >= SILENCE_S:
                self.active = None
        dominant = self._dominant()
        if dominant is None or dominant == self.active:
            self._candidate = None
        elif dominant != self._candidate:
            self._candidate, self._candidate_since_s = dominant, now_s
        elif now_s - self._candidate_since_s >= TAKES_OVER_S:
            self.active, self._candidate = dominant, None

    def _dominant(self) -> str | None:
        """The loudest, but who was minded before stays so beside somebody who is hardly louder."""
        if not self.speaking:
            return None
        loudest = max(sorted(self.speaking), key=self._loudness.__getitem__)
        limit = self._loudness[loudest] - DOMINANT_DB
        for favoured in (self.active, self._candidate):
            if favoured in self.speaking and self._loudness[favoured] >= limit:
                return favoured
        return loudest


class Director:
    """Decides the shot of a moment. Keeps who was heard, and whose screen and which branch are being shown."""

    def __init__(self) -> None:
        self._voices = Voices()
        self._screen: Key | None = None
        self._branch: str | None = None

    @property
    def speaking(self) -> frozenset[str]:
        """Who is heard at this moment: for the green frame."""
        return self._voices.speaking

    @property
    def active(self) -> str | None:
        """Who is heard long enough to be shown."""
        return self._voices.active

    def direct(
        self, scene: Scene, available: Collection[Key], levels: Mapping[str, float], now_s: float
    ) -> Shot:
        """The shot for this moment."""
        room = Room(scene, available)
        self._voices.hear({i: level for i, level in levels.items() if i in room.present}, now_s)
        self._screen = room.screen(self._screen)
        if scene.phase != "live":
            self._branch = None
            return Shot(_CARDS[scene.phase])
        chosen = scene.direction
        if chosen.mode == "manual":
            people = tuple(dict.fromkeys(i for i in chosen.people if i in room.present))
            if chosen.layout is not None or people:
                return self._manual(room, chosen.layout, people)
        return self._automatic(room)

    def _manual(self, room: Room, layout: LayoutName | None, people: tuple[str, ...]) -> Shot:
        focus = people[0] if people else self._focus(room)
        if layout is None:
            layout = "screen" if self._screen else ("speaker" if len(people) < 2 else "grid")
        if layout == "screen":
            if self._screen is None:
                layout = "speaker"
            else:
                mine = next((i for i in people if (i, "screen") in room.available), None)
                screen = (mine, "screen") if mine else self._screen
                return Shot("screen", self._seats(room, (focus,)), screen)
        if layout == "grid":
            seats = self._seats(room, people) if people else room.everybody(self._minded(room), MAX_GRID)
            return Shot("grid" if seats else "title", seats[:MAX_GRID])
        if layout == "side":
            main = room.main_venue()
            pair = dict.fromkeys((*people, *((main.id,) if main else ()), focus, *room.pictured()))
            seats = self._seats(room, [i for i in pair if i is not None])
            if len(people) < 2 and main is not None:  # the main venue on the left
                seats = tuple(sorted(seats[:2], key=lambda seat: not room.is_main(seat)))
            return Shot("side" if len(seats) > 1 else "speaker", seats[:2])
        seats = self._seats(room, (focus,))
        if layout == "strip" and seats:
            others = people[1:] or [seat.person for seat in room.everybody(focus, MAX_GRID)]
            seats = self._seats(room, [seats[0].person, *others])[: MAX_STRIP + 1]
            return Shot("strip" if len(seats) > 1 else "speaker", seats)
        return Shot("speaker" if seats else "title", seats[:1])

    def _automatic(self, room: Room) -> Shot:
        focus = self._focus(room)
        if self._screen is not None:
            return Shot("screen", self._seats(room, (focus,)), self._screen)
        if focus is None:
            return Shot("title")
        pair = self._pair(room, focus)
        if pair is not None:
            return Shot("side", self._seats(room, pair))
        quiet = self._minded(room) is None
        if quiet and room.main_venue() is None and len(room.pictured()) > 1:
            return Shot("grid", room.everybody(None, MAX_GRID))
        return Shot("speaker", self._seats(room, (focus,)))

    def _pair(self, room: Room, focus: str) -> tuple[str, str] | None:
        """Main venue and branch, while they talk without anybody having been given the floor."""
        main, hall = room.main_venue(), room.hall_of(focus)
        if main is None or self._voices.active != focus or room.floor is not None or hall is None:
            self._branch = None
            return None
        if hall.id != main.id:
            self._branch = hall.id if hall.id in room.pictured() else None
        elif self._branch not in room.pictured():
            self._branch = None
        return (main.id, self._branch) if self._branch and main.id in room.pictured() else None

    def _minded(self, room: Room) -> str | None:
        return room.floor or (self._voices.active if self._voices.active in room.present else None)

    def _focus(self, room: Room) -> str | None:
        minded = self._minded(room)
        if minded is not None:
            return minded
        main, pictured = room.main_venue(), room.pictured()
        if main is not None and (main.id in pictured or not pictured):
            return main.id
        return next(iter(pictured), None) or next((each.id for each in room.people()), None)

    def _seats(self, room: Room, people: Collection[str | None]) -> tuple[Seat, ...]:
        """Their seats, in order; two who are seen in the same picture share one, named after the first."""
        minded = self._minded(room) or ""
        seats: dict[object, Seat] = {}
        for person in people:
            if person is not None:
                seat = room.seat(person, minded)
                seats.setdefault(seat.key or seat.person, seat)
        return tuple(seats.values())


class Room:
    """A scene and the open tracks, asked the questions of a director."""

    def __init__(self, scene: Scene, available: Collection[Key]) -> None:
        self.available = available
        self.present = {person.id: person for person in scene.people if person.connected}
        self.floor = scene.floor if scene.floor in self.present else None
        self._halls = {
            person.venue or person.id: person for person in self.present.values() if person.kind == "venue"
        }

    def people(self) -> list[Person]:
        """All but films: those are nobody, and seen as a screen alone."""
        return [person for person in self.present.values() if person.kind != "clip"]

    def main_venue(self) -> Person | None:
        """The main venue's own participant."""
        return next((hall for hall in self._halls.values() if hall.is_main), None)

    def is_main(self, seat: Seat) -> bool:
        """It is the main venue, or somebody in it."""
        hall, main = self.hall_of(seat.person), self.main_venue()
        return hall is not None and main is not None and hall.id == main.id

    def hall_of(self, participant_id: str) -> Person | None:
        """The hall that they are, or sit in."""
        person = self.present.get(participant_id)
        if person is None:
            return None
        return person if person.kind == "venue" else self._halls.get(person.venue or "")

    def own_camera(self, person: Person) -> Key | None:
        """Their own picture's track."""
        key = (person.id, "camera")
        return key if person.camera and key in self.available else None

    def pictured(self) -> dict[str, Person]:
        """Those with a picture of their own: venues first, then in the room's order."""
        return {person.id: person for person in self._ordered() if self.own_camera(person)}

    def seat(self, participant_id: str, minded: str = "") -> Seat:
        """Their seat. A venue's seat names `minded`, too, when that one sits in it."""
        person = self.present[participant_id]
        key, hall = self.own_camera(person), self.hall_of(participant_id)
        if key is None and hall is not None:
            key = self.own_camera(hall)
        guest = None
        if minded != participant_id and person.kind == "venue" and minded in self.present:
            there = self.hall_of(minded)
            if there is not None and there.id == person.id and not self.own_camera(self.present[minded]):
                guest = minded
        return Seat(participant_id, key, guest)

    def everybody(self, first: str | None, most: int) -> tuple[Seat, ...]:
        """At most so many seats, everybody's picture once: venues, `first`, those with a picture, then the others.
        Who has none but their hall's is seen in that. In the room's order, whoever speaks."""
        people = list(self._ordered())
        people.sort(key=lambda p: (p.kind != "venue", p.id != first, self.own_camera(p) is None))
        minded = first or ""
        seats: dict[object, Seat] = {}
        for person in people:
            seat = self.seat(person.id, minded)
            seats.setdefault(seat.key or seat.person, seat)
        chosen = list(seats.values())[:most]
        order = {person.id: place for place, person in enumerate(self._ordered())}
        return tuple(sorted(chosen, key=lambda seat: order[seat.person]))

    def screen(self, shown: Key | None) -> Key | None:
        """The shared screen: a film's, the floor holder's, else the one that is shown already, else the first."""
        screens = [(i, "screen") for i in self.present if (i, "screen") in self.available]
        film = next((i for i, person in self.present.items() if person.kind == "clip"), None)
        for favoured in ((film, "screen"), (self.floor, "screen"), shown):
            if favoured in screens:
                return favoured
        return screens[0] if screens else None

    def _ordered(self) -> Iterator[Person]:
        people = self.people()
        yield from (person for person in people if person.kind == "venue" and person.is_main)
        yield from (person for person in people if person.kind == "venue" and not person.is_main)
        yield from (person for person in people if person.kind != "venue")
