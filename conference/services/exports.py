"""Exports: what is made out of recordings when a consultation is over, one file after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from conference.clock import Clock
from conference.export_job import MadeFile
from conference.model.audit import SYSTEM, Actor, AuditEntry, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.export import SOUND, VIDEO, Export, ExportKind, ExportState
from conference.model.ids import new_id
from conference.model.permissions import Action, require
from conference.model.recording import FileState, Recording
from conference.services.consultations import consultation_of
from conference.services.export_jobs import PROGRAM, job_of, omitted_of, span_of_item, span_of_turn, tracks_of
from conference.services.ports import (
    ExportFailedError,
    ExportMaker,
    OneServer,
    Storage,
    UnitOfWork,
    Works,
)
from conference.services.trace import Bearer

log = structlog.get_logger(__name__)

_LOOK_S: Final = 2.0  # how late a program's file is begun
_AGAIN_S: Final = 1.0
_TRIES: Final = 3  # of a process that dies
_YOUNG_MS: Final = 3_600_000  # what is younger may be on its way, by another server on the same directory
_SEEN_MS: Final = 300_000
_RECENT_MS: Final = 30 * 86_400_000  # what ended before is not made by itself


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is asked for. `subject`: participant, agenda item or turn, as `what` says."""

    kind: ExportKind
    subject: str | None = None
    is_turn: bool = False
    sound_only: bool = False


@dataclass(slots=True)
class _Running:
    export_id: str
    task: asyncio.Task[MadeFile]
    progress: int = 0


