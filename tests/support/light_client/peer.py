"""One peer connection: ICE, DTLS, SRTP in both directions, RTCP, counters. Nothing is awaited per packet."""

import asyncio
import contextlib
import random
import string
import struct
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence

import pylibsrtp
from aioice import stun

from tests.support.light_client import rtcp
from tests.support.light_client.arrivals import Arrivals, number_of
from tests.support.light_client.dtls import (
    ALL_PROFILES,
    Certificate,
    DtlsEndpoint,
    HandshakeError,
    Role,
    SrtpProfile,
)
from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.path import Address, Path, TcpPath, UdpPath
from tests.support.light_client.sdp import (
    AUDIO_LEVEL_URI,
    MID_URI,
    ORIENTATION_URI,
    TRANSPORT_CC_URI,
    OfferedTrack,
    SessionDescription,
    TransportLines,
    build_answer,
    build_offer,
    new_session_id,
)

STAMP = b"STMP"  # before the sending time at the end of a synthetic payload
CACHE_PACKETS = 1024
CONNECT_TIMEOUT_S = 15.0
PRIORITY = 1853817087

OnRtp = Callable[[InboundStream, bytes, int], None]  # stream, decrypted packet, time of arrival in ns


def _token(length: int) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=length))


def header_length(packet: bytes) -> int:
    """Bytes before the payload of an RTP packet."""
    length = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        length += 4 + 4 * (packet[length + 2] << 8 | packet[length + 3])
    return length


