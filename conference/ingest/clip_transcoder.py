"""The process that prepares one clip: `python -m conference.ingest.clip_transcoder`, asked by one JSON line on its
standard input.

Says on standard output, as JSON lines, how far it is (`checking` or `transcoding`, 0 to 99), and in the end `done` or
`refused` with a reason. The end of standard input means that nobody waits any more: it goes at once. Whatever kills it,
the files have their names only when they are whole. It yields to everything else, and may take so much memory.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import msgspec

_NICENESS: Final = 10  # with 19 it stands still where the machine is full, and somebody waits for it
_TELL_S: Final = 0.25


class Request(msgspec.Struct, frozen=True):
    """Paths, and what is to stay free. `memory_bytes`: of addresses, everything included."""

    source: str
    out: str
    poster: str
    reserve_bytes: int
    memory_bytes: int


class _Teller:
    """Says how far it is, each percent once and not too often."""

    def __init__(self) -> None:
        self._said: tuple[str, int] | None = None
        self._said_at_s = 0.0

    def __call__(self, step: str, share: float) -> None:
        now_s, what = time.monotonic(), (step, min(99, max(0, int(share * 100))))
        if what == self._said or (self._said and self._said[0] == step and now_s - self._said_at_s < _TELL_S):
            return
        self._said, self._said_at_s = what, now_s
        say({step: what[1]})


def say(what: dict[str, Any]) -> None:
    """One line to the parent."""
    try:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    os.nice(_NICENESS)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads would take addresses, and turns
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Request)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (request.memory_bytes, request.memory_bytes))
    from conference.ingest.clip_file import (
        Places,
        RefusedError,
        make_clip,
    )  # after the limit, and takes its time

    places = Places(Path(request.source), Path(request.out), Path(request.poster), request.reserve_bytes)
    teller = _Teller()
    teller("checking", 0)
    try:
        made = make_clip(places, teller)
    except RefusedError as error:
        print(f"clip: {error}", file=sys.stderr)
        say({"refused": error.reason})
    except MemoryError:
        say({"refused": "broken"})
    else:
        say({"done": asdict(made)})
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())
