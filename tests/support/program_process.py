"""The real program worker as a process: told scenes, its facts collected, ended, killed."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from tests.support.eventually import eventually_sync
from tests.support.worker_process import WorkerProcess

Fact = dict[str, Any]


def person(participant_id: str, **more: Any) -> dict[str, Any]:
    """Somebody with camera and microphone, for a scene."""
    return {"id": participant_id, "name": f"委员{participant_id}", "camera": True, "microphone": True, **more}


def scene(*people: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A live scene of these people."""
    return {"phase": "live", "title": "远程协商会", "organization": "县政协", "people": list(people), **more}


def speaking(participant_id: str, *people: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One of them in the whole picture."""
    direction = {"mode": "manual", "layout": "speaker", "people": [participant_id]}
    return scene(*people, direction=direction, **more)


def on_time(pid: int = 0) -> None:
    """All threads of the process (0: this thread) go before others, where that is allowed: many tests may run beside
    this one."""
    threads = [int(each.name) for each in Path(f"/proc/{pid}/task").iterdir()] if pid else [0]
    for thread in threads:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(1))


class ProgramProcess(WorkerProcess):
    """`close` in the end; `facts` grows while it runs."""

    def __init__(self, directory: Path, **options: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        super().__init__("prog-")
        self.tap_path = f"{self.sockets}/tap"
        self.feed_path = f"{self.sockets}/feed"
        self.facts: list[Fact] = []
        whole = {"most_load": 0, **options}  # never sparing itself: times are looked at
        self.start(
            "recording.program.worker",
            self.tap_path,
            self.feed_path,
            str(directory),
            "c_1",
            json.dumps(whole),
        )
        on_time(self.process.pid)

    def said(self, line: bytes) -> None:
        self.facts.append(json.loads(line))

    def say(self, word: dict[str, Any] | bytes) -> None:
        """A line on its standard input."""
        self.write(word if isinstance(word, bytes) else json.dumps(word).encode() + b"\n")

    def show(self, shown: dict[str, Any]) -> None:
        """A scene."""
        self.say({"do": "scene", "scene": shown})

    def named(self, kind: str, **with_: Any) -> list[Fact]:
        """Facts of a kind in which these things stand."""
        wanted = with_.items()
        return [f for f in list(self.facts) if f["fact"] == kind and all(f.get(k) == v for k, v in wanted)]

    def wait(self, kind: str, count: int = 1, timeout_s: float = 30, **with_: Any) -> list[Fact]:
        """Until there are so many of them."""
        return eventually_sync(
            lambda: self.named(kind, **with_),
            lambda found: len(found) >= count or self.process.poll() is not None,
            timeout_s=timeout_s,
            what=f"{count} × {kind} {with_}; {self.errors[-2000:]}",
        )

    def wait_program_time(self, program_time_ms: float) -> None:
        """Until a listed segment ends behind it."""
        eventually_sync(
            lambda: max((f["program_time_ms"] + f["duration_ms"] for f in self.named("segment")), default=-1),
            lambda end: end >= program_time_ms or self.process.poll() is not None,
            timeout_s=60,
            what=f"a segment that ends after {program_time_ms}; {self.errors[-2000:]}",
        )

    def end(self) -> None:
        """Ask for a proper end."""
        self.say({"do": "end"})
        assert self.process.wait(20) == 0, self.errors
        self.join()
