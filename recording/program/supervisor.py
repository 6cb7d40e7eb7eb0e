"""The program workers of a node: one process per live consultation, started, told the scene, watched and started
again.

Implements conference.services.ports.ProgramMaker. Each start is a *life* of the program, which the worker itself
numbers by its journal.
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
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from conference.worker_events import (
    ProgramEvent,
    ProgramLoad,
    ProgramReady,
    ProgramShown,
    ProgramTrouble,
    Scene,
)
from recording.hls.journal import Journal, read_journal
from recording.manifest import sync_directory
from recording.trouble import reason_of

_MODULE: Final = "recording.program.worker"
_FIRST_BACKOFF_S: Final = 0.2
_LAST_BACKOFF_S: Final = 10.0
_STEADY_S: Final = 30.0  # a worker that lived this long has its back-off forgiven
_START_S: Final = 60.0  # a killed life may have left a long tail
_SILENT_S: Final = 20.0  # it says how it fares every 5 s: one that is silent for so long hangs
_END_S: Final = 10.0
_STOP_S: Final = 1.0
_MOST_UNREAD: Final = 1 << 20  # of what we told it; the newest scene counts, so nothing is lost by waiting
_LONGEST_LINE: Final = 1 << 20
_LONGEST_SOCKET_PATH: Final = 100  # the kernel takes 107 bytes
_RENDITIONS: Final = ("720p", "360p", "audio")
_PART_MS: Final = 200
_SEGMENT_MS: Final = 1000
_GONE: Final = {"fact": "gone"}

log = logging.getLogger("recording.program.supervisor")

TakeFact = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class _Made:
    """One consultation whose program is made."""

    consultation_id: str
    task: asyncio.Task[None] | None = None
    process: asyncio.subprocess.Process | None = None
    is_ready: bool = False
    scene: bytes | None = None  # the newest, as it is told
    is_told: bool = False  # that one, to this process
    ending: bool = False
    end: asyncio.Task[None] | None = None


class ProgramSupervisor:
    """Owned by signaling.app: `close` at the end."""

    def __init__(
        self,
        directory: Path,
        run_directory: Path,
        *,
        reserve_bytes: int,
        emblem: Path | None = None,
        time_zone: str = "Asia/Shanghai",
        take_fact: TakeFact | None = None,
        require: Callable[[], None] = lambda: None,
        module: str = _MODULE,
        silent_s: float = _SILENT_S,
    ) -> None:
        """`directory`: of programs. Nothing is begun while fewer than `reserve_bytes` are free there, or while
        `require` raises OSError, because what is mounted there is not what it should be. `emblem`: a picture file
        that stands in place of the product's mark. Times of day are told in `time_zone`.

        `take_fact` is called on the event loop with every fact of every worker, in order and before the services
        hear of it, and with `gone` when a worker has ended in whichever way.
        """
        self._directory = directory
        self._run_directory = run_directory
        self._reserve_bytes = reserve_bytes
        self._emblem = emblem
        self._time_zone = time_zone
        self._take_fact = take_fact
        self._require = require
        self._module = module
        self._silent_s = silent_s
        self._made: dict[str, _Made] = {}
        self._listener: Callable[[ProgramEvent], None] | None = None

    # ── conference.services.ports.ProgramMaker ──────────────────────────────────────────────────

    def listen(self, receive: Callable[[ProgramEvent], None]) -> None:
        self._listener = receive

    def begin(self, consultation_id: str) -> None:
        before = self._made.get(consultation_id)
        if before is None or before.ending:
            made = self._made[consultation_id] = _Made(consultation_id)
            after = None if before is None else before.end
            made.task = asyncio.create_task(
                self._supervise(made, after), name=f"program of {consultation_id}"
            )

    def show(self, consultation_id: str, scene: Scene) -> None:
        made = self._made.get(consultation_id)
        if made is not None:
            made.scene, made.is_told = _line({"do": "scene", "scene": asdict(scene)}), False
            self._tell(made)

    def end(self, consultation_id: str) -> None:
        made = self._made.get(consultation_id)
        if made is not None and made.end is None:
            made.ending = True
            made.end = asyncio.create_task(self._end(made, _END_S, is_over=True))

    async def wait_ended(self, consultation_id: str) -> None:
        made = self._made.get(consultation_id)
        if made is not None and made.end is not None:
            await asyncio.wait([made.end])

    async def erase(self, consultation_id: str, from_ms: int, to_ms: int) -> int:
        await asyncio.to_thread(self._require)  # of an empty place it would be said that it is erased
        return await asyncio.to_thread(self._erase, self._directory / consultation_id, from_ms, to_ms)

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def pids(self) -> dict[str, int]:
        """Of the workers that run, by consultation."""
        return {cid: made.process.pid for cid, made in self._made.items() if made.process is not None}

    async def close(self) -> None:
        """Stop all workers; the programs go on with the next life of the server."""
        for made in self._made.values():
            made.ending = True
        stopped = (self._end(each, _STOP_S, is_over=False) for each in tuple(self._made.values()))
        await asyncio.gather(*stopped)

    async def _end(self, made: _Made, patience_s: float, *, is_over: bool) -> None:
        assert made.task is not None
        process = made.process
        if process is not None and process.returncode is None and process.stdin is not None:
            with contextlib.suppress(OSError):
                if is_over:
                    process.stdin.write(_line({"do": "end"}))
                else:
                    process.stdin.close()
        else:
            made.task.cancel()
        try:
            await asyncio.wait_for(made.task, patience_s)
        except (TimeoutError, asyncio.CancelledError):
            log.warning("the program of %s was cut short", made.consultation_id)
        finally:
            if self._made.get(made.consultation_id) is made:
                del self._made[made.consultation_id]

    async def _supervise(self, made: _Made, after: asyncio.Task[None] | None) -> None:
        if after is not None:
            await asyncio.wait([after])  # one life at a time writes the journal
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while not made.ending:
            began_s = loop.time()
            try:
                reason = await self._live(made)
            except OSError as error:
                log.error("program of %s: %s", made.consultation_id, error)
                reason = reason_of(error)
            if made.ending:
                return
            self._publish(ProgramTrouble(made.consultation_id, reason))
            if loop.time() - began_s > _STEADY_S:
                backoff_s = _FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _live(self, made: _Made) -> str:
        """One life, to its end; the reason of the end. Raises OSError when it cannot begin."""
        directory = self._directory / made.consultation_id
        await asyncio.to_thread(self._require)
        await asyncio.to_thread(_make, directory)
        usage = await asyncio.to_thread(shutil.disk_usage, directory)
        if usage.free < self._reserve_bytes:
            return "disk_full"
        sockets = self._sockets(made.consultation_id)
        options = {
            "renditions": _RENDITIONS,
            "part_ms": _PART_MS,
            "segment_ms": _SEGMENT_MS,
            "reserve_bytes": self._reserve_bytes,
            "emblem": None if self._emblem is None else str(self._emblem),
            "time_zone": self._time_zone,
        }
        try:
            process = made.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module,
                str(sockets[0]), str(sockets[1]), str(directory), made.consultation_id, json.dumps(options),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
                limit=_LONGEST_LINE,
            )  # fmt: skip
            try:
                return await self._listen_to(made, process, sockets)
            finally:
                made.process, made.is_ready, made.is_told = None, False, False
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                self._take(made, dict(_GONE))
        finally:
            _remove(sockets, self._run_directory)

    async def _listen_to(
        self, made: _Made, process: asyncio.subprocess.Process, sockets: tuple[Path, Path]
    ) -> str:
        assert process.stdout is not None
        reason = "worker_ended"
        while True:
            try:
                async with asyncio.timeout(self._silent_s if made.is_ready else _START_S):
                    line = await process.stdout.readline()
            except TimeoutError:
                log.error("the program worker of %s hangs", made.consultation_id)
                return "worker_ended"
            except ValueError:
                log.error("the program worker of %s wrote a line without an end", made.consultation_id)
                return "worker_ended"
            if not line:
                await process.wait()
                return reason
            try:
                said = json.loads(line)
                fact = said["fact"]
            except (ValueError, KeyError, TypeError):
                log.error("the program worker of %s wrote what is no fact", made.consultation_id)
                continue
            if fact == "trouble":
                reason = str(said.get("reason", reason))
            self._take(made, said)
            if fact == "ready":
                made.is_ready = True
                self._publish(ProgramReady(made.consultation_id, str(sockets[0]), str(sockets[1])))
            self._tell(made)

    def _take(self, made: _Made, said: dict[str, Any]) -> None:
        if self._take_fact is not None:
            try:
                self._take_fact(made.consultation_id, said)
            except Exception:
                log.exception("a fact of the program of %s was not taken", made.consultation_id)
        try:
            event = _event(made.consultation_id, said)
        except (KeyError, TypeError, ValueError):
            log.error("the program worker of %s said half a fact", made.consultation_id)
            return
        if event is not None:
            self._publish(event)

    def _tell(self, made: _Made) -> None:
        """The newest scene, unless the worker does not read: then when it says something again."""
        process = made.process
        if made.is_told or made.scene is None or not made.is_ready or process is None or made.ending:
            return
        assert process.stdin is not None
        if process.stdin.is_closing() or process.stdin.transport.get_write_buffer_size() > _MOST_UNREAD:
            return
        with contextlib.suppress(OSError):
            process.stdin.write(made.scene)
            made.is_told = True

    def _sockets(self, consultation_id: str) -> tuple[Path, Path]:
        """For tap and feed."""
        paths = (
            self._run_directory / f"prog-{consultation_id}.tap",
            self._run_directory / f"prog-{consultation_id}.feed",
        )
        if all(len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH for path in paths):
            self._run_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in paths:
                path.unlink(missing_ok=True)
            return paths
        above = Path(tempfile.mkdtemp(prefix="yuanshang-"))
        return above / "tap", above / "feed"

    def _publish(self, event: ProgramEvent) -> None:
        if self._listener is not None:
            self._listener(event)

    # ── files ───────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _erase(directory: Path, from_ms: int, to_ms: int) -> int:
        facts = [each for each in read_journal(directory) if _overlaps(each, from_ms, to_ms)]
        present = [each["file"] for each in facts if (directory / each["file"]).is_file()]
        if not present:
            return 0
        with Journal(directory) as journal:
            journal.append({"fact": "erased", "from_ms": from_ms, "to_ms": to_ms, "files": len(present)})
        for name in present:
            (directory / name).unlink(missing_ok=True)
        for above in {(directory / name).parent for name in present}:
            sync_directory(above)
        return len(present)


def _event(consultation_id: str, said: Mapping[str, Any]) -> ProgramEvent | None:
    match said["fact"]:
        case "layout":
            return ProgramShown(consultation_id, str(said["name"]), tuple(map(str, said["people"])))
        case "load":
            level, fps, core = int(said["level"]), float(said["fps"]), float(said["core"])
            return ProgramLoad(consultation_id, level, fps, core, int(said["late_frames"]))
    return None


def _overlaps(fact: Mapping[str, Any], from_ms: int, to_ms: int) -> bool:
    if fact["fact"] not in ("segment", "still"):
        return False
    begin = fact["program_time_ms"]
    return bool(begin < to_ms and begin + fact.get("duration_ms", 1) > from_ms)


def _line(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _make(directory: Path) -> None:
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def _remove(sockets: Collection[Path], run_directory: Path) -> None:
    for path in sockets:
        path.unlink(missing_ok=True)
        if path.parent != run_directory:
            with contextlib.suppress(OSError):
                path.parent.rmdir()
