"""The program worker: one consultation. `python -m recording.program.worker TAP FEED DIRECTORY CONSULTATION OPTIONS`

Listens on the unix sockets TAP (the media process writes the room's tracks) and FEED (it reads the program back),
composes the program and writes it into DIRECTORY. JSON lines on standard input say what to show, facts go to standard
output. The end of standard input means that the parent is gone: the worker ends within a second. OPTIONS is a JSON
object: renditions, part_ms, segment_ms, reserve_bytes, emblem (a picture file, or null), time_zone (of the times on
cards), most_load (0 to 5, how far it may spare itself when the machine is too slow), nice.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from conference.sfu import tap_frames
from recording.hls.journal import Journal, JournalTakenError
from recording.hls.segmenter import recover
from recording.program.compositor import Compositor
from recording.program.disk import Disk
from recording.program.encoding import Encoding
from recording.program.feed import Feed
from recording.program.inputs import Inputs
from recording.program.load import FEWER_PICTURES
from recording.program.mixer import Mixer
from recording.program.pictures import Decoding
from recording.program.scene import scene_from
from recording.program.show import Show
from recording.trouble import reason_of

EXIT_TROUBLE: Final = 4
EXIT_BROKEN: Final = 5
_GONE_S: Final = 0.8
_TICK_S: Final = 0.05
_READ_SIZE: Final = 1 << 18
_SWITCH_S: Final = 0.001  # a picture is not to wait 5 ms for each thread that runs Python

Fact = Mapping[str, Any]


class Options(msgspec.Struct, frozen=True):
    """The last argument."""

    renditions: tuple[str, ...] = ("720p", "360p", "audio")
    part_ms: Annotated[int, msgspec.Meta(ge=40, multiple_of=40)] = 200
    segment_ms: Annotated[int, msgspec.Meta(ge=200, multiple_of=40)] = 1000
    reserve_bytes: int = 0
    emblem: str | None = None
    time_zone: str = "Asia/Shanghai"
    most_load: Annotated[int, msgspec.Meta(ge=0, le=FEWER_PICTURES)] = FEWER_PICTURES
    nice: int = 3  # the room goes first


class Worker:
    """The main thread reads the sockets; all other threads are started here."""

    def __init__(self, tap: Path, feed: Path, directory: Path, options: Options) -> None:
        """Raises OSError, JournalTakenError."""
        self._saying = threading.Lock()
        self._ending = threading.Event()
        journal = Journal(directory)
        before = recover(directory, journal, self.say)
        self._mixer = Mixer()
        self._decoding = Decoding()
        self._feed = Feed()
        self._disk = Disk(
            directory, journal, before, self.say, self.trouble, reserve_bytes=options.reserve_bytes
        )
        self._encoding = Encoding(
            options.renditions,
            self._disk,
            self._feed,
            part_ms=options.part_ms,
            segment_ms=options.segment_ms,
        )
        emblem = Path(options.emblem) if options.emblem is not None else None
        self._show = Show(
            Compositor(emblem=emblem, time_zone=options.time_zone),
            self._mixer,
            self._encoding,
            self.say,
            earliest_ms=before.end_ms or 0,
            most_load=options.most_load,
        )
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._listeners = (_listener(tap), _listener(feed))
        self._tap: socket.socket | None = None
        self._fed: socket.socket | None = None
        self._inputs: Inputs | None = None
        self._decoder = tap_frames.Decoder()

    def run(self) -> None:
        """Until the end is asked for."""
        self._selector.register(self._listeners[0], selectors.EVENT_READ, self._accept_tap)
        self._selector.register(self._listeners[1], selectors.EVENT_READ, self._accept_feed)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: None)
        threading.Thread(target=self._obey, name="parent", daemon=True).start()
        gc.collect()
        gc.freeze()
        self.say({"fact": "ready"})
        next_tick_s = 0.0
        while not self._ending.is_set():
            for key, _ in self._selector.select(_TICK_S):
                key.data()
            now_s = time.monotonic()
            if now_s >= next_tick_s and self._inputs is not None:
                next_tick_s = now_s + _TICK_S
                self._inputs.tick(int(now_s * 1e6))
        self._show.close()
        self._encoding.close()
        self._disk.close()
        self._feed.close()
        self.say({"fact": "ended"})

    # ── the parent ──────────────────────────────────────────────────────────────────────────────

    def say(self, fact: Fact) -> None:
        """To the supervisor. Any thread."""
        line = msgspec.json.encode(fact) + b"\n"
        with self._saying:
            try:
                while line:
                    line = line[os.write(1, line) :]
            except OSError:
                os._exit(0)  # the parent is gone

    def trouble(self, error: OSError) -> None:
        """The disk does not take it: the end, at once. Any thread."""
        print(f"program worker: {error}", file=sys.stderr, flush=True)
        self.say({"fact": "trouble", "reason": reason_of(error)})
        os._exit(EXIT_TROUBLE)

    def _obey(self) -> None:
        """Standard input, line by line."""
        for line in sys.stdin.buffer:
            try:
                said = msgspec.json.decode(line)
                match said:
                    case {"do": "scene", "scene": scene}:
                        self._show.scene = scene_from(scene)
                    case {"do": "end"}:
                        self._end()
                        return
                    case _:
                        raise ValueError("not a word of ours")
            except ValueError as error:  # msgspec's errors are some
                print(f"program worker: not understood: {error}", file=sys.stderr, flush=True)
        threading.Thread(target=_leave_soon, daemon=True).start()
        self._end()

    def _end(self) -> None:
        self._ending.set()
        self._wake.send(b"\0")

    # ── the sockets ─────────────────────────────────────────────────────────────────────────────

    def _accept_tap(self) -> None:
        sock, _ = self._listeners[0].accept()
        self._lose_tap()
        self._tap, self._decoder = sock, tap_frames.Decoder()
        sock.setblocking(False)
        self._inputs = Inputs(self._mixer, self._decoding, self._ask_keyframe, self._ask_height)
        self._show.inputs = self._inputs
        self._selector.register(sock, selectors.EVENT_READ, self._read_tap)

    def _read_tap(self) -> None:
        assert self._tap is not None
        assert self._inputs is not None
        try:
            data = self._tap.recv(_READ_SIZE)
            frames = self._decoder.feed(data) if data else []
        except BlockingIOError:
            return
        except (OSError, tap_frames.TapFrameError) as error:
            print(f"program worker: the tap broke: {error}", file=sys.stderr, flush=True)
            data, frames = b"", []
        for frame in frames:
            self._inputs.take(frame)
        if not data:
            self._lose_tap()
            self.say({"fact": "ready"})

    def _lose_tap(self) -> None:
        """Its tracks are gone; the program goes on with cards."""
        if self._tap is not None and self._inputs is not None:
            self._selector.unregister(self._tap)
            self._tap.close()
            self._inputs.close()
            self._tap = None

    def _ask_keyframe(self, track: int) -> None:
        if self._tap is not None:
            with contextlib.suppress(OSError):  # the socket is full: asked again
                self._tap.send(tap_frames.encode(tap_frames.Keyframe(track)))

    def _ask_height(self, track: int, height_px: int) -> bool:
        if self._tap is None:
            return False
        try:
            self._tap.send(tap_frames.encode(tap_frames.Height(track, height_px)))
        except OSError:  # the socket is full
            return False
        return True

    def _accept_feed(self) -> None:
        sock, _ = self._listeners[1].accept()
        if self._fed is not None:
            self._selector.unregister(self._fed)
        self._fed = sock
        self._feed.attach(sock)
        self._selector.register(sock, selectors.EVENT_READ, self._read_feed)

    def _read_feed(self) -> None:
        fed = self._fed
        assert fed is not None
        if not self._feed.read():
            self._selector.unregister(fed)
            self._fed = None
            self.say({"fact": "ready"})


def _listener(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    made.listen(4)
    return made


def _leave_soon() -> None:
    """Whatever still hangs on a slow disk: nobody is there to wait for it."""
    time.sleep(_GONE_S)
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Ends the process."""
    tap, feed, directory, _consultation_id, options_json = arguments
    options = msgspec.json.decode(options_json, type=Options)
    sys.setswitchinterval(_SWITCH_S)
    with contextlib.suppress(OSError):
        os.nice(options.nice)
        # Where each session has its share of the machine, niceness counts inside of it only.
        Path("/proc/self/autogroup").write_text(str(options.nice))
    try:
        worker = Worker(Path(tap), Path(feed), Path(directory), options)
    except (OSError, JournalTakenError) as error:
        print(f"program worker: {error}", file=sys.stderr, flush=True)
        reason = reason_of(error) if isinstance(error, OSError) else "held_elsewhere"
        print(msgspec.json.encode({"fact": "trouble", "reason": reason}).decode(), flush=True)
        os._exit(EXIT_TROUBLE)

    def break_down(what: threading.ExceptHookArgs) -> None:
        """A program without one of its threads is none: the supervisor starts it anew."""
        if isinstance(what.exc_value, OSError):
            worker.trouble(what.exc_value)
        traceback.print_exception(what.exc_type, what.exc_value, what.exc_traceback)
        os._exit(EXIT_BROKEN)

    threading.excepthook = break_down
    try:
        worker.run()
    except Exception:  # noqa: BLE001 — whatever it was, no thread may go on alone
        traceback.print_exc()
        os._exit(EXIT_BROKEN)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    main(sys.argv[1:])
