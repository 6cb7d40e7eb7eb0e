"""The recording (录制) of a consultation: files of single tracks, and how the recorder fares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class RecordingState(StrEnum):
    """What everybody in the room is told."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"
    TROUBLE = "trouble"  # it should be on, and nothing is kept now


class FileState(StrEnum):
    """Where a recorded file stands."""

    RECORDING = "recording"
    DONE = "done"
    BROKEN = "broken"  # its writer did not end it: plays up to about its last second


@dataclass(frozen=True, slots=True)
class Recording:
    """One file: one track from one beginning to one end. `started_at_ms` is program time, `created_at_ms` UTC.

    `path` is below the directory of recordings: consultation, life of the recorder, file. Size, duration and hash
    are known at the end. `label`: which of several cameras of one participant it is.
    """

    id: str
    consultation_id: str
    participant_id: str
    name: str  # of the participant, then
    source: str
    codec: str
    path: str
    started_at_ms: int
    duration_ms: int
    size_bytes: int
    sha256: str | None
    state: FileState
    created_at_ms: int
    deleted_at_ms: int | None = None
    label: str = ""

    def ended(self, state: FileState, duration_ms: int, size_bytes: int, sha256: str | None) -> Recording:
        return replace(self, state=state, duration_ms=duration_ms, size_bytes=size_bytes, sha256=sha256)

    def deleted(self, now_ms: int) -> Recording:
        return replace(self, deleted_at_ms=now_ms)
