"""Addresses as limits count them."""

from __future__ import annotations

import ipaddress


def source_of(address: str) -> str:
    """Who stands behind an address as far as limits go: an IPv4 address, or the network of 64 bits of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
