"""What the one TLS port is opened for, as the settings and the addresses of the server have it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from conference.clock import Clock
from signaling.network import announced_addresses, local_url_host
from signaling.relay.config import RelayPlan
from signaling.relay.supervisor import Relay
from signaling.settings import Settings
from signaling.tls.certificate import Certificate

_ALLOCATIONS_EACH = 16  # of one participant: two connections, a few networks, old ones that are not yet over
_ALLOCATIONS_PER_SEAT = 4
_MAX_BYTES_PER_S = 2_000_000  # of one connection, each way


def public_port(base_url: str) -> int:
    """The port under which clients reach this server, which a router in front may have changed."""
    parts = urlsplit(base_url)
    return parts.port or (443 if parts.scheme == "https" else 80)


def relay_of(
    settings: Settings,
    directory: Path,
    *,
    base_url: str,
    certificate: Certificate | None,
    media_ports: Collection[int],
    clock: Clock,
) -> Relay | None:
    """The relay of a server that serves HTTPS; None where it is not wanted, or our media has no IPv4 address."""
    media_address = local_url_host(settings.host)
    if not settings.relay or media_address.startswith("["):
        return None
    host = urlsplit(base_url).hostname or media_address
    if settings.public_url is None and certificate is not None:
        host = certificate.host or host
    if ":" in host:
        host = f"[{host}]"
    plan = RelayPlan(
        media_address=media_address,
        user_allocations=_ALLOCATIONS_EACH,
        allocations=settings.max_participants * _ALLOCATIONS_PER_SEAT,
        max_bytes_per_s=_MAX_BYTES_PER_S,
    )
    announced = announced_addresses(settings.host, settings.media_address)
    return Relay(
        directory,
        plan,
        url=f"turns:{host}:{public_port(base_url)}?transport=tcp",
        peers=frozenset((each, port) for each in announced for port in media_ports),
        clock=clock,
    )
