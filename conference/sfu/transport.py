"""One peer connection on the server's side: ICE-lite, DTLS and SRTP over whatever path the peer chose."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any

from conference.rtc import rtcp, srtp
from conference.rtc.dtls import DtlsCertificate, DtlsEngine, DtlsState
from conference.rtc.ice_lite import IceLite
from conference.rtc.sdp import Credentials

from .counters import Counters
from .path import Directory, Door, Path

log = logging.getLogger("media.transport")

DISCONNECTED_AFTER_S = 12.0  # Chromium checks every 2.5 s, Firefox every 4 to 6 s
CLOSED_AFTER_S = 30.0  # RFC 7675: consent expires
_HANDSHAKE_LIMIT_S = 20.0
_MAX_REPORTERS = 1024  # several times the m-lines that anybody has


class TransportState(Enum):
    NEW = "new"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    CLOSED = "closed"


class Transport:
    """Owned by a Publisher or a Subscriber, which sets the three handlers before the first packet.

    `on_rtp(packet, now)` gets plain RTP packets, `on_rtcp(packets, now)` the packets of each compound,
    `on_state(state)` every change; CLOSED comes once and is the last.
    """

    def __init__(
        self,
        *,
        certificate: DtlsCertificate,
        local: Credentials,
        directory: Directory,
        counters: Counters,
        now: float,
    ) -> None:
        self.ice = IceLite(local, None)
        self.state = TransportState.NEW
        self.path: Path | None = None
        self.keys: srtp.SrtpPair | None = None
        self.on_rtp: Callable[[bytes, float], None] = _ignore
        self.on_rtcp: Callable[[Sequence[rtcp.Packet], float], None] = _ignore
        self.on_state: Callable[[TransportState], None] = _ignore_state
        self.on_path: Callable[[], None] = _ignore_path
        self._certificate = certificate
        self._directory = directory
        self._counters = counters
        self._dtls: DtlsEngine | None = None
        self._created = now
        self._reporters: set[bytes] = set()  # SSRCs under which feedback came
        self._length = srtp.new_buffer("int *")
        directory.register(local.ufrag, self)

    # ── description ─────────────────────────────────────────────────────────────────────────────

    @property
    def fingerprint(self) -> str:
        return self._certificate.fingerprint

    def set_remote(
        self,
        remote: Credentials,
        fingerprints: Iterable[tuple[str, str]],
        *,
        is_dtls_client: bool,
        now: float,
    ) -> None:
        """What the peer's description says. The first call makes the DTLS engine; later ones change nothing
        but the ICE credentials, as a DTLS association outlives an ICE restart."""
        self.ice.remote = remote
        if self._dtls is None:
            self._dtls = DtlsEngine(self._certificate, is_client=is_dtls_client, fingerprints=fingerprints)
            if self.path is not None:
                self._dtls.start(now)
                self._send_dtls()

    def restart_ice(self, local: Credentials, remote: Credentials | None) -> None:
        """New credentials on the same association (RFC 8839 section 4.4.1.1.1)."""
        self.ice.restart(local, remote)
        self._directory.register(local.ufrag, self)

    # ── packets in ──────────────────────────────────────────────────────────────────────────────

    def receive_stun(self, data: bytes, address: tuple[str, int], door: Door, now: float) -> None:
        response, selected = self.ice.receive(data, address, door.protocol, now)
        if response is None:
            self._counters.drops["stun_refused"] += 1
            return
        door.reply(response, address)
        if response[1] != 0x01 or self.state is TransportState.CLOSED:  # not a success response
            return
        door.bind(address, self)
        if selected is not None and (
            self.path is None or self.path.address != address or self.path.protocol != door.protocol
        ):
            self.path = door.path(address)
            self.on_path()
            if self._dtls is not None:
                self._dtls.start(now)
                self._send_dtls()
        if self.state is TransportState.DISCONNECTED:
            self._change(TransportState.CONNECTED)

    def receive_dtls(self, data: bytes, now: float) -> None:
        dtls = self._dtls
        if dtls is None:
            self._counters.drops["dtls_early"] += 1
            return
        dtls.receive(data, now)
        self._send_dtls()
        if dtls.state is DtlsState.CONNECTED and self.keys is None and dtls.keys is not None:
            self.keys = srtp.SrtpPair(dtls.keys)
            self._change(TransportState.CONNECTED)
        elif dtls.state is DtlsState.FAILED:
            self._handshake_failed(dtls)
        elif dtls.state is DtlsState.CLOSED:
            self.close()

    def receive_rtp(self, pointer: Any, length: int, now: float) -> None:
        """Unprotect in place in the caller's memory and hand on a copy."""
        keys = self.keys
        if keys is None:
            self._counters.drops["srtp_early"] += 1
            return
        size = self._length
        size[0] = length
        if srtp.unprotect_rtp(keys.inbound, pointer, size):
            self._counters.drops["srtp_refused"] += 1
            return
        self.on_rtp(srtp.buffer_view(pointer, size[0])[:], now)

    def receive_rtcp(self, data: bytes, now: float) -> None:
        keys = self.keys
        if keys is None:
            self._counters.drops["srtp_early"] += 1
            return
        compound = keys.unprotect_rtcp(data)
        if compound is None:
            self._counters.drops["srtcp_refused"] += 1
            return
        self._reporters.add(compound[4:8])
        if len(self._reporters) > _MAX_REPORTERS:  # SRTP keeps a state for each
            self._counters.drops["too_many_reporters"] += 1
            self.close()
            return
        self.take_rtcp(compound, now)

    def take_rtcp(self, compound: bytes, now: float) -> None:
        """Hand on the packets of a plain compound, or none when it is malformed."""
        try:
            packets = list(rtcp.walk(compound))
        except rtcp.RtcpError:
            self._counters.drops["rtcp_malformed"] += 1
            return
        self.on_rtcp(packets, now)

    # ── packets out ─────────────────────────────────────────────────────────────────────────────

    def send_rtcp(self, compound: bytes) -> None:
        """Protect and send one compound, or drop it while there is no path."""
        if self.keys is not None and self.path is not None:
            data = self.keys.protect_rtcp(compound)
            if data is not None:
                self.path.send(data)

    def send_rtp(self, packet: bytes) -> None:
        """The slow way for single packets: retransmissions, and everything over TCP."""
        if self.keys is not None and self.path is not None:
            data = self.keys.protect(packet)
            if data is not None:
                self.path.send(data)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Call every 50 ms or so: handshake repeats and consent."""
        dtls = self._dtls
        if dtls is not None:
            deadline = dtls.next_deadline()
            if deadline is not None and now >= deadline:
                dtls.handle_timeout(now)
                self._send_dtls()
                if dtls.state is DtlsState.FAILED:
                    self._handshake_failed(dtls)
                    return
        if self.state is TransportState.NEW:
            if now - self._created > _HANDSHAKE_LIMIT_S:
                self.close()
        elif self.state is not TransportState.CLOSED:
            silent = self.ice.silent_for(now)
            if silent > CLOSED_AFTER_S:
                self.close()
            elif silent > DISCONNECTED_AFTER_S and self.state is TransportState.CONNECTED:
                self._change(TransportState.DISCONNECTED)

    def close(self) -> None:
        """Say goodbye and forget; idempotent."""
        if self.state is TransportState.CLOSED:
            return
        if self._dtls is not None:
            self._dtls.close()
            self._send_dtls()
        if self.path is not None:
            if self.path.batch is not None:
                self.path.batch.flush()  # slots point at this transport's address
            self.path.close()
        self._directory.forget(self)
        self._change(TransportState.CLOSED)
        self.keys = None

    def _handshake_failed(self, dtls: DtlsEngine) -> None:
        """Once a transport at most: the reason is what an encoder's manual asks for."""
        self._counters.handshakes_failed += 1
        log.warning("DTLS handshake failed: %s", dtls.error)
        self.close()

    def _change(self, state: TransportState) -> None:
        if state is not self.state:
            self.state = state
            self.on_state(state)

    def _send_dtls(self) -> None:
        if self._dtls is not None:
            for datagram in self._dtls.take():
                if self.path is not None:
                    self.path.send(datagram)


def _ignore(_data: object, _now: float) -> None:
    """Nobody listens yet."""


def _ignore_state(_state: TransportState) -> None:
    """Nobody listens yet."""


def _ignore_path() -> None:
    """Nobody listens yet."""
