"""A client of TURN over TCP: just enough to allocate, bind a channel and send."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import os
from typing import Self

from conference.rtc import stun, turn

_COOKIE = 0x2112A442
REALM_ATTRIBUTE, NONCE, REQUESTED_TRANSPORT, CHANNEL_NUMBER, LIFETIME = 0x0014, 0x0015, 0x0019, 0x000C, 0x000D


def attribute(kind: int, value: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) & 3)


def key_of(username: str, realm: str, password: str) -> bytes:
    """Of a long-term credential."""
    return hashlib.md5(f"{username}:{realm}:{password}".encode(), usedforsecurity=False).digest()


def _mask(value: bytes, transaction_id: bytes) -> bytes:
    mask = _COOKIE.to_bytes(4, "big") + transaction_id
    return bytes(left ^ right for left, right in zip(value, mask, strict=False))


def peer_attribute(peer: turn.Address, transaction_id: bytes) -> bytes:
    packed = ipaddress.ip_address(peer[0]).packed
    port = (peer[1] ^ (_COOKIE >> 16)).to_bytes(2, "big")
    value = bytes((0, 1 if len(packed) == 4 else 2)) + port + _mask(packed, transaction_id)
    return attribute(turn.XOR_PEER_ADDRESS, value)


def peer_of(message: stun.Message) -> turn.Address:
    value = message.attributes[turn.XOR_PEER_ADDRESS]
    port = int.from_bytes(value[2:4], "big") ^ (_COOKIE >> 16)
    return str(ipaddress.ip_address(_mask(value[4:], message.transaction_id))), port


class TurnClient:
    """One connection, plain: TLS is somebody else's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._username = ""
        self._key = b""
        self._challenge = b""

    @classmethod
    async def connect(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def allocate(self, username: str, password: str) -> stun.Message:
        """The last answer: success (0x0103) or error (0x0113)."""
        wanted = attribute(REQUESTED_TRANSPORT, b"\x11\x00\x00\x00")
        self.send(stun.build(turn.ALLOCATE, os.urandom(12), wanted, None))
        challenge = await self.answer()
        realm, nonce = challenge.attributes[REALM_ATTRIBUTE], challenge.attributes[NONCE]
        self._username, self._key = username, key_of(username, realm.decode(), password)
        self._challenge = attribute(REALM_ATTRIBUTE, realm) + attribute(NONCE, nonce)
        return await self.ask(turn.ALLOCATE, wanted)

    def request(self, kind: int, attributes: bytes, transaction_id: bytes) -> bytes:
        """Signed."""
        name = attribute(stun.USERNAME, self._username.encode())
        return stun.build(kind, transaction_id, attributes + name + self._challenge, self._key)

    async def ask(self, kind: int, attributes: bytes) -> stun.Message:
        self.send(self.request(kind, attributes, os.urandom(12)))
        return await self.answer()

    async def bind(self, peer: turn.Address, channel: int = 0x4000) -> stun.Message:
        transaction_id = os.urandom(12)
        wanted = attribute(CHANNEL_NUMBER, channel.to_bytes(2, "big") + b"\x00\x00")
        wanted += peer_attribute(peer, transaction_id)
        self.send(self.request(turn.CHANNEL_BIND, wanted, transaction_id))
        return await self.answer()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def frame(self) -> bytes:
        """The next message of any kind."""
        head = await self._reader.readexactly(4)
        length = int.from_bytes(head[2:], "big")
        rest = length + 16 if head[0] < 4 else length + 3 & ~3
        return head + await self._reader.readexactly(rest)

    async def answer(self) -> stun.Message:
        return stun.parse(await self.frame())

    def close(self) -> None:
        self._writer.transport.abort()
