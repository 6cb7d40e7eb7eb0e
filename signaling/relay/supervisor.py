"""The relay: coturn from Debian, started, watched, started again, and gone with the server."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import socket
from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from conference.clock import Clock
from conference.events import IceServer
from conference.rtc import stun
from conference.rtc.turn import TurnGate, credential
from signaling.data_dir import write_private
from signaling.relay.client import RelayedClient, RelayGuests
from signaling.relay.config import REALM, RelayPlan, coturn_config

log = structlog.get_logger(__name__)

TTL_S: Final = 3600
"""How long a credential opens new allocations; those that stand are not cut off by its end."""

_STEP_S: Final = 300
_BRIEF_S: Final = 60  # for a test
_FIRST_BACKOFF_S: Final = 0.5
_LAST_BACKOFF_S: Final = 30.0
_STEADY_S: Final = 30.0
_READY_S: Final = 10.0
_KNOCK_S: Final = 0.05
_ANSWER_S: Final = 2.0
_STOP_S: Final = 1.0
_LOOK_S: Final = 10.0
_DEAF: Final = (
    3  # looks one after the other that it answered nothing: it runs, and nobody gets anything of it
)
_LINES: Final = 8  # of its last words, for the log


class RelayState(StrEnum):
    """`absent`: coturn is not installed."""

    STARTING = "starting"
    OK = "ok"
    ABSENT = "absent"
    FAILED = "failed"


def relay_program() -> str | None:
    """Where coturn is; None while it is not installed."""
    return shutil.which("turnserver")


class Relay:
    """Owned by signaling.app: `start` before use, `close` at the end. Implements conference.services.ports.Relay."""

    def __init__(
        self,
        directory: Path,
        plan: RelayPlan,
        *,
        url: str,
        peers: frozenset[tuple[str, int]],
        clock: Clock,
    ) -> None:
        """`directory`: for its configuration; `url`: how clients reach it, `turns:…`; `peers`: the addresses of our
        media as clients know them."""
        self.state = RelayState.STARTING
        self._port = 0
        self._directory = directory
        self._plan = plan
        self._url = url
        self._peers = peers
        self._clock = clock
        self._secret = secrets.token_urlsafe(32)
        self._guests = RelayGuests(2 * plan.allocations)  # as many again while allocations change
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()

    # ── for others ──────────────────────────────────────────────────────────────────────────────

    @property
    def health(self) -> str:
        """A RelayState."""
        return self.state.value

    @property
    def pid(self) -> int | None:
        """Of coturn, None while it does not run."""
        return self._process.pid if self._process is not None else None

    def ice_servers(self, subject: str, *, brief: bool = False) -> tuple[IceServer, ...]:
        """For one participant, or somebody who only tests; nothing while the relay does not run."""
        if self.state is not RelayState.OK:
            return ()
        # In steps, so that who asks again gets the same. Allocations are counted by what is behind the colon.
        step_s, ttl_s = (_BRIEF_S, _BRIEF_S) if brief else (_STEP_S, TTL_S)
        step = self._clock.wall_ms() // 1000 // step_s + 1
        username = f"{step * step_s + ttl_s}:{subject}"
        return (IceServer((self._url,), username, credential(self._secret, username)),)

    def client(self) -> RelayedClient | None:
        """What speaks with a new client; None while the relay does not run."""
        if self.state is not RelayState.OK:
            return None
        target = self._plan.media_address
        gate = TurnGate(secret=self._secret, realm=REALM, peers=self._peers, target=target)
        return RelayedClient(gate, self._port, self._guests)

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Start coturn and wait, but not for long, until it listens or is known not to."""
        self._supervisor = asyncio.create_task(self._supervise(), name="relay supervisor")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_READY_S):
                await self._settled.wait()

    async def close(self) -> None:
        """Idempotent."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None

    async def _supervise(self) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = _FIRST_BACKOFF_S
        while True:
            program = relay_program()
            if program is None:
                if self.state is not RelayState.ABSENT:
                    log.warning("relay.absent", hint="install coturn for networks that let only HTTPS pass")
                self.state = RelayState.ABSENT
                self._settled.set()
                await asyncio.sleep(_LAST_BACKOFF_S)
                continue
            began_s = loop.time()
            try:
                words = await self._live(program)
            except OSError as error:
                words = str(error)
            self.state = RelayState.FAILED
            self._settled.set()
            log.error("relay.ended", words=words)
            if loop.time() - began_s > _STEADY_S:
                backoff_s = _FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _LAST_BACKOFF_S)

    async def _live(self, program: str) -> str:
        """One life, to its end; its last words. Raises OSError when it cannot begin."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = _free_port()
        path = self._directory / "turnserver.conf"
        text = coturn_config(self._plan, port=port, secret=self._secret)
        write_private(path, text.encode())
        # The kernel ends it with us, however we end.
        tether = shutil.which("setpriv")
        command = [*([tether, "--pdeathsig", "KILL"] if tether else []), program, "-c", str(path)]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._directory,
            start_new_session=True,
        )
        self._process = process
        words: deque[str] = deque(maxlen=_LINES)
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(_listen(process, words))
                knocking = group.create_task(self._knock(port))
                ended = group.create_task(process.wait())
                await asyncio.wait((knocking, ended), return_when=asyncio.FIRST_COMPLETED)
                if not ended.done():
                    words.append("it answers nothing")
                    process.kill()
                await ended
                await reading
                knocking.cancel()
        finally:
            self._process = None
            await _end(process)
        return " | ".join(words)

    async def _knock(self, port: int) -> None:
        """Wait until it answers, for a port that another program took meanwhile is open, too; then see that it goes on
        answering. Returns when it does so no more."""
        while True:
            if await _answers(port):
                break
            await asyncio.sleep(_KNOCK_S)
        self._port = port
        self.state = RelayState.OK
        self._settled.set()
        log.info("relay.ready", port=port)
        deaf = 0
        while deaf < _DEAF:
            await asyncio.sleep(_LOOK_S)
            deaf = 0 if await _answers(port) else deaf + 1


async def _answers(port: int) -> bool:
    """Whether a request of STUN is answered at the port."""
    transaction_id = secrets.token_bytes(12)
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(stun.build(stun.BINDING_REQUEST, transaction_id, b"", None))
                head = await reader.readexactly(20)
            finally:
                writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError):  # TimeoutError is an OSError
        return False
    return head[:2] == stun.BINDING_SUCCESS.to_bytes(2, "big") and head[8:] == transaction_id


async def _listen(process: asyncio.subprocess.Process, words: deque[str]) -> None:
    assert process.stdout is not None
    try:
        async for line in process.stdout:
            words.append(line.decode(errors="replace").strip())
    except ValueError:  # a line beyond all bounds: it is not worth reading on
        while await process.stdout.read(1 << 16):
            pass


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
