"""`python -m benchmarks.noise`: how late a process that does nothing is woken up on this machine, until SIGTERM.

Beside every latency: what the machine itself adds to it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

_EVERY_S = 0.002


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Noise:
    """Watches while the block runs; then `p99_ms` and `max_ms`."""

    def __init__(self) -> None:
        self.p99_ms = self.max_ms = 0.0

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.noise"]
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
            self.p99_ms, self.max_ms = json.loads(output)


def main() -> None:
    """Sleep and measure."""
    late_ms: list[float] = []

    def report(*_: object) -> None:
        sys.stdout.write(json.dumps([percentile(late_ms, 0.99), max(late_ms)]))
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGTERM, report)
    print("watching", flush=True)
    while True:
        began = time.monotonic()
        time.sleep(_EVERY_S)
        late_ms.append((time.monotonic() - began - _EVERY_S) * 1000)


if __name__ == "__main__":
    main()
