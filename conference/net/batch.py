"""Many datagrams, one system call: packets are written into kept memory and leave together (sendmmsg, Linux).

The forwarding loop fills slots without allocating and flushes when the wake-up's packets are done; nothing is
held back longer than that.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

import cffi

from conference.rtc import srtp

CAPACITY = 192

_ffi: Any = cffi.FFI()
_ffi.cdef("int sendmmsg(int fd, void *messages, unsigned int count, int flags);")
_libc: Any = _ffi.dlopen(None)

# struct mmsghdr as words of 8 bytes (LP64): name, name length, iovec, iovec count, control, control length,
# flags, bytes sent
_MESSAGE_WORDS = 8


def pack_address(address: tuple[str, int], family: socket.AddressFamily) -> bytes:
    """sockaddr_in or sockaddr_in6 for `family`."""
    host, port = address
    if family == socket.AF_INET6:
        packed = socket.inet_pton(socket.AF_INET6, host if ":" in host else f"::ffff:{host}")
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0, packed, 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


class SendBatch:
    """The outgoing packets of one UDP socket.

    `count` slots are filled. Slot i is the memory at `pointers[i]`, `offsets[i]` in `view`; the filler sets
    `names[i * 8]` to the receiver's sockaddr and `lengths[i * 2 + 1]` to the size, then raises `count`.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._fd = sock.fileno()
        self._buffer = srtp.new_buffer("char[]", CAPACITY * srtp.MAX_PACKET)
        self.view = memoryview(srtp.buffer_view(self._buffer))
        self.offsets = [i * srtp.MAX_PACKET for i in range(CAPACITY)]
        self.pointers = [self._buffer + offset for offset in self.offsets]
        self.lengths: Any = _ffi.new("uint64_t[]", 2 * CAPACITY)
        self.names: Any = _ffi.new("uint64_t[]", _MESSAGE_WORDS * CAPACITY)
        name_size = 28 if sock.family == socket.AF_INET6 else 16
        iovecs = int(_ffi.cast("uintptr_t", self.lengths))
        for i in range(CAPACITY):
            self.lengths[2 * i] = srtp.address_of(self.pointers[i])
            base = _MESSAGE_WORDS * i
            self.names[base + 1] = name_size
            self.names[base + 2] = iovecs + 16 * i
            self.names[base + 3] = 1
        self._messages = int(_ffi.cast("uintptr_t", self.names))
        self.count = 0
        self.sent = 0
        self.sent_bytes = 0  # counted by the filler
        self.dropped = 0

    def flush(self) -> None:
        """Send what is there. A full socket buffer drops the rest: later packets matter more than late ones."""
        count, at = self.count, 0
        self.count = 0
        while at < count:
            done = _libc.sendmmsg(
                self._fd, _ffi.cast("void *", self._messages + 64 * at), count - at, socket.MSG_DONTWAIT
            )
            if done > 0:
                at += done
                self.sent += done
                continue
            if _ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                self.dropped += count - at
                return
            self.dropped += 1  # one unreachable receiver must not stop the others
            at += 1
