"""What the m-lines of a client's offer carry: as it says itself, or as their order lets one think."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MICROPHONE: Final = "microphone"


@dataclass(frozen=True, slots=True)
class TrackHint:
    """What the client says of an m-line: where the track comes from, its label, and whether of several cameras it is
    the one that is meant where a single one is."""

    source: str
    label: str
    main: bool = False


def name_sources(lines: Sequence[tuple[str, str]], hints: Mapping[str, TrackHint]) -> dict[str, TrackHint]:
    """What each m-line, by its mid and kind, carries: as the client says, else by order. Sound beyond the first is no
    microphone: of each participant there is one, by which all is kept that was said."""
    sources = {"audio": (MICROPHONE, "screen_sound"), "video": ("camera", "screen")}
    kinds = {mid: kind for mid, kind in lines if kind in sources}
    said = {
        mid: hints[mid] for mid, kind in kinds.items() if mid in hints and hints[mid].source in sources[kind]
    }
    named: dict[str, TrackHint] = {}
    for mid, kind in kinds.items():
        taken = {each.source for each in (*said.values(), *named.values())}
        free = [each for each in sources[kind] if each not in taken]
        source = free[0] if free else sources[kind][1 if kind == "audio" else 0]
        hint = hints.get(mid) or TrackHint(source, "")
        named[mid] = said.get(mid) or TrackHint(source, hint.label, hint.main)
    return named
