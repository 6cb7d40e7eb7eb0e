"""The process that makes one file: `python -m recording.exports`, asked by one JSON line on its standard input.

Says on standard output, as JSON lines, how far it is (`progress`, 0 to 100), and in the end `done` or `failed` with a
reason. The end of standard input means that nobody waits any more: it goes at once. Whatever kills it, the file
has its name only when it is whole.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import av
import msgspec

from conference.export_job import ExportJob, MadeFile
from recording.exports.person_file import write_person
from recording.exports.program_file import write_program
from recording.exports.program_reader import Life, list_rest, read_lives
from recording.exports.sink import NothingRecordedError, Sink, UnreadableError
from recording.segments import DiskError

RENDITION: Final = "720p"
_NICENESS: Final = 19


class Request(msgspec.Struct, frozen=True):
    """The job, and where things lie: directories of recordings and of programs, the file to be made."""

    job: ExportJob
    recordings: str
    programs: str
    out: str
    reserve_bytes: int


class _Teller:
    """Says how far it is, each percent once."""

    def __init__(self) -> None:
        self._said = -1

    def __call__(self, share: float) -> None:
        percent = min(99, max(0, int(share * 100)))
        if percent > self._said:
            self._said = percent
            say({"progress": percent})


def say(what: dict[str, Any]) -> None:
    """One line to the parent."""
    try:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(0)


def make(request: Request) -> MadeFile:
    """Make it. Raises DiskError, UnreadableError, NothingRecordedError."""
    job, recordings = request.job, Path(request.recordings)
    program = Path(request.programs) / job.consultation_id
    list_rest(program)
    lives = read_lives(program, RENDITION, job.omitted)
    out = Path(request.out)
    _make_directory(out.parent)
    sink = Sink(out, reserve_bytes=request.reserve_bytes)
    try:
        from_ms, duration_ms = _written(job, lives, recordings, sink)
        size_bytes, sha256 = sink.finish()
    except av.FFmpegError as error:
        sink.require_taken()
        raise UnreadableError(str(error)) from error
    except OSError as error:
        raise DiskError(*error.args) from error
    finally:
        sink.discard()
    return MadeFile(from_ms, duration_ms, size_bytes, sha256)


def _written(job: ExportJob, lives: list[Life], recordings: Path, sink: Sink) -> tuple[int, int]:
    if job.kind == "program":
        if not lives:
            raise NothingRecordedError("no program was made")
        return write_program(lives, sink, job.chapters, job.title, _Teller(), job.captions)
    if job.kind == "person":
        return write_person(recordings, job.tracks, sink, job.title, _Teller())
    if job.to_ms is None or job.to_ms <= job.from_ms:
        raise ValueError("a clip has an end behind its beginning")
    from recording.exports.clip_file import write_clip  # here: pydub takes its time

    span = (job.from_ms, job.to_ms)
    return write_clip(lives, recordings, job.tracks, span, sink, job.title, _Teller())


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(*error.args) from error


def reason_of(error: OSError) -> str:
    """disk_full or disk_failed."""
    return "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_failed"


def _leave_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent
    os.nice(_NICENESS)
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Request)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        made = make(request)
    except DiskError as error:
        print(f"export: {error}", file=sys.stderr)
        say({"failed": reason_of(error)})
    except UnreadableError as error:
        print(f"export: {error}", file=sys.stderr)
        say({"failed": "unreadable"})
    except NothingRecordedError as error:
        print(f"export: {error}", file=sys.stderr)
        say({"failed": "nothing_recorded"})
    else:
        say({"done": asdict(made)})
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    os._exit(main())
