"""Network namespaces joined by veth pairs, and a NAT between two of them (iproute2, nftables; needs root).

    with Network() as network:
        server, client = network.namespace("server"), network.namespace("client")
        network.join(server, "10.77.1.1", client, "10.77.1.2")
        server.popen([...])

Programs in such a namespace see ordinary addresses, which libnice and others need: they skip loopback.
"""

import contextlib
import functools
import itertools
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_numbers = itertools.count(1)


def _ip(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=10)
    if check and done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@functools.cache
def why_not() -> str:
    """Why namespaces cannot be used here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("ip") is None:
        return "needs iproute2"
    name = f"ys-probe-{os.getpid()}"
    try:
        _ip("netns", "add", name)
        try:
            _ip("link", "add", f"yp{os.getpid()}", "netns", name, "type", "veth", "peer", "name", "probe")
        finally:
            _ip("netns", "del", name, check=False)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return f"namespaces are not possible here: {error}"
    return ""


def require_namespaces() -> None:
    """Skip the test where namespaces cannot be used."""
    if reason := why_not():
        pytest.skip(reason)


def require_nat() -> None:
    """Skip the test where nft cannot masquerade."""
    require_namespaces()
    if shutil.which("nft") is None:
        pytest.skip("needs nftables")


class Namespace:
    """One namespace with loopback up."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.addresses: list[str] = []
        _ip("netns", "add", name)
        self.run(["ip", "link", "set", "lo", "up"])

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs `arguments` inside."""
        return ["ip", "netns", "exec", self.name, *arguments]

    def run(self, arguments: Sequence[str], timeout_s: float = 30.0) -> str:
        """Run to the end inside; standard output."""
        done = subprocess.run(
            self.command(arguments), capture_output=True, text=True, check=False, timeout=timeout_s
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} in {self.name}: {done.stderr.strip()}")
        return done.stdout

    def popen(self, arguments: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start inside. What still runs when the network is closed is killed."""
        return subprocess.Popen(self.command(arguments), **options)

    def script(self, path: Path, program: str) -> Path:
        """A script at `path` that runs `program` inside, for those who start programs by their file."""
        path.write_text(f'#!/bin/sh\nexec {shlex.join(self.command([program]))} "$@"\n')
        path.chmod(0o755)
        return path

    def firewall(self, rules: str) -> None:
        """Filter what leaves, by rules of nft; what none of them says goes out."""
        self.run(
            ["nft", f"table inet wall {{ chain out {{ type filter hook output priority 0; {rules} }}; }}"]
        )

    def link_up(self, device: str, up: bool) -> None:
        """Take a device down or up, like a cable."""
        self.run(["ip", "link", "set", device, "up" if up else "down"])

    def masquerade(self, device: str) -> None:
        """Be a NAT router: forward, and give what leaves by `device` the address of that device."""
        self.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        rules = (
            "table ip nat { chain post { type nat hook postrouting priority 100; "
            f'oifname "{device}" masquerade random; }}; }}'
        )
        self.run(["nft", rules])

    def kill_all(self) -> None:
        """SIGKILL what runs inside."""
        for pid in _ip("netns", "pids", self.name, check=False).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    def close(self) -> None:
        """Remove, with its devices."""
        self.kill_all()
        _ip("netns", "del", self.name, check=False)


class Network:
    """Namespaces that belong together; closing removes them all."""

    def __init__(self) -> None:
        self._namespaces: list[Namespace] = []
        self._bridges: list[str] = []
        self._prefix = f"ys{os.getpid()}"

    def namespace(self, name: str) -> Namespace:
        """A new one."""
        made = Namespace(f"{self._prefix}-{next(_numbers)}-{name}")
        self._namespaces.append(made)
        return made

    def join(
        self, left: Namespace, left_address: str, right: Namespace, right_address: str, prefix: int = 24
    ) -> tuple[str, str]:
        """A veth pair between two; gives the devices' names."""
        number = next(_numbers)
        devices = (f"v{os.getpid()}l{number}"[-15:], f"v{os.getpid()}r{number}"[-15:])
        _ip(
            "link",
            "add",
            devices[0],
            "netns",
            left.name,
            "type",
            "veth",
            "peer",
            "name",
            devices[1],
            "netns",
            right.name,
        )
        for side, device, address in ((left, devices[0], left_address), (right, devices[1], right_address)):
            side.run(["ip", "address", "add", f"{address}/{prefix}", "dev", device])
            side.run(["ip", "link", "set", device, "up"])
            side.addresses.append(address)
        return devices

    def bridge(self, address: str, sides: Mapping[str, Namespace], prefix: int = 24) -> None:
        """Namespaces by their addresses, and we ourselves with `address`, who all reach each other."""
        number = next(_numbers)
        name = f"b{os.getpid()}n{number}"[-15:]
        _ip("link", "add", name, "type", "bridge")
        self._bridges.append(name)
        _ip("address", "add", f"{address}/{prefix}", "dev", name)
        _ip("link", "set", name, "up")
        for its_address, side in sides.items():
            number = next(_numbers)
            port, device = f"v{os.getpid()}p{number}"[-15:], f"v{os.getpid()}d{number}"[-15:]
            _ip("link", "add", port, "type", "veth", "peer", "name", device, "netns", side.name)
            _ip("link", "set", port, "master", name, "up")
            side.run(["ip", "address", "add", f"{its_address}/{prefix}", "dev", device])
            side.run(["ip", "link", "set", device, "up"])
            side.addresses.append(its_address)

    def route(self, namespace: Namespace, via: str) -> None:
        """Default route."""
        namespace.run(["ip", "route", "add", "default", "via", via])

    def behind_nat(self, server: Namespace, server_address: str) -> tuple[Namespace, Namespace]:
        """(client, router): the client reaches the server through a masquerading router only."""
        require_nat()
        outside = server_address.rpartition(".")[0] + ".254"
        router, client = self.namespace("router"), self.namespace("client")
        outer, _ = self.join(router, outside, server, server_address)
        self.join(client, "10.99.0.2", router, "10.99.0.1")
        self.route(client, "10.99.0.1")
        router.masquerade(outer)
        return client, router

    def close(self) -> None:
        """Remove all."""
        for namespace in reversed(self._namespaces):
            namespace.close()
        self._namespaces.clear()
        for name in self._bridges:
            _ip("link", "del", name, check=False)
        self._bridges.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
