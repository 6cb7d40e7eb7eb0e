"""nginx with the configuration of deploy/nginx, on a free port, with everything it writes in a directory of its own."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pytest

from tests.support.eventually import eventually_sync
from tests.support.ports import free_port

COMMAND = shutil.which("nginx") or "/usr/sbin/nginx"
CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "nginx" / "yuanshang.conf"

_MAIN = """
daemon off;
worker_processes {workers};
worker_rlimit_nofile 16384;
pid {directory}/nginx.pid;
error_log stderr warn;
user root;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 100000;
    map $upstream_cache_status $asks {{ default 1; HIT 0; }}
    log_format asked "$request_uri $upstream_cache_status $upstream_status";
    {delivered}
}}
"""


class Nginx:
    """Use it with `with`. `upstream`: port of the server, or of each of several; `certificate`: file with key and
    chain, else without TLS."""

    def __init__(
        self, upstream: int | Sequence[int], *, workers: int = 1, certificate: Path | None = None
    ) -> None:
        self._upstream = [upstream] if isinstance(upstream, int) else upstream
        self._workers = workers
        self._certificate = certificate
        self._directory = Path(tempfile.mkdtemp(prefix="yuanshang-nginx-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def asked(self) -> Counter[str]:
        """How often the server was asked for each address, as nginx tells it."""
        log = self._directory / "asked.log"
        return Counter(line.split()[0] for line in log.read_text().splitlines())

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> Self:
        """On a free port."""
        for _ in range(4):
            self.port = free_port()
            path = self._directory / "nginx.conf"
            path.write_text(self._configuration())
            command = [COMMAND, "-p", str(self._directory), "-c", str(path), "-e", "stderr"]
            said = (self._directory / "errors.log").open("wb")
            with said:
                process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
            eventually_sync(
                lambda process=process: process.poll() is not None or _answers(self.port),  # type: ignore[misc]
                what="nginx",
            )
            if process.poll() is None:
                self._process = process
                return self
        raise AssertionError("nginx does not start: " + (self._directory / "errors.log").read_text())

    def _configuration(self) -> str:
        text = CONFIGURATION.read_text()
        tls = "" if self._certificate is None else " ssl http2"
        for there, here in (
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port}{tls} backlog=4096;"),
            ("/var/cache/nginx/yuanshang", f"{self._directory}/cache"),
            ("server 127.0.0.1:8080;", " ".join(f"server 127.0.0.1:{each};" for each in self._upstream)),
            ("access_log off;", f"access_log {self._directory}/asked.log asked if=$asks;"),
        ):
            assert text.count(there) == 1, there
            text = text.replace(there, here)
        text = re.sub(r"\n\s*ssl_certificate.*", "", text)
        if self._certificate is not None:
            files = f"ssl_certificate {self._certificate}; ssl_certificate_key {self._certificate};"
            text = text.replace("ssl_protocols ", f"{files} ssl_protocols ")
        return _MAIN.format(directory=self._directory, delivered=text, workers=self._workers)

    def close(self) -> None:
        """Idempotent."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        if not Path(COMMAND).exists():
            pytest.skip("nginx is not installed")
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
