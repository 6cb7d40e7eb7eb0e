"""What the media process is started with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaSettings:
    """`host`: address to bind, a wildcard for all interfaces; `addresses`: announced as ICE candidates instead of
    the bound ones; `shared_tcp_port`: announced port at which the web process takes ICE-TCP for us, 0 for none; limits
    per room and per participant; `number`: which of the node's media processes it is, from 0."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    shared_tcp_port: int = 0
    max_participants: int = 300
    max_tracks: int = 8
    number: int = 0


EXIT_PORT_IN_USE = 3
"""Exit code of a media process that could not bind its port."""

MAX_PROCESSES = 16
"""Media processes of one node: a digit of a user fragment names each (conference.rtc.ufrag)."""
