"""The relay by which media reaches those whose network lets only HTTPS pass."""

from __future__ import annotations

from typing import Protocol

from conference.events import IceServer


class Relay(Protocol):
    """A TURN server, or the lack of one."""

    @property
    def health(self) -> str:
        """`ok`; `starting`, `absent` (not installed), `failed` or `off` while nobody can use it."""

    def ice_servers(self, subject: str, *, brief: bool = False) -> tuple[IceServer, ...]:
        """Addresses with a credential for `subject` that is good for an hour, or a `brief` minute or two; nothing
        unless `ok`."""


class NoRelay:
    """Where this server serves no HTTPS, or is told to have none."""

    health = "off"

    def ice_servers(self, subject: str, *, brief: bool = False) -> tuple[IceServer, ...]:
        return ()
