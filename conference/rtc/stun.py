"""STUN messages as ICE uses them: read, check, build (RFC 8489, RFC 8445 section 16).

Only what an ICE-lite agent needs, with no object per attribute: anybody may send us as many checks as
he likes, so one must cost few microseconds.
"""

from __future__ import annotations

import hmac
import socket
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

REASONS = {
    400: "Bad Request",
    401: "Unauthenticated",
    420: "Unknown Attribute",
    487: "Role Conflict",
}

_COOKIE = b"\x21\x12\xa4\x42"
_COOKIE_NUMBER = 0x2112A442
_FINGERPRINT_XOR = 0x5354554E
_MAX_LENGTH = 2048
_MAX_ATTRIBUTES = 32
_MAX_USERNAME = 513  # bytes; RFC 8489 section 14.3
_header = struct.Struct("!HH4s12s")
_two = struct.Struct("!HH")


class StunError(ValueError):
    """Bytes that are not a usable STUN message."""


@dataclass(frozen=True, slots=True)
class Message:
    """A STUN message. `integrity_at` is the offset of MESSAGE-INTEGRITY, which `verify` needs."""

    type: int
    transaction_id: bytes
    attributes: dict[int, bytes]  # the first of each type; those after MESSAGE-INTEGRITY are left out
    integrity_at: int | None
    data: bytes

    @property
    def username(self) -> str | None:
        value = self.attributes.get(USERNAME)
        if value is None:
            return None
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None


def is_stun(data: bytes | memoryview) -> bool:
    """Whether a datagram is STUN: its first byte (RFC 7983) and the magic cookie."""
    return len(data) >= 20 and data[0] < 4 and data[4:8] == _COOKIE


def peek_local_ufrag(data: bytes) -> str | None:
    """The part of USERNAME before the colon, read before any cryptography; None when there is none.

    In a check sent to us it is our own user fragment (RFC 8445, section 7.2.2) and tells the session.
    """
    at, end = 20, min(len(data), _MAX_LENGTH)
    for _ in range(_MAX_ATTRIBUTES):
        if at + 4 > end:
            return None
        kind, length = _two.unpack_from(data, at)
        if kind == USERNAME:
            value = bytes(data[at + 4 : at + 4 + min(length, _MAX_USERNAME)])
            fragment, colon, _ = value.partition(b":")
            return fragment.decode() if colon and at + 4 + length <= end and fragment.isascii() else None
        if kind == MESSAGE_INTEGRITY:
            return None
        at += 4 + (length + 3 & ~3)
    return None


def parse(data: bytes | memoryview) -> Message:
    """Read one message; a FINGERPRINT that it carries must be right. Raises `StunError`."""
    data = bytes(data)
    size = len(data)
    if not 20 <= size <= _MAX_LENGTH:
        raise StunError("length of the datagram")
    kind, length, cookie, transaction_id = _header.unpack_from(data)
    if cookie != _COOKIE or kind & 0xC000 or length & 3 or length + 20 != size:
        raise StunError("header")
    attributes: dict[int, bytes] = {}
    integrity_at: int | None = None
    at = 20
    count = 0
    while at < size:
        # Lengths are multiples of four, so four bytes are there.
        attribute, value_size = _two.unpack_from(data, at)
        end = at + 4 + value_size
        count += 1
        if end > size or count > _MAX_ATTRIBUTES:
            raise StunError("attributes")
        if attribute == FINGERPRINT:
            crc = (zlib.crc32(data[:at]) ^ _FINGERPRINT_XOR).to_bytes(4, "big")
            if end != size or data[at + 4 : end] != crc:
                raise StunError("fingerprint")
        elif integrity_at is None:
            if attribute == MESSAGE_INTEGRITY:
                if value_size != 20:
                    raise StunError("integrity")
                integrity_at = at
            elif attribute not in attributes:
                attributes[attribute] = data[at + 4 : end]
        at = end + (-value_size & 3)
    return Message(kind, transaction_id, attributes, integrity_at, data)


