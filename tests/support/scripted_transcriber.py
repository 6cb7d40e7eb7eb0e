"""A transcription worker that hears nothing: a process whose doings its engine option chooses.

It writes what it is told, line by line, into `told.jsonl` in the directory of recordings, `{"pid": …}` first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import msgspec

from conference.worker_events import (
    ListenEnded,
    TranscriberLoad,
    TranscriberModel,
    TranscriberReady,
)
from transcription import wire


def main() -> None:
    options = msgspec.json.decode(sys.argv[1], type=wire.Options)
    told = Path(options.recordings, "told.jsonl")
    with told.open("a") as begun:
        begun.write(json.dumps({"pid": os.getpid()}) + "\n")

    def say(line: bytes) -> None:
        os.write(1, line)

    if options.engine == "dies":
        sys.exit(1)
    if options.engine == "broken":
        say(wire.event_line(TranscriberModel("", "x", "model_broken")))
        sys.exit(4)
    if options.engine == "nonsense":
        say(b'no event\n[]\n{"event":"Heard","body":{}}\n{"event":"Nothing","body":{}}\n')
    say(wire.event_line(TranscriberModel("scripted", "x")))
    if options.engine == "hangs":
        time.sleep(600)
    sockets: dict[str, str] = {}
    for line in sys.stdin.buffer:
        with told.open("ab") as file:
            file.write(line)
        match wire.order_of(line):
            case wire.Begin(consultation_id, path):
                sockets[consultation_id] = path
                say(wire.event_line(TranscriberReady(consultation_id, path)))
            case wire.End(consultation_id):
                say(wire.event_line(wire.Released(consultation_id, sockets[consultation_id])))
            case wire.Job(job) if job.to_ms:
                say(wire.event_line(ListenEnded(job.id)))
            case wire.Stop():
                return
        say(wire.event_line(TranscriberLoad(0, 0, 0.0)))


if __name__ == "__main__":
    main()