class Exports:
    """The queue is rows: after a crash it goes on from there, and what was half made is made anew."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        maker: ExportMaker,
        is_made: Callable[[str], bool],
        works: Works | None = None,
    ) -> None:
        """`is_made`: whether the program of this consultation is being made now. `works`: where other servers see the
        same files."""
        self._works: Works = works or OneServer()
        self._storage = storage
        self._clock = clock
        self._maker = maker
        self._is_made = is_made
        self._running: _Running | None = None
        self._wake = asyncio.Event()
        self._tries: dict[str, int] = {}
        self._bare: set[str] = set()  # ended ones of which nothing was kept here

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    async def list(self, consultation_id: str, *, after: str | None = None, limit: int = 100) -> list[Export]:
        """The newest first."""
        async with self._storage.reading() as unit:
            found = await unit.exports.of(consultation_id, after=after, limit=limit)
        return [self._seen(each) for each in found]

    async def request(self, consultation_id: str, by: Bearer, asked: ExportRequest) -> tuple[Export, bool]:
        """The export, and whether it is to be made; one that is there or on its way is not made twice.

        invalid_state before the end, nothing_recorded, not_found.
        """
        require(by.role, Action.EXPORT_CREATE)
        return await self.wanted(consultation_id, by, asked)

    async def wanted(self, consultation_id: str, by: Bearer, asked: ExportRequest) -> tuple[Export, bool]:
        """The same for whoever is known to have a right to this very file."""
        now_ms = self._clock.wall_ms()
        has_program = await self._has_program(consultation_id)
        async with self._storage.transaction() as unit:
            consultation = await consultation_of(unit, consultation_id)
            if consultation.status not in (Status.ENDED, Status.ARCHIVED):
                raise ConferenceError("invalid_state", "it has not ended")
            wanted = await self._wanted(unit, consultation, by.name, asked, has_program=has_program)
            known = await unit.exports.like(wanted)
            if known is not None and known.state is not ExportState.FAILED:
                return self._seen(known), False
            export = wanted if known is None else known.again(now_ms, by.name)
            await unit.exports.save([export])
            await unit.audit.append(self._requested(consultation, by.actor, export))
        self._tries.pop(export.id, None)
        self._wake.set()
        return export, True

    async def _wanted(
        self,
        unit: UnitOfWork,
        consultation: Consultation,
        by_name: str,
        asked: ExportRequest,
        *,
        has_program: bool,
    ) -> Export:
        cid, now_ms = consultation.id, self._clock.wall_ms()
        title, media_type = consultation.title, VIDEO
        span: tuple[int, int | None] = (0, None)
        match asked:
            case ExportRequest(ExportKind.PROGRAM):
                if not has_program:
                    raise ConferenceError("nothing_recorded")
            case ExportRequest(ExportKind.PERSON, subject=str(participant_id)):
                tracks = await tracks_of(unit, cid, participant_id)
                if asked.sound_only:
                    tracks = [each for each in tracks if each.codec == "opus"]
                if not tracks:
                    raise ConferenceError("nothing_recorded")
                participant = await unit.participants.get(participant_id)
                title = participant.name if participant is not None else ""
                if all(each.codec == "opus" for each in tracks):
                    media_type = SOUND
            case ExportRequest(ExportKind.CLIP, subject=str(subject)):
                find = span_of_turn if asked.is_turn else span_of_item
                title, span = await find(unit, consultation, subject)
                media_type = SOUND
                if not has_program and not await tracks_of(unit, cid, None):
                    raise ConferenceError("nothing_recorded")
            case _:
                raise ConferenceError("bad_request", "of whom, or of what?")
        return Export(new_id("x"), cid, asked.kind, asked.subject, title, media_type, by_name, now_ms, *span)

    async def open(
        self, consultation_id: str, export_id: str, by: Bearer, *, is_traced: bool = True
    ) -> tuple[Export, Path]:
        """The file and where it lies, to be handed out. invalid_state unless it is done."""
        require(by.role, Action.RECORDING_READ)
        return await self.handed_out(consultation_id, export_id, by, is_traced=is_traced)

    async def handed_out(
        self, consultation_id: str, export_id: str, by: Bearer, *, is_traced: bool = True
    ) -> tuple[Export, Path]:
        """The same for whoever is known to have a right to this very file."""
        async with self._storage.reading() as unit:
            export, consultation = await self._found(unit, consultation_id, export_id)
        if export.state is not ExportState.DONE:
            raise ConferenceError("invalid_state", "it is not made yet")
        if is_traced:
            async with self._storage.transaction() as unit:
                await unit.audit.append(
                    self._entry(consultation, by.actor, "export.downloaded", export_id, {})
                )
        return export, self._maker.path(export.path)

    async def delete(self, consultation_id: str, export_id: str, by: Bearer) -> None:
        """For good; what is queued or being made is given up. The program's own file is no recording any more."""
        require(by.role, Action.RECORDING_DELETE)
        async with self._storage.transaction() as unit:
            export, consultation = await self._found(unit, consultation_id, export_id)
            await self.strike(unit, consultation, export, by.actor)
        await self.forget(export)

    async def strike(
        self, unit: UnitOfWork, consultation: Consultation, export: Export, by: Actor, reason: str = ""
    ) -> None:
        """Its rows are deleted, with their lines. `forget` it when that is committed."""
        now_ms = self._clock.wall_ms()
        await unit.exports.save([export.deleted(now_ms)])
        content: dict[str, Value] = {"kind": export.kind, "sha256": export.sha256}
        if reason:
            content["reason"] = reason
        await unit.audit.append(self._entry(consultation, by, "export.deleted", export.id, content))
        recording = await unit.recordings.get(export.id)
        if recording is not None:
            await unit.recordings.save([recording.deleted(now_ms)])

    async def forget(self, export: Export) -> None:
        """After its rows were deleted: nothing makes it any more, and its file is gone."""
        running = self._running
        if running is not None and running.export_id == export.id:
            running.task.cancel()
            await asyncio.wait([running.task])
        await self._maker.remove(export.path)

    # ── making ──────────────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """After a start: take away what a crash left half made, or without a row."""
        async with self._storage.reading() as unit:
            kept = await unit.exports.paths()
        before_ms = self._clock.wall_ms() - _YOUNG_MS if self._works.is_shared else None
        await self._maker.sweep(kept, before_ms)

    async def run(self) -> None:
        """Make what is asked for, one file after the other; runs until cancelled."""
        while True:
            await self.queue_programs()
            if await self._make_next():
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(_LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def queue_programs(self) -> None:
        """The program's file makes itself, once, when its consultation has ended."""
        async with self._storage.reading() as unit:
            since_ms = self._clock.wall_ms() - _RECENT_MS
            ended = [
                each for each in await unit.exports.without_program(since_ms) if each.id not in self._bare
            ]
        for consultation in ended:
            if not await self._is_over(consultation.id):
                continue
            if not await self._has_program(consultation.id):
                if self._is_known_bare(consultation):
                    self._bare.add(consultation.id)
                continue
            async with self._works.alone(f"program-file-{consultation.id}") as is_ours:
                if is_ours:
                    await self._queue_program(consultation)

    async def _queue_program(self, consultation: Consultation) -> None:
        now_ms = self._clock.wall_ms()
        export = Export(
            new_id("x"), consultation.id, ExportKind.PROGRAM, None, consultation.title, VIDEO, "", now_ms
        )
        async with self._storage.transaction() as unit:
            if await unit.exports.like(export) is None:  # nobody was faster
                await unit.exports.save([export])
                await unit.audit.append(self._requested(consultation, SYSTEM, export))

    def _is_known_bare(self, consultation: Consultation) -> bool:
        """What another server wrote last is seen here a little later."""
        ended_ms = consultation.ended_at_ms or 0
        return not self._works.is_shared or self._clock.wall_ms() - ended_ms > _SEEN_MS

    async def _has_program(self, consultation_id: str) -> bool:
        async with self._storage.reading() as unit:
            omitted = await omitted_of(unit, consultation_id)
        return await self._maker.has_program(consultation_id, omitted)

    async def _is_over(self, consultation_id: str) -> bool:
        """Whether nothing is written any more that an export would lack."""
        if self._is_made(consultation_id) or await self._maker.is_written(consultation_id):
            return False
        async with self._storage.reading() as unit:
            return consultation_id not in await unit.recordings.unfinished()

    async def _make_next(self) -> bool:
        """Make the oldest one whose recordings are here and complete, and which no other server makes. False when there
        is none."""
        async with self._storage.reading() as unit:
            queued = await unit.exports.queued()
        for export in queued:
            cid = export.consultation_id
            if not await self._maker.has_files(cid) or not await self._is_over(cid):
                continue
            async with self._works.alone(f"export-{export.id}") as is_ours:
                if is_ours and await self._is_queued(export.id):
                    await self.make(export)
                    return True
        return False

    async def _is_queued(self, export_id: str) -> bool:
        """Still: another server may have made it before it was ours."""
        async with self._storage.reading() as unit:
            export = await unit.exports.get(export_id)
        return export is not None and export.state is ExportState.QUEUED

    async def make(self, export: Export) -> None:
        """Make it, and write down what became of it. A process that dies is given another try."""
        async with self._storage.reading() as unit:
            consultation = await consultation_of(unit, export.consultation_id)
            job = await job_of(unit, export, consultation)
        task = asyncio.ensure_future(self._maker.make(job, export.path, self._told))
        self._running = _Running(export.id, task)
        try:
            await asyncio.wait([task])
            if task.cancelled():
                return  # it was deleted
            made = task.result()
        except ExportFailedError as error:
            await self._failed(consultation, export, error.reason)
        else:
            await self._done(consultation, export, made)
        finally:
            task.cancel()
            await asyncio.wait([task])
            self._running = None

    def _told(self, percent: int) -> None:
        if self._running is not None:
            self._running.progress = percent

    async def _done(self, consultation: Consultation, export: Export, made: MadeFile) -> None:
        done = export.done(
            self._clock.wall_ms(), made.from_ms, made.duration_ms, made.size_bytes, made.sha256
        )
        content: dict[str, Value] = {
            "kind": done.kind,
            "duration_ms": done.duration_ms,
            "size_bytes": done.size_bytes,
            "sha256": done.sha256,
        }
        self._tries.pop(export.id, None)
        if not await self._written(consultation, done, "export.finished", content):
            await self._maker.remove(export.path)

    async def _failed(self, consultation: Consultation, export: Export, reason: str) -> None:
        log.warning("export.failed", consultation=consultation.id, export=export.id, reason=reason)
        tries = self._tries[export.id] = self._tries.get(export.id, 0) + 1
        if reason == "worker_ended" and tries < _TRIES:
            await asyncio.sleep(_AGAIN_S)
            return
        del self._tries[export.id]
        failed = export.failed(self._clock.wall_ms(), reason)
        await self._written(consultation, failed, "export.failed", {"kind": export.kind, "reason": reason})

    async def _written(
        self, consultation: Consultation, export: Export, action: str, content: dict[str, Value]
    ) -> bool:
        """Whether it was still wanted. Hours of work wait for a database in trouble."""
        while True:
            try:
                async with self._storage.transaction() as unit:
                    known = await unit.exports.get(export.id)
                    if known is not None and known.state is ExportState.QUEUED:
                        await unit.exports.save([export])
                        if export.kind is ExportKind.PROGRAM and export.state is ExportState.DONE:
                            await unit.recordings.save([_as_recording(export)])
                        await unit.audit.append(self._entry(consultation, SYSTEM, action, export.id, content))
                return known is not None
            except ConferenceError as error:
                log.warning("export.delayed", export=export.id, code=error.code)
                await asyncio.sleep(_AGAIN_S)

    # ── helpers ─────────────────────────────────────────────────────────────────────────────────

    def _seen(self, export: Export) -> Export:
        """With its progress, while it is being made."""
        running = self._running
        if running is None or running.export_id != export.id or export.state is not ExportState.QUEUED:
            return replace(export, progress=100) if export.state is ExportState.DONE else export
        return export.running(running.progress)

    @staticmethod
    async def _found(unit: UnitOfWork, consultation_id: str, export_id: str) -> tuple[Export, Consultation]:
        export = await unit.exports.get(export_id)
        if export is None or export.consultation_id != consultation_id:
            raise NotFoundError(f"export {export_id}")
        return export, await consultation_of(unit, consultation_id)

    def _requested(self, consultation: Consultation, by: Actor, export: Export) -> AuditEntry:
        content: dict[str, Value] = {
            "kind": export.kind,
            "of": export.subject,
            "media_type": export.media_type,
        }
        return self._entry(consultation, by, "export.requested", export.id, content)

    def _entry(
        self, consultation: Consultation, by: Actor, action: str, subject: str, content: dict[str, Value]
    ) -> AuditEntry:
        program_time_ms = None if consultation.started_at_ms is None else consultation.program_high_water_ms
        now_ms = self._clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, program_time_ms, by, action, subject, content)


def _as_recording(export: Export) -> Recording:
    """The program's file stands among the recordings, under the same id."""
    return Recording(
        id=export.id,
        consultation_id=export.consultation_id,
        participant_id=PROGRAM,
        name=export.title,
        source=PROGRAM,
        codec="h264",
        path=export.path,
        started_at_ms=export.from_ms,
        duration_ms=export.duration_ms,
        size_bytes=export.size_bytes,
        sha256=export.sha256,
        state=FileState.DONE,
        created_at_ms=export.finished_at_ms or export.requested_at_ms,
    )