def verify(message: Message, password: str | bytes) -> bool:
    """Whether MESSAGE-INTEGRITY is there and was made with this password (RFC 8489, section 14.5), or with this key
    of a long-term credential (section 9.2.2)."""
    at = message.integrity_at
    if at is None:
        return False
    data = message.data
    # The length field counts up to and with this attribute, whatever follows it.
    covered = data[:2] + (at + 4).to_bytes(2, "big") + data[4:at]
    key = password if isinstance(password, bytes) else password.encode()
    return hmac.compare_digest(hmac.digest(key, covered, "sha1"), data[at + 4 : at + 24])


def build(kind: int, transaction_id: bytes, attributes: bytes, password: str | bytes | None) -> bytes:
    """A message around encoded attributes; MESSAGE-INTEGRITY if there is a password or key, and FINGERPRINT."""
    if password is not None:
        key = password if isinstance(password, bytes) else password.encode()
        body = _header.pack(kind, len(attributes) + 24, _COOKIE, transaction_id) + attributes
        attributes += b"\x00\x08\x00\x14" + hmac.digest(key, body, "sha1")
    message = _header.pack(kind, len(attributes) + 8, _COOKIE, transaction_id) + attributes
    crc = zlib.crc32(message) ^ _FINGERPRINT_XOR
    return message + b"\x80\x28\x00\x04" + crc.to_bytes(4, "big")


def build_success(transaction_id: bytes, address: tuple[str, int], password: str) -> bytes:
    """The answer to a good check: where we saw it come from."""
    value = _xor_address(address, transaction_id)
    return build(BINDING_SUCCESS, transaction_id, _attribute(XOR_MAPPED_ADDRESS, value), password)


def build_error(
    transaction_id: bytes, code: int, password: str | None = None, unknown: Sequence[int] = ()
) -> bytes:
    """An error response; `unknown` lists attribute types for code 420."""
    value = bytes((0, 0, code // 100, code % 100)) + REASONS.get(code, "").encode()
    attributes = _attribute(ERROR_CODE, value)
    if unknown:
        listed = b"".join(one.to_bytes(2, "big") for one in unknown)
        attributes += _attribute(UNKNOWN_ATTRIBUTES, listed)
    return build(BINDING_ERROR, transaction_id, attributes, password)


def build_request(
    transaction_id: bytes,
    username: str,
    password: str,
    *,
    controlling: bool = True,
    use_candidate: bool = False,
    priority: int = 1,
    tie_breaker: int = 1,
) -> bytes:
    """A connectivity check as a full ICE agent sends it (RFC 8445, section 7.1)."""
    attributes = _attribute(USERNAME, username.encode()) + _attribute(PRIORITY, priority.to_bytes(4, "big"))
    role = ICE_CONTROLLING if controlling else ICE_CONTROLLED
    attributes += _attribute(role, tie_breaker.to_bytes(8, "big"))
    if use_candidate:
        attributes += _attribute(USE_CANDIDATE, b"")
    return build(BINDING_REQUEST, transaction_id, attributes, password)


def mapped_address(message: Message) -> tuple[str, int] | None:
    """XOR-MAPPED-ADDRESS of a response."""
    value = message.attributes.get(XOR_MAPPED_ADDRESS, b"")
    if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
        return None
    port = int.from_bytes(value[2:4], "big") ^ (_COOKIE_NUMBER >> 16)
    packed = _xor(value[4:], _COOKIE + message.transaction_id)
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), port


def _attribute(kind: int, value: bytes) -> bytes:
    return _two.pack(kind, len(value)) + value + bytes(-len(value) & 3)


def _xor_address(address: tuple[str, int], transaction_id: bytes) -> bytes:
    host, port = address[0], address[1] ^ (_COOKIE_NUMBER >> 16)
    if host.startswith("::ffff:") and "." in host:
        host = host[7:]  # an IPv4 peer seen through a dual-stack socket
    try:
        if ":" not in host:
            return b"\x00\x01" + port.to_bytes(2, "big") + _xor(socket.inet_aton(host), _COOKIE)
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except (OSError, OverflowError) as error:
        raise StunError("address") from error
    return b"\x00\x02" + port.to_bytes(2, "big") + _xor(packed, _COOKIE + transaction_id)


def _xor(value: bytes, mask: bytes) -> bytes:
    size = len(value)
    return (int.from_bytes(value, "big") ^ int.from_bytes(mask[:size], "big")).to_bytes(size, "big")
