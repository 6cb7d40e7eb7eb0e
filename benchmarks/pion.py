"""A broadcast forwarder on pion/webrtc v3 (Debian's Go packages) as a target."""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.http_sessions import WhipSession
from benchmarks.target import Session, Target, TargetMissingError, wait_for_http
from tests.support import process
from tests.support.ports import free_port

SOURCE = Path(__file__).with_name("pion_sfu") / "main.go"
BUILD = Path(__file__).resolve().parents[1] / "build" / "pion"


class Pion(Target):
    """Built on first use."""

    name = "pion"

    def __init__(self) -> None:
        if shutil.which("go") is None or not Path("/usr/share/gocode/src/github.com/pion/webrtc").exists():
            raise TargetMissingError("Debian's golang-go and golang-github-pion-webrtc.v3-dev")
        self._process: subprocess.Popen[bytes] | None = None
        self._base = ""

    def _build(self) -> Path:
        binary = BUILD / "pion_sfu"
        if not binary.exists() or binary.stat().st_mtime < SOURCE.stat().st_mtime:
            # GOPATH mode maps …/webrtc/v3 to …/webrtc only for code inside GOPATH that has a go.mod.
            folder = BUILD / "go" / "src" / "pionsfu"
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE, folder)
            (folder / "go.mod").write_text("module pionsfu\n")
            environment = {
                **os.environ,
                "GO111MODULE": "off",
                "GOPATH": f"{BUILD / 'go'}:/usr/share/gocode",
                "GOCACHE": str(BUILD / "cache"),
            }
            subprocess.run(["go", "build", "-o", str(binary), "."], cwd=folder, env=environment, check=True)
        return binary

    def start(self) -> None:
        binary = self._build()
        address = f"127.0.0.1:{free_port()}"
        self._process = subprocess.Popen(
            [str(binary), "-listen", address],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://{address}"
        wait_for_http(self._base + "/health")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5)
            self._process = None

    def media_pids(self) -> list[int]:
        assert self._process is not None
        return process.tree(self._process.pid)

    def session(self) -> Session:
        return WhipSession(self._base + "/whip/{label}", self._base + "/whep/{id}", by_label=True)
