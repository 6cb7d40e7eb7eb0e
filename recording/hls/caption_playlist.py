"""Playlists of captions for players that show subtitles themselves. Pure.

They follow the program's segments number by number, with the same discontinuities: a player that changes between the
two finds the same time. In the replay a stretch without a break is one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from recording.hls.playlist import (
    CAPTIONS,
    WINDOW,
    Style,
    date_of,
    discontinuities_before,
    joined,
    target_s,
)
from recording.hls.shown import Entry, Shown, View, is_complete
from recording.hls.store import ProgramStore

_HOLD_BACK = 3  # target durations


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one file of captions is about: `first` and `last` are numbers of segments, times are program time, as is the
    media time of segments."""

    life: int
    first: int
    last: int
    from_ms: int
    to_ms: int


def followed(store: ProgramStore) -> str | None:
    """The rendition whose segments the captions follow: the best one there is."""
    return next((init.rendition for init in store.renditions), None)


def live_captions(store: ProgramStore, view: View, style: Style) -> str | None:
    """The live window; None while nothing may be seen."""
    shown = _shown(store, view)
    count = 0 if shown is None else shown.count
    if shown is None or not count:
        return None
    entries = shown.window(count, WINDOW)
    is_over = is_complete(store, view)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target_s(store)}"]
    if not is_over:
        lines += [f"#EXT-X-SERVER-CONTROL:HOLD-BACK={_HOLD_BACK * target_s(store):.1f}"]
    lines += [f"#EXT-X-MEDIA-SEQUENCE:{entries[0].number}"]
    before = discontinuities_before(store, entries[0])
    if before:
        lines += [f"#EXT-X-DISCONTINUITY-SEQUENCE:{before}"]
    lines += _rows(([each] for each in entries), style, before=before)
    return joined([*lines, "#EXT-X-ENDLIST"] if is_over else lines)


def replayed_captions(store: ProgramStore, view: View, style: Style) -> str | None:
    """All of them; None while there is nothing."""
    shown = _shown(store, view)
    entries = [] if shown is None else list(shown.replay())
    if not entries:
        return None
    runs = list(_runs(entries))
    longest_ms = max(run[-1].end_ms - run[0].program_time_ms for run in runs)
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{max(1, (longest_ms + 999) // 1000)}"]
    lines += ["#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += _rows(runs, style, before=entries[0].discontinuities, above="../")
    return joined([*lines, "#EXT-X-ENDLIST"])


def stretch(store: ProgramStore, view: View, life: int, first: int, last: int) -> Stretch | None:
    """What the file of these segments is about; None where they are not to be seen, or not one after the other."""
    shown = _shown(store, view)
    ends = (
        None if shown is None else [shown.by_number(life, number) for number in dict.fromkeys((first, last))]
    )
    if ends is None or last < first:
        return None
    entries = [each for each in ends if each is not None and each.is_whole]
    if len(entries) < len(ends):
        return None
    return Stretch(life, first, last, entries[0].program_time_ms, entries[-1].end_ms)


def _shown(store: ProgramStore, view: View) -> Shown | None:
    rendition = followed(store)
    return None if rendition is None else Shown(store, rendition, view)


def _runs(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Those that a player plays without a break."""
    run: list[Entry] = []
    for entry in entries:
        last = run[-1] if run else None
        if last is not None and (last.discontinuities, last.end_ms) != (
            entry.discontinuities,
            entry.program_time_ms,
        ):
            yield run
            run = []
        run.append(entry)
    if run:
        yield run


def _rows(runs: Iterable[list[Entry]], style: Style, *, before: int, above: str = "") -> Iterator[str]:
    last: Entry | None = None
    for run in runs:
        first = run[0]
        is_apart = last is None or last.end_ms != first.program_time_ms
        known = before if last is None else last.discontinuities
        if first.discontinuities != known or (above and last is not None and is_apart):
            yield "#EXT-X-DISCONTINUITY"
            is_apart = True
        if is_apart:
            yield f"#EXT-X-PROGRAM-DATE-TIME:{date_of(style.epoch_wall_ms + first.program_time_ms)}"
        last = run[-1]
        yield f"#EXTINF:{(last.end_ms - first.program_time_ms) / 1000:.3f},"
        numbers = f"{first.number:08d}" + (f"-{last.number:08d}" if above else "")
        yield f"{above}{first.life}/{CAPTIONS}/{numbers}.vtt"
