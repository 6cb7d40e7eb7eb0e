"""A bad link in userspace: loss, bursts, delay, jitter, a rate with a queue, outage and port rebinding.

Test machines' kernels often lack netem. The relay listens on another loopback address with the server's media
port, and the server announces that address (`--media-address`), so that clients meet the link without knowing.
Byte streams see delay, rate and outage; a loss costs them a retransmission.

    link = Link(target=("127.0.0.1", media_port), listen_host="127.0.0.2")
    with link:
        link.both(loss=0.05, delay_ms=100)
"""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.relay import Address, Conditions, Counts

__all__ = ["Conditions", "Counts", "Link", "LinkReport", "loopback_address"]

_ROOT = Path(__file__).resolve().parents[2]
_hosts = itertools.count(2)


def loopback_address() -> str:
    """A loopback address that no other link of this run uses."""
    number = next(_hosts)
    return f"127.{10 + os.getpid() % 200}.{number // 250 % 250}.{number % 250 + 1}"


@dataclass(frozen=True)
class LinkReport:
    """What the relay counted and cost so far."""

    up: Counts
    down: Counts
    flows: int
    cpu_s: float
    at_s: float

    def cores_since(self, earlier: "LinkReport") -> float:
        """Cores used between two reports."""
        return (self.cpu_s - earlier.cpu_s) / max(1e-9, self.at_s - earlier.at_s)


class Link:
    """Controls one relay process."""

    def __init__(
        self,
        target: Address,
        *,
        listen_host: str | None = None,
        listen_port: int | None = None,
        tcp: dict[int, Address] | None = None,
        up: Conditions | None = None,
        down: Conditions | None = None,
        seed: int = 1,
    ) -> None:
        """`tcp` maps listening ports to targets; the media port itself is always relayed for TCP too."""
        self.target = target
        self.host = listen_host or loopback_address()
        self.port = listen_port or target[1]
        self.seed = seed
        self._tcp = {self.port: target, **(tcp or {})}
        self.up, self.down = up or Conditions(), down or Conditions()
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> Address:
        """Where clients send to."""
        return self.host, self.port

    def start(self) -> Self:
        """Start the relay; it ends with us, as it watches its standard input."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.relay"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        setup = {
            "listen": self.address,
            "target": self.target,
            "seed": self.seed,
            "tcp": list(self._tcp.items()),
            "set": {"up": dataclasses.asdict(self.up), "down": dataclasses.asdict(self.down)},
        }
        self._order(setup)
        return self

    def _order(self, order: dict[str, Any]) -> LinkReport:
        process = self._process
        assert process is not None, "the link is not started"
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        assert line, f"the relay ended with code {process.wait(5)}"
        answer = json.loads(line)
        up, down = Counts(**answer.pop("up")), Counts(**answer.pop("down"))
        return LinkReport(up, down, **answer)

    def set(self, *, up: Conditions | None = None, down: Conditions | None = None) -> LinkReport:
        """Change one or both directions from now on."""
        self.up, self.down = up or self.up, down or self.down
        return self._order(
            {"set": {"up": dataclasses.asdict(self.up), "down": dataclasses.asdict(self.down)}}
        )

    def both(self, **changes: Any) -> LinkReport:
        """Change the same fields in both directions."""
        return self.set(
            up=dataclasses.replace(self.up, **changes), down=dataclasses.replace(self.down, **changes)
        )

    def outage(self, on: bool = True) -> LinkReport:
        """Cut the link, or mend it."""
        return self.both(outage=on)

    def rebind(self) -> LinkReport:
        """Every flow gets another source port towards the server, as after a NAT forgot it."""
        return self._order({"rebind": True})

    def report(self) -> LinkReport:
        """Counts and cost."""
        return self._order({})

    def close(self) -> None:
        """Stop the relay."""
        if self._process is not None:
            process, self._process = self._process, None
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(3)
            process.stdout.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
