"""The real server under test: started from the command line, watched, killed, restarted and stopped."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from prometheus_client.parser import text_string_to_metric_families

from conference.model.permissions import Role
from conference.services.consultations import ConsultationDraft
from signaling.auth.tokens import TokenKey
from signaling.data_dir import DataDirectory
from signaling.offline import with_consultations
from tests.support import process
from tests.support.eventually import eventually_sync
from tests.support.netns import Namespace
from tests.support.new_database import in_a_thread, new_database
from tests.support.ports import free_port

COMMAND = Path(sys.executable).with_name("yuanshang")
STOP_WITHIN_S = 5.0
MEDIA_MODULE = "conference.media"


class ServerFailedError(AssertionError):
    """The server did not start, or did not stop as it must; the message holds the end of its log."""


class Metrics:
    """One reading of /metrics."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples: list[tuple[str, dict[str, str], float]] = [
            (sample.name, dict(sample.labels), float(sample.value))
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]

    def value(self, name: str, **labels: str) -> float:
        """Sum over the samples of that name whose labels include `labels`; 0 when there is none."""
        wanted = labels.items()
        return sum(value for found, has, value in self.samples if found == name and wanted <= has.items())

    def names(self) -> set[str]:
        """Names of all samples."""
        return {name for name, _, _ in self.samples}

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """Values of one metric keyed by one of its labels."""
        result: dict[str, float] = {}
        for found, has, value in self.samples:
            if found == name and label in has:
                result[has[label]] = result.get(has[label], 0.0) + value
        return result


