"""Recordings: which rooms are recorded, what became of it, and who may have the files."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from conference.model.audit import SYSTEM, Actor, AuditEntry, Value
from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError, NotFoundError
from conference.model.ids import new_id
from conference.model.media import RECORDING_TAP, TapLost
from conference.model.permissions import Action, require
from conference.model.recording import FileState, Recording, RecordingState
from conference.services.media_sessions import RoomsEvent
from conference.services.pauses import until
from conference.services.ports import MediaError, Recorder, UnitOfWork
from conference.services.rooms import Rooms
from conference.services.trace import Bearer
from conference.worker_events import RecordedFile, RecorderEvent, RecorderReady, RecorderTrouble

log = structlog.get_logger(__name__)

_PATIENCE_S: Final = 3.0  # a worker that takes longer to begin is trouble that people are told of
_LOOK_S: Final = 0.05  # how often it is looked whether one that is held has ended
_SILENCE_S: Final = 5.0  # a worker that lost its tap says at once that it listens again, unless it hangs
_FIRST_LOOK_S: Final = (
    5.0  # what could not be closed is tried again so much later, and then half as often each time
)
_LAST_LOOK_S: Final = 600.0


@dataclass(slots=True)
class _Kept:
    """A consultation that is being recorded."""

    since_s: float  # monotonic: when the state began that is not what it should be
    socket_path: str | None = None  # where the worker waits for the tap
    is_tapped: bool = False
    ends: int = 0  # of taps, as heard from the worker or the media process
    not_before_s: float = 0.0  # monotonic: no tap before
    reason: str = "worker_ended"  # why it would be in trouble
    state: RecordingState = RecordingState.OFF  # as noted last


class Recordings:
    """Every live room of this node is recorded unless its consultation says otherwise.

    The recorder's events are kept until their rows are written, so that a database in trouble loses none.
    """

    def __init__(self, rooms: Rooms, recorder: Recorder) -> None:
        self._rooms = rooms
        self._recorder = recorder
        self._kept: dict[str, _Kept] = {}
        self._files: deque[RecordedFile] = deque()
        self._to_settle: asyncio.Queue[str] = asyncio.Queue()
        self._settling: str | None = None
        self._looks: dict[
            str, tuple[float, float]
        ] = {}  # when files left open are seen to again, how much later
        self._held: set[str] = set()  # nothing is recorded of them, and nothing that was is written down
        self._writing = asyncio.Lock()
        recorder.listen(self._receive)

    # ── keeping ─────────────────────────────────────────────────────────────────────────────────

    async def restore(self) -> None:
        """After a start: look for what another life of the server left."""
        elsewhere = self._rooms.registry.elsewhere()
        async with self._rooms.storage.reading() as unit:
            left = await unit.recordings.unfinished()
            left |= {each.id for each in await unit.consultations.live()}
        for consultation_id in sorted(left - set(elsewhere)):
            self._to_settle.put_nowait(consultation_id)

    async def run(self) -> None:
        """See to what killed workers left, one consultation after the other; runs until cancelled."""
        await self._sweep()
        while True:
            consultation_id = await self._to_settle.get()
            if consultation_id in self._held:
                continue
            self._settling = consultation_id
            try:
                async with self._rooms.keeping(consultation_id) as is_ours:
                    found = await self._recorder.settle(consultation_id) if is_ours else ()
            finally:
                self._settling = None
            if consultation_id not in self._held:
                self._files.extend(found)

    async def look_for_left(self) -> None:
        """Call every few seconds: where nodes share files, what a node that is gone left open is closed by another,
        as soon as the file server knows that nobody writes it any more."""
        if not self._rooms.shares_files or not self._to_settle.empty() or self._files:
            return
        async with self._rooms.storage.reading() as unit:
            paths = await unit.recordings.unfinished_paths()
        left = {path.partition("/")[0] for path in paths if not self._recorder.is_writing(path)}
        left -= self._held | set(self._rooms.registry.elsewhere())
        now_s = self._rooms.clock.monotonic()
        self._looks = {each: look for each, look in self._looks.items() if each in left}
        for consultation_id in sorted(left):
            at_s, wait_s = self._looks.get(consultation_id, (now_s, _FIRST_LOOK_S))
            if now_s >= at_s:
                self._looks[consultation_id] = now_s + wait_s, min(2 * wait_s, _LAST_LOOK_S)
                self._to_settle.put_nowait(consultation_id)

    async def _sweep(self) -> None:
        """A server that was killed between a row and its file left a file that everybody holds for deleted."""
        async with self._rooms.storage.reading() as unit:
            paths = await unit.recordings.deleted_paths()
        for path in paths:
            try:
                await self._recorder.remove(path)
            except OSError as error:
                log.warning("recorder.not_removed", path=path, error=error.strerror)

    async def tick(self) -> None:
        """Call a few times a second."""
        for room in self._rooms.all():
            if room.id not in (*self._kept, *self._held) and self._wanted(room.consultation) is not None:
                self._kept[room.id] = _Kept(self._rooms.clock.monotonic())
                self._recorder.begin(room.id)
        for consultation_id, kept in tuple(self._kept.items()):
            try:
                await self._see_to(consultation_id, kept)
            except ConferenceError as error:
                # The next tick tries again, and other rooms do not wait for this one.
                log.warning("recorder.delayed", room=consultation_id, code=error.code)

    async def _see_to(self, consultation_id: str, kept: _Kept) -> None:
        consultation = await self._consultation(consultation_id)
        if consultation is None:
            await self._end(consultation_id, kept)
        elif consultation.recording_paused:
            await self._pause(consultation, kept)
        else:
            await self._tap(consultation, kept)
            await self._show(consultation, kept)

    def _receive(self, event: RecorderEvent) -> None:
        """Called on the event loop, in order; never waits."""
        if isinstance(event, RecordedFile):
            if event.consultation_id not in self._held:
                self._files.append(event)
            return
        kept = self._kept.get(event.consultation_id)
        match event:
            case RecorderReady(_, socket_path):
                if kept is not None:
                    kept.socket_path, kept.not_before_s = socket_path, 0.0
                    self._ended(kept)
            case RecorderTrouble(consultation_id, reason):
                log.warning("recorder.trouble", room=consultation_id, reason=reason)
                self._to_settle.put_nowait(consultation_id)
                if kept is not None:
                    kept.socket_path, kept.reason = None, reason
                    self._ended(kept)
                    kept.since_s = self._rooms.clock.monotonic() - _PATIENCE_S

    def follow(self, event: RoomsEvent) -> None:
        """Given to MediaSessions.follow: the media process may have given our tap up.

        A worker that still reads says that it listens; one that hangs is trouble, and tapped again after a while.
        """
        if not isinstance(event, TapLost) or event.name != RECORDING_TAP:
            return
        kept = self._kept.get(event.room_id)
        if kept is not None:
            log.warning("recorder.tap_lost", room=event.room_id)
            if kept.is_tapped:
                kept.reason = "tap_lost"
                kept.not_before_s = self._rooms.clock.monotonic() + _SILENCE_S
            self._ended(kept)

    @staticmethod
    def _ended(kept: _Kept) -> None:
        kept.is_tapped = False
        kept.ends += 1

    async def _consultation(self, consultation_id: str) -> Consultation | None:
        """The consultation, while it is to be recorded here."""
        if consultation_id in self._held:
            return None
        room = self._rooms.find(consultation_id)
        if room is not None:
            return self._wanted(room.consultation)
        if consultation_id in self._rooms.registry.elsewhere():
            return None
        async with self._rooms.storage.reading() as unit:
            found = await unit.consultations.get(consultation_id)
        return None if found is None else self._wanted(found)

    @staticmethod
    def _wanted(consultation: Consultation) -> Consultation | None:
        return consultation if consultation.is_running and consultation.recording else None

    async def _tap(self, consultation: Consultation, kept: _Kept) -> None:
        if kept.is_tapped or kept.socket_path is None or not self._rooms.media.epoch(consultation.id):
            return
        if self._rooms.clock.monotonic() < kept.not_before_s:
            return
        program_time_ms = self._rooms.program_time_ms(consultation) or 0
        ends = kept.ends
        try:
            await self._rooms.media.tap(
                consultation.id,
                kept.socket_path,
                program_time_ms=program_time_ms,
                at_monotonic_s=self._rooms.clock.monotonic(),
            )
        except MediaError as error:
            log.warning("recorder.tap_failed", room=consultation.id, code=error.code)
            kept.reason = error.code
        else:
            kept.is_tapped = kept.ends == ends  # it may have ended before this was heard

    async def _pause(self, consultation: Consultation, kept: _Kept) -> None:
        """The worker stays and is given nothing; people are told so once that is true."""
        if kept.is_tapped:
            try:
                await self._rooms.media.untap(consultation.id)
            except MediaError as error:
                log.warning("recorder.untap_failed", room=consultation.id, code=error.code)
                return  # a tap that is lost with its media process is heard of from the worker
            self._ended(kept)
        kept.since_s, kept.state = self._rooms.clock.monotonic(), RecordingState.PAUSED
        await self._tell(consultation.id, RecordingState.PAUSED)

    async def _show(self, consultation: Consultation, kept: _Kept) -> None:
        """Note the state when it changed, and tell the room."""
        now_s = self._rooms.clock.monotonic()
        if kept.is_tapped:
            kept.since_s = now_s
            state = RecordingState.ON
        elif now_s - kept.since_s >= _PATIENCE_S:
            state = RecordingState.TROUBLE
        else:
            state = kept.state
        if state is not kept.state:
            action = "recording.started" if state is RecordingState.ON else "recording.interrupted"
            content: dict[str, Value] = {} if state is RecordingState.ON else {"reason": kept.reason}
            async with self._rooms.storage.transaction() as unit:
                await unit.audit.append(self._entry(consultation, SYSTEM, action, consultation.id, content))
            kept.state = state
        await self._tell(consultation.id, state)

    async def _tell(self, consultation_id: str, state: RecordingState) -> None:
        room = self._rooms.find(consultation_id)
        if room is not None and room.recording is not state:
            async with room.lock:
                if not room.closed:
                    room.set_recording(state)

    async def _end(self, consultation_id: str, kept: _Kept) -> None:
        """It is over, or another node has the room."""
        async with self._rooms.storage.transaction() as unit:
            consultation = await unit.consultations.get(consultation_id)
            if consultation is not None:
                entry = self._entry(consultation, SYSTEM, "recording.ended", consultation_id, {})
                await unit.audit.append(entry)
        del self._kept[consultation_id]
        if kept.is_tapped:
            try:
                await self._rooms.media.untap(consultation_id)
            except MediaError as error:
                log.warning("recorder.untap_failed", room=consultation_id, code=error.code)
        self._recorder.end(consultation_id)
        self._to_settle.put_nowait(consultation_id)
        await self._tell(consultation_id, RecordingState.OFF)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────

    async def write_rows(self) -> None:
        """Call as often: what the recorder told, in its order. Stops at the first that the database does not take."""
        async with self._writing:
            while self._files:
                file = self._files[0]
                async with self._rooms.storage.transaction() as unit:
                    await self._write(unit, file)
                self._files.popleft()

    # ── ports.RoomWork: for what was rehearsed ──────────────────────────────────────────────────

    async def hold(self, consultation_id: str) -> None:
        self._held.add(consultation_id)
        async with self._writing:
            self._files = deque(each for each in self._files if each.consultation_id != consultation_id)

    async def still(self, consultation_id: str) -> None:
        await until(lambda: consultation_id not in self._kept and self._settling != consultation_id, _LOOK_S)
        await self._recorder.wait_ended(consultation_id)

    def release(self, consultation_id: str) -> None:
        self._held.discard(consultation_id)

    def look_at(self, consultation_id: str) -> None:
        self._to_settle.put_nowait(consultation_id)  # the ends of files were dropped while it was held

    async def _write(self, unit: UnitOfWork, file: RecordedFile) -> None:
        consultation = await unit.consultations.get(file.consultation_id)
        if consultation is None:
            return
        known = await unit.recordings.at(file.consultation_id, [file.path])
        if known and (known[0].deleted_at_ms is not None or known[0].state is FileState.DONE):
            return
        before = known[0] if known else await self._opened(unit, file)
        after = before
        if file.is_ended:
            state = FileState.DONE if file.is_whole else FileState.BROKEN
            after = before.ended(state, file.duration_ms, file.size_bytes, file.sha256)
        if known and after == before:
            return
        await unit.recordings.save([after])
        if not known:
            content: dict[str, Value] = {
                "participant": after.participant_id,
                "source": after.source,
                "codec": after.codec,
            }
            entry = self._entry(consultation, SYSTEM, "recording.file_opened", after.id, content)
            await unit.audit.append(entry)
        if after.state is not FileState.RECORDING:
            content = {"state": after.state.value, "size_bytes": after.size_bytes, "sha256": after.sha256}
            entry = self._entry(consultation, SYSTEM, "recording.file_closed", after.id, content)
            await unit.audit.append(entry)

    @staticmethod
    async def _opened(unit: UnitOfWork, file: RecordedFile) -> Recording:
        participant = await unit.participants.get(file.participant_id)
        return Recording(
            id=new_id("rec"),
            consultation_id=file.consultation_id,
            participant_id=file.participant_id,
            name="" if participant is None else participant.name,
            source=file.source,
            label=file.label,
            codec=file.codec,
            path=file.path,
            started_at_ms=file.started_at_ms,
            duration_ms=0,
            size_bytes=0,
            sha256=None,
            state=FileState.RECORDING,
            created_at_ms=file.created_at_ms,
        )

    # ── the files ───────────────────────────────────────────────────────────────────────────────

    async def list(
        self, consultation_id: str, *, after: str | None = None, limit: int = 100
    ) -> list[Recording]:
        """By their beginning."""
        async with self._rooms.storage.reading() as unit:
            return await unit.recordings.of(consultation_id, after=after, limit=limit)

    async def open(
        self, consultation_id: str, recording_id: str, by: Bearer, *, is_traced: bool = True
    ) -> tuple[Recording, Path]:
        """The file and where it lies, to be handed out. invalid_state while it is being written."""
        require(by.role, Action.RECORDING_READ)
        async with self._rooms.storage.reading() as unit:
            recording, consultation = await self._found(unit, consultation_id, recording_id)
        if is_traced:
            async with self._rooms.storage.transaction() as unit:
                entry = self._entry(consultation, by.actor, "recording.downloaded", recording_id, {})
                await unit.audit.append(entry)
        return recording, self._recorder.path(recording.path)

    async def delete(self, consultation_id: str, recording_id: str, by: Bearer) -> None:
        """For good. invalid_state while it is being written."""
        require(by.role, Action.RECORDING_DELETE)
        async with self._rooms.storage.transaction() as unit:
            recording, consultation = await self._found(unit, consultation_id, recording_id)
            now_ms = self._rooms.clock.wall_ms()
            await unit.recordings.save([recording.deleted(now_ms)])
            export = await unit.exports.get(recording_id)
            if export is not None:  # the program's own file is both
                await unit.exports.save([export.deleted(now_ms)])
            content: dict[str, Value] = {
                "participant": recording.participant_id,
                "source": recording.source,
                "sha256": recording.sha256,
            }
            entry = self._entry(consultation, by.actor, "recording.deleted", recording_id, content)
            await unit.audit.append(entry)
        await self._recorder.remove(recording.path)

    @staticmethod
    async def _found(
        unit: UnitOfWork, consultation_id: str, recording_id: str
    ) -> tuple[Recording, Consultation]:
        recording = await unit.recordings.get(recording_id)
        consultation = await unit.consultations.get(consultation_id)
        if recording is None or consultation is None or recording.consultation_id != consultation_id:
            raise NotFoundError(f"recording {recording_id}")
        if recording.state is FileState.RECORDING:
            raise ConferenceError("invalid_state", "it is still being recorded")
        return recording, consultation

    def _entry(
        self, consultation: Consultation, by: Actor, action: str, subject: str, content: dict[str, Value]
    ) -> AuditEntry:
        program_time_ms = self._rooms.program_time_ms(consultation)
        now_ms = self._rooms.clock.wall_ms()
        return AuditEntry(consultation.id, now_ms, program_time_ms, by, action, subject, content)
