"""`python -m benchmarks.light_sockets URL`: many Socket.IO clients of one room in a process of their own.

Each is a plain protocol that notes when a message arrived and answers pings; nothing is parsed while it is
measured. Commands come as JSON lines on standard input (`{"do": …}`), each is answered by one line.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from benchmarks.children import obey
from tests.support.eventually import eventually
from tests.support.light_client.plain_socket import LightSocket, connect


class Crowd:
    """The clients of this process, and what it can be told to do with them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clients: list[LightSocket] = []
        self.commands: dict[str, Callable[..., Awaitable[Any]]] = {
            each.__name__: each
            for each in (self.join, self.grants, self.write, self.sync, self.reach, self.check)
        }

    async def join(self, tokens: list[str], at_once: int) -> list[float]:
        """How long each waited for its snapshot."""
        gate = asyncio.Semaphore(at_once)

        async def one(token: str) -> float:
            async with gate:
                client = await connect(self._url, "/room", token)
                self._clients.append(client)
                return (client.has_snapshot.result() - client.entered_ns) / 1e6

        return list(await asyncio.gather(*(one(token) for token in tokens)))

    async def grants(self) -> list[dict[str, int]]:
        """For each client: when it learnt first that this participant holds the floor."""
        found = []
        for client in self._clients:
            times: dict[str, int] = {}
            for now_ns, name, body in client.events():
                if name == "floor.updated" and body["floor"]["holder"] is not None:
                    times.setdefault(body["floor"]["holder"]["participant_id"], now_ns)
            found.append(times)
        return found

    async def write(self, first: int, count: int, every_s: float, begin_ns: int) -> list[float]:
        """Statements at fixed times whether or not earlier ones were answered; how long each answer took."""

        async def one(number: int) -> float:
            await asyncio.sleep(max(0.0, begin_ns / 1e9 + number * every_s - time.monotonic()))
            client = self._clients[number % len(self._clients)]
            body = {
                "text": f"第{first + number}条：建议增设助餐点，方便老人。",
                "key": f"statement-{first + number}",
            }
            return (await client.ask("statement.add", body))[0]

        return list(await asyncio.gather(*(one(number) for number in range(count))))

    async def sync(self, count: int) -> list[float]:
        """How long a fresh snapshot takes; one after the other."""
        return [(await self._clients[n % len(self._clients)].ask("room.sync"))[0] for n in range(count)]

    async def reach(self, version: int) -> None:
        """Wait until every client has what led to this version of the room."""
        mark = f'"version":{version},'.encode()
        for client in self._clients:
            await eventually(partial(client.got, mark), timeout_s=30)

    async def check(self) -> dict[str, Any]:
        """What must be the same for all: no hole in any client's versions, and the order of the statements."""
        orders: set[tuple[str, ...]] = set()
        holes = 0
        for client in self._clients:
            version, order = -1, []
            for _, name, body in client.events():
                if name == "room.snapshot":
                    version = body["version"]
                    continue
                if name == "statement.added":
                    order.append(body["statement"]["id"])
                if "version" in body:
                    holes += body["version"] != version + 1
                    version = body["version"]
            orders.add(tuple(order))
        closed = sum(client.closed for client in self._clients)
        return {"orders": list(orders), "holes": holes, "closed": closed}


async def main() -> None:
    """Obey until standard input ends."""
    await obey(Crowd(sys.argv[1]).commands)


if __name__ == "__main__":
    asyncio.run(main())
