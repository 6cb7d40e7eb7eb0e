"""Which transport a packet belongs to: ICE checks by user name, everything else by the sender's address."""

from __future__ import annotations

from conference.sfu.path import Receiver

_MAX_ADDRESSES = 8


class TransportDirectory:
    """Shared by the UDP and TCP doors. Only addresses that passed a connectivity check stand in it."""

    def __init__(self) -> None:
        self.by_ufrag: dict[str, Receiver] = {}
        self.by_address: dict[tuple[str, int], Receiver] = {}
        self._ufrags: dict[Receiver, list[str]] = {}
        self._addresses: dict[Receiver, list[tuple[str, int]]] = {}

    def register(self, ufrag: str, receiver: Receiver) -> None:
        """Checks for this local user name go to `receiver`."""
        self.by_ufrag[ufrag] = receiver
        self._ufrags.setdefault(receiver, []).append(ufrag)
        while len(self._ufrags[receiver]) > 4:
            self.by_ufrag.pop(self._ufrags[receiver].pop(0), None)

    def bind(self, address: tuple[str, int], receiver: Receiver) -> None:
        """Packets from this address go to `receiver`; the oldest of its addresses is forgotten beyond eight."""
        old = self.by_address.get(address)
        if old is receiver:
            return
        if old is not None:
            self._addresses[old].remove(address)
        self.by_address[address] = receiver
        addresses = self._addresses.setdefault(receiver, [])
        addresses.append(address)
        if len(addresses) > _MAX_ADDRESSES:
            self.by_address.pop(addresses.pop(0), None)

    def knows(self, receiver: Receiver) -> bool:
        """Whether its transport is there still."""
        return receiver in self._ufrags

    def forget(self, receiver: Receiver) -> None:
        """The transport is closed; unknown ones are ignored."""
        for ufrag in self._ufrags.pop(receiver, []):
            self.by_ufrag.pop(ufrag, None)
        for address in self._addresses.pop(receiver, []):
            if self.by_address.get(address) is receiver:
                del self.by_address[address]
