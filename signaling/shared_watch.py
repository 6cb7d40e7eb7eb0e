"""Whether the shared directory is still there, and whether the other servers have the same one."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog

from conference.file_lock import is_locked
from conference.services.ports import PresenceRegistry
from signaling.blocking import in_time
from signaling.shared_dir import SharedDirectory

log = structlog.get_logger(__name__)

STEP_S: Final = 5.0
OK, GONE, APART, UNLOCKED = "ok", "gone", "apart", "unlocked"
_PATIENCE_S: Final = 4.0
_LOOKS: Final = (
    15  # a network file system may show a new file a minute late, and a server that died is heard of later
)


class SharedWatch:
    """A locked file says that this server runs on the directory; those of the others are looked for.

    `state`: ok; gone (not there, another one, or not to be written); apart (a server that lives has no file in it: it
    has another directory, or none); unlocked (its file is not locked here: the file system does not carry locks from
    server to server, so that two may write the same)."""

    def __init__(self, shared: SharedDirectory, registry: PresenceRegistry, *, looks: int = _LOOKS) -> None:
        """`looks`: how often in a row something is found before it is told."""
        self._shared = shared
        self._registry = registry
        self._looks = looks
        self._path = shared.servers / quote(registry.node, safe="")
        self._descriptor = -1
        self._found: dict[tuple[str, str], int] = {}  # by state and server: how often in a row
        self._is_looking = False
        self.state = OK

    async def tick(self) -> None:
        """Call every few seconds."""
        others = tuple(each.name for each in self._registry.nodes())
        try:
            if self._is_looking:
                raise TimeoutError  # the thread of a former look still waits
            self._is_looking = True
            found = await in_time(lambda: self._look(others), _PATIENCE_S)
        except (OSError, TimeoutError) as error:
            if self.state != GONE:
                log.error("shared_dir.gone", path=str(self._shared.path), error=str(error) or "no answer")
            self.state = GONE
            return
        if self.state == GONE:
            log.info("shared_dir.back", path=str(self._shared.path))
        self._judge(found)

    def close(self) -> None:
        """Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _judge(self, found: dict[str, str]) -> None:
        before = self._found
        self._found = {(state, node): before.get((state, node), 0) + 1 for node, state in found.items()}
        told = [pair for pair, times in self._found.items() if times >= self._looks]
        for state, node in told:
            if before.get((state, node), 0) < self._looks:
                log.error(f"shared_dir.{state}", server=node, path=str(self._shared.path))
        self.state = max((state for state, _ in told), default=OK)  # unlocked above apart

    def _look(self, others: Collection[str]) -> dict[str, str]:
        """Of those servers with which something is wrong. In a thread. OSError."""
        try:
            self._shared.require()
            self._be_there()
            return {node: state for node in others if (state := self._state_of(node)) != OK}
        finally:
            self._is_looking = False

    def _be_there(self) -> None:
        if self._descriptor < 0 or not self._path.exists():
            self.close()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return  # somebody looks at it, or has our name, which its claims tell of
            self._descriptor = descriptor
        os.pwrite(self._descriptor, json.dumps({"node": self._registry.node}).encode(), 0)
        os.fsync(self._descriptor)

    def _state_of(self, node: str) -> str:
        return locked_by(self._shared.servers / quote(node, safe=""))


def locked_by(path: Path) -> str:
    """Whether the server of this file runs: ok, apart without a file, unlocked. OSError."""
    try:
        return OK if is_locked(path) else UNLOCKED
    except FileNotFoundError:
        return APART