class Server:
    """`yuanshang serve` on free ports with a data directory of its own.

    Use it with `with` or `async with`. All methods block; where the test must go on meanwhile call them
    through `asyncio.to_thread`.
    """

    def __init__(
        self,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        media_addresses: Sequence[str] = (),
        data_dir: Path | None = None,
        start_timeout_s: float = 60.0,
        command: Sequence[str | Path] = (COMMAND,),
        namespace: Namespace | None = None,
        programs: bool = False,
    ) -> None:
        """`arguments`: `{host}` and `{port}` in them are our address and port for HTTP.

        Without `programs` none is composed, which costs half a core for each live consultation.

        In a `namespace` the server has all ports for itself and is reached by those joined with it only."""
        self.host = host
        self.arguments = [*([] if programs else ["--no-programs"]), *arguments]
        self.environment = dict(environment or {})
        self.media_addresses = list(media_addresses)
        self.start_timeout_s = start_timeout_s
        self.command = [str(part) for part in command]
        self.namespace = namespace
        self._own_dir = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="yuanshang-test-"))
        self.port = 0
        self.media_port = 0
        self.url = ""
        self.pid = 0
        self.links: dict[str, str] = {}
        self.staff: dict[str, str] = {}  # login, password and url of the demo account
        self._process: subprocess.Popen[bytes] | None = None
        self._log_path = self.data_dir.parent / (self.data_dir.name + ".log")
        self._out_path = self.data_dir.parent / (self.data_dir.name + ".out")
        self._seen: set[int] = set()

    # ---- life

    def start(self) -> Self:
        """Start on free ports; another pair is tried when somebody took one in the meantime."""
        if self._own_dir and not any(self.data_dir.iterdir()):
            shutil.copyfile(new_database(), DataDirectory(self.data_dir).database)
        for attempt in range(4):
            if self.namespace is not None:
                self.port, self.media_port = 8080, 7882
            else:
                self.port, self.media_port = free_port(self.host), free_port(self.host)
            try:
                self._launch()
            except ServerFailedError:
                if attempt == 3 or "in use" not in self.logs[-4000:]:
                    self.kill()
                    self._remove_files()
                    raise
            else:
                break
        return self

    def _launch(self) -> None:
        arguments = [*self.command, "serve", "--data-dir", str(self.data_dir), "--host", self.host]
        arguments += ["--port", str(self.port), "--media-port", str(self.media_port), "--ready-json"]
        for address in self.media_addresses:
            arguments += ["--media-address", address]
        arguments += [
            each.replace("{host}", self.host).replace("{port}", str(self.port)) for each in self.arguments
        ]
        out = self._out_path.open("wb")
        log = self._log_path.open("ab")
        with out, log:
            self._process = subprocess.Popen(
                self.namespace.command(arguments) if self.namespace is not None else arguments,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=os.environ | self.environment,
            )
        self.pid = self._process.pid
        deadline = time.monotonic() + self.start_timeout_s
        while True:
            line = self._out_path.read_text().partition("\n")
            if line[1]:
                break
            code = self._process.poll()
            if code is not None:
                raise ServerFailedError(f"ended with code {code} before it was ready:\n{self._tail()}")
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailedError(f"not ready within {self.start_timeout_s:g} s:\n{self._tail()}")
            time.sleep(0.02)
        ready = json.loads(line[0])
        self.url = str(ready["url"]).rstrip("/")
        self.media_port = int(ready["media_port"])
        links = ready.get("links") or {}
        self.links = {str(key): str(link) for key, link in links.items()} if isinstance(links, dict) else {}
        self.staff = dict(ready.get("staff") or {})
        assert int(ready["pid"]) == self.pid, f"pid {ready['pid']} is not the parent's {self.pid}"
        self._seen.update(process.tree(self.pid))

    def restart(self) -> None:
        """Start again with the same ports and data; what still runs is stopped first."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.terminate()
            self._await_end()
        self._launch()

    def stop(self) -> None:
        """SIGTERM; the whole tree must be gone within five seconds."""
        if self._process is None:
            return
        members = set(process.tree(self.pid)) | self._seen
        self._process.terminate()
        begin = time.monotonic()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            message = f"still running {STOP_WITHIN_S:g} s after SIGTERM:\n{self._tail()}"
            raise ServerFailedError(message) from None
        finally:
            self._process = None
        remaining_s = max(0.2, STOP_WITHIN_S - (time.monotonic() - begin))
        members.discard(self.pid)
        self._assert_gone(members, remaining_s)

    def kill(self) -> None:
        """SIGKILL to the whole tree, children first; for clean-up after a failure."""
        if self._process is None:
            return
        for pid in reversed(process.tree(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def close(self) -> None:
        """Stop, check that nothing is left, remove the data directory if it is ours."""
        try:
            self.stop()
        finally:
            self._remove_files()

    def _remove_files(self) -> None:
        if self._own_dir:
            shutil.rmtree(self.data_dir, ignore_errors=True)
        for path in (self._log_path, self._out_path):
            path.unlink(missing_ok=True)

    def _assert_gone(self, members: set[int], timeout_s: float) -> None:
        def left() -> list[str]:
            return [f"{pid} {process.command_line(pid)}" for pid in members if process.alive(pid)]

        deadline = time.monotonic() + timeout_s
        while left():
            if time.monotonic() > deadline:
                remaining = left()
                for line in remaining:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(line.split()[0]), signal.SIGKILL)
                raise ServerFailedError(f"processes left behind: {remaining}\n{self._tail()}")
            time.sleep(0.02)

    def _await_end(self) -> None:
        assert self._process is not None
        self._process.wait(STOP_WITHIN_S + 5)
        members, self._seen = self._seen - {self.pid}, set()
        self._assert_gone(members, STOP_WITHIN_S)

    # ---- processes

    def children(self) -> list[int]:
        """Processes below the parent."""
        found = process.descendants(self.pid) if self.pid else []
        self._seen.update(found)
        return found

    def tree(self) -> list[int]:
        """The parent and all below."""
        return [self.pid, *self.children()]

    def media_pid(self) -> int:
        """The media process."""
        return self.media_pids()[0]

    def media_pids(self) -> list[int]:
        """Those of several media processes."""
        found = [pid for pid in self.children() if MEDIA_MODULE in process.command_line(pid)]
        assert found, f"no media process among {[process.command_line(pid) for pid in self.tree()]}"
        return found

    def web_pid(self) -> int:
        """The process that serves HTTP: it listens on our port."""
        inodes = set()
        for line in Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == self.port:
                inodes.add(f"socket:[{columns[9]}]")
        for pid in self.tree():
            with contextlib.suppress(OSError):
                for entry in Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(OSError):
                        if os.readlink(entry) in inodes:
                            return pid
        raise AssertionError(f"nobody in the tree listens on {self.port}")

    def kill9(self, who: int | Literal["media", "web", "parent"]) -> int:
        """SIGKILL one process and wait until it is gone; gives its pid back."""
        if isinstance(who, int):
            pid = who
        else:
            pid = {"media": self.media_pid, "web": self.web_pid}[who]() if who != "parent" else self.pid
        self.children()
        os.kill(pid, signal.SIGKILL)
        if pid == self.pid and self._process is not None:
            self._process.wait(30)  # it dies when the disk lets go of it
        eventually_sync(lambda: not process.alive(pid), timeout_s=5, every_s=0.01, what=f"end of {who}")
        return pid

    # ---- use

    def run(self, *arguments: str, timeout_s: float = 60.0) -> str:
        """A subcommand on the same data directory; its standard output, stripped."""
        done = subprocess.run(
            [*self.command, *arguments, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=os.environ | self.environment,
            check=False,
        )
        said = done.stderr + done.stdout
        assert done.returncode == 0, f"yuanshang {' '.join(arguments)} → {done.returncode}:\n{said}"
        return done.stdout.strip()

    def create_consultation(self, title: str = "会商", consultation_id: str = "") -> str:
        """Make a consultation; gives its id. As the command `consultation create` does, without its start-up time
        where it would be the same program."""
        if self.command == [str(COMMAND)] and not self.environment:
            draft = ConsultationDraft(title=title, id=consultation_id or None)
            return in_a_thread(partial(with_consultations, self.data_dir, lambda one: one.create(draft))).id
        extra = ["--id", consultation_id] if consultation_id else []
        output = self.run("consultation", "create", "--title", title, *extra)
        return consultation_id or output.split()[-1]

    def token(
        self, consultation: str, role: str = "member", name: str = "张三", venue: str = "", ttl: int = 3600
    ) -> str:
        """A token signed with the data directory's key: as the command `token` does, without its start-up time.

        A negative `ttl` gives one that has expired.
        """
        key = TokenKey(DataDirectory(self.data_dir).load_key())
        return key.issue(consultation, Role(role), name, venue=venue or None, ttl_s=ttl)

    def token_by_command(self, consultation: str, role: str = "member", name: str = "张三") -> str:
        """The same by the command line."""
        return self.run("token", "--consultation", consultation, "--role", role, "--name", name)

    def room_url(self, consultation: str, token: str) -> str:
        """Where a browser enters the room."""
        return f"{self.url}/room/{consultation}#token={token}"

    def get(self, path: str, token: str = "", timeout_s: float = 10.0) -> tuple[int, bytes]:
        """GET without an event loop: (status, body). Not for a server in a namespace that we are not joined with."""
        request = urllib.request.Request(self.url + path)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def metrics(self) -> Metrics:
        """What /metrics says now."""
        status, body = self.get("/metrics")
        assert status == 200, f"/metrics answered {status}"
        return Metrics(body.decode())

    @property
    def logs(self) -> str:
        """Everything the server wrote to standard error, over restarts."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    def _tail(self, limit: int = 6000) -> str:
        return self.logs[-limit:]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._leave, error)

    def _leave(self, error: BaseException | None) -> None:
        if error is not None:
            error.add_note(f"end of the server's log:\n{self._tail(3000)}")
        self.close()
