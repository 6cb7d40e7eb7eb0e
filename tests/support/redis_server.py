"""A Redis of our own on a free port, which can be paused, killed and started again, empty."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.support.eventually import eventually_sync
from tests.support.ports import free_port

COMMAND = shutil.which("redis-server") or "/usr/bin/redis-server"


class RedisServer:
    """Use it with `with`."""

    def __init__(self) -> None:
        self.port = 0
        self._directory = Path(tempfile.mkdtemp(prefix="yuanshang-redis-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """For those who do not reach our loopback."""
        return f"unix://{self._directory}/redis.sock?db=0"

    def start(self) -> Self:
        """On the port of before, if there was one; with nothing in it."""
        for _ in range(4):
            port = self.port or free_port()
            arguments = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"]
            process = subprocess.Popen(
                [
                    COMMAND,
                    "--port",
                    str(port),
                    "--dir",
                    str(self._directory),
                    "--unixsocket",
                    "redis.sock",
                    *arguments,
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            eventually_sync(
                lambda process=process, port=port: process.poll() is not None or _answers(port),  # type: ignore[misc]
                what="redis-server",
            )
            if process.poll() is None:
                self.port, self._process = port, process
                return self
        raise AssertionError("redis-server does not start")

    def pause(self) -> None:
        """It keeps its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Everything in it is gone; idempotent."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        if not Path(COMMAND).exists():
            pytest.skip("redis-server is not installed")
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
