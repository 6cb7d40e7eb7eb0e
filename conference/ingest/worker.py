"""The ingest process: one camera, stream or clip. `python -m conference.ingest.worker`

The job comes as the first line of standard input, orders for a clip after it; facts go to standard output
(conference.ingest.messages). The end of standard input means that the parent is gone: the process ends at once. A job
without a socket is a look: one picture, or why there is none, and the end. A device in place of a job is asked for its
streams.
"""

from __future__ import annotations

import contextlib
import gc
import os
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

import av.logging
import msgspec

from conference.ingest import messages
from conference.ingest.clip_player import ClipPlayer
from conference.ingest.look import look_at
from conference.ingest.output import Output
from conference.ingest.puller import Puller
from conference.ingest_events import IngestKind

EXIT_BROKEN: Final = 5
_ALIVE_S: Final = 2.0
_HANGS_S: Final = 20.0  # FFmpeg asks us every tenth of a second whether it may go on, mostly
_LOOK_S: Final = 25
_NICE: Final = 3  # the room goes first
_MOST_MEMORY: Final = 3 << 30  # of addresses; a picture that needs more is no camera's
_SOURCES: Final = {IngestKind.CAMERA: ("camera", "microphone"), IngestKind.CLIP: ("screen", "screen_sound")}


class Worker:
    """The main thread: sockets and the parent. The source has a thread of its own, started here."""

    def __init__(self, job: messages.Job) -> None:
        """Raises OSError where it cannot listen."""
        self._saying = threading.Lock()
        kind = IngestKind(job.kind)
        self._output = Output(job.participant_id, job.label, _SOURCES[kind])
        is_clip = kind is IngestKind.CLIP
        self._clip = ClipPlayer(job, self._output, self.say) if is_clip else None
        self._source = self._clip or Puller(job, self._output, self.say)
        self._listener = _listener(Path(job.socket_path))
        self._selector = selectors.DefaultSelector()
        self._fed: socket.socket | None = None

    def run(self) -> None:
        """For ever: the end of standard input ends the process."""
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        threading.Thread(target=self._obey, name="parent", daemon=True).start()
        self.say(messages.Ready())
        threading.Thread(target=self._source.run, name="source", daemon=True).start()
        gc.collect()
        gc.freeze()
        next_s = 0.0
        while True:
            for key, _ in self._selector.select(_ALIVE_S / 2):
                key.data()
            now_s = time.monotonic()
            if now_s >= next_s:
                next_s = now_s + _ALIVE_S
                if now_s - self._source.beat_s > _HANGS_S:
                    print("ingest: the source hangs", file=sys.stderr, flush=True)
                    os._exit(EXIT_BROKEN)
                self.say(messages.Alive())

    def say(self, fact: messages.Fact) -> None:
        """To the supervisor. Any thread."""
        with self._saying:
            _say(fact)

    def _obey(self) -> None:
        """Standard input, line by line."""
        for line in sys.stdin.buffer:
            try:
                order = messages.read_order(line)
            except msgspec.MsgspecError:
                print("ingest: an order was not understood", file=sys.stderr, flush=True)
                continue
            if self._clip is not None and not isinstance(order, messages.Job | messages.Device):
                self._clip.obey(order)
        os._exit(0)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        if self._fed is not None:
            self._selector.unregister(self._fed)
        self._fed = sock
        self._output.attach(sock)
        self._selector.register(sock, selectors.EVENT_READ, self._read)

    def _read(self) -> None:
        assert self._fed is not None
        if not self._output.read():
            self._selector.unregister(self._fed)
            self._fed = None
            self.say(messages.Ready())


def _say(fact: messages.Fact) -> None:
    line = messages.encode(fact)
    try:
        while line:
            line = line[os.write(1, line) :]
    except OSError:
        os._exit(0)  # the parent is gone


def _listener(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    path.chmod(0o600)
    made.listen(2)
    return made


def _break_down(what: threading.ExceptHookArgs) -> None:
    """Without its source's thread the process is of no use: the supervisor starts it anew."""
    _tell_trouble(what.exc_value)
    os._exit(EXIT_BROKEN)


def _tell_trouble(error: BaseException | None) -> None:
    """Where it happened; not what was said, in which the address may stand."""
    if error is not None:
        print(f"ingest: {type(error).__name__}", file=sys.stderr)
        traceback.print_tb(error.__traceback__)
        sys.stderr.flush()


def main() -> None:
    """Ends the process."""
    av.logging.set_level(None)  # FFmpeg names addresses
    with contextlib.suppress(OSError, ValueError):
        os.nice(_NICE)
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    threading.excepthook = _break_down
    line = sys.stdin.buffer.readline()
    try:
        job = messages.read_order(line)
        if isinstance(job, messages.Device):
            signal.alarm(_LOOK_S)
            from conference.ingest.onvif_device import streams_of  # heavy, and of no use to others

            _say(streams_of(job))
        elif not isinstance(job, messages.Job):
            raise TypeError("no job")
        elif not job.socket_path:
            signal.alarm(_LOOK_S)
            _say(look_at(job))
        else:
            Worker(job).run()
    except Exception as error:  # noqa: BLE001 — whatever it was
        _tell_trouble(error)
        os._exit(EXIT_BROKEN)
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    main()
