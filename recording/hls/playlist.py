"""Playlists (RFC 8216bis): the master, the live window of a rendition, plain or with low latency, and the replay. Pure.

Numbers never change their meaning, but for a cut: then they are cards. A card has address (but for `?card=1`), tracks,
timescales and time line of what it stands for and is no discontinuity, only another MAP, as in a change of rendition:
hls.js gives up where a number that it knows gets another path or another discontinuity number. So the latter depends on
the lives of the worker alone and stays right when something past is withdrawn or reinstated. There are no delta
updates (EXT-X-SKIP), which could not say that a skipped segment was withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from recording.hls.shown import Edge, Entry, Shown, View, is_complete
from recording.hls.store import ProgramStore

WINDOW: Final = 30  # segments in a live playlist
_PARTS_BEHIND: Final = 3  # of the last so many segments the parts are named
_HOLD_BACK: Final = 3  # target durations
_PART_HOLD_BACK: Final = 5  # parts: nginx wakes those who wait for a playlist every half second only
_DEFAULT_PART_MS: Final = 200
CAPTIONS: Final = "captions"  # what their group, playlists and folders are called
_SUBTITLES: Final = (
    f'TYPE=SUBTITLES,GROUP-ID="{CAPTIONS}",NAME="字幕",LANGUAGE="zh",AUTOSELECT=YES,DEFAULT=NO,FORCED=NO'
)


@dataclass(frozen=True, slots=True)
class Style:
    """`epoch_wall_ms`: UTC of program time 0. `cards`: renditions of which there are cards."""

    epoch_wall_ms: int
    low_latency: bool = False
    cards: frozenset[str] = frozenset()


def target_s(store: ProgramStore) -> int:
    """EXT-X-TARGETDURATION."""
    return max(1, _rounded_s(store.segment_ms))


def master(store: ProgramStore, view: View, *, captions: bool = False) -> str:
    """The renditions; when nothing more will come, those of the replay. With `captions` for players that show them
    themselves."""
    folder = "replay/" if is_complete(store, view) else ""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if captions:
        lines += [f'#EXT-X-MEDIA:{_SUBTITLES},URI="{folder}{CAPTIONS}.m3u8"']
    for init in store.renditions:
        attributes = f'BANDWIDTH={init.bandwidth},CODECS="{init.codecs}"'
        if init.width and init.height:
            attributes += f",RESOLUTION={init.width}x{init.height},FRAME-RATE=25.000"
        if captions:
            attributes += f',SUBTITLES="{CAPTIONS}"'
        lines += [f"#EXT-X-STREAM-INF:{attributes}", f"{folder}{init.rendition}.m3u8"]
    return joined(lines)


def media(store: ProgramStore, rendition: str, view: View, style: Style) -> str | None:
    """The live window; None while nothing may be seen."""
    shown = Shown(store, rendition, view)
    count = shown.count
    if not count:
        return None
    entries = shown.window(count, WINDOW)
    is_over = is_complete(store, view)
    low_latency = style.low_latency and not is_over
    target = target_s(store)
    part_s = (store.part_ms or _DEFAULT_PART_MS) / 1000
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{9 if low_latency else 7}", f"#EXT-X-TARGETDURATION:{target}"]
    if low_latency:
        hold_back = f"HOLD-BACK={_HOLD_BACK * target:.1f},PART-HOLD-BACK={_PART_HOLD_BACK * part_s:.3f}"
        lines += [f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,{hold_back}"]
        lines += [f"#EXT-X-PART-INF:PART-TARGET={part_s:.3f}"]
    elif not is_over:
        lines += [f"#EXT-X-SERVER-CONTROL:HOLD-BACK={_HOLD_BACK * target:.1f}"]
    lines += ["#EXT-X-INDEPENDENT-SEGMENTS", f"#EXT-X-MEDIA-SEQUENCE:{entries[0].number}"]
    before = discontinuities_before(store, entries[0])
    if before:
        lines += [f"#EXT-X-DISCONTINUITY-SEQUENCE:{before}"]
    rows = _Rows(store, rendition, style, discontinuities=before)
    with_parts = len(entries) - _PARTS_BEHIND if low_latency else len(entries)
    for at, entry in enumerate(entries):
        rows.begin(entry)
        if at >= with_parts:
            rows.parts(entry)
        rows.segment(entry)
    lines += rows.lines
    if is_over:
        return joined([*lines, "#EXT-X-ENDLIST"])
    if low_latency:
        lines += _after(store, shown, count, entries[-1], rows)
    return joined(lines)


def replay(store: ProgramStore, rendition: str, view: View, style: Style) -> str | None:
    """Everything from the beginning; None while there is nothing."""
    entries = list(Shown(store, rendition, view).replay())
    if not entries:
        return None
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_s(store)}"]
    lines += ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-MEDIA-SEQUENCE:0"]
    rows = _Rows(store, rendition, style, discontinuities=entries[0].discontinuities, above="../")
    for entry in entries:
        rows.begin(entry)
        rows.segment(entry)
    return joined([*lines, *rows.lines, "#EXT-X-ENDLIST"])


def edges(store: ProgramStore, view: View) -> dict[str, Edge]:
    """How far each rendition has come: a playlist is the same text while these are the same."""
    found = {}
    for init in store.renditions:
        edge = Shown(store, init.rendition, view).edge
        if edge is not None:
            found[init.rendition] = edge
    return found


class _Rows:
    """The lines of segments, in order."""

    def __init__(
        self, store: ProgramStore, rendition: str, style: Style, *, discontinuities: int, above: str = ""
    ) -> None:
        self.lines: list[str] = []
        self._store = store
        self._rendition = rendition
        self._style = style
        self._above = above
        self._discontinuities = discontinuities
        self._map: str | None = None
        self._end_ms: int | None = None

    def begin(self, entry: Entry) -> None:
        """Whatever must be said before a segment or its parts."""
        is_apart = entry.program_time_ms != self._end_ms
        if entry.discontinuities != self._discontinuities or (self._above and self.lines and is_apart):
            self.lines.append("#EXT-X-DISCONTINUITY")
            self._discontinuities = entry.discontinuities
            is_apart = True
        init = self._init(entry)
        if init is not None and init != self._map:
            self.lines.append(f'#EXT-X-MAP:URI="{self._above}{init}"')
            self._map = init
        if is_apart:
            self.lines.append(
                f"#EXT-X-PROGRAM-DATE-TIME:{date_of(self._style.epoch_wall_ms + entry.program_time_ms)}"
            )
        self._end_ms = entry.end_ms

    def segment(self, entry: Entry) -> None:
        if self._is_missing(entry):
            self.lines.append("#EXT-X-GAP")
        self.lines.append(f"#EXTINF:{entry.duration_ms / 1000:.3f},")
        self.lines.append(f"{self._above}{uri(entry, self._rendition)}")

    def parts(self, entry: Entry) -> None:
        for piece in entry.pieces:
            attributes = (
                f'DURATION={piece.duration_ms / 1000:.3f},URI="{uri(entry, self._rendition, piece.index)}"'
            )
            if piece.is_independent or entry.is_card:
                attributes += ",INDEPENDENT=YES"
            if self._is_missing(entry):
                attributes += ",GAP=YES"
            self.lines.append(f"#EXT-X-PART:{attributes}")

    def _is_missing(self, entry: Entry) -> bool:
        return entry.file is None and not (entry.is_card and self._rendition in self._style.cards)

    def _init(self, entry: Entry) -> str | None:
        if self._is_missing(entry):
            return None
        if entry.is_card:
            return f"card/{self._rendition}/init.mp4"
        return self._store.inits[entry.life, self._rendition].file


def uri(entry: Entry, rendition: str, part: int | None = None) -> str:
    """Relative to the consultation's address."""
    end = f"{entry.number:08d}" if part is None else f"{entry.number:08d}.{part}"
    return f"{entry.life}/{rendition}/{end}.m4s{'?card=1' if entry.is_card else ''}"


