"""Connections that carry nothing: by them a browser finds out which ways to our media are open to it."""

from __future__ import annotations

import secrets

from conference.rtc import sdp
from conference.rtc.dtls import DtlsCertificate

from .counters import Counters
from .path import Directory
from .room import RoomError
from .transport import Transport

LASTS_S = 15.0
_AT_ONCE = 400
_OFFER = {"max_media": 2, "max_length": 32 << 10}


class Trials:
    """Owned by the media process. Each is a whole transport: what a firewall lets through, it lets through."""

    def __init__(
        self,
        certificate: DtlsCertificate,
        directory: Directory,
        counters: Counters,
        candidates: tuple[sdp.Candidate, ...],
    ) -> None:
        self._certificate = certificate
        self._directory = directory
        self._counters = counters
        self._candidates = candidates
        self._open: list[tuple[float, Transport]] = []  # by the time of their end

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    def answer(self, text: str, now: float) -> str:
        """Answer an offer to receive; the connection is dropped after some seconds. Raises RoomError."""
        if len(self._open) >= _AT_ONCE:
            raise RoomError("rate_limited", "too many connections are being tried")
        try:
            offer = sdp.parse(text, **_OFFER)
        except sdp.SdpError as error:
            raise RoomError("sdp_invalid", str(error)) from error
        transport = Transport(
            certificate=self._certificate,
            local=sdp.Credentials(secrets.token_hex(8), secrets.token_hex(16)),
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
        try:
            answer, _ = sdp.answer_player(offer, local, {}, secrets.randbits(62), 1)
        except sdp.SdpError as error:
            transport.close()
            raise RoomError("sdp_invalid", str(error)) from error
        is_client = sdp.answer_setup(offer.setup, prefer_active=False) == "active"
        fingerprints = [(one.algorithm, one.value) for one in offer.fingerprints]
        transport.set_remote(offer.credentials, fingerprints, is_dtls_client=is_client, now=now)
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
