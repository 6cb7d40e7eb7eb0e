"""A worker as a real process: its lines collected, told something, ended, killed. What it says is read by others."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod

from tests.support.media import ROOT


class WorkerProcess(ABC):
    """`close` in the end. `sockets` is a directory of its own; `errors` grows while it runs."""

    def __init__(self, prefix: str) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix=prefix)  # short: a socket's path has 107 bytes
        self.sockets = self._directory.name
        self.errors = ""

    def start(self, module: str, *arguments: str) -> None:
        """Run the module and read what it says."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            start_new_session=True,  # it makes its whole session nicer, which the test is not to be
        )  # fmt: skip
        self.readers = [threading.Thread(target=run, daemon=True) for run in (self._read, self._read_errors)]
        for each in self.readers:
            each.start()

    @abstractmethod
    def said(self, line: bytes) -> None:
        """A line of its standard output; called in a thread."""

    def write(self, data: bytes) -> None:
        """To its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def kill(self) -> None:
        """With SIGKILL, and read the rest."""
        self.process.kill()
        self.process.wait()
        self.join()

    def join(self) -> None:
        """Until all that it said was read, once it has ended."""
        for each in self.readers:
            each.join()

    def close(self) -> None:
        """Idempotent."""
        if self.process.poll() is None:
            self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self._directory.cleanup()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said(line)

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors += line.decode(errors="replace")
