"""A place in the transcript, behind which a page begins: it stays one when its segment is gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from conference.model.errors import ConferenceError
from conference.model.transcript import TranscriptSegment

_WRITTEN: Final = re.compile(r"(?:([0-9]{1,15})\.)?([A-Za-z0-9_-]{1,64})")


@dataclass(frozen=True, slots=True)
class Place:
    """`start_ms` of the segment, in program time; its id parts those that begin together."""

    start_ms: int
    segment_id: str

    @classmethod
    def of(cls, segment: TranscriptSegment) -> Place:
        """Where this segment stands."""
        return cls(segment.start_ms, segment.id)

    def __str__(self) -> str:
        return f"{self.start_ms}.{self.segment_id}"


def place_written(text: str) -> Place | str:
    """What `str` made of a place, or the id of a segment, as pages named it before. bad_request for anything else."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ConferenceError("bad_request", "no place in a transcript")
    return found[2] if found[1] is None else Place(int(found[1]), found[2])
