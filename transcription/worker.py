"""The transcription worker: all rooms of a node, one model. `python -m transcription.worker OPTIONS`

OPTIONS and the lines on standard input and output are those of transcription.wire. The main thread reads taps and finds
the voices in them; the model is loaded beside it, and each stream of the engine has a thread.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import resource
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Final

import msgspec

from conference.worker_events import TranscriberEvent, TranscriberLoad, TranscriberModel, TranscriberReady
from transcription import wire
from transcription.engines import load
from transcription.files import FileSource
from transcription.hearing import Hearing
from transcription.recognizer import EngineError
from transcription.taps import RoomTap

EXIT_TROUBLE: Final = 4
EXIT_BROKEN: Final = 5
_TICK_S: Final = 0.05
_PAUSE_S: Final = 0.02  # between two reads of taps: fewer wake-ups, and arrivals are told by the frames
_LOAD_S: Final = 2.0


class Worker:
    """The main thread."""

    def __init__(self, options: wire.Options) -> None:
        self._options = options
        self._saying = threading.Lock()
        self._orders: queue.SimpleQueue[wire.AnyOrder] = queue.SimpleQueue()
        self._wake, self._woken = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._hearing = Hearing(options.streams, self.say)
        self._taps: dict[str, RoomTap] = {}
        self._leaving: list[RoomTap] = []
        self._is_ending = False
        self._core_s = (time.monotonic(), _cpu_s())

    def run(self) -> None:
        """Until the end is asked for."""
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: self._woken.recv(4096))
        threading.Thread(target=self._read_parent, name="parent", daemon=True).start()
        threading.Thread(target=self._load_model, name="model", daemon=True).start()
        gc.freeze()
        next_tick_s = next_load_s = 0.0
        while not self._is_ending:
            for key, _ in self._selector.select(_TICK_S):
                key.data()
            self._obey()
            now_s = time.monotonic()
            if now_s >= next_tick_s:
                next_tick_s = now_s + _TICK_S
                self._tick(now_s)
            if now_s >= next_load_s:
                next_load_s = now_s + _LOAD_S
                self._tell_load(now_s)
            time.sleep(_PAUSE_S)

    def say(self, event: TranscriberEvent | wire.Released) -> None:
        """To the supervisor. Any thread."""
        line = wire.event_line(event)
        with self._saying:
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                os._exit(0)  # the parent is gone

    # ── beside it ───────────────────────────────────────────────────────────────────────────────

    def _read_parent(self) -> None:
        """Standard input, line by line, in a thread of its own."""
        for line in sys.stdin.buffer:
            try:
                self._orders.put(wire.order_of(line))
            except ValueError as error:  # msgspec's errors are some
                print(f"transcription worker: not understood: {error}", file=sys.stderr, flush=True)
                continue
            self._wake.send(b"\0")
        os._exit(0)  # gone: what was not told is in the recording

    def _load_model(self) -> None:
        folder = None if self._options.model is None else Path(self._options.model)
        name = "" if folder is None else folder.name
        try:
            recognizer = load(folder, self._options.engine)
        except EngineError as error:
            print(f"transcription worker: {error}", file=sys.stderr, flush=True)
            self.say(TranscriberModel("", name, error.reason))
            os._exit(EXIT_TROUBLE)
        self.say(TranscriberModel(recognizer.engine, name))
        self._hearing.start(recognizer)

    # ── orders ──────────────────────────────────────────────────────────────────────────────────

    def _obey(self) -> None:
        while not self._orders.empty():
            match self._orders.get():
                case wire.Begin(consultation_id, path):
                    self._begin(consultation_id, path)
                case wire.End(consultation_id):
                    self._end(consultation_id)
                case wire.Prefer(consultation_id, participants):
                    self._hearing.prefer(consultation_id, participants)
                case wire.Terms(consultation_id, words):
                    self._hearing.use_terms(consultation_id, words)
                case wire.Job(job):
                    self._hearing.recognise(FileSource(job, Path(self._options.recordings)))
                case wire.Cancel(job_id):
                    self._hearing.cancel(job_id)
                case wire.Stop():
                    self._is_ending = True

    def _begin(self, consultation_id: str, path: str) -> None:
        self._end(consultation_id)
        try:
            self._taps[consultation_id] = RoomTap(
                consultation_id, path, self._selector, self._hearing, self._say_ready
            )
        except OSError as error:
            print(f"transcription worker: {path}: {error}", file=sys.stderr, flush=True)
            os._exit(EXIT_BROKEN)

    def _end(self, consultation_id: str) -> None:
        tap = self._taps.pop(consultation_id, None)
        if tap is not None:
            tap.close()
            self._hearing.forget(consultation_id)
            self._leaving.append(tap)

    def _say_ready(self, tap: RoomTap) -> None:
        self.say(TranscriberReady(tap.consultation_id, tap.path))

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def _tick(self, now_s: float) -> None:
        for tap in self._taps.values():
            tap.tick(now_s)
        self._hearing.tick()
        for tap in [each for each in self._leaving if each.is_heard]:
            self._leaving.remove(tap)
            self.say(wire.Released(tap.consultation_id, tap.path))

    def _tell_load(self, now_s: float) -> None:
        before_s, spent_s = self._core_s
        self._core_s = (now_s, _cpu_s())
        core = (self._core_s[1] - spent_s) / max(now_s - before_s, _TICK_S)
        streams, lag_ms = self._hearing.load()
        self.say(TranscriberLoad(streams, lag_ms, round(core, 3)))


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: list[str]) -> None:
    """Ends the process."""
    options = msgspec.json.decode(arguments[0], type=wire.Options)
    with contextlib.suppress(OSError):
        os.nice(options.nice)
        # Where each session has its share of the machine, niceness counts inside of it only.
        Path("/proc/self/autogroup").write_text(str(options.nice))

    def break_down(what: threading.ExceptHookArgs) -> None:
        """Without one of its threads it would be deaf without a word: the supervisor starts it anew."""
        traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
        os._exit(EXIT_BROKEN)

    threading.excepthook = break_down
    try:
        Worker(options).run()
    except Exception:  # noqa: BLE001 — whatever it was, no thread may go on alone
        traceback.print_exc()
        os._exit(EXIT_BROKEN)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    main(sys.argv[1:])
