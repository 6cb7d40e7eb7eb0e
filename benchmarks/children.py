"""Processes of a benchmark that obey: a line of JSON in, a line of JSON out."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self


class Children:
    """Several processes of the same module."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process]) -> None:
        self._processes = processes

    @classmethod
    async def start(cls, stack: AsyncExitStack, count: int, module: str, *arguments: str) -> Self:
        """They end with the stack."""
        pipe = asyncio.subprocess.PIPE
        started = []
        for _ in range(count):
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, *arguments, stdin=pipe, stdout=pipe, limit=2**26
            )
            stack.push_async_callback(_end, child)
            started.append(child)
        return cls(started)

    @property
    def pids(self) -> list[int]:
        return [each.pid for each in self._processes]

    async def do(self, *commands: Mapping[str, Any]) -> list[Any]:
        """One command for each process, or the same for all; their answers."""
        return await asyncio.gather(
            *(_ask(each, commands[n % len(commands)]) for n, each in enumerate(self._processes))
        )


async def _ask(child: asyncio.subprocess.Process, command: Mapping[str, Any]) -> Any:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(command).encode() + b"\n")
    line = await child.stdout.readline()
    if not line:
        raise RuntimeError("a client process ended")
    return json.loads(line)


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.kill()
    await child.wait()


async def obey(commands: Mapping[str, Callable[..., Awaitable[Any]]]) -> None:
    """The other end: carry out what `do` names until standard input ends."""
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        command = json.loads(line)
        answer = await commands[command.pop("do")](**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