def _after(store: ProgramStore, shown: Shown, count: int, last: Entry, rows: _Rows) -> list[str]:
    """What stands behind the last segment: parts of the next, what to ask for then, the other renditions."""
    rows.lines = []
    begun = shown.begun(count)
    if begun is not None:
        rows.begin(begun)
        rows.parts(begun)
    lines = rows.lines
    hint = _hint(store, shown, last, begun)
    if hint is not None:
        lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{hint}"')
    for name, edge in edges(store, shown.view).items():
        if name != shown.rendition:
            number, part = (edge.number + 1, edge.parts - 1) if edge.parts else (edge.number, None)
            at = f"LAST-MSN={number}" + (f",LAST-PART={part}" if part is not None else "")
            lines.append(f'#EXT-X-RENDITION-REPORT:URI="{name}.m3u8",{at}')
    return lines


def _hint(store: ProgramStore, shown: Shown, last: Entry, begun: Entry | None) -> str | None:
    """The part that comes next, where that is sure: not between two lives, nor while it would be a card."""
    newest = max(store.lives, default=0)
    behind = begun if begun is not None else last
    if not store.is_running or behind.life != newest or shown.view.hides(behind.end_ms, behind.end_ms + 1):
        return None
    if begun is None or begun.duration_ms >= store.segment_ms:
        number, part = behind.number + 1, 0
    else:
        number, part = begun.number, len(begun.pieces)
        if begun.is_card:
            return uri(begun, shown.rendition, part)
    return f"{newest}/{shown.rendition}/{number:08d}.{part}.m4s"


def discontinuities_before(store: ProgramStore, entry: Entry) -> int:
    """How many there were, of the segments that are not in the list any more."""
    slot = store.slot(entry.number - 1)
    if slot is not None:
        return slot.discontinuities
    return max(0, entry.discontinuities - (entry.number != store.slots[0].number))


def _rounded_s(duration_ms: int) -> int:
    return (duration_ms + 500) // 1000


def date_of(wall_ms: int) -> str:
    """As EXT-X-PROGRAM-DATE-TIME says it."""
    at = datetime.fromtimestamp(wall_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def joined(lines: Iterable[str]) -> str:
    """A playlist's text."""
    return "\n".join(lines) + "\n"
