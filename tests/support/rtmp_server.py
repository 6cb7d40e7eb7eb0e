"""An encoder and a server of RTMP that nobody here wrote: FFmpeg pushes to nginx' module, which gives it on."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.support.eventually import eventually_sync
from tests.support.nginx import COMMAND
from tests.support.ports import free_port

MODULE: Final = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
WIDTH, HEIGHT, RATE, TONE_HZ = 640, 360, 25, 440
_CONFIGURATION = """
load_module {module};
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;
user root;
events {{ worker_connections 64; }}
rtmp {{
    server {{
        listen 127.0.0.1:{port};
        application live {{ live on; wait_key on; }}
    }}
}}
"""
_ENCODER = (
    "ffmpeg", "-nostdin", "-loglevel", "error", "-re",
    "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}",
    "-f", "lavfi", "-i", f"sine=frequency={TONE_HZ}:sample_rate=48000",
    "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline",
    "-pix_fmt", "yuv420p", "-g", str(RATE), "-c:a", "aac", "-f", "flv",
)  # fmt: skip


class RtmpServer:
    """Use it with `with`. All methods block."""

    def __init__(self) -> None:
        self.port = free_port()
        self._directory = tempfile.TemporaryDirectory(prefix="yuanshang-rtmp-")
        self._server: subprocess.Popen[bytes] | None = None
        self._encoder: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the encoder pushes, and everybody pulls."""
        return f"rtmp://127.0.0.1:{self.port}/live/hall"

    def push(self) -> None:
        """An encoder begins: a picture that moves, and a tone."""
        self._encoder = subprocess.Popen([*_ENCODER, self.url], stdin=subprocess.DEVNULL)

    def cut(self) -> None:
        """Its plug is pulled; idempotent."""
        _kill(self._encoder)
        self._encoder = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def __enter__(self) -> Self:
        path = Path(self._directory.name) / "nginx.conf"
        path.write_text(_CONFIGURATION.format(module=MODULE, directory=path.parent, port=self.port))
        command: Sequence[str | Path] = (COMMAND, "-p", path.parent, "-c", path, "-e", "stderr")
        self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        eventually_sync(self._listens, timeout_s=20, what="nginx listens")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        _kill(self._server)
        self._directory.cleanup()


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        process.wait()
