"""The ingest processes of a node: one for each camera or clip, started, watched and started again.

Implements conference.services.ports.Ingests. An address and its password go to the process on its standard input, and
nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import msgspec

from conference.ingest import messages
from conference.ingest.processes import WORKER, asked_once, ended, spawned
from conference.ingest_events import (
    ClipAt,
    IngestConnecting,
    IngestEvent,
    IngestFailed,
    IngestJob,
    IngestKind,
    IngestLook,
    IngestReady,
    IngestReason,
    IngestRunning,
)

_FIRST_BACKOFF_S: Final = 0.2
_LAST_BACKOFF_S: Final = 5.0
_STEADY_S: Final = 30.0  # a process that lived this long has its back-off forgiven
_START_S: Final = 30.0
_SILENT_S: Final = 10.0  # it says every two seconds that it lives
_LOOK_S: Final = 15.0
_MOST_LOOKS: Final = 2  # at once
_LONGEST_SOCKET_PATH: Final = 100  # the kernel takes 107 bytes

log = logging.getLogger("ingest.supervisor")


@dataclass(slots=True)
class _Pulled:
    """One job."""

    job: IngestJob
    task: asyncio.Task[None] | None = None
    process: asyncio.subprocess.Process | None = None
    at: ClipAt | None = None  # of a clip: where it was heard to be
    orders: list[bytes] = field(default_factory=list)  # that no process has been told yet


class IngestSupervisor:
    """Owned by signaling.app: `close` at the end."""

    def __init__(self, run_directory: Path, *, module: str = WORKER, silent_s: float = _SILENT_S) -> None:
        self._run_directory = run_directory
        self._module = module
        self._silent_s = silent_s
        self._pulled: dict[str, _Pulled] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._listeners: list[Callable[[IngestEvent], None]] = []
        self._looks = asyncio.Semaphore(_MOST_LOOKS)
        self._number = 0

    # ── conference.services.ports.Ingests ───────────────────────────────────────────────────────

    def listen(self, receive: Callable[[IngestEvent], None]) -> None:
        self._listeners.append(receive)

    def start(self, job: IngestJob) -> None:
        before = self._pulled.get(job.ingest_id)
        if before is not None:
            if before.job == job:
                return
            self.stop(job.ingest_id)
        pulled = self._pulled[job.ingest_id] = _Pulled(job)
        pulled.task = asyncio.create_task(self._supervise(pulled), name=f"ingest {job.ingest_id}")

    def stop(self, ingest_id: str) -> None:
        pulled = self._pulled.pop(ingest_id, None)
        if pulled is not None and pulled.task is not None:
            pulled.task.cancel()
            self._ending.add(pulled.task)
            pulled.task.add_done_callback(self._ending.discard)

    def play(self, ingest_id: str) -> None:
        self._order(ingest_id, messages.Play())

    def pause(self, ingest_id: str) -> None:
        self._order(ingest_id, messages.Pause())

    def seek(self, ingest_id: str, position_ms: int) -> None:
        self._order(ingest_id, messages.Seek(position_ms))

    async def look(self, job: IngestJob) -> IngestLook | IngestFailed:
        nothing = IngestFailed(job.ingest_id, IngestReason.NO_PICTURE, None)
        try:
            async with self._looks, asyncio.timeout(_LOOK_S):
                fact = await asked_once(self._module, _line(job, ""))
        except TimeoutError:
            return nothing
        match fact:
            case messages.Look():
                return IngestLook(
                    fact.picture, fact.width, fact.height, fact.codec, fact.has_sound, fact.transcoding
                )
            case messages.Failed(reason):
                return IngestFailed(job.ingest_id, IngestReason(reason), None)
        return IngestFailed(job.ingest_id, IngestReason.GARBAGE, None)  # the process died of it

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def pids(self) -> dict[str, int]:
        """Of the processes that run, by ingest."""
        return {name: one.process.pid for name, one in self._pulled.items() if one.process is not None}

    async def close(self) -> None:
        """End all processes; idempotent."""
        for ingest_id in tuple(self._pulled):
            self.stop(ingest_id)
        if self._ending:
            await asyncio.wait(tuple(self._ending))

    async def _supervise(self, pulled: _Pulled) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while True:
            began_s = loop.time()
            try:
                await self._live(pulled)
            except OSError as error:
                log.error("ingest %s: %s", pulled.job.ingest_id, error)
            if loop.time() - began_s > _STEADY_S:
                backoff_s = _FIRST_BACKOFF_S
            self._publish(IngestFailed(pulled.job.ingest_id, IngestReason.STOPPED, backoff_s))
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _live(self, pulled: _Pulled) -> None:
        """One process, to its end. Raises OSError when it cannot begin."""
        path = self._socket_path()
        try:
            process = pulled.process = await spawned(self._module, _line(_resumed(pulled), str(path)))
            try:
                await self._listen_to(pulled, process, path)
            finally:
                pulled.process = None
                await ended(process)
        finally:
            _remove(path, self._run_directory)

    async def _listen_to(self, pulled: _Pulled, process: asyncio.subprocess.Process, path: Path) -> None:
        assert process.stdout is not None
        name = pulled.job.ingest_id
        patience_s = _START_S
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    line = await process.stdout.readline()
            except TimeoutError:
                log.error("the process of ingest %s hangs", name)
                return
            except ValueError:
                log.error("the process of ingest %s wrote a line without an end", name)
                return
            if not line:
                return
            patience_s = self._silent_s
            try:
                fact = messages.read_fact(line)
                event = _event(name, fact, str(path))
            except (msgspec.MsgspecError, ValueError):
                log.error("the process of ingest %s wrote what is no fact", name)
                continue
            if isinstance(fact, messages.Ready):
                self._tell(pulled)
            if isinstance(event, ClipAt):
                pulled.at = event
            if event is not None and self._pulled.get(name) is pulled:
                self._publish(event)

    def _order(self, ingest_id: str, order: messages.Play | messages.Pause | messages.Seek) -> None:
        pulled = self._pulled.get(ingest_id)
        if pulled is not None and pulled.job.kind is IngestKind.CLIP:
            pulled.orders.append(messages.encode(order))
            if pulled.process is not None:
                self._tell(pulled)

    def _tell(self, pulled: _Pulled) -> None:
        process = pulled.process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        with contextlib.suppress(OSError):
            process.stdin.write(b"".join(pulled.orders))
            pulled.orders.clear()

    def _socket_path(self) -> Path:
        self._number += 1
        path = self._run_directory / f"ingest-{self._number}.sock"
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            return Path(tempfile.mkdtemp(prefix="yuanshang-")) / "in.sock"
        self._run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        return path

    def _publish(self, event: IngestEvent) -> None:
        for receive in self._listeners:
            try:
                receive(event)
            except Exception:
                log.exception("event %s failed", type(event).__name__)


def _resumed(pulled: _Pulled) -> IngestJob:
    """A clip goes on where it was heard to be."""
    at = pulled.at
    if at is None:
        return pulled.job
    return replace(pulled.job, from_ms=at.position_ms, is_paused=at.state != "playing")


def _line(job: IngestJob, socket_path: str) -> bytes:
    return messages.encode(
        messages.Job(
            url=job.url,
            transport=job.transport.value,
            kind=job.kind.value,
            label=job.label,
            participant_id=job.participant_id,
            want_video=job.want_video,
            want_sound=job.want_sound,
            socket_path=socket_path,
            from_ms=job.from_ms,
            is_paused=job.is_paused,
        )
    )


def _event(ingest_id: str, fact: messages.Fact, socket_path: str) -> IngestEvent | None:
    """Raises ValueError for a reason that is none."""
    match fact:
        case messages.Ready():
            return IngestReady(ingest_id, socket_path)
        case messages.Connecting():
            return IngestConnecting(ingest_id)
        case messages.Running(width, height, fps, codec, has_sound, transcoding, cpu_share):
            return IngestRunning(ingest_id, width, height, fps, codec, has_sound, transcoding, cpu_share)
        case messages.Failed(reason, retry_in_s):
            return IngestFailed(ingest_id, IngestReason(reason), retry_in_s)
        case messages.At(state, position_ms, monotonic_s):
            return ClipAt(ingest_id, state, position_ms, monotonic_s)
    return None


def _remove(path: Path, run_directory: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent != run_directory:
        with contextlib.suppress(OSError):
            path.parent.rmdir()
