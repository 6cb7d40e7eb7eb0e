"""The recording workers of a node: one process per live consultation, started, watched and started again.

Implements conference.services.ports.Recorder. Each start is a *life* with a number and a directory of its own, which
no other life ever writes to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from conference.worker_events import RecordedFile, RecorderEvent, RecorderReady, RecorderTrouble
from recording.manifest import files_of, read_manifest, sync_directory
from recording.settle import lives_of
from recording.trouble import reason_of

_FIRST_BACKOFF_S: Final = 0.2
_LAST_BACKOFF_S: Final = 10.0
_STEADY_S: Final = 30.0  # a worker that lived this long has its back-off forgiven
_END_S: Final = 60.0  # hashing the files of a long meeting takes its time
_STOP_S: Final = 1.0
_SETTLE_S: Final = 600.0
_LONGEST_SOCKET_PATH: Final = 100  # the kernel takes 107 bytes
_LONGEST_LINE: Final = 1 << 16

log = logging.getLogger("recording.supervisor")


@dataclass(slots=True)
class _Kept:
    """One consultation that is being recorded."""

    consultation_id: str
    task: asyncio.Task[None] | None = None
    process: asyncio.subprocess.Process | None = None
    ending: bool = False
    end: asyncio.Task[None] | None = None
    life: Path | None = None  # of the process
    files: dict[str, RecordedFile] = field(default_factory=dict)  # open ones of this life, by file name


class RecorderSupervisor:
    """Owned by signaling.app: `close` at the end."""

    def __init__(
        self,
        directory: Path,
        run_directory: Path,
        *,
        reserve_bytes: int,
        require: Callable[[], None] = lambda: None,
    ) -> None:
        """`directory`: of recordings. Nothing is begun while fewer than `reserve_bytes` are free there, or while
        `require` raises OSError, because what is mounted there is not what it should be."""
        self._require = require
        self._directory = directory
        self._run_directory = run_directory
        self._reserve_bytes = reserve_bytes
        self._kept: dict[str, _Kept] = {}
        self._listener: Callable[[RecorderEvent], None] | None = None

    # ── conference.services.ports.Recorder ──────────────────────────────────────────────────────

    def listen(self, receive: Callable[[RecorderEvent], None]) -> None:
        self._listener = receive

    def begin(self, consultation_id: str) -> None:
        if consultation_id not in self._kept:
            kept = self._kept[consultation_id] = _Kept(consultation_id)
            kept.task = asyncio.create_task(self._supervise(kept), name=f"recorder of {consultation_id}")

    def end(self, consultation_id: str) -> None:
        kept = self._kept.get(consultation_id)
        if kept is not None and kept.end is None:
            kept.end = asyncio.create_task(self._end(kept, _END_S))

    async def wait_ended(self, consultation_id: str) -> None:
        kept = self._kept.get(consultation_id)
        if kept is not None and kept.end is not None:
            await asyncio.wait([kept.end])

    async def settle(self, consultation_id: str) -> tuple[RecordedFile, ...]:
        await self.wait_ended(consultation_id)
        directory = self._directory / consultation_id
        if not await asyncio.to_thread(lives_of, directory):
            return ()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.settle", str(directory),
            stdin=asyncio.subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(_SETTLE_S):
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return await asyncio.to_thread(self._found, consultation_id)

    def is_writing(self, relative: str) -> bool:
        path = self.path(relative)
        return any(each.life == path.parent and path.name in each.files for each in self._kept.values())

    def path(self, relative: str) -> Path:
        return self._directory / relative

    async def remove(self, relative: str) -> None:
        await asyncio.to_thread(self.path(relative).unlink, missing_ok=True)

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    async def close(self) -> None:
        """End all workers; those that hash for too long are cut short, and settled at the next start."""
        await asyncio.gather(*(self._end(each, _STOP_S) for each in tuple(self._kept.values())))

    async def _end(self, kept: _Kept, patience_s: float) -> None:
        assert kept.task is not None
        kept.ending = True
        process = kept.process
        if process is not None and process.returncode is None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(b"end\n")
        else:
            kept.task.cancel()
        try:
            await asyncio.wait_for(kept.task, patience_s)
        except (TimeoutError, asyncio.CancelledError):
            log.warning("the recorder of %s was cut short", kept.consultation_id)
        finally:
            self._kept.pop(kept.consultation_id, None)

    async def _supervise(self, kept: _Kept) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while not kept.ending:
            began_s = loop.time()
            try:
                reason = await self._live(kept)
            except OSError as error:
                log.error("recording of %s: %s", kept.consultation_id, error)
                reason = reason_of(error)
            if kept.ending:
                return
            self._publish(RecorderTrouble(kept.consultation_id, reason))
            if loop.time() - began_s > _STEADY_S:
                backoff_s = _FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _live(self, kept: _Kept) -> str:
        """One life, to its end; the reason of the end. Raises OSError when it cannot begin."""
        await asyncio.to_thread(self._require)
        await asyncio.to_thread(self._directory.mkdir, mode=0o700, parents=True, exist_ok=True)
        usage = await asyncio.to_thread(shutil.disk_usage, self._directory)
        if usage.free < self._reserve_bytes:
            return "disk_full"
        life = kept.life = await asyncio.to_thread(self._next_life, kept.consultation_id)
        socket_path = self._socket_path(kept.consultation_id)
        kept.files.clear()
        reason = "worker_ended"
        process = kept.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "recording.worker",
            str(socket_path), str(life), kept.consultation_id, str(self._reserve_bytes),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
            limit=_LONGEST_LINE,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            while line := await process.stdout.readline():
                said = json.loads(line)
                if said["fact"] == "ready":
                    self._publish(RecorderReady(kept.consultation_id, str(socket_path)))
                elif said["fact"] == "trouble":
                    reason = said["reason"]
                else:
                    self._take(kept, life, said)
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            kept.process = kept.life = None
            socket_path.unlink(missing_ok=True)
            if socket_path.parent != self._run_directory:
                socket_path.parent.rmdir()
            with contextlib.suppress(OSError):
                await asyncio.to_thread(life.rmdir)  # nothing came of it
        return reason

    def _take(self, kept: _Kept, life: Path, said: dict[str, Any]) -> None:
        if said["fact"] in ("opened", "closed"):
            name = said["file"]
            before = kept.files.pop(name, None)
            if said["fact"] == "opened":
                kept.files[name] = file = _recorded(kept.consultation_id, life, said)
            elif before is not None:
                file = _recorded(kept.consultation_id, life, {**_opening(before), **said, "closed": True})
            else:
                return
            self._publish(file)

    def _next_life(self, consultation_id: str) -> Path:
        above = self._directory / consultation_id
        above.mkdir(mode=0o700, exist_ok=True)
        sync_directory(self._directory)
        while True:
            life = above / str(max(lives_of(above), default=0) + 1)
            try:
                life.mkdir(mode=0o700)
            except FileExistsError:
                continue  # another server on the same directory was faster
            sync_directory(above)
            return life

    def _socket_path(self, consultation_id: str) -> Path:
        path = self._run_directory / f"rec-{consultation_id}.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            self._run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            return path
        return Path(tempfile.mkdtemp(prefix="yuanshang-")) / "rec.sock"

    def _found(self, consultation_id: str) -> tuple[RecordedFile, ...]:
        above = self._directory / consultation_id
        return tuple(
            _recorded(consultation_id, above / str(number), fact)
            for number in sorted(lives_of(above))
            for fact in files_of(read_manifest(above / str(number))).values()
            if fact["closed"]  # others are being written, here or by another server
        )

    def _publish(self, event: RecorderEvent) -> None:
        if self._listener is not None:
            self._listener(event)


def _opening(file: RecordedFile) -> dict[str, Any]:
    return {
        "participant_id": file.participant_id,
        "source": file.source,
        "codec": file.codec,
        "label": file.label,
        "started_at_ms": file.started_at_ms,
        "wall_ms": file.created_at_ms,
    }


def _recorded(consultation_id: str, life: Path, fact: dict[str, Any]) -> RecordedFile:
    is_ended = bool(fact.get("closed"))
    return RecordedFile(
        consultation_id=consultation_id,
        path=f"{consultation_id}/{life.name}/{fact['file']}",
        participant_id=fact["participant_id"],
        source=fact["source"],
        codec=fact["codec"],
        started_at_ms=fact["started_at_ms"],
        created_at_ms=fact["wall_ms"],
        is_ended=is_ended,
        is_whole=is_ended and fact.get("reason") != "found",
        duration_ms=fact.get("duration_ms", 0),
        size_bytes=fact.get("size_bytes", 0),
        sha256=fact.get("sha256"),
        label=fact.get("label", ""),
    )
