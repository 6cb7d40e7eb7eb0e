"""Where a transport's packets leave: what the forwarding graph knows of the network."""

from __future__ import annotations

from typing import Any, Literal, Protocol

Protocols = Literal["udp", "tcp"]


class Batch(Protocol):
    """Kept memory for outgoing packets; see conference.net.batch.SendBatch."""

    view: memoryview
    offsets: list[int]
    pointers: list[Any]
    lengths: Any
    names: Any
    count: int
    sent_bytes: int

    def flush(self) -> None: ...


class Path(Protocol):
    """One way to one peer: a UDP address or a TCP connection."""

    @property
    def address(self) -> tuple[str, int]: ...

    @property
    def protocol(self) -> Protocols: ...

    @property
    def is_shared(self) -> bool:
        """A TCP connection that came to the port of the pages, and was handed over."""

    @property
    def batch(self) -> Batch | None:
        """None: packets leave one by one through `send`."""

    @property
    def name(self) -> int:
        """Address of the peer's sockaddr, for the batch."""

    def send(self, data: bytes) -> None:
        """Send one datagram now, or drop it."""

    def close(self) -> None:
        """The transport is closed; a connection of its own goes with it."""


class Door(Protocol):
    """What a packet came in by: a UDP socket, or one TCP connection."""

    @property
    def protocol(self) -> Protocols: ...

    def reply(self, data: bytes, address: tuple[str, int]) -> None:
        """Answer a connectivity check where it came from."""

    def path(self, address: tuple[str, int]) -> Path:
        """The way back for media."""

    def bind(self, address: tuple[str, int], receiver: Receiver) -> None:
        """Hand what comes from this address to `receiver` from now on: a check has proved it."""


class Receiver(Protocol):
    """A transport as the doors see it."""

    def receive_stun(self, data: bytes, address: tuple[str, int], door: Door, now: float) -> None: ...

    def receive_dtls(self, data: bytes, now: float) -> None: ...

    def receive_rtp(self, pointer: Any, length: int, now: float) -> None: ...

    def receive_rtcp(self, data: bytes, now: float) -> None: ...


class Directory(Protocol):
    """Finds the transport of a check by its ICE user name."""

    def register(self, ufrag: str, receiver: Receiver) -> None: ...

    def forget(self, receiver: Receiver) -> None: ...
