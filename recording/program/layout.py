"""Layouts: where pictures and overlays stand, as a pure function of who is shown. All in pixels of 1280x720.

Overlay places follow the layout, so that captions and the countdown never cover a name plate. What depends on
captions or a promoted comment is decided once for the picture: nothing jumps when a line of text comes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

Name = Literal["title", "break", "end", "speaker", "strip", "grid", "side", "screen"]
PlateKind = Literal["big", "middle", "small"]
Key = tuple[str, str]  # participant id and source: "camera" or "screen"
Size = tuple[int, int]  # width and height in pixels

WIDTH: Final = 1280
HEIGHT: Final = 720
MAX_GRID: Final = 9
MAX_STRIP: Final = 4  # beside the speaker
LEFT, RIGHT, TOP, BOTTOM = 40, 1240, 24, 686  # the safe area
GAP: Final = 16
FRAME: Final = 4  # around who speaks

PLATE_HEIGHTS: Final[dict[PlateKind, int]] = {"big": 92, "middle": 46, "small": 36}
_AREA_TOP: Final = 92
_AREA_BOTTOM_CAPTIONS: Final = 566
_CAPTIONS_TOP, _CAPTIONS_HEIGHT = 580, 98
_OVER_CAPTIONS_TOP: Final = 590
_CARD_LEFT, _CARD_WIDTH, _CARD_HEIGHT = 880, 360, 458
_CARD_LEAST: Final = 340  # lower than that a comment cannot be read
_CARD_PICTURE: Final = 816
_COUNTDOWN: Final = (236, 54)
_CLOCK_WIDTH: Final = 336
_WIDEST: Final = 2.04  # of speaker and strip: a picture of 16:9 then loses an eighth of its height


class Rect(NamedTuple):
    """Left, top, width, height in pixels."""

    x: int
    y: int
    w: int
    h: int

    @property
    def right(self) -> int:
        return self.x + self.w

    @property
    def bottom(self) -> int:
        return self.y + self.h

    def overlaps(self, other: Rect) -> bool:
        """They share at least one pixel."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )

    def holds(self, other: Rect) -> bool:
        """The other lies within this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def scaled(self, size: Size) -> Rect:
        """In a picture of that size, on even pixels: chroma has half the resolution."""
        left, right = _even(self.x * size[0] / WIDTH), _even(self.right * size[0] / WIDTH)
        top, bottom = _even(self.y * size[1] / HEIGHT), _even(self.bottom * size[1] / HEIGHT)
        return Rect(left, top, max(right - left, 2), max(bottom - top, 2))


WHOLE: Final = Rect(0, 0, WIDTH, HEIGHT)
SAFE: Final = Rect(LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP)


@dataclass(frozen=True, slots=True)
class Seat:
    """One place in the picture: whose name it bears, the track that is seen, who of this hall has the word."""

    person: str
    key: Key | None = None  # their own camera, their hall's, or none: then a card with the name
    guest: str | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """What the direction decided: a layout and who is in it, the large one first; whose screen is shared."""

    layout: Name
    seats: tuple[Seat, ...] = ()
    screen: Key | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture in its rectangle. `plate` is the most that its name plate may take, at its lower left."""

    seat: Seat
    key: Key | None
    rect: Rect
    plate: Rect | None
    kind: PlateKind = "small"
    framed: bool = False  # gets the green frame when they speak


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands. `over`: topic bar and captions lie over the picture, on a gradient."""

    name: Name
    tiles: tuple[Tile, ...] = ()
    bar: Rect | None = None
    clock: Rect | None = None
    captions: Rect | None = None
    card: Rect | None = None
    countdown: Rect | None = None
    over: bool = False


def lay_out(shot: Shot, *, captions: bool, card: bool) -> Layout:
    """`captions`: their place is kept. `card`: a promoted comment stands at the right."""
    if shot.layout in ("title", "break", "end") or not (shot.seats or shot.screen):
        return Layout(shot.layout if shot.layout in ("break", "end") else "title")
    base = Layout(
        shot.layout,
        bar=Rect(LEFT, TOP, RIGHT - LEFT - _CLOCK_WIDTH - 24, 52),
        clock=Rect(RIGHT - _CLOCK_WIDTH, TOP, _CLOCK_WIDTH, 52),
        captions=Rect(LEFT, _CAPTIONS_TOP, RIGHT - LEFT, _CAPTIONS_HEIGHT) if captions else None,
    )
    area = Rect(LEFT, _AREA_TOP, RIGHT - LEFT, (_AREA_BOTTOM_CAPTIONS if captions else BOTTOM) - _AREA_TOP)
    if card:
        band = _centered(area, area.w, _CARD_HEIGHT) if not captions else area._replace(h=_CARD_HEIGHT)
        base = replace(base, card=Rect(_CARD_LEFT, band.y, _CARD_WIDTH, _CARD_HEIGHT))
        area = band._replace(w=_CARD_PICTURE)
    if shot.layout == "screen" and shot.screen is not None:
        return _screen(base, shot, area)
    if shot.layout == "grid":
        return replace(base, tiles=_grid(shot.seats[:MAX_GRID], area))
    if shot.layout == "side" and len(shot.seats) > 1:
        return replace(base, tiles=_side(shot.seats[:2], area if card else area._replace(h=area.h - 10)))
    if shot.layout == "strip" and len(shot.seats) > 1:
        return _strip(base, shot.seats[: MAX_STRIP + 1], area)
    return _speaker(base, shot.seats[0], area, captions)


def _speaker(base: Layout, seat: Seat, area: Rect, captions: bool) -> Layout:
    if base.card is not None:
        rect = _fitted(area)
        return replace(base, name="speaker", tiles=(_main(seat, rect),), countdown=_countdown(rect))
    bottom = _OVER_CAPTIONS_TOP - 10 if captions else BOTTOM
    width, height = _COUNTDOWN
    plate = Rect(LEFT, bottom - PLATE_HEIGHTS["big"], RIGHT - LEFT - width - 2 * GAP, PLATE_HEIGHTS["big"])
    return replace(
        base,
        name="speaker",
        tiles=(Tile(seat, seat.key, WHOLE, plate, "big"),),
        captions=Rect(LEFT, _OVER_CAPTIONS_TOP, RIGHT - LEFT, BOTTOM - _OVER_CAPTIONS_TOP)
        if captions
        else None,
        countdown=Rect(RIGHT - width, bottom - height - 8, width, height),
        over=True,
    )


def _strip(base: Layout, seats: tuple[Seat, ...], area: Rect) -> Layout:
    """The speaker, and beside them a column of as many places as there may be: who joins moves nobody."""
    rows, gap = MAX_STRIP, 12
    width = area.w - GAP
    aspect = WIDTH / HEIGHT
    height = (width / aspect + (rows - 1) * gap / rows) / (1 + 1 / rows)
    if height > area.h:
        height = area.h
        aspect = min(width / (height + (height - (rows - 1) * gap) / rows), _WIDEST)
    tile_h = int((height - (rows - 1) * gap) / rows) & ~1
    main_h = rows * tile_h + (rows - 1) * gap
    tile_w = _even(tile_h * aspect)
    main = _centered(area, area.w, main_h)._replace(w=_even(main_h * aspect))
    if aspect == _WIDEST:
        main = main._replace(x=_even(area.x + (area.w - main.w - GAP - tile_w) / 2))
    else:
        main = main._replace(w=width - tile_w)
    tiles = [_main(seats[0], main, framed=True)]
    for row, seat in enumerate(seats[1:]):
        rect = Rect(main.right + GAP, main.y + row * (tile_h + gap), tile_w, tile_h)
        tiles.append(_tile(seat, rect, "small"))
    return replace(base, tiles=tuple(tiles), countdown=_countdown(main))


def _grid(seats: tuple[Seat, ...], area: Rect) -> tuple[Tile, ...]:
    """Rows as in a room: 1, 2, 4, 6 or 9 places of 16:9, the last row in the middle."""
    columns, rows = next(
        shape
        for count, shape in ((1, (1, 1)), (2, (2, 1)), (4, (2, 2)), (6, (3, 2)), (9, (3, 3)))
        if len(seats) <= count
    )
    gap = GAP if rows < 3 else 12
    width = (area.w - (columns - 1) * gap) / columns
    height = min((area.h - (rows - 1) * gap) / rows, width * HEIGHT / WIDTH)
    h = int(height) & ~1
    w = min(_even(h * WIDTH / HEIGHT), int(width) & ~1)
    top = area.y + _even((area.h - rows * h - (rows - 1) * gap) / 2)
    kind: PlateKind = "middle" if w >= 400 else "small"
    tiles = []
    for index, seat in enumerate(seats):
        row, column = divmod(index, columns)
        in_row = min(columns, len(seats) - row * columns)
        left = area.x + _even((area.w - in_row * w - (in_row - 1) * gap) / 2)
        rect = Rect(left + column * (w + gap), top + row * (h + gap), w, h)
        tiles.append(_tile(seat, rect, kind))
    return tuple(tiles)


def _side(seats: tuple[Seat, ...], area: Rect) -> tuple[Tile, ...]:
    width = (area.w - GAP) // 2 & ~1
    height = _even(width * 400 / 592)
    top = area.y + _even((area.h - height) / 2)
    return tuple(
        _tile(seat, Rect(area.x + index * (width + GAP), top, width, height), "middle")
        for index, seat in enumerate(seats)
    )


def _screen(base: Layout, shot: Shot, area: Rect) -> Layout:
    """The share as large as it may be, whole; the speaker at its right, or above the promoted comment."""
    assert shot.screen is not None
    sharer = Seat(shot.screen[0], shot.screen)
    if base.card is not None:
        tiles = [Tile(sharer, shot.screen, _fitted(area), None)]
        card = base.card
        above = Rect(card.x, _AREA_TOP, card.w, _even(card.w * HEIGHT / WIDTH))
        bottom = BOTTOM if base.captions is None else card.bottom
        if shot.seats and bottom - above.bottom - GAP >= _CARD_LEAST:
            tiles.append(_tile(shot.seats[0], above, "small"))
            card = Rect(card.x, above.bottom + GAP, card.w, bottom - above.bottom - GAP)
        return replace(base, tiles=tuple(tiles), card=card)
    if not shot.seats:
        return replace(base, tiles=(Tile(sharer, shot.screen, _fitted(area), None),))
    share_w = min(_even(area.h * WIDTH / HEIGHT), area.w - GAP - 288)
    share = _centered(area, share_w, _even(share_w * HEIGHT / WIDTH))._replace(x=area.x)
    left = share.right + GAP
    speaker = Rect(left, share.y, area.right - left, _even((area.right - left) * HEIGHT / WIDTH))
    return replace(
        base,
        tiles=(Tile(sharer, shot.screen, share, None), _tile(shot.seats[0], speaker, "middle")),
    )


def _main(seat: Seat, rect: Rect, framed: bool = False) -> Tile:
    height = PLATE_HEIGHTS["big"]
    width = rect.w - _COUNTDOWN[0] - 2 * GAP
    return Tile(seat, seat.key, rect, Rect(rect.x, rect.bottom - height, width, height), "big", framed)


def _tile(seat: Seat, rect: Rect, kind: PlateKind) -> Tile:
    height = PLATE_HEIGHTS[kind]
    return Tile(seat, seat.key, rect, Rect(rect.x, rect.bottom - height, rect.w, height), kind, True)


def _countdown(rect: Rect) -> Rect:
    width, height = _COUNTDOWN
    return Rect(rect.right - GAP - width, rect.bottom - GAP - height, width, height)


def _fitted(area: Rect) -> Rect:
    """The largest 16:9 in the middle of the area."""
    width = min(area.w, area.h * WIDTH / HEIGHT)
    return _centered(area, int(width) & ~1, int(width * HEIGHT / WIDTH) & ~1)


def _centered(area: Rect, width: int, height: int) -> Rect:
    return Rect(area.x + _even((area.w - width) / 2), area.y + _even((area.h - height) / 2), width, height)


def _even(value: float) -> int:
    return round(value / 2) * 2
