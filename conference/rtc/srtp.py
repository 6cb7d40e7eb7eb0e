"""SRTP and SRTCP on kept buffers (RFC 3711, RFC 7714), through the C functions of pylibsrtp.

`Session.protect` allocates and copies for every packet; the forwarding loop calls `protect_rtp` on memory that
it owns instead, which costs a third.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pylibsrtp
from pylibsrtp._binding import ffi, lib

from .dtls import SrtpKeys

_PROFILES = {
    "SRTP_AEAD_AES_256_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    "SRTP_AEAD_AES_128_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "SRTP_AES128_CM_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
TRAILER = 160  # bytes that protection may add, by libsrtp's own bound
MAX_PACKET = 2048  # one slot of a buffer: the largest datagram we take, trailer included

# A C pointer (char *) into a buffer that the caller keeps. The binding has no types of its own.
Pointer = Any
Handle = Any

new_buffer = ffi.new  # new_buffer("char[]", n)
buffer_view = ffi.buffer
memmove = ffi.memmove
protect_rtp = lib.srtp_protect  # (handle, pointer, length *) -> 0 when protected in place
unprotect_rtp = lib.srtp_unprotect


def address_of(pointer: Pointer) -> int:
    """The address as an integer, for structures that system calls read."""
    return int(ffi.cast("uintptr_t", pointer))


class SrtpError(Exception):
    """The keys do not fit the profile, or the library refused."""


class SrtpPair:
    """Both directions of one transport. The handles stay valid as long as this object lives."""

    def __init__(self, keys: SrtpKeys) -> None:
        profile = _PROFILES[keys.profile.name]
        try:
            self._inbound = pylibsrtp.Session(
                _policy(keys.receive, profile, pylibsrtp.Policy.SSRC_ANY_INBOUND)
            )
            self._outbound = pylibsrtp.Session(
                _policy(keys.send, profile, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
            )
        except (pylibsrtp.Error, ValueError) as error:
            raise SrtpError(str(error)) from error
        self.inbound: Handle = self._inbound._srtp[0]
        self.outbound: Handle = self._outbound._srtp[0]
        self._scratch = ffi.new("char[]", MAX_PACKET)
        self._view = ffi.buffer(self._scratch)
        self._length = ffi.new("int *")

    def protect_rtcp(self, packet: bytes) -> bytes | None:
        """A protected copy, or None when the library refuses."""
        return self._run(lib.srtp_protect_rtcp, self.outbound, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The plain compound, or None when it is forged, replayed or broken."""
        return self._run(lib.srtp_unprotect_rtcp, self.inbound, packet)

    def protect(self, packet: bytes) -> bytes | None:
        """A protected copy of an RTP packet, for the slow paths (TCP, retransmission)."""
        return self._run(lib.srtp_protect, self.outbound, packet)

    def forget_inbound(self, ssrc: int) -> None:
        """Drop the replay state of a stream that is gone."""
        _forget(self._inbound, ssrc)

    def forget_outbound(self, ssrc: int) -> None:
        """Drop the state of a stream that we no longer send."""
        _forget(self._outbound, ssrc)

    def _run(self, function: Any, handle: Handle, packet: bytes) -> bytes | None:
        size = len(packet)
        if size > MAX_PACKET - TRAILER:
            return None
        self._view[:size] = packet
        self._length[0] = size
        if function(handle, self._scratch, self._length) != 0:
            return None
        plain: bytes = self._view[: self._length[0]]
        return plain


def _policy(key: bytes, profile: int, ssrc_type: int) -> pylibsrtp.Policy:
    policy = pylibsrtp.Policy(key=key, ssrc_type=ssrc_type, srtp_profile=profile)
    policy.window_size = 1024  # a burst of loss repaired late is not a replay
    policy.allow_repeat_tx = True
    return policy


def _forget(session: pylibsrtp.Session, ssrc: int) -> None:
    with contextlib.suppress(pylibsrtp.Error):  # never used: no stream was made for it
        session.remove_stream(ssrc)
