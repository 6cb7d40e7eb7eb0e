"""Many participants who join at a fixed pace, from a process of its own: `python -m tests.support.join_storm`.

It reads one `Storm` as a line of JSON, answers `ready`, begins with the next line, and says how each joiner fared. They
stay until standard input ends. They are light: their sockets parse no events, and of their media only headers are read.
"""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from tests.support.light_client.peer import Peer
from tests.support.light_client.plain_socket import LightSocket, connect
from tests.support.light_client.sdp import SessionDescription

_UNREAD = 1 << 16  # of that many packets one is decrypted: none
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Storm:
    """Who joins where: one for each token, `per_s` a second, each showing one picture of that size."""

    url: str
    tokens: tuple[str, ...]
    per_s: float
    width: int = 320
    height: int = 180


@dataclass(frozen=True)
class Joined:
    """How one of them fared. Milliseconds since it was its turn; `late_ms`: it was begun so much later."""

    late_ms: float
    snapshot_ms: float
    connected_ms: float
    media_ms: float
    failure: str = ""


class _Joiner:
    def __init__(self, storm: Storm, number: int) -> None:
        self._storm, self._number = storm, number
        self._peer: Peer | None = None
        self._offered = asyncio.Event()
        self._socket: LightSocket | None = None

    async def join(self, begins_s: float) -> Joined:
        """Come in, show one picture, and see its first packet."""
        turn_s = begins_s + self._number / self._storm.per_s
        await asyncio.sleep(max(0.0, turn_s - time.monotonic()))
        late_ms = _since(turn_s)
        try:
            self._socket = await connect(
                self._storm.url, "/room", self._storm.tokens[self._number], self._asked
            )
            snapshot_ms = _since(turn_s)
            await self._socket.ask("media.wish", {"items": self._wish()})
            async with asyncio.timeout(_PATIENCE_S):
                await self._offered.wait()
                assert self._peer is not None
                await self._peer.connect()
                connected_ms = _since(turn_s)
                await self._peer.first_rtp.wait()
        except Exception as error:  # noqa: BLE001 — whoever did not get in says why
            return Joined(late_ms, -1, -1, -1, f"{type(error).__name__}: {error}")
        return Joined(late_ms, snapshot_ms, connected_ms, _since(turn_s))

    def _asked(self, name: str, data: Any) -> Any:
        """The only thing that is asked: `media.offer`."""
        assert name == "media.offer", name
        offer = SessionDescription(data["sdp"])
        if self._peer is None:
            self._peer = Peer(sample=_UNREAD)
            self._offered.set()
        return {"sdp": self._peer.answer(offer)}

    def _wish(self) -> list[dict[str, Any]]:
        assert self._socket is not None
        _, _, snapshot = next(each for each in self._socket.events() if each[1] == "room.snapshot")
        cameras = [
            each["id"]
            for person in snapshot["participants"]
            for each in person["publications"]
            if each["source"] == "camera"
        ]
        shown = cameras[self._number % len(cameras)]
        return [{"publication_id": shown, "width": self._storm.width, "height": self._storm.height}]

    async def close(self) -> None:
        if self._peer is not None:
            await self._peer.close(notify=False)
        if self._socket is not None:
            self._socket.close()


def _since(turn_s: float) -> float:
    return (time.monotonic() - turn_s) * 1000


class StormProcess:
    """The process, from outside."""

    def __init__(self, storm: Storm) -> None:
        self._storm = storm
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, stdin=pipe, stdout=pipe, limit=1 << 24
        )
        await self._say(json.dumps(asdict(self._storm)))
        return self

    async def _say(self, line: str) -> str:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        answer = await self._process.stdout.readline()
        assert answer, "the process of the joiners ended"
        return answer.decode()

    async def run(self) -> Sequence[Joined]:
        """Let them join; they stay."""
        return [Joined(**each) for each in json.loads(await self._say("go"))]

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _main() -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    said = json.loads(await reader.readline())
    storm = Storm(**{**said, "tokens": tuple(said["tokens"])})
    joiners = [_Joiner(storm, number) for number in range(len(storm.tokens))]
    print("ready", flush=True)
    await reader.readline()
    begins_s = time.monotonic() + 0.05
    joined = await asyncio.gather(*(joiner.join(begins_s) for joiner in joiners))
    print(json.dumps([asdict(each) for each in joined]), flush=True)
    await reader.read()
    await asyncio.gather(*(joiner.close() for joiner in joiners))


if __name__ == "__main__":
    asyncio.run(_main())
