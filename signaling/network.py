"""Addresses: which ones this machine has, and from where a request really comes."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

import ifaddr
from aiohttp.web import BaseRequest

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_MAX_ANNOUNCED = 16


def interface_addresses() -> list[IpAddress]:
    """Usable addresses of all interfaces: no loopback, no link-local ones; IPv4 first."""
    found: list[IpAddress] = []
    for adapter in ifaddr.get_adapters():
        for each in adapter.ips:
            text = each.ip if isinstance(each.ip, str) else each.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local or address.is_multicast):
                found.append(address)
    return sorted(dict.fromkeys(found), key=lambda address: address.version)


def announced_addresses(host: str, configured: Iterable[str]) -> tuple[str, ...]:
    """Addresses for ICE candidates: the configured ones, else those of the host, else all interfaces'."""
    given = tuple(configured)
    if given:
        return given
    wildcard = {"0.0.0.0": 4, "::": 6, "": 6}.get(host)  # noqa: S104
    if wildcard is None:
        return (resolve(host),)
    addresses = [each for each in interface_addresses() if wildcard == 6 or each.version == 4]
    return tuple(str(each) for each in addresses[:_MAX_ANNOUNCED]) or ("127.0.0.1",)


def resolve(host: str) -> str:
    """The first numeric address of a host name."""
    family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)[0]
    return str(address[0]).split("%")[0] if family == socket.AF_INET6 else str(address[0])


def local_url_host(host: str) -> str:
    """How a browser on this machine reaches the server."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


class TrustedProxies:
    """Believes X-Forwarded-For and X-Forwarded-Proto only from the named networks."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(each) for each in networks]

    def client(self, request: BaseRequest) -> str:
        """The client's address: the last hop that is not one of our proxies."""
        address = request.remote or "unknown"
        hops = ",".join(request.headers.getall("X-Forwarded-For", []))
        for hop in reversed(hops.split(",")):
            if not self.trusts(address):
                return address
            hop = hop.strip()
            try:
                address = str(ipaddress.ip_address(hop))
            except ValueError:
                return address
        return address

    def scheme(self, request: BaseRequest) -> str | None:
        """`http` or `https`, as the browser came to the first proxy; None where none of ours says."""
        if not self.trusts(request.remote or ""):
            return None
        said = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
        return said if said in ("http", "https") else None

    def origin(self, request: BaseRequest) -> str:
        """Scheme, host and port by which the browser knows this server."""
        seen = request.url.origin()
        return str(seen.with_scheme(self.scheme(request) or seen.scheme))

    def trusts(self, address: str) -> bool:
        """Whether this is one of ours."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
