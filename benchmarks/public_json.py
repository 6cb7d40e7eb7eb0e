"""`python -m benchmarks.public_json`: what the JSON beside the picture costs a node, straight and behind nginx.

Viewers who each ask for the page every 1 to 1.5 s and for the comments every 3 to 5 s, as web_client does while they
grow, each over a connection of its own; a comment is approved each second, so that nothing stays the same. Server,
nginx (one worker, as in deploy/nginx, without TLS) and viewers share the machine: their cores are told apart.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import resource
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.comment_sentences import sentences
from benchmarks.noise import percentile
from benchmarks.report import append
from tests.support import process
from tests.support.nginx import Nginx
from tests.support.server import Server

PAGE_S: Final = (1.0, 1.5)
COMMENTS_S: Final = (3.0, 5.0)
_SHOWN: Final = 60
_OUT: Final = Path("build/public_json.jsonl")


class _Viewer(asyncio.Protocol):
    """One that asks for the page and the comments in turn as they become due."""

    def __init__(self, crowd: _Crowd, host: str, consultation: str) -> None:
        self._crowd = crowd
        path = f"/api/v1/public/consultations/{consultation}"
        self._asks = [
            (f"GET {each} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n".encode(), every_s)
            for each, every_s in ((path, PAGE_S), (f"{path}/comments", COMMENTS_S))
        ]
        self._tags = [b"", b""]
        self._due_s = [0.0, 0.0]
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._asked = 0
        self._since_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        now_s = time.monotonic()
        self._due_s = [now_s + random.uniform(0, every_s[1]) for _, every_s in self._asks]
        self._wait()

    def _wait(self) -> None:
        self._asked = min((0, 1), key=self._due_s.__getitem__)
        asyncio.get_running_loop().call_later(
            max(0.0, self._due_s[self._asked] - time.monotonic()), self._ask
        )

    def _ask(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        tag = self._tags[self._asked]
        self._since_s = time.monotonic()
        self._transport.write(
            self._asks[self._asked][0] + (b"If-None-Match: " + tag + b"\r\n" if tag else b"") + b"\r\n"
        )

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        status, length = int(head[9:12]), _field(head, b"content-length")
        if length:
            if len(body) < int(length):
                return
        elif status == 200 and not body.endswith(b"0\r\n\r\n"):  # in pieces, packed by nginx
            return
        self._crowd.count(status, len(self._received), time.monotonic() - self._since_s)
        self._tags[self._asked] = _field(head, b"etag")
        self._due_s[self._asked] = time.monotonic() + random.uniform(*self._asks[self._asked][1])
        self._received = b""
        self._wait()


def _field(head: bytes, name: bytes) -> bytes:
    place = head.lower().find(b"\r\n" + name + b":")
    return head[place + len(name) + 3 :].split(b"\r\n", 1)[0].strip() if place >= 0 else b""


class _Crowd:
    """All of them; counts what comes once `settled`."""

    def __init__(self) -> None:
        self.settled = False
        self.statuses: dict[int, int] = {}
        self.bytes = 0
        self.waits_ms: list[float] = []

    def count(self, status: int, size: int, waited_s: float) -> None:
        if self.settled:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.bytes += size
            self.waits_ms.append(waited_s * 1000)


async def _crowd(url: str, consultation: str, viewers: int, seconds: float) -> None:
    parts = urlsplit(url)
    host, port = parts.hostname, parts.port
    assert host is not None
    assert port is not None
    crowd, loop = _Crowd(), asyncio.get_running_loop()
    for first in range(0, viewers, 50):
        await asyncio.gather(
            *(
                loop.create_connection(lambda: _Viewer(crowd, parts.netloc, consultation), host, port)
                for _ in range(min(50, viewers - first))
            )
        )
    gc.freeze()
    await asyncio.sleep(5)
    crowd.settled = True
    print("settled", flush=True)
    began_s, own_s = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - began_s
    print(
        json.dumps(
            {
                "statuses": crowd.statuses,
                "asks_per_s": round(sum(crowd.statuses.values()) / took_s, 1),
                "mbit_per_s": round(crowd.bytes * 8 / took_s / 1e6, 2),
                "wait_p50_ms": round(percentile(crowd.waits_ms, 0.5), 1),
                "wait_p99_ms": round(percentile(crowd.waits_ms, 0.99), 1),
                "viewers_cores": round((time.process_time() - own_s) / took_s, 2),
            }
        ),
        flush=True,
    )


def _post(url: str, body: Any, token: str = "", address: str = "") -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if address:
        request.add_header("X-Forwarded-For", address)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


def _show(server: Server, consultation: str, token: str, number: int, text: str) -> None:
    """A comment, approved at once."""
    base = f"{server.url}/api/v1"
    body = {"nickname": f"网友{number}", "text": text}
    address = f"10.1.{number // 250}.{number % 250}"
    made = _post(f"{base}/public/consultations/{consultation}/comments", body, address=address)
    _post(f"{base}/consultations/{consultation}/comments/{made['id']}/approve", {}, token)


def measure(viewers: int, seconds: float, *, through_nginx: bool) -> dict[str, Any]:
    """One run."""
    texts = iter(sentences(1_000, 5))
    with Server(arguments=["--trusted-proxies", "127.0.0.1", "--log-level", "warning"]) as server:
        consultation = server.create_consultation()
        token = server.token(consultation, "moderator", "审核员")
        for number in range(_SHOWN):
            _show(server, consultation, token, number, next(texts))
        nginx = Nginx(server.port).start() if through_nginx else None
        try:
            url = f"http://127.0.0.1:{nginx.port}" if nginx is not None else server.url
            options = [url, consultation, str(viewers), str(seconds)]
            crowd = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.public_json", "--crowd", *options],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert crowd.stdout is not None
            assert crowd.stdout.readline().strip() == "settled"
            groups = {"server": [server.web_pid()], "nginx": process.tree(nginx.pid) if nginx else []}
            before = {name: process.cpu_s(pids) for name, pids in groups.items()}
            asked, begin_s = _asked(server), time.monotonic()
            number = _SHOWN
            while (left_s := begin_s + seconds - 0.5 - time.monotonic()) > 0:
                _show(server, consultation, token, number, next(texts))
                number += 1
                time.sleep(min(1.0, left_s))
            cores = {
                name: (process.cpu_s(pids) - before[name]) / (time.monotonic() - begin_s)
                for name, pids in groups.items()
            }
            asked_per_s = (_asked(server) - asked) / (time.monotonic() - begin_s)
            said = json.loads(crowd.stdout.readline())
            crowd.wait(10)
        finally:
            if nginx is not None:
                nginx.close()
    front = cores["nginx"] if through_nginx else cores["server"]
    return {
        "through": "nginx" if through_nginx else "server",
        "viewers": viewers,
        **said,
        "asked_of_server_per_s": round(asked_per_s, 1),
        "server_cores": round(cores["server"], 3),
        "nginx_cores": round(cores["nginx"], 3),
        "front_us_per_ask": round(front / said["asks_per_s"] * 1e6, 1),
        "bytes_per_ask": round(said["mbit_per_s"] * 1e6 / 8 / said["asks_per_s"]),
    }


def _asked(server: Server) -> float:
    """Requests for public JSON that the server has answered."""
    by_route = server.metrics().by_label("yuanshang_http_requests_total", "route")
    return sum(
        count
        for route, count in by_route.items()
        if route.startswith("/api/v1/public/consultations/{cid}") and not route.endswith("mine")
    )


def main() -> None:
    """Measure straight and behind nginx."""
    if sys.argv[1:2] == ["--crowd"]:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
        asyncio.run(_crowd(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.public_json", description=__doc__)
    parser.add_argument("--straight", type=int, default=400, help="viewers without nginx; 0 leaves it out")
    parser.add_argument("--behind", type=int, default=4_000, help="viewers behind nginx; 0 leaves it out")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    for viewers, through_nginx in ((options.straight, False), (options.behind, True)):
        if viewers:
            line = json.dumps(measure(viewers, options.seconds, through_nginx=through_nginx))
            print(line, flush=True)
            append(_OUT, [line])


if __name__ == "__main__":
    main()
