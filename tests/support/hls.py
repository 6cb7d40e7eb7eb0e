"""Playlists read as a strict player does (RFC 8216bis): whatever is against the rules fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)')
_TAGS = {
    "EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE",
    "EXT-X-PLAYLIST-TYPE", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-SERVER-CONTROL", "EXT-X-PART-INF", "EXT-X-MAP",
    "EXT-X-PROGRAM-DATE-TIME", "EXT-X-DISCONTINUITY", "EXT-X-GAP", "EXTINF", "EXT-X-PART", "EXT-X-PRELOAD-HINT",
    "EXT-X-RENDITION-REPORT", "EXT-X-ENDLIST", "EXT-X-STREAM-INF",
}  # fmt: skip


def attributes(text: str) -> dict[str, str]:
    """An attribute list."""
    assert not _ATTRIBUTE.sub("", text), text
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


@dataclass(frozen=True)
class PartLine:
    uri: str
    duration_ms: int
    independent: bool
    gap: bool


@dataclass
class SegmentLine:
    """`discontinuity`: the absolute discontinuity number. `wall_ms`: from the program date time before it."""

    number: int
    map: str | None
    discontinuity: int
    wall_ms: int
    uri: str = ""
    duration_ms: int = 0
    gap: bool = False
    parts: list[PartLine] = field(default_factory=list)

    @property
    def is_card(self) -> bool:
        return (self.uri or self.parts[0].uri).endswith("?card=1")


@dataclass
class MediaPlaylist:
    """`begun`: what has parts only, behind the last segment."""

    target_ms: int = 0
    sequence: int = 0
    discontinuity_sequence: int = 0
    part_target_ms: int = 0
    control: dict[str, str] = field(default_factory=dict)
    segments: list[SegmentLine] = field(default_factory=list)
    begun: SegmentLine | None = None
    hint: str | None = None
    reports: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    ended: bool = False
    is_vod: bool = False
    text: str = ""

    @property
    def last(self) -> int:
        return self.segments[-1].number

    def named(self) -> list[str]:
        """Every address but the hint, in order."""
        found: list[str] = []
        for each in [*self.segments, *([self.begun] if self.begun else [])]:
            found += [part.uri for part in each.parts]
            found += [each.uri] if each.uri else []
        return found


def variants(text: str) -> dict[str, dict[str, str]]:
    """A master playlist: attributes by address."""
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    found: dict[str, dict[str, str]] = {}
    for at, line in enumerate(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            found[lines[at + 1]] = attributes(line.partition(":")[2])
    return found


def media_playlist(text: str) -> MediaPlaylist:
    """A media playlist."""
    lines = text.splitlines()
    assert text.endswith("\n")
    assert lines[0] == "#EXTM3U"
    found = MediaPlaylist(text=text)
    current_map: str | None = None
    wall_ms: int | None = None
    discontinuity = 0
    current: SegmentLine | None = None

    def segment() -> SegmentLine:
        nonlocal current
        if current is None:
            assert wall_ms is not None, "a segment without a date"
            number = found.sequence + len(found.segments)
            current = SegmentLine(number, current_map, discontinuity, wall_ms)
        return current

    for line in lines[1:]:
        tag, _, value = line[1:].partition(":") if line.startswith("#") else ("", "", line)
        assert not tag or tag in _TAGS, line
        assert not found.ended, "something behind the end"
        match tag:
            case "EXT-X-TARGETDURATION":
                found.target_ms = int(value) * 1000
            case "EXT-X-MEDIA-SEQUENCE":
                assert not found.segments
                found.sequence = int(value)
            case "EXT-X-DISCONTINUITY-SEQUENCE":
                assert not found.segments
                assert current is None
                found.discontinuity_sequence = discontinuity = int(value)
            case "EXT-X-PLAYLIST-TYPE":
                found.is_vod = value == "VOD"
            case "EXT-X-SERVER-CONTROL":
                found.control = attributes(value)
            case "EXT-X-PART-INF":
                found.part_target_ms = round(float(attributes(value)["PART-TARGET"]) * 1000)
            case "EXT-X-DISCONTINUITY":
                assert current is None, "a discontinuity within a segment"
                discontinuity += 1
            case "EXT-X-MAP":
                assert current is None or not current.parts, "a map within a segment"
                current_map = attributes(value)["URI"]
            case "EXT-X-PROGRAM-DATE-TIME":
                assert current is None
                wall_ms = round(datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1000)
            case "EXT-X-GAP":
                segment().gap = True
            case "EXT-X-PART":
                said = attributes(value)
                part = PartLine(
                    said["URI"],
                    round(float(said["DURATION"]) * 1000),
                    said.get("INDEPENDENT") == "YES",
                    said.get("GAP") == "YES",
                )
                assert part.duration_ms <= found.part_target_ms
                segment().parts.append(part)
            case "EXTINF":
                segment().duration_ms = round(float(value.rstrip(",")) * 1000)
                assert segment().duration_ms < found.target_ms + 500
            case "EXT-X-PRELOAD-HINT":
                assert found.hint is None
                found.hint = attributes(value)["URI"]
            case "EXT-X-RENDITION-REPORT":
                said = attributes(value)
                part_number = int(said["LAST-PART"]) if "LAST-PART" in said else None
                found.reports[said["URI"]] = (int(said["LAST-MSN"]), part_number)
            case "EXT-X-ENDLIST":
                found.ended = True
            case "":
                done = segment()
                assert done.duration_ms, "a segment without EXTINF"
                if done.parts:
                    assert sum(each.duration_ms for each in done.parts) == done.duration_ms
                is_text = line.endswith(".vtt")
                assert done.gap or is_text or done.map is not None, "a segment without a map"
                done.uri = line
                found.segments.append(done)
                wall_ms = done.wall_ms + done.duration_ms
                current = None
    found.begun = current
    assert found.target_ms
    return found
