"""What stands between a client of TURN and the relay: it keeps the relay to our own media port (RFC 8656).

A relay's own rules know addresses and no ports, and a server behind a NAT announces an address that it cannot reach
itself. So whatever a client names as its peer is looked at here: one of the announced addresses of our media becomes
the address where the relay finds its port, anything else is dropped. Requests are signed, and are signed anew: the key
follows from the user name, because the credentials were given out by us.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import struct
from collections.abc import Collection, Iterator

from conference.rtc import stun

BINDING = 0x0001
ALLOCATE = 0x0003
REFRESH = 0x0004
CREATE_PERMISSION = 0x0008
CHANNEL_BIND = 0x0009
SEND_INDICATION = 0x0016
DATA_INDICATION = 0x0017
ALLOCATED = 0x0103  # the relay's yes to ALLOCATE
XOR_PEER_ADDRESS = 0x0012

MAX_FRAME = 4096
"""Bytes of one message; a datagram of media is shorter than 1500."""

_COOKIE = 0x2112A442
_head = struct.Struct("!HH")
_PLAIN = frozenset((BINDING, ALLOCATE, REFRESH))
_WITH_PEER = frozenset((CREATE_PERMISSION, CHANNEL_BIND, SEND_INDICATION))

Address = tuple[str, int]


class TurnError(ValueError):
    """A stream that is not TURN."""


def credential(secret: str, username: str) -> str:
    """The password that belongs to a user name `expiry:whom` under a shared secret (draft-uberti-behave-turn-rest)."""
    return base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


class TurnGate:
    """One connection of a client. Bytes in, bytes out; whole messages only, the rest waits for more."""

    def __init__(self, *, secret: str, realm: str, peers: Collection[Address], target: str) -> None:
        """`peers`: what may be named as peer; `target`: the address at which the relay finds its port instead."""
        self.dropped = 0
        self.has_allocation = False  # the client has shown a credential that is good
        self._secret = secret
        self._realm = realm
        self._peers = peers
        self._target = target
        self._named: Address | None = None  # as what the client knows the target: the first that it named
        self._from_client = bytearray()
        self._from_relay = bytearray()
        self._username = ""
        self._key = b""

    def from_client(self, data: bytes) -> bytes:
        """What goes on to the relay. Raises TurnError."""
        out = bytearray()
        for frame in _frames(self._from_client, data):
            out += frame if frame[0] >= 0x40 else self._outward(frame)
        return bytes(out)

    def from_relay(self, data: bytes, *, congested: bool = False) -> bytes:
        """What goes on to the client; without media while its connection is `congested`. Raises TurnError."""
        out = bytearray()
        for frame in _frames(self._from_relay, data):
            is_data = frame[0] >= 0x40
            kind = _head.unpack_from(frame)[0]
            if is_data or kind == DATA_INDICATION:
                if congested:
                    self.dropped += 1
                    continue
                out += frame if is_data else self._inward(frame)
            else:
                self.has_allocation |= kind == ALLOCATED
                out += frame
        return bytes(out)

    # ── messages with a peer ────────────────────────────────────────────────────────────────────

    def _outward(self, frame: bytes) -> bytes:
        kind = _head.unpack_from(frame)[0]
        if kind in _PLAIN:
            return frame
        try:
            message = stun.parse(frame)
        except stun.StunError:
            return self._drop()
        if kind not in _WITH_PEER:
            return self._drop()
        key: bytes | None = None
        if message.integrity_at is not None:
            key = self._key_of(message.username or "")
            if not stun.verify(message, key):
                return self._drop()
        attributes = bytearray()
        named = False
        for kind_of, value in _attributes(frame, message.integrity_at):
            if kind_of == XOR_PEER_ADDRESS:
                if not self._may_name(_address(value, message.transaction_id)):
                    return self._drop()
                named = True
                value = _encoded(self._reached, message.transaction_id)
            attributes += _head.pack(kind_of, len(value)) + value + bytes(-len(value) & 3)
        if not named:
            return self._drop()
        return stun.build(kind, message.transaction_id, bytes(attributes), key)

    def _inward(self, frame: bytes) -> bytes:
        if self._named is None:
            return self._drop()
        transaction_id = frame[8:20]
        attributes = bytearray()
        for kind, value in _attributes(frame, None):
            if kind == XOR_PEER_ADDRESS:
                if _address(value, transaction_id) != self._reached:
                    return self._drop()
                value = _encoded(self._named, transaction_id)
            attributes += _head.pack(kind, len(value)) + value + bytes(-len(value) & 3)
        return frame[:2] + len(attributes).to_bytes(2, "big") + frame[4:20] + bytes(attributes)

    def _may_name(self, address: Address | None) -> bool:
        """A relay has one channel to a peer, so that one name of it counts for each connection."""
        if address is None or address not in self._peers:
            return False
        if self._named is None and _is_v4(address) == _is_v4((self._target, 0)):
            self._named = address
        return address == self._named

    @property
    def _reached(self) -> Address:
        """The named peer as the relay finds it."""
        assert self._named is not None
        return self._target, self._named[1]

    def _key_of(self, username: str) -> bytes:
        if username != self._username or not self._key:
            self._username = username
            text = f"{username}:{self._realm}:{credential(self._secret, username)}"
            self._key = hashlib.md5(
                text.encode(), usedforsecurity=False
            ).digest()  # as RFC 8489 section 9.2.2 has it
        return self._key

    def _drop(self) -> bytes:
        self.dropped += 1
        return b""


def _frames(buffer: bytearray, data: bytes) -> Iterator[bytes]:
    """Whole messages of a stream (RFC 8656, section 12.5); the rest stays in `buffer`."""
    buffer += data
    at = 0
    while len(buffer) - at >= 4:
        kind, length = _head.unpack_from(buffer, at)
        if kind < 0x4000:
            size = 20 + length
        elif kind < 0x5000:
            size = 4 + (length + 3 & ~3)
        else:
            raise TurnError("neither STUN nor ChannelData")
        if size > MAX_FRAME or (kind < 0x4000 and length & 3):
            raise TurnError("length of a message")
        if len(buffer) - at < size:
            break
        frame = bytes(buffer[at : at + size])
        at += size
        yield frame
    del buffer[:at]


def _attributes(frame: bytes, end: int | None) -> Iterator[tuple[int, bytes]]:
    """Attributes up to the signature at `end`, without FINGERPRINT; the frame has been parsed, or is the relay's."""
    at, stop = 20, len(frame) if end is None else end
    while at + 4 <= stop:
        kind, length = _head.unpack_from(frame, at)
        if kind != stun.FINGERPRINT:
            yield kind, frame[at + 4 : at + 4 + length]
        at += 4 + (length + 3 & ~3)


def _address(value: bytes, transaction_id: bytes) -> Address | None:
    """An address as XOR-PEER-ADDRESS holds it; None when it is none."""
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        return None
    port = int.from_bytes(value[2:4], "big") ^ (_COOKIE >> 16)
    return str(ipaddress.ip_address(_masked(value[4:], transaction_id))), port


def _encoded(address: Address, transaction_id: bytes) -> bytes:
    packed = ipaddress.ip_address(address[0]).packed
    port = (address[1] ^ (_COOKIE >> 16)).to_bytes(2, "big")
    return bytes((0, 1 if len(packed) == 4 else 2)) + port + _masked(packed, transaction_id)


def _masked(value: bytes, transaction_id: bytes) -> bytes:
    mask = (_COOKIE.to_bytes(4, "big") + transaction_id)[: len(value)]
    return bytes(left ^ right for left, right in zip(value, mask, strict=True))


def _is_v4(address: Address) -> bool:
    return ":" not in address[0]
