"""A participant's publish connection: which packet belongs to which track, and feedback to the sender."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conference.rtc import rtcp, rtp_header, sdp
from conference.rtc.transport_cc import TransportCcRecorder

from .counters import Counters
from .publication import Publication
from .stream import IncomingStream
from .told_loss import told_loss
from .transport import Transport, TransportState

_FEEDBACK_SSRC = 1  # our own, in receiver reports and feedback
_RTT_S = 0.1  # for NACK spacing; a receiver without sender reports of its own cannot measure it
_MAX_STREAMS = 32  # a client that changes SSRC with every packet must not fill the memory
_REBIND_S = 0.5
_FEEDBACK_S = 0.1
_REPORT_S = 1.0

Handler = Callable[[bytes, float], None]


@dataclass(slots=True)
class Line:
    """One accepted m-line. `rtx` maps RTX payload types to the ones they repair; `streams` are those of the layers
    that were bound, `bound_at` says when."""

    media: sdp.AcceptedMedia
    publication: Publication
    codecs: Mapping[int, sdp.Codec]
    rtx: Mapping[int, int]
    streams: dict[str, IncomingStream] = field(default_factory=dict)
    bound_at: dict[str, float] = field(default_factory=dict)
    ssrcs: set[int] = field(default_factory=set)

    @property
    def order(self) -> tuple[str, ...]:
        """The layers as declared; one without a name where there is no simulcast."""
        return self.media.rids or ("",)


class Publisher:
    """Owned by the Participant. `observe_level(level, voice, now)` hears the microphone's audio levels."""

    def __init__(
        self,
        transport: Transport,
        session_id: str,
        counters: Counters,
        observe_level: Callable[[int, bool, float], None],
    ) -> None:
        self.transport = transport
        self.session_id = session_id
        self.lines: dict[str, Line] = {}
        self.on_state: Callable[[TransportState], None] | None = None
        self._counters = counters
        self._observe_level = observe_level
        self._routes: dict[int, Handler] = {}
        self._declared: dict[int, tuple[Line, bool]] = {}
        # SSRC to mid and layer: told once, and needed again when a new description makes another line of an m-line
        self._told: dict[int, tuple[str, str]] = {}
        self._strangers: dict[int, None] = {}  # SSRCs that belong to nothing yet, the oldest first
        self._arrivals = TransportCcRecorder()
        self._next_feedback = 0.0
        self._next_report = 0.0
        self._mid_id = 0
        self._rid_id = 0
        self._repaired_rid_id = 0
        self._loss = 0.0
        self._answer_id = secrets.randbits(62)
        self._answers = 0
        transport.on_rtp = self._receive
        transport.on_rtcp = self._receive_rtcp
        transport.on_state = self._state_changed

    # ── negotiation ─────────────────────────────────────────────────────────────────────────────

    def answer(
        self, offer: sdp.SessionDescription, local: sdp.LocalTransport
    ) -> tuple[str, tuple[sdp.AcceptedMedia, ...]]:
        """The answer to an offer on this connection and the m-lines taken. Raises SdpError."""
        self._answers += 1
        return sdp.answer_publisher(offer, local, self._answer_id, self._answers, simulcast=True)

    def set_line(self, media: sdp.AcceptedMedia, publication: Publication) -> None:
        """Take packets of this m-line as the publication's."""
        line = self.lines.get(media.mid)
        codecs = {codec.payload_type: codec for codec in media.codecs if codec.rtx_for is None}
        rtx = {codec.payload_type: codec.rtx_for for codec in media.codecs if codec.rtx_for is not None}
        if (
            line is None
            or line.publication is not publication
            or dict(line.codecs) != codecs
            or line.media.rids != media.rids
        ):
            if line is not None:
                self.drop_line(media.mid)
            line = self.lines[media.mid] = Line(media, publication, codecs, rtx)
            publication.set_order(line.order)
        line.media = media
        self._mid_id = media.extensions.get(sdp.MID_URI, self._mid_id)
        self._rid_id = media.extensions.get(sdp.RID_URI, self._rid_id)
        self._repaired_rid_id = media.extensions.get(sdp.REPAIRED_RID_URI, self._repaired_rid_id)
        repairs = set(media.rtx_ssrcs.values())
        for ssrc, _ in media.ssrcs[:_MAX_STREAMS]:
            self._declared[ssrc] = (line, ssrc in repairs)

    def drop_line(self, mid: str) -> Publication | None:
        """The client takes the track away."""
        line = self.lines.pop(mid, None)
        if line is None:
            return None
        for ssrc in line.ssrcs:
            self._forget(ssrc)
        self._declared = {ssrc: entry for ssrc, entry in self._declared.items() if entry[0] is not line}
        self._withdraw(line)
        return line.publication

    def _withdraw(self, line: Line) -> None:
        """Take the line's streams from the publication, but for those that another connection has replaced."""
        line.publication.drop(tuple(line.streams.values()))

    # ── packets ─────────────────────────────────────────────────────────────────────────────────

    def _receive(self, packet: bytes, now: float) -> None:
        ssrc = int.from_bytes(packet[8:12], "big")
        route = self._routes.get(ssrc)
        if route is None:
            route = self._bind(packet, now)
            if route is None:
                self._pass_over(ssrc)
                return
            self._strangers.pop(ssrc, None)
        route(packet, now)

    def _pass_over(self, ssrc: int) -> None:
        """SRTP keeps a state for each SSRC, of which a client may name any number."""
        strangers = self._strangers
        strangers.setdefault(ssrc)
        if len(strangers) > _MAX_STREAMS:
            oldest = next(iter(strangers))
            del strangers[oldest]
            if self.transport.keys is not None:
                self.transport.keys.forget_inbound(oldest)

    def _bind(self, packet: bytes, now: float) -> Handler | None:
        """Find the m-line of a new SSRC: as declared, by the MID extension, or by its payload type; the layer by RID.

        Browsers leave MID and RID out once a report has shown that we know the SSRC.
        """
        try:
            header = rtp_header.parse(packet)
        except rtp_header.RtpError:
            self._counters.drops["rtp_malformed"] += 1
            return None
        found = rtp_header.extensions(packet, header)
        declared = self._declared.get(header.ssrc)
        line: Line | None
        if declared is not None:
            line, is_rtx = declared
        else:
            line = self._line_of(found, header)
            is_rtx = line is not None and header.payload_type in line.rtx
        if line is None:
            self._counters.drops["unknown_ssrc"] += 1
            return None
        layer = self._layer_of(line, found, header.ssrc, is_rtx=is_rtx)
        if layer is None:
            self._counters.drops["unknown_layer"] += 1
            return None
        if len(self._told) < _MAX_STREAMS:
            self._told[header.ssrc] = (line.media.mid, layer)
        if is_rtx:
            if not line.media.rids and not line.streams:
                self._counters.drops["rtx_early"] += 1
                return None
            return self._add_route(
                line, header.ssrc, lambda data, at: self._receive_rtx(line, layer, data, at)
            )
        if layer in line.streams and now - line.bound_at[layer] < _REBIND_S:
            self._counters.drops["ssrc_changes_too_fast"] += 1
            return None
        return self._bind_stream(line, layer, header.ssrc, now)

    def _layer_of(
        self, line: Line, extensions: Mapping[int, bytes], ssrc: int, *, is_rtx: bool
    ) -> str | None:
        """By RID, as it was told before, or by the order in which SSRCs are declared, which is that of the layers."""
        rids = line.media.rids
        if not rids:
            return ""
        value = extensions.get(self._repaired_rid_id if is_rtx else self._rid_id)
        if value is not None:
            name = value.decode("ascii", "replace")
        elif ssrc in self._told:
            name = self._told[ssrc][1]
        else:
            repairs = line.media.rtx_ssrcs
            primaries = [one for one, _ in line.media.ssrcs if one not in repairs.values()]
            declared = [repairs.get(one, 0) for one in primaries] if is_rtx else primaries
            place = declared.index(ssrc) if ssrc in declared else len(rids)
            name = rids[place] if place < len(rids) else ""
        return name if name in rids else None

    def _bind_stream(self, line: Line, layer: str, ssrc: int, now: float) -> Handler | None:
        is_audio = line.media.kind == "audio"
        old = line.streams.pop(layer, None)
        if old is not None:
            self._forget(old.ssrc)
            line.ssrcs.discard(old.ssrc)
        uses_transport_cc = any("transport-cc" in codec.feedback for codec in line.codecs.values())
        stream = IncomingStream(
            ssrc=ssrc,
            is_audio=is_audio,
            codecs=line.codecs,
            extension_ids=line.media.extensions,
            record_arrival=self._arrivals.record if uses_transport_cc else None,
            observe_level=self._observe_level if line.publication.source == "microphone" else None,
            send_rtcp=self.transport.send_rtcp,
            counters=self._counters,
            cname=self._cname_of(line, ssrc),
            layer=layer,
        )
        route = self._add_route(line, ssrc, stream.receive)
        if route is not None:
            line.streams[layer] = stream
            line.bound_at[layer] = now
            line.publication.set_layer(layer, stream)
        return route

    def _cname_of(self, line: Line, ssrc: int) -> str:
        """As declared; browsers that declare none have one clock behind their connection all the same."""
        return dict(line.media.ssrcs).get(ssrc) or self.session_id

    def _add_route(self, line: Line, ssrc: int, handler: Handler) -> Handler | None:
        if len(self._routes) >= _MAX_STREAMS:
            self._counters.drops["too_many_ssrcs"] += 1
            return None
        line.ssrcs.add(ssrc)
        self._routes[ssrc] = handler
        return handler

    def _line_of(self, extensions: Mapping[int, bytes], header: rtp_header.RtpHeader) -> Line | None:
        if self._mid_id:
            mid = extensions.get(self._mid_id)
            if mid is not None:
                return self.lines.get(mid.decode("ascii", "replace"))
        if header.ssrc in self._told:
            return self.lines.get(self._told[header.ssrc][0])
        fitting = [
            line
            for line in self.lines.values()
            if header.payload_type in line.codecs or header.payload_type in line.rtx
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _receive_rtx(self, line: Line, layer: str, packet: bytes, now: float) -> None:
        try:
            header = rtp_header.parse(packet)
        except rtp_header.RtpError:
            self._counters.drops["rtp_malformed"] += 1
            return
        # Before its stream is known, too: browsers probe with padding on RTX, and what is not acknowledged was lost.
        transport_id = line.media.extensions.get(sdp.TRANSPORT_CC_URI)
        if transport_id is not None:
            value = rtp_header.extensions(packet, header).get(transport_id, b"")
            if len(value) >= 2:
                self._arrivals.record(value[0] << 8 | value[1], now)
        stream = line.streams.get(layer)
        primary = line.rtx.get(header.payload_type)
        if stream is None or primary is None:
            self._counters.drops["rtx_early"] += 1
            return
        original = rtp_header.unwrap_rtx(packet, header, primary, stream.ssrc)
        if original is not None:
            self._counters.packets_recovered += 1
            stream.receive(original, now, recovered=True)

    def _receive_rtcp(self, packets: Sequence[rtcp.Packet], now: float) -> None:
        for packet in packets:
            if isinstance(packet, rtcp.SenderReport):
                for stream in self._streams():
                    if stream.ssrc == packet.ssrc:
                        stream.on_sender_report(packet, now)

    def _streams(self) -> list[IncomingStream]:
        return [stream for line in self.lines.values() for stream in line.streams.values()]

    def _forget(self, ssrc: int) -> None:
        self._routes.pop(ssrc, None)
        if self.transport.keys is not None:
            self.transport.keys.forget_inbound(ssrc)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        self.transport.tick(now)
        if self.transport.state is TransportState.CLOSED:
            return
        streams = self._streams()
        for stream in streams:
            stream.tick(now, _RTT_S)
        for line in self.lines.values():
            line.publication.tick(now)
        if now >= self._next_feedback:
            self._next_feedback = now + _FEEDBACK_S
            for feedback in self._arrivals.build(_FEEDBACK_SSRC, streams[0].ssrc if streams else 0):
                self.transport.send_rtcp(feedback)
        if now >= self._next_report and streams:
            self._next_report = now + _REPORT_S
            self._report(now)

    def _report(self, now: float) -> None:
        worst = 0
        blocks: list[rtcp.ReportBlock] = []
        for line in self.lines.values():
            for stream in line.streams.values():
                block = stream.reception.report_block(stream.ssrc, now)
                worst = max(worst, block.fraction_lost)
                if line.publication.kind == "audio":
                    block = told_loss(block, (one.fraction_lost for one in line.publication.subscriptions))
                blocks.append(block)
        self._loss = worst / 256
        self.transport.send_rtcp(rtcp.build_rr(_FEEDBACK_SSRC, blocks))

    def worst_loss(self) -> float:
        """The highest share of packets lost on the way to us in the last report, 0 to 1."""
        return self._loss

    def close(self) -> None:
        """Close the transport; the publications stay for whoever reconnects."""
        self.transport.close()

    def _state_changed(self, state: TransportState) -> None:
        if state is TransportState.CLOSED:
            for line in self.lines.values():
                self._withdraw(line)
            self._routes.clear()
        if self.on_state is not None:
            self.on_state(state)
