"""The recording worker: one consultation, one life. `python -m recording.worker SOCKET DIRECTORY CONSULTATION RESERVE`

Listens on a unix socket for the tap of the room and writes its tracks into DIRECTORY. Facts go into the manifest and,
as JSON lines, to standard output, where the supervisor reads them. `end` on standard input finishes the files; the
end of standard input means that the parent is gone: the worker ends within a second, files closed but not hashed.
When fewer than half of RESERVE bytes are free it ends while the files can still be closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from conference.clock import SystemClock
from conference.sfu import tap_frames
from recording.manifest import VERSION, Manifest
from recording.segments import DiskError, Fact, Names
from recording.track_writer import sha256_of
from recording.tracks import Tracks
from recording.trouble import reason_of

EXIT_TROUBLE: Final = 4
_SYNC_S: Final = 1.0
_TICK_S: Final = 0.05
_GONE_S: Final = 0.8  # after the end of the parent
_READ_SIZE: Final = 1 << 18
_PAUSE_S: Final = 0.02  # between two reads of a tap: fewer wake-ups, and arrivals are told by the frames
_BUSY: Final = 1 << 16  # bytes of one read; after so many there is no pause
_DRAIN_S: Final = 1.0  # for the rest of a tap that was ended before we are
_NOT_URGENT: Final = frozenset({"gap", "gate"})


class Worker:
    """Everything in one event loop; only hashing and fsync are done beside it."""

    def __init__(self, socket_path: Path, directory: Path, consultation_id: str, reserve_bytes: int) -> None:
        self._socket_path = socket_path
        self._directory = directory
        self._consultation_id = consultation_id
        self._reserve_bytes = reserve_bytes
        self._clock = SystemClock()
        self._manifest = Manifest(directory)
        fcntl.flock(self._manifest.fileno(), fcntl.LOCK_EX)  # recording.settle leaves a running life alone
        self._names = Names(directory)
        self._hashing: set[asyncio.Task[None]] = set()
        self._tap: asyncio.Task[None] | None = None
        self._tracks: Tracks | None = None
        self._done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """The exit code. Raises nothing."""
        try:
            self.tell({"fact": "life", "version": VERSION, "consultation_id": self._consultation_id})
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(str(self._socket_path))
            self._socket_path.chmod(0o600)
            listener.listen(4)
            listener.setblocking(False)
            await self._read_parent()
            _say({"fact": "ready"})
            parts = (self._accept(listener), self._keep_synced(), self._tick())
            helpers = [asyncio.create_task(each) for each in parts]
            reason = await self._done
            if reason == "end" and self._tap is not None:
                await asyncio.wait([self._tap], timeout=_DRAIN_S)
            for each in helpers:
                each.cancel()
            await asyncio.wait(helpers)
            listener.close()
            if reason in ("end", "gone"):
                self._close_tracks(reason)
            await asyncio.gather(*self._hashing)
            if reason in ("end", "gone"):
                return 0
        except OSError as error:
            reason = reason_of(error)
        self._abandon(reason)
        return EXIT_TROUBLE

    # ── segments.Ledger ─────────────────────────────────────────────────────────────────────────

    def tell(self, fact: Fact) -> None:
        """Into the manifest, then to the supervisor."""
        whole = {**fact, "wall_ms": self._clock.wall_ms()}
        try:
            self._manifest.append(whole, durable=fact["fact"] not in _NOT_URGENT)
        except OSError as error:
            raise DiskError(*error.args) from error
        _say(whole)

    def tell_hashed(self, fact: Fact, path: Path) -> None:
        """The same when the hash is known; not waited for when the parent is gone."""
        if self._done.done() and self._done.result() == "gone":
            return

        async def hash_and_tell() -> None:
            try:
                self.tell({**fact, "sha256": await asyncio.to_thread(sha256_of, path)})
            except OSError as error:
                self._finish(reason_of(error))

        task = asyncio.get_running_loop().create_task(hash_and_tell())
        self._hashing.add(task)
        task.add_done_callback(self._hashing.discard)

    # ── the tap ─────────────────────────────────────────────────────────────────────────────────

    async def _accept(self, listener: socket.socket) -> None:
        """One tap at a time: the newest."""
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listener)
            sock.setblocking(False)
            self._tap = loop.create_task(self._serve(sock, self._tap))

    async def _serve(self, sock: socket.socket, before: asyncio.Task[None] | None) -> None:
        loop = asyncio.get_running_loop()
        decoder = tap_frames.Decoder()

        def ask(track: int) -> None:
            with contextlib.suppress(OSError):  # gone, as the next read tells; or asked for too often already
                sock.send(tap_frames.encode(tap_frames.Keyframe(track)))

        try:
            if before is not None:
                before.cancel()
                await asyncio.wait([before])
            self._tracks = tracks = Tracks(self._names, self, ask)
            while data := await loop.sock_recv(sock, _READ_SIZE):
                for frame in decoder.feed(data):
                    tracks.take(frame)
                if len(data) < _BUSY:
                    await asyncio.sleep(_PAUSE_S)
        except asyncio.CancelledError:
            pass  # replaced
        except (ValueError, ConnectionError) as error:
            print(f"recording worker: the tap broke: {error}", file=sys.stderr)
        except DiskError as error:
            self._finish(reason_of(error))
        finally:
            sock.close()
            try:
                if not self._done.done():
                    self._close_tracks("tap_ended")
            except DiskError as error:
                self._finish(reason_of(error))
            if not self._done.done() and self._tap is asyncio.current_task():
                self._tap = None
                await asyncio.sleep(_TICK_S)  # one that takes its place is perhaps on its way
                if self._tap is None and not self._done.done():
                    _say({"fact": "ready"})

    def _close_tracks(self, reason: str) -> None:
        if self._tracks is not None:
            self._tracks.close(reason)
            self._tracks = None

    def _abandon(self, reason: str) -> None:
        """The disk does not take any more: what is there stays, and the supervisor hears why."""
        if self._tracks is not None:
            self._tracks.abandon()
        _say({"fact": "trouble", "reason": reason})

    # ── beside it ───────────────────────────────────────────────────────────────────────────────

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if self._tracks is not None:
                try:
                    self._tracks.tick(time.monotonic_ns() // 1000)
                except DiskError as error:
                    self._finish(reason_of(error))

    async def _keep_synced(self) -> None:
        """Once a second what was written is on the disk, and there is room for more."""
        while True:
            await asyncio.sleep(_SYNC_S)
            writers = self._tracks.writers() if self._tracks is not None else []
            copies = [os.dup(each) for each in (*(w.fileno() for w in writers), self._manifest.fileno())]
            try:
                await asyncio.to_thread(_sync, copies)
                found = os.statvfs(self._directory)
            except OSError as error:
                self._finish(reason_of(error))
                return
            if found.f_bavail * found.f_frsize < self._reserve_bytes // 2:
                try:
                    self._close_tracks("disk_full")
                    await asyncio.gather(*self._hashing)
                except OSError as error:
                    self._finish(reason_of(error))
                self._finish("disk_full")
                return

    async def _read_parent(self) -> None:
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

        async def watch() -> None:
            line = await reader.readline()
            if not line:
                threading.Thread(target=_leave_soon, daemon=True).start()
            self._finish("end" if line.strip() == b"end" else "gone")
            await reader.read()
            threading.Thread(target=_leave_soon, daemon=True).start()  # gone while we were hashing

        self._watch = loop.create_task(watch())

    def _finish(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_result(reason)


def _sync(descriptors: list[int]) -> None:
    """Raises OSError of the first that fails; all are closed."""
    try:
        for each in descriptors:
            os.fsync(each)
    finally:
        for each in descriptors:
            os.close(each)


def _say(fact: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(fact, ensure_ascii=False, separators=(",", ":")) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)  # the parent is gone


def _leave_soon() -> None:
    """Whatever still hangs on a slow disk: nobody is there to wait for it."""
    time.sleep(_GONE_S)
    os._exit(0)


async def _main(arguments: list[str]) -> None:
    socket_path, directory, consultation_id, reserve_bytes = arguments
    try:
        worker = Worker(Path(socket_path), Path(directory), consultation_id, int(reserve_bytes))
    except OSError as error:
        _say({"fact": "trouble", "reason": reason_of(error)})
        code = EXIT_TROUBLE
    else:
        code = await worker.run()
    sys.stdout.flush()
    os._exit(code)  # neither a tap that is still open nor threads that hash for nobody are waited for


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    asyncio.run(_main(sys.argv[1:]))
