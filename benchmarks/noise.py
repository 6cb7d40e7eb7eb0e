"""`python -m benchmarks.noise DIRECTORY`: what the machine itself adds to every latency, until SIGTERM.

How late a process that does nothing is woken up, and how long 4 kB take to reach the disk of a directory: no commit
is faster than that.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.002
_SYNC_EVERY_S = 0.05


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Noise:
    """Watches while the block runs; then `wake_p99_ms`, `sync_p99_ms` and `sync_max_ms`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.wake_p99_ms = self.sync_p99_ms = self.sync_max_ms = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.noise", str(self._directory)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        output, _ = self._process.communicate()
        if error is None:
            self.wake_p99_ms, self.sync_p99_ms, self.sync_max_ms = json.loads(output)


def main() -> None:
    """Sleep and sync, and measure both."""
    late_ms: list[float] = []
    sync_ms: list[float] = []

    def sync() -> None:
        with tempfile.TemporaryFile(dir=sys.argv[1]) as file:
            while True:
                began = time.monotonic()
                file.write(b"n" * 4096)
                file.flush()
                os.fsync(file.fileno())
                sync_ms.append((time.monotonic() - began) * 1000)
                time.sleep(_SYNC_EVERY_S)

    def report(*_: object) -> None:
        measured = [percentile(late_ms, 0.99), percentile(sync_ms, 0.99), max(sync_ms)]
        sys.stdout.write(json.dumps(measured))
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGTERM, report)
    threading.Thread(target=sync, daemon=True).start()
    while not sync_ms:
        time.sleep(_EVERY_S)
    print("watching", flush=True)
    while True:
        began = time.monotonic()
        time.sleep(_EVERY_S)
        late_ms.append((time.monotonic() - began - _EVERY_S) * 1000)


if __name__ == "__main__":
    main()
