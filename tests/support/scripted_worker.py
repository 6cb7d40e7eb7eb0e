"""A program worker that makes nothing: a process whose doings its consultation's id chooses.

It writes what it is told into `told.jsonl` in its directory, a line `{"pid": …}` first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def say(**fact: Any) -> None:
    print(json.dumps(fact), flush=True)


def main() -> None:
    _tap, _feed, directory, consultation_id, options = sys.argv[1:]
    told = Path(directory, "told.jsonl")
    with told.open("a") as file:
        file.write(json.dumps({"pid": os.getpid(), "options": json.loads(options)}) + "\n")
    say(fact="life", life=1, wall_ms=1, program_time_ms=0)
    if consultation_id == "dies":
        sys.exit(1)
    if consultation_id == "nonsense":
        print("no fact\n[]\n{}", flush=True)
        say(fact="layout", name="grid")
        say(fact="load", level="x", fps=1, core=1, late_frames=0)
    say(fact="ready")
    say(fact="layout", name="grid", people=["p_1"])
    if consultation_id == "hangs":
        time.sleep(600)
    for line in sys.stdin:
        with told.open("a") as file:
            file.write(line)
        said = json.loads(line)
        if said["do"] == "end":
            say(fact="ended")
            return
        if said["scene"]["title"] == "满了":
            say(fact="trouble", reason="disk_full")
            return
        say(fact="load", level=1, fps=25.0, core=0.5, late_frames=0)


if __name__ == "__main__":
    main()