class Peer:
    """A peer connection.

    `sample` 1 decrypts everything, counts losses and repairs them. A larger number is for load: all packets
    are counted by their clear headers, one in `sample` is decrypted to read its sending time into
    `latencies_ns`. With `feedback_s` it tells every so many seconds when packets came, where the other side numbers
    them over the whole transport, and leaves REMB out. With `look_s` packets are taken so often, not one by one.
    """

    def __init__(
        self,
        *,
        bind: str = "127.0.0.1",
        certificate: Certificate | None = None,
        profiles: tuple[SrtpProfile, ...] = ALL_PROFILES,
        controlling: bool = True,
        sample: int = 1,
        send_nacks: bool = True,
        remb_bps: int = 20_000_000,
        feedback_s: float = 0.0,
        look_s: float = 0.0,
        via: Address | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.certificate = certificate or Certificate.shared()
        self.announced_fingerprint = self.certificate.fingerprint
        self._profiles = profiles
        self.controlling = controlling
        self._sample = sample
        self._send_nacks = send_nacks and sample == 1
        self.remb_bps = remb_bps  # what we say that we can receive
        self._feedback_s = feedback_s
        self._via = via  # a link in front of the other side, whose addresses are not tried then
        self._arrivals = Arrivals()
        self._number_id = 0  # of the extension that carries transport-wide numbers
        self.ufrag, self.password = _token(8), _token(24)
        self._tie_breaker = random.getrandbits(64)
        self._session_id, self._version = new_session_id(), 1
        self._path: Path = UdpPath(bind, self._on_datagram, every_s=look_s)
        self.local = self._path.local
        self.remote: SessionDescription | None = None
        self.remote_address: Address | None = None
        self._selected = asyncio.Event()
        self._handshake: asyncio.Future[None] = self._loop.create_future()
        self._dtls: DtlsEndpoint | None = None
        self.role: Role = "client"
        self._rx: pylibsrtp.Session | None = None
        self._tx: pylibsrtp.Session | None = None
        self.ssrc = random.getrandbits(32)
        self.streams: dict[int, InboundStream] = {}
        self.first_rtp = asyncio.Event()
        self.on_rtp: OnRtp | None = None
        self.on_keyframe_request: Callable[[int], None] = lambda ssrc: None
        self.sender_reports: Callable[[], Iterable[tuple[int, rtcp.SenderReport]]] | None = None
        self.cname = "light-" + _token(6)
        self.latencies_ns: list[int] = []
        self.rtcp_seen: Counter[str] = Counter()
        self.last_sender_report: dict[int, rtcp.SenderReport] = {}
        self.sent: Counter[str] = Counter()
        self.unprotect_errors = 0
        self.stun_answers = 0
        self.last_stun_answer_s = 0.0
        self._rtx_payload: dict[int, int] = {}
        self._rtx_ssrc: dict[int, int] = {}
        self._rtx_out: dict[int, tuple[int, int]] = {}
        self._rtx_seq: dict[int, int] = {}
        self._cache: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._repair_timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.closed = False

    # ---- descriptions

    @property
    def _transport_lines(self) -> TransportLines:
        return TransportLines(self.ufrag, self.password, self.announced_fingerprint, *self.local)

    def offer(self, tracks: Sequence[OfferedTrack]) -> str:
        """An offer for these m-lines."""
        self._version += 1
        return build_offer(self._transport_lines, tracks, self._session_id, self._version)

    def answer(
        self,
        offer: SessionDescription,
        codecs: Sequence[str] = ("opus", "VP8", "H264", "rtx"),
        plain: bool = False,
    ) -> str:
        """Answer a server's offer; `plain` without header extensions."""
        self._version += 1
        self.set_remote(offer)
        extensions = () if plain else (MID_URI, AUDIO_LEVEL_URI, ORIENTATION_URI)
        if self._feedback_s:
            extensions = (*extensions, TRANSPORT_CC_URI)
        return build_answer(self._transport_lines, offer, self._session_id, self._version, codecs, extensions)

    def set_remote(self, description: SessionDescription) -> None:
        """What the other side said; may be said again when m-lines were added."""
        self.remote = description
        for section in description.media:
            self._rtx_payload |= section.rtx()
            self._rtx_ssrc |= section.rtx_ssrcs()
            if self._feedback_s:
                self._number_id = section.extension(TRANSPORT_CC_URI) or self._number_id

    # ---- connecting

    async def connect(self, *, tcp: bool = False, tcp_port: int | None = None) -> None:
        """ICE checks, handshake, keys. `tcp_port`: the TCP candidate to take, where the server names several."""
        assert self.remote is not None, "set_remote first"
        if tcp:
            self._path.close()
            found = [each for each in self.remote.tcp_candidates if tcp_port in (None, each[1])]
            self._path = await TcpPath.open(found[0], self._on_datagram)
            self.local = self._path.local
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._selected.is_set():
            self.send_check()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._selected.wait(), 0.1)
            if time.monotonic() > deadline:
                raise TimeoutError(f"no answer to ICE checks at {self.remote.candidates}")
        # They answer "active" → they are the client. To an offer we always answer "active".
        self.role = "server" if self.remote.setup == "active" else "client"
        self._dtls = DtlsEndpoint(self.role, self.certificate, self.remote.fingerprint, self._profiles)
        self._send_all(self._dtls.start())
        while not self._handshake.done():
            due_s = self._dtls.timeout_s()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._handshake), min(1.0, due_s or 0.2) + 0.01)
            if not self._handshake.done():
                self._send_all(self._dtls.handle_timeout())
            if time.monotonic() > deadline:
                raise HandshakeError("no DTLS handshake in time")
        await self._handshake
        self._tasks += [asyncio.create_task(self._keep_consent()), asyncio.create_task(self._report())]
        if self._number_id:
            self._tasks.append(asyncio.create_task(self._tell_arrivals()))

    @property
    def connected(self) -> bool:
        """True once packets can flow."""
        return self._tx is not None and not self.closed

    @property
    def closed_by_peer(self) -> bool:
        """True after the other side's close_notify."""
        return self._dtls is not None and self._dtls.closed_by_peer

    @property
    def srtp_profile(self) -> str:
        """What the handshake chose."""
        return self._dtls.profile.openssl_name if self._dtls and self._dtls.profile else ""

    def send_check(self) -> None:
        """One binding request."""
        if self.remote is None:
            return
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        message.attributes["USERNAME"] = f"{self.remote.ufrag}:{self.ufrag}"
        message.attributes["PRIORITY"] = PRIORITY
        if self.controlling:
            message.attributes["ICE-CONTROLLING"] = self._tie_breaker
            message.attributes["USE-CANDIDATE"] = None
        else:
            message.attributes["ICE-CONTROLLED"] = self._tie_breaker
        message.add_message_integrity(self.remote.password.encode())
        offered = [self._via] if self._via is not None else self.remote.candidates[:3] or [("", 0)]
        for address in [self.remote_address] if self.remote_address else offered:
            self._path.send_to(bytes(message), address)

    def rebind(self) -> None:
        """Continue from another local port, as after a NAT rebinding."""
        assert isinstance(self._path, UdpPath)
        self._path.rebind()
        self.local = self._path.local
        self.send_check()

    async def _keep_consent(self) -> None:
        while not self.closed:
            await asyncio.sleep(2.0 + random.random())
            self.send_check()

    # ---- receiving

    def _on_datagram(self, data: bytes, arrival_ns: int, address: Address) -> None:
        if not data:
            return
        first = data[0]
        if 127 < first < 192:
            if 192 <= data[1] <= 223:
                self._on_rtcp(data)
                return
            if self._number_id:
                number = number_of(data, self._number_id)
                if number is not None:
                    self._arrivals.note(number, arrival_ns or time.time_ns())
            if self._sample > 1:
                self._count_rtp(data, arrival_ns)
            else:
                self._on_rtp(data, arrival_ns or time.time_ns())
        elif 19 < first < 64:
            self._on_dtls(data)
        elif first < 4:
            self._on_stun(data, address)

    def _on_stun(self, data: bytes, address: Address) -> None:
        try:
            message = stun.parse_message(data)
        except ValueError:
            return
        if message.message_class == stun.Class.REQUEST:
            reply = stun.Message(
                stun.Method.BINDING, stun.Class.RESPONSE, transaction_id=message.transaction_id
            )
            reply.attributes["XOR-MAPPED-ADDRESS"] = address
            reply.add_message_integrity(self.password.encode())
            self._path.send_to(bytes(reply), address)
            if not self.controlling and "USE-CANDIDATE" in message.attributes:
                self._select(address)
        elif message.message_class == stun.Class.RESPONSE:
            self.stun_answers += 1
            self.last_stun_answer_s = time.monotonic()
            if self.controlling:
                self._select(address)
        elif message.attributes.get("ERROR-CODE", (0,))[0] == 487:
            self.controlling = not self.controlling

    def _select(self, address: Address) -> None:
        if self.remote_address is None:
            self.remote_address = address
            self._path.select(address)
            self._selected.set()

    def _on_dtls(self, data: bytes) -> None:
        if self._dtls is None or self.closed:
            return
        try:
            self._send_all(self._dtls.receive(data))
        except HandshakeError as error:
            if not self._handshake.done():
                self._handshake.set_exception(error)
            return
        if self._dtls.connected and self._tx is None:
            self._rx, self._tx = self._dtls.srtp_sessions()
            self._handshake.set_result(None)

    def _count_rtp(self, data: bytes, arrival_ns: int) -> None:
        """The cheap way: clear header only, one in `sample` decrypted."""
        seq = data[2] << 8 | data[3]
        ssrc = int.from_bytes(data[8:12], "big")
        stream = self.streams.get(ssrc)
        if stream is None:
            stream = self._new_stream(ssrc, seq, data[1] & 127)
        delta = (seq - stream.max_seq) & 0xFFFF
        if delta < 0x8000:
            stream.max_seq += delta
        stream.packets += 1
        stream.bytes += len(data)
        if not seq % self._sample and self._rx is not None:
            try:
                packet = self._rx.unprotect(data)
            except (pylibsrtp.Error, ValueError):  # forged, or longer than the library takes
                self.unprotect_errors += 1
                return
            if packet[-12:-8] == STAMP:
                self.latencies_ns.append(arrival_ns - int.from_bytes(packet[-8:], "big"))

    def _on_rtp(self, data: bytes, arrival_ns: int) -> None:
        if self._rx is None:
            return
        try:
            packet = self._rx.unprotect(data)
        except (pylibsrtp.Error, ValueError):  # forged, or longer than the library takes
            self.unprotect_errors += 1
            return
        original = self._rtx_payload.get(packet[1] & 127)
        if original is not None:
            restored = self._restore(packet, original)
            if restored is None:
                return
            packet = restored
        seq, ssrc = packet[2] << 8 | packet[3], int.from_bytes(packet[8:12], "big")
        stream = self.streams.get(ssrc)
        if stream is None:
            stream = self._new_stream(ssrc, seq, packet[1] & 127)
        fresh = stream.arrived(seq, self._loop.time())
        stream.bytes += len(packet)
        stream.payload_type = packet[1] & 127
        stream.timestamp = int.from_bytes(packet[4:8], "big")
        stream.markers += packet[1] >> 7
        stream.last_arrival_ns = arrival_ns
        if stream.arrivals_ns is not None:
            stream.arrivals_ns.append(arrival_ns)
        if stream.missing and self._repair_timer is None and self._send_nacks:
            self._repair_timer = self._loop.call_later(0.006, self._ask_again)
        if fresh and self.on_rtp is not None:
            self.on_rtp(stream, packet, arrival_ns)

    def _new_stream(self, ssrc: int, seq: int, payload_type: int) -> InboundStream:
        stream = self.streams[ssrc] = InboundStream(ssrc, seq, payload_type)
        self.first_rtp.set()
        if payload_type != 111 and payload_type not in self._rtx_payload:
            self.request_keyframe(ssrc)
        return stream

    def media_streams(self) -> list[InboundStream]:
        """What came but for retransmissions and padding."""
        return [one for one in self.streams.values() if one.payload_type not in self._rtx_payload]

    def _restore(self, packet: bytes, payload_type: int) -> bytes | None:
        """The original of a retransmission (RFC 4588); None for padding without content."""
        self.rtcp_seen["rtx"] += 1
        start = header_length(packet)
        end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
        if end - start < 2:
            self.rtcp_seen["rtx padding"] += 1
            return None
        ssrc = int.from_bytes(packet[8:12], "big")
        primary = self._rtx_ssrc.get(ssrc)
        if primary is None:
            candidates = [s for s in self.streams.values() if s.payload_type == payload_type]
            seq = packet[start] << 8 | packet[start + 1]
            found = next((s for s in candidates if s.extend(seq) in s.missing), None)
            if found is None:
                return None
            primary = found.ssrc
        second = bytes([packet[1] & 0x80 | payload_type])
        head = packet[:1] + second + packet[start : start + 2] + packet[4:8] + primary.to_bytes(4, "big")
        return head + packet[12:start] + packet[start + 2 :]

    def _ask_again(self) -> None:
        self._repair_timer = None
        now_s, more = self._loop.time(), False
        for stream in self.streams.values():
            numbers = stream.due(now_s)
            if numbers:
                self.sent["nack"] += 1
                self.send_rtcp(rtcp.nack(self.ssrc, stream.ssrc, numbers))
            more = more or bool(stream.missing)
        if more and not self.closed:
            self._repair_timer = self._loop.call_later(0.02, self._ask_again)

    def _on_rtcp(self, data: bytes) -> None:
        if self._rx is None:
            return
        try:
            compound = self._rx.unprotect_rtcp(data)
        except (pylibsrtp.Error, ValueError):  # forged, or longer than the library takes
            self.unprotect_errors += 1
            return
        for packet in rtcp.walk(compound):
            name = packet.name
            self.rtcp_seen[name] += 1
            if name == "sr":
                ssrc, *rest = struct.unpack_from("!IQIII", packet.body)
                self.last_sender_report[ssrc] = rtcp.SenderReport(*rest)
            elif name in ("pli", "fir"):
                position = 4 if name == "pli" else 8
                self.on_keyframe_request(int.from_bytes(packet.body[position : position + 4], "big"))
            elif name == "nack":
                self._resend(int.from_bytes(packet.body[4:8], "big"), rtcp.nacked(packet.body))

    # ---- sending

    def use_rtx(self, ssrc: int, rtx_ssrc: int, payload_type: int) -> None:
        """Answer NACKs for `ssrc` on a stream of its own; without this the packets are simply repeated."""
        self._rtx_out[ssrc] = (rtx_ssrc, payload_type)

    def send_rtp(self, packet: bytes, *, keep: bool = False) -> None:
        """Protect and send; `keep` for answers to NACKs."""
        if self._tx is None:
            return
        self._path.send(self._tx.protect(packet))
        if keep:
            self._cache[int.from_bytes(packet[8:12], "big"), packet[2] << 8 | packet[3]] = packet
            if len(self._cache) > CACHE_PACKETS:
                self._cache.popitem(last=False)

    def _resend(self, ssrc: int, numbers: Sequence[int]) -> None:
        for number in numbers:
            packet = self._cache.get((ssrc, number))
            if packet is None:
                self.sent["not kept"] += 1
                continue
            self.sent["retransmission"] += 1
            if ssrc in self._rtx_out:
                rtx_ssrc, payload_type = self._rtx_out[ssrc]
                seq = self._rtx_seq[ssrc] = self._rtx_seq.get(ssrc, random.getrandbits(15)) + 1 & 0xFFFF
                start = header_length(packet)
                second = bytes([packet[1] & 0x80 | payload_type])
                head = (
                    packet[:1] + second + seq.to_bytes(2, "big") + packet[4:8] + rtx_ssrc.to_bytes(4, "big")
                )
                packet = head + packet[12:start] + packet[2:4] + packet[start:]
            self.send_rtp(packet)

    def send_rtcp(self, compound: bytes) -> None:
        """Protect and send."""
        if self._tx is not None and not self.closed:
            with contextlib.suppress(pylibsrtp.Error):
                self._path.send(self._tx.protect_rtcp(compound))

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, for tests that misbehave."""
        self._path.send(data)

    def request_keyframe(self, ssrc: int) -> None:
        """PLI."""
        self.sent["pli"] += 1
        self.send_rtcp(rtcp.picture_loss(self.ssrc, ssrc))

    async def _report(self) -> None:
        await asyncio.sleep(random.random() / 2)
        while not self.closed:
            self._send_reports()
            await asyncio.sleep(1.0)

    def _send_reports(self) -> None:
        if self.sender_reports is not None:
            for ssrc, report in self.sender_reports():
                self.send_rtcp(rtcp.sender_report(ssrc, report, self.cname))
        if not self.streams:
            return
        blocks = []
        for stream in list(self.streams.values())[-31:]:
            last = self.last_sender_report.get(stream.ssrc)
            blocks.append((stream.ssrc, *stream.report(), last.ntp >> 16 & 0xFFFFFFFF if last else 0))
        ssrcs = [block[0] for block in blocks]
        compound = rtcp.receiver_report(self.ssrc, blocks)
        if not self._number_id:
            compound += rtcp.remb(self.ssrc, ssrcs, self.remb_bps)
        self.send_rtcp(compound)

    async def _tell_arrivals(self) -> None:
        await asyncio.sleep(random.random() * self._feedback_s)
        while not self.closed:
            ssrc = next(iter(self.streams), 0)
            feedback = self._arrivals.build(self.ssrc, ssrc)
            if feedback is not None:
                self.sent["transport-cc"] += 1
                self.send_rtcp(feedback)
            await asyncio.sleep(self._feedback_s)

    def _send_all(self, datagrams: Iterable[bytes]) -> None:
        for datagram in datagrams:
            self._path.send(datagram)

    async def close(self, *, notify: bool = True) -> None:
        """Leave; without `notify` like a process that was killed."""
        if self.closed:
            return
        self.closed = True
        if self._repair_timer is not None:
            self._repair_timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._dtls is not None and notify:
            self._send_all(self._dtls.close())
        if not self._handshake.done():
            self._handshake.cancel()
        self._path.close()
