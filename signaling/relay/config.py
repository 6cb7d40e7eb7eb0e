"""The configuration of coturn: it listens on loopback for us alone, and relays to our media alone."""

from __future__ import annotations

from dataclasses import dataclass

REALM = "yuanshang"


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """`media_address`: where the relay finds our media; `user_allocations`: at once for one participant,
    `allocations`: of all."""

    media_address: str
    user_allocations: int
    allocations: int
    max_bytes_per_s: int


def coturn_config(plan: RelayPlan, *, port: int, secret: str) -> str:
    """The text of turnserver.conf. Its own files are named from its working directory: the syntax has no quotes for a
    path with spaces."""
    return "\n".join(
        (
            "listening-ip=127.0.0.1",
            f"listening-port={port}",
            "relay-ip=127.0.0.1",
            "no-udp",
            "no-tls",
            "no-dtls",
            "no-tcp-relay",
            "no-cli",
            "no-rfc5780",
            "no-stun-backward-compatibility",
            "response-origin-only-with-rfc5780",
            "no-multicast-peers",
            "no-software-attribute",
            "allow-loopback-peers",
            "denied-peer-ip=0.0.0.0-255.255.255.255",
            "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            f"allowed-peer-ip={plan.media_address}",
            "use-auth-secret",
            f"static-auth-secret={secret}",
            f"realm={REALM}",
            "stale-nonce=600",
            f"user-quota={plan.user_allocations}",
            f"total-quota={plan.allocations}",
            f"max-bps={plan.max_bytes_per_s}",
            "relay-threads=1",
            "userdb=turndb",
            "pidfile=turnserver.pid",
            "log-file=stdout",
            "simple-log",
            "",
        )
    )
