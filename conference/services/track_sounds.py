"""The sound of a microphone beside the text that was made of it: of a segment, or of a stretch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from conference.export_job import TrackFile
from conference.model.errors import ConferenceError, ForbiddenError, NotFoundError
from conference.model.permissions import Action, allowed, require
from conference.model.recording import FileState, Recording
from conference.model.transcript import TranscriptSegment
from conference.services.ports import SoundCutter, Storage, UnitOfWork
from conference.services.trace import Bearer

AROUND_MS: Final = 300  # that is heard before and after a segment
MOST_MS: Final = 60_000  # of a stretch that is asked for
_MICROPHONE: Final = "microphone"
_ALL: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class TrackSound:
    """A WebM with Opus whose time 0 is the program time `from_ms`. `is_final`: it will not change."""

    data: bytes
    from_ms: int
    to_ms: int
    is_final: bool


class TrackSounds:
    """Cut from the recorded files, also while they are written; nothing of it is kept."""

    def __init__(self, storage: Storage, cutter: SoundCutter) -> None:
        self._storage = storage
        self._cutter = cutter

    async def of_segment(self, consultation_id: str, by: Bearer, segment_id: str) -> TrackSound:
        """From shortly before it to shortly after, but for what is confidential there. not_found, forbidden,
        nothing_recorded, rate_limited."""
        require(by.role, Action.TRANSCRIPT_READ)
        async with self._storage.reading() as unit:
            segment = await unit.transcript.get(segment_id)
            if segment is None or segment.consultation_id != consultation_id:
                raise NotFoundError(f"segment {segment_id}")
            if segment.is_confidential and not allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL):
                raise NotFoundError(f"segment {segment_id}")
            from_ms, to_ms = max(0, segment.start_ms - AROUND_MS), segment.end_ms + AROUND_MS
            if not allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL):
                from_ms, to_ms = await self._open_part(unit, segment, from_ms, to_ms)
            files = await files_of(unit, consultation_id, [segment.participant_id])
        return await self.cut(files, from_ms, to_ms)

    @staticmethod
    async def _open_part(
        unit: UnitOfWork, segment: TranscriptSegment, from_ms: int, to_ms: int
    ) -> tuple[int, int]:
        """Of the stretch around a segment, what nothing confidential lies in. ForbiddenError when nothing is left."""
        for each in await unit.transcript.between(segment.consultation_id, from_ms, to_ms):
            if not each.is_confidential or each.participant_id != segment.participant_id:
                continue
            if each.start_ms + each.end_ms < segment.start_ms + segment.end_ms:
                from_ms = max(from_ms, each.end_ms)
            else:
                to_ms = min(to_ms, each.start_ms)
        if from_ms >= to_ms:
            raise ForbiddenError("confidential")
        return from_ms, to_ms

    async def of_stretch(
        self, consultation_id: str, by: Bearer, participant_id: str, from_ms: int, to_ms: int
    ) -> TrackSound:
        """bad_request for more than MOST_MS; forbidden where something confidential lies in it."""
        require(by.role, Action.TRANSCRIPT_READ)
        require_span(from_ms, to_ms, MOST_MS)
        async with self._storage.reading() as unit:
            if not allowed(by.role, Action.TRANSCRIPT_CONFIDENTIAL):
                await require_open(unit, consultation_id, [participant_id], from_ms, to_ms)
            files = await files_of(unit, consultation_id, [participant_id])
        return await self.cut(files, from_ms, to_ms)

    async def cut(self, files: Collection[Recording], from_ms: int, to_ms: int) -> TrackSound:
        """Of these files. nothing_recorded, rate_limited."""
        there = [each for each in files if _lies_in(each, from_ms, to_ms)]
        if not there:
            raise ConferenceError("nothing_recorded")
        is_final = all(each.state is not FileState.RECORDING for each in files)
        tracks = [
            TrackFile(each.path, each.source, each.codec, each.started_at_ms, each.duration_ms)
            for each in there
        ]
        data = await self._cutter.cut(tracks, from_ms, to_ms, keep=is_final)
        if not data:
            raise ConferenceError("nothing_recorded")
        return TrackSound(data, from_ms, to_ms, is_final)


async def files_of(
    unit: UnitOfWork, consultation_id: str, participant_ids: Collection[str]
) -> list[Recording]:
    """Files of these microphones, those that are being written too."""
    return [
        each
        for each in await unit.recordings.of(consultation_id, limit=_ALL)
        if each.source == _MICROPHONE and each.codec == "opus" and each.participant_id in participant_ids
    ]


async def require_open(
    unit: UnitOfWork, consultation_id: str, participant_ids: Collection[str] | None, from_ms: int, to_ms: int
) -> None:
    """Raise ForbiddenError where one of them, or anybody for None, said something confidential in the stretch."""
    for each in await unit.transcript.between(consultation_id, from_ms, to_ms):
        if each.is_confidential and (participant_ids is None or each.participant_id in participant_ids):
            raise ForbiddenError("confidential")


def require_span(from_ms: int, to_ms: int, most_ms: int) -> None:
    if not 0 <= from_ms < to_ms <= from_ms + most_ms:
        raise ConferenceError("bad_request", f"a stretch of {most_ms} ms at most")


def _lies_in(file: Recording, from_ms: int, to_ms: int) -> bool:
    if file.started_at_ms >= to_ms:
        return False
    return file.state is FileState.RECORDING or file.started_at_ms + file.duration_ms > from_ms
