"""The transcription worker of a node: one process for all rooms, started when there is something to hear, watched,
started again, and ended when there is nothing to do for a while.

Implements conference.services.ports.Transcriber.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from conference.model.gap_reasons import GapReason
from conference.worker_events import (
    ListenEnded,
    ListenJob,
    TranscriberEvent,
    TranscriberModel,
    TranscriberReady,
)
from transcription import wire
from transcription.engines import described
from transcription.model_watch import ModelWatch

_MODULE: Final = "transcription.worker"
_FIRST_BACKOFF_S: Final = 0.2
_LAST_BACKOFF_S: Final = 10.0
_STEADY_S: Final = 30.0  # a worker that lived this long has its back-off forgiven
_SILENT_S: Final = 30.0  # it says how it fares every 2 s: one that is silent for so long hangs
_IDLE_S: Final = 60.0
_STOP_S: Final = 1.0
_LOOK_S: Final = 2.0  # between two looks for a model that was installed meanwhile
_MOST_UNREAD: Final = 4 << 20  # bytes of orders that a worker did not take
_LONGEST_SOCKET_PATH: Final = 100  # the kernel takes 107 bytes

log = logging.getLogger("transcription.supervisor")


@dataclass(slots=True)
class _Tap:
    """A room that is listened to."""

    socket: str = ""  # empty until a worker was told of it
    preferred: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()


class TranscriberSupervisor:
    """Owned by signaling.app: `close` at the end."""

    def __init__(
        self,
        run_directory: Path,
        *,
        recordings: Path,
        models: Path,
        model: Path | None = None,
        engine: str | None = None,
        streams: int = 3,
        module: str = _MODULE,
        idle_s: float = _IDLE_S,
        silent_s: float = _SILENT_S,
    ) -> None:
        """`models`: the directory of installed ones, of which the newest is taken unless `model` is a folder.
        `engine`: `module:factory` of an engine of others, see transcription.engines."""
        self._run_directory = run_directory
        self._recordings = recordings
        self._watch = ModelWatch(models, model, engine)
        self._engine = engine
        self._streams = streams
        self._module = module
        self._idle_s = idle_s
        self._silent_s = silent_s
        self._taps: dict[str, _Tap] = {}
        self._leaving: set[str] = set()  # sockets of rooms that have ended, not told to the end yet
        self._jobs: dict[str, ListenJob] = {}
        self._numbers = itertools.count(1)
        self._listener: Callable[[TranscriberEvent], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = False  # this worker takes no more orders
        self._closing = asyncio.Event()
        self._loaded: TranscriberModel | None = None  # what this worker said of its model
        self._published: TranscriberModel | None = None
        self._short_directory: Path | None = None

    # ── conference.services.ports.Transcriber ───────────────────────────────────────────────────

    def listen(self, receive: Callable[[TranscriberEvent], None]) -> None:
        self._listener = receive

    def model(self) -> TranscriberModel:
        if self._process is not None and self._loaded is not None:
            return self._loaded
        return self._watch.model()

    def begin(self, consultation_id: str) -> None:
        if consultation_id not in self._taps:
            self._taps[consultation_id] = _Tap()
            self._tell_tap(consultation_id)
            self._wake()

    def end(self, consultation_id: str) -> None:
        tap = self._taps.pop(consultation_id, None)
        if tap is not None and tap.socket:
            self._leaving.add(tap.socket)
            self._tell(wire.End(consultation_id))

    def prefer(self, consultation_id: str, participant_ids: Sequence[str]) -> None:
        tap = self._taps.get(consultation_id)
        wanted = tuple(participant_ids)
        if tap is not None and tap.preferred != wanted:
            tap.preferred = wanted
            if tap.socket:
                self._tell(wire.Prefer(consultation_id, wanted))

    def use_terms(self, consultation_id: str, words: Sequence[str]) -> None:
        tap = self._taps.get(consultation_id)
        wanted = tuple(words)
        if tap is not None and tap.terms != wanted:
            tap.terms = wanted
            if tap.socket:
                self._tell(wire.Terms(consultation_id, wanted))

    def recognise(self, job: ListenJob) -> None:
        if job.id not in self._jobs:
            self._jobs[job.id] = job
            self._tell(wire.Job(job))
            self._wake()

    def cancel(self, job_id: str) -> None:
        if self._jobs.pop(job_id, None) is not None:
            self._tell(wire.Cancel(job_id))

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    @property
    def pid(self) -> int | None:
        """Of the worker, while one runs."""
        return None if self._process is None else self._process.pid

    async def close(self) -> None:
        """Stop the worker; what it had not told yet is recognised from the recording. Idempotent."""
        self._closing.set()
        self._taps.clear()
        self._jobs.clear()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=_STOP_S)
            if not done:
                self._task.cancel()
                await asyncio.wait([self._task])
        await self._watch.close()
        if self._short_directory is not None:
            with contextlib.suppress(OSError):
                self._short_directory.rmdir()

    def _wake(self) -> None:
        if not self._closing.is_set() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._supervise(), name="transcriber")

    def _is_wanted(self) -> bool:
        return not self._closing.is_set() and bool(self._taps or self._jobs)

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while self._is_wanted():
            folder = await asyncio.to_thread(self._watch.folder)
            if folder is None and self._engine is None:
                self._publish_model(TranscriberModel("", "", "no_model"))
                self._lose_jobs("no_model")
                await self._pause(_LOOK_S)
                continue
            began_s = loop.time()
            try:
                await self._live(folder)
            except OSError as error:
                log.error("the transcriber cannot run: %s", error)
            was_stopping, self._is_stopping = self._is_stopping, False
            if was_stopping or self._closing.is_set():
                continue
            loaded = self._loaded
            if loaded is None:  # it dies of the model, or of one of its libraries
                found = await asyncio.to_thread(described, folder, self._engine)
                self._publish_model(replace(found, reason="model_broken"))
            elif not loaded.reason:
                self._publish_model(replace(loaded, reason="worker_ended"))
            if loop.time() - began_s > _STEADY_S:
                backoff_s = _FIRST_BACKOFF_S
            await self._pause(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _live(self, folder: Path | None) -> None:
        """One life of the worker, to its end. Raises OSError when it cannot begin."""
        self._loaded = None
        options = wire.Options(
            recordings=str(self._recordings),
            model=None if folder is None else str(folder),
            engine=self._engine,
            streams=self._streams,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, msgspec.json.encode(options).decode(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            limit=wire.LONGEST_LINE,
        )  # fmt: skip
        try:
            self._process = process
            if self._closing.is_set():
                return
            for consultation_id in self._taps:
                self._tell_tap(consultation_id)
            for job in self._jobs.values():
                self._tell(wire.Job(job))
            await self._listen_to(process)
        finally:
            self._process = None
            if process.returncode is None:
                process.kill()
                await process.wait()
            self._forget_sockets()
            if not self._is_stopping:
                is_bad = self._loaded is not None and self._loaded.reason
                self._lose_jobs("no_model" if is_bad else GapReason.WORKER_ENDED)

    async def _listen_to(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        loop = asyncio.get_running_loop()
        busy_s = loop.time()
        while True:
            try:
                async with asyncio.timeout(self._silent_s):
                    line = await process.stdout.readline()
            except TimeoutError:
                log.error("the transcriber hangs")
                return
            except ValueError:
                log.error("the transcriber wrote a line without an end")
                return
            if not line:
                await process.wait()
                return
            try:
                said = wire.event_of(line)
            except ValueError:
                log.error("the transcriber wrote what is no event")
                continue
            self._take(said)
            if self._taps or self._jobs or self._leaving:
                busy_s = loop.time()
            elif loop.time() - busy_s > self._idle_s:
                self._tell(wire.Stop())
                self._is_stopping = True

    def _take(self, said: TranscriberEvent | wire.Released) -> None:
        match said:
            case wire.Released():
                self._leaving.discard(said.socket)
                return
            case TranscriberModel():
                self._loaded = said
                self._publish_model(said)
                return
            case TranscriberReady(consultation_id, socket):
                tap = self._taps.get(consultation_id)
                if tap is None or tap.socket != socket:
                    return  # ended meanwhile
            case ListenEnded(job_id):
                if self._jobs.pop(job_id, None) is None:
                    return  # cancelled meanwhile
        self._publish(said)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────

    def _tell_tap(self, consultation_id: str) -> None:
        if self._process is None or self._is_stopping:
            return
        tap = self._taps[consultation_id]
        tap.socket = str(self._socket_path())
        self._tell(wire.Begin(consultation_id, tap.socket))
        if tap.preferred:
            self._tell(wire.Prefer(consultation_id, tap.preferred))
        if tap.terms:
            self._tell(wire.Terms(consultation_id, tap.terms))

    def _tell(self, order: wire.AnyOrder) -> None:
        process = self._process
        if process is None or self._is_stopping:
            return  # the next one is told all that holds then
        assert process.stdin is not None
        if process.stdin.is_closing():
            return
        if process.stdin.transport.get_write_buffer_size() > _MOST_UNREAD:
            log.error("the transcriber does not read")
            process.kill()
            return
        with contextlib.suppress(OSError):
            process.stdin.write(wire.order_line(order))

    def _socket_path(self) -> Path:
        """Another one each time, so that nobody takes an old one for it."""
        name = f"text-{next(self._numbers)}.sock"
        path = self._run_directory / name
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            self._run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return path
        if self._short_directory is None:
            self._short_directory = Path(tempfile.mkdtemp(prefix="yuanshang-"))
        return self._short_directory / name

    def _forget_sockets(self) -> None:
        """The worker is gone."""
        for socket in (*self._leaving, *(tap.socket for tap in self._taps.values() if tap.socket)):
            Path(socket).unlink(missing_ok=True)
        self._leaving.clear()
        for tap in self._taps.values():
            tap.socket = ""

    # ── what is told ────────────────────────────────────────────────────────────────────────────

    def _lose_jobs(self, reason: str) -> None:
        jobs, self._jobs = tuple(self._jobs), {}
        for job_id in jobs:
            self._publish(ListenEnded(job_id, reason))

    def _publish_model(self, model: TranscriberModel) -> None:
        if model != self._published:
            self._published = model
            self._publish(model)

    def _publish(self, event: TranscriberEvent) -> None:
        if self._listener is not None:
            self._listener(event)

    async def _pause(self, seconds: float) -> None:
        """Or until the end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
