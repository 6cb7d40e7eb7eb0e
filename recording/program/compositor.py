"""The compositor: from a scene, decoded pictures and a time to one picture of the program. No I/O, no threads.

A new plan is shown on one output picture, as soon as each of its tracks has a picture, at the latest after a
second. A camera that stands still keeps its last picture for two seconds and becomes a card with the name then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from recording.program.canvas import Layer, Planes, Pool, Scaler, blank
from recording.program.cards import Cards
from recording.program.direction import Director
from recording.program.layout import FRAME, WHOLE, Key, Layout, Rect, Shot, Size, Tile, lay_out
from recording.program.overlays import GROUND, SPEAKING, Overlays, Spoken
from recording.program.scene import Scene

STALL_MS: Final = 2000.0
WAIT_MS: Final = 1000.0

__all__ = ["STALL_MS", "WAIT_MS", "Compositor", "Key", "Picture", "Plan", "Size"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The newest decoded picture of a track. `serial` changes when the picture does; `rotation` is how many
    degrees clockwise it must be turned to stand upright (0, 90, 180, 270: a phone's video-orientation)."""

    frame: VideoFrame
    serial: int
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be shown: a layout, the people in it (in order), and the tracks with the sizes they are drawn in."""

    layout: str  # title, break, end, speaker, strip, grid, side, screen
    people: tuple[str, ...]
    wanted: Mapping[Key, Size]
    places: Layout

    def __hash__(self) -> int:
        return hash(self.places)


@dataclass(slots=True)
class _Track:
    """The last picture of a track, and when it came."""

    picture: Picture
    since_ms: float


class Compositor:
    """Composes the program in `size`. `emblem` is a picture file that stands in place of the product's mark; times of
    day are told in `time_zone`. `most_tiles` (1 to 9) may be lowered when the machine has too much to do."""

    def __init__(
        self, size: Size = (1280, 720), emblem: Path | None = None, *, time_zone: str = "Asia/Shanghai"
    ) -> None:
        if size[0] % 2 or size[1] % 4:
            raise ValueError("the width must be even and the height a multiple of four")
        self.size = size
        self.most_tiles = 9
        self._director = Director()
        self._overlays = Overlays(size, emblem)
        self._cards = Cards(self._overlays, ZoneInfo(time_zone))
        self._pool = Pool(size)
        self._ground_array, self._ground = blank(size)
        self._ground_layers: list[Layer] | None = None
        self._captions_seen = False
        self._chosen: Plan | None = None
        self._plan: Plan | None = None
        self._waiting_since_ms: float | None = None
        self._tracks: dict[Key, _Track] = {}
        self._scalers: dict[tuple[Key, Size], Scaler] = {}
        self._scaled: dict[tuple[Key, Size], Picture] = {}

    @property
    def plan(self) -> Plan | None:
        """What the last composed picture shows: it follows `choose` on one output picture."""
        return self._plan

    @property
    def active(self) -> str | None:
        """Who has been heard for so long that the automatic direction minds them: good to be decoded, too."""
        return self._director.active

    def wanted(self) -> Mapping[Key, Size]:
        """The tracks to decode: those of the chosen plan, and those still shown until it is."""
        shown = self._plan.wanted if self._plan is not None else {}
        chosen = self._chosen.wanted if self._chosen is not None else {}
        return {**shown, **chosen}

    def choose(
        self, scene: Scene, available: Collection[Key], levels: Mapping[str, float], now_s: float
    ) -> Plan:
        """The plan for this moment: cheap, to be called for every picture.

        `available`: video tracks that are open. `levels`: RMS of each participant's sound over the last 50 to
        200 ms in dBFS (0 is full scale, silence is -127; speech is about -30). `now_s` is monotonic.
        """
        self._captions_seen = self._captions_seen or bool(scene.captions)
        shot = self._director.direct(scene, available, levels, now_s)
        if len(shot.seats) > self.most_tiles:
            shot = Shot(shot.layout, shot.seats[: self.most_tiles], shot.screen)
        places = lay_out(shot, captions=self._captions_seen, card=scene.promotion is not None)
        wanted: dict[Key, Size] = {}
        for tile in places.tiles:
            if tile.key is not None:
                place = tile.rect.scaled(self.size)
                wanted[tile.key] = max(wanted.get(tile.key, (0, 0)), (place.w, place.h))
        plan = Plan(places.name, tuple(dict.fromkeys(t.seat.person for t in places.tiles)), wanted, places)
        if plan != self._chosen:
            self._chosen = plan
        return self._chosen

    def compose(
        self,
        plan: Plan,
        scene: Scene,
        pictures: Mapping[Key, Picture | None],
        program_time_ms: float,
        wall_ms: float,
    ) -> npt.NDArray[np.uint8]:
        """One picture as I420, height * 3 // 2 rows of `width` bytes (BT.601, limited range), for
        `VideoFrame.from_numpy_buffer(picture, "yuv420p")`. The array is used again six pictures later."""
        self._take(plan, pictures, program_time_ms)
        shown = self._switch(plan, pictures, program_time_ms)
        array, canvas = self._pool.take()
        if not shown.places.tiles:
            self._card(canvas, shown, scene, wall_ms)
            return array
        below, above = self._layers(shown.places, scene, program_time_ms)
        if shown.places.tiles[0].rect != WHOLE:
            self._paint_ground(below)
            for mine, ground in zip(canvas, self._ground, strict=True):
                np.copyto(mine, ground)
        self._tiles(canvas, shown.places, scene, program_time_ms)
        for each in above:
            each.draw(canvas)
        return array

    def _take(self, plan: Plan, pictures: Mapping[Key, Picture | None], now_ms: float) -> None:
        """Notes what moved. A track that is neither shown nor chosen is forgotten."""
        needed = set(plan.wanted) | set(self._plan.wanted if self._plan is not None else ())
        for key in [key for key in self._tracks if key not in needed]:
            del self._tracks[key]
        for key in needed:
            picture, track = pictures.get(key), self._tracks.get(key)
            if picture is None:
                continue
            if track is None or track.picture.serial != picture.serial:
                self._tracks[key] = _Track(picture, now_ms)
            elif now_ms < track.since_ms:
                track.since_ms = now_ms  # the clock was set back

    def _switch(self, plan: Plan, pictures: Mapping[Key, Picture | None], now_ms: float) -> Plan:
        """The plan to show now: the chosen one as soon as it has its pictures, or has waited for them."""
        if plan == self._plan:
            self._waiting_since_ms = None
            return plan
        if all(pictures.get(key) is not None for key in plan.wanted):
            return self._show(plan)
        if self._waiting_since_ms is None or now_ms < self._waiting_since_ms:
            self._waiting_since_ms = now_ms
        if now_ms - self._waiting_since_ms >= WAIT_MS:
            return self._show(plan)
        if self._plan is None:
            self._plan = Plan("title", (), {}, Layout("title"))
        return self._plan

    def _show(self, plan: Plan) -> Plan:
        self._plan, self._waiting_since_ms = plan, None
        places = {
            (tile.key, (tile.rect.scaled(self.size).w, tile.rect.scaled(self.size).h))
            for tile in plan.places.tiles
        }
        for place in [place for place in self._scalers if place not in places]:
            del self._scalers[place]
            self._scaled.pop(place, None)
        return plan

    def _card(self, canvas: Planes, plan: Plan, scene: Scene, wall_ms: float) -> None:
        if plan.layout == "break":
            layers = self._cards.pause(scene, wall_ms)
        elif plan.layout == "end":
            layers = self._cards.end(scene)
        else:
            layers = self._cards.title(scene, wall_ms)
        if scene.rehearsal:
            layers = [*layers, self._overlays.rehearsal_sign()]
        for each in layers:
            if each is not None:
                each.draw(canvas)

    def _layers(
        self, places: Layout, scene: Scene, program_time_ms: float
    ) -> tuple[list[Layer], list[Layer]]:
        """Overlays below the pictures, which are part of the ground, and those above them."""
        overlays = self._overlays
        below: list[Layer | None] = []
        above: list[Layer | None] = []
        assert places.bar is not None
        assert places.clock is not None
        (above if places.over else below).append(
            overlays.bar(scene.title, scene.item, places.bar, places.over)
        )
        if places.card is not None and scene.promotion is not None:
            comment = scene.promotion
            below.append(
                overlays.card(
                    comment.text, comment.nickname, comment.place or "", comment.answering or "", places.card
                )
            )
        if places.captions is not None:
            above.append(overlays.captions(self._spoken(places, scene), places.captions))
        if places.countdown is not None and scene.floor_ends_ms is not None:
            holder = places.tiles[0].seat
            if scene.floor is not None and scene.floor in (holder.person, holder.guest):
                above.append(overlays.countdown(scene.floor_ends_ms - program_time_ms, places.countdown))
        live = scene.phase == "live"
        words, digits = overlays.clock(
            int(program_time_ms // 1000), live, places.clock, rehearsal=scene.rehearsal
        )
        (above if places.over else below).append(words)
        above.append(digits)
        return [each for each in below if each is not None], [each for each in above if each is not None]

    @staticmethod
    def _spoken(places: Layout, scene: Scene) -> Iterator[Spoken]:
        alone = [tile.seat for tile in places.tiles if tile.plate is not None]
        for caption in scene.captions[-2:]:
            speaker = scene.person(caption.speaker)
            said = len(alone) == 1 and speaker is not None and speaker.id == alone[0].person
            yield Spoken("" if speaker is None or said else speaker.name, caption.text)

    def _paint_ground(self, layers: list[Layer]) -> None:
        if layers == self._ground_layers:  # layers are equal when they are the same
            return
        self._ground.fill(Rect(0, 0, *self.size), GROUND)
        for each in layers:
            each.draw(self._ground)
        self._ground_layers = layers

    def _tiles(self, canvas: Planes, places: Layout, scene: Scene, now_ms: float) -> None:
        minded = scene.floor or self._director.active
        plates: list[Layer | None] = []
        if places.over and places.captions is not None and scene.captions:
            plates.append(self._overlays.shade(places.captions))
        for tile in places.tiles:
            voices = {tile.seat.person, tile.seat.guest} - {None}
            speaking = bool(voices & self._director.speaking)
            rect = tile.rect.scaled(self.size)
            if tile.framed and speaking:
                around = Rect(
                    tile.rect.x - FRAME, tile.rect.y - FRAME, tile.rect.w + 2 * FRAME, tile.rect.h + 2 * FRAME
                )
                canvas.fill(around.scaled(self.size), SPEAKING)
            person, guest = scene.person(tile.seat.person), scene.person(tile.seat.guest)
            name, line = (person.name, person.line) if person is not None else ("", "")
            if guest is not None:
                name = f"{name}\u3000{guest.name}"
            if not self._picture(canvas, tile, rect, now_ms):
                tent = self._overlays.tent(name, line, tile.rect)
                if tent is not None:
                    tent.draw(canvas)
            elif tile.plate is not None and name:
                teal = tile.kind == "big" or speaking or (minded is not None and minded in voices)
                plates.append(self._overlays.plate(name, line, tile.plate, tile.kind, teal))
        for plate in plates:
            if plate is not None:
                plate.draw(canvas)

    def _picture(self, canvas: Planes, tile: Tile, rect: Rect, now_ms: float) -> bool:
        """Draws the tile's picture; False: it has none, or has not moved for so long that it counts as none."""
        track = self._tracks.get(tile.key) if tile.key is not None else None
        if track is None or tile.key is None:
            return False
        if tile.key[1] != "screen" and now_ms - track.since_ms >= STALL_MS:  # slides stand still
            return False
        place = (tile.key, (rect.w, rect.h))
        scaler = self._scalers.get(place)
        if scaler is None:
            scaler = self._scalers[place] = Scaler((rect.w, rect.h), whole=tile.key[1] == "screen")
        fresh = self._scaled.get(place) is not track.picture
        self._scaled[place] = track.picture
        picture = track.picture
        scaler.draw(canvas, rect.x, rect.y, picture.frame, picture.rotation, fresh, now_ms / 1000)
        return True
