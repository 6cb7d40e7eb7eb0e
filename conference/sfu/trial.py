"""Connections outside every room: by them a browser finds out which ways to our media are open, and what gets lost."""

from __future__ import annotations

import secrets
import struct

from conference.rtc import rtp_header, sdp
from conference.rtc.dtls import DtlsCertificate
from conference.rtc.ufrag import new_credentials

from .counters import Counters
from .path import Directory
from .room_error import RoomError
from .transport import Transport

LASTS_S = 15.0
_AT_ONCE = 400
_OFFER = {"max_media": 2, "max_length": 32 << 10}
_ECHOES = 1200  # packets of one trial
_ECHO_BURST, _ECHOES_PER_S = 60.0, 120.0
_HEADER = struct.Struct("!BBHII")


class Echo:
    """Sends back what one client sends, under numbers of its own, so that the client can tell the losses of both
    ways apart. Never more than came, and only so much of it."""

    def __init__(self, transport: Transport, payload_types: frozenset[int], ssrc: int, now: float) -> None:
        self._transport = transport
        self._payload_types = payload_types
        self._ssrc = ssrc
        self._next = secrets.randbits(15)
        self._left = _ECHOES
        self._allowance, self._at = _ECHO_BURST, now

    def receive(self, packet: bytes, now: float) -> None:
        """Take one packet of the client."""
        self._allowance = min(_ECHO_BURST, self._allowance + (now - self._at) * _ECHOES_PER_S)
        self._at = now
        if self._allowance < 1.0 or self._left == 0:
            return
        try:
            header = rtp_header.parse(packet)
        except rtp_header.RtpError:
            return
        if header.payload_type not in self._payload_types:  # a repair under a name of its own
            return
        self._allowance -= 1.0
        self._left -= 1
        mark = header.payload_type | (0x80 if header.marker else 0)
        head = _HEADER.pack(0x80, mark, self._next, header.timestamp, self._ssrc)
        self._next = (self._next + 1) & 0xFFFF
        self._transport.send_rtp(head + packet[header.payload_start : header.payload_end])


class Trials:
    """Owned by the media process. Each is a whole transport: what a firewall lets through, it lets through."""

    def __init__(
        self,
        certificate: DtlsCertificate,
        directory: Directory,
        counters: Counters,
        candidates: tuple[sdp.Candidate, ...],
        process: int = 0,
    ) -> None:
        self._certificate = certificate
        self._directory = directory
        self._counters = counters
        self._candidates = candidates
        self._process = process
        self._open: list[tuple[float, Transport]] = []  # by the time of their end

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def answer(self, text: str, now: float) -> str:
        """Answer an offer; the connection is dropped after some seconds. What it sends comes back. Raises
        RoomError."""
        if len(self._open) >= _AT_ONCE:
            raise RoomError("rate_limited", "too many connections are being tried")
        try:
            offer = sdp.parse(text, **_OFFER)
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error
        transport = Transport(
            certificate=self._certificate,
            local=new_credentials(self._process),
            directory=self._directory,
            counters=self._counters,
            now=now,
        )
        local = sdp.LocalTransport(
            transport.ice.local,
            sdp.Fingerprint("sha-256", transport.fingerprint),
            "actpass",
            self._candidates,
        )
        ssrc = secrets.randbits(31) | 1
        slots = {
            media.mid: sdp.OfferSlot(media.mid, media.kind, True, "trial", "echo", ssrc, None, "trial")
            for media in offer.media[:1]
            if media.sends
        }
        try:
            answer, answered = sdp.answer_player(offer, local, slots, secrets.randbits(62), 1, echo=True)
        except sdp.SdpError as error:
            transport.close()
            raise RoomError("sdp_invalid", str(error)) from error
        is_client = sdp.answer_setup(offer.setup, prefer_active=False) == "active"
        fingerprints = [(one.algorithm, one.value) for one in offer.fingerprints]
        transport.set_remote(offer.credentials, fingerprints, is_dtls_client=is_client, now=now)
        if slots and answered:
            known = frozenset(number for number, each in answered[0].codecs.items() if each.rtx_for is None)
            transport.on_rtp = Echo(transport, known, ssrc, now).receive
        self._open.append((now + LASTS_S, transport))
        return answer

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        while self._open and self._open[0][0] <= now:
            self._open.pop(0)[1].close()
        for _, transport in self._open:
            transport.tick(now)

    def close(self) -> None:
        """Drop all; idempotent."""
        for _, transport in self._open:
            transport.close()
        self._open.clear()
