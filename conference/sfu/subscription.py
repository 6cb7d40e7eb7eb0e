"""One publication forwarded to one receiver: its numbering, its reports, its retransmissions."""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from conference.rtc import rtcp, rtp_header
from conference.rtc.bandwidth import MEDIA, PROBE, RETRANSMISSION, SendHistory
from conference.rtc.codecs import vp8
from conference.rtc.layer_selector import MAX_TEMPORAL, LayerSelector
from conference.rtc.munger import Last, Munger, Stretch, distance
from conference.rtc.nack import RtxLimiter
from conference.rtc.sdp import Codec
from conference.rtc.sdp_codecs import AUDIO_LEVEL_URI, VIDEO_ORIENTATION_URI
from conference.rtc.thinning import Late

from . import router
from .codec_match import match_codec
from .lane import Lane

if TYPE_CHECKING:
    from .publication import Publication
    from .stream import IncomingStream
    from .transport import Transport

_FIELDS = struct.Struct("!HII").pack_into
_NUMBER = struct.Struct("!H").pack_into
_REMEMBERED_REPORTS = 4
_SETTLED_S = 5.0  # no packet of before a start comes later than this
_CLOCKS_AGREE_S = 0.5  # layers whose sender reports say otherwise have no clock in common


class SubscriptionState(Enum):
    WAITING = "waiting"  # for the answer, the path, or a keyframe
    ACTIVE = "active"
    UNSUPPORTED_CODEC = "unsupported_codec"


class Subscription:
    """The first slots are read for every packet by the router."""

    __slots__ = (
        "_accepted",
        "_base",
        "_clock",
        "_extensions",
        "_first",
        "_is_numbered",
        "_last_sent",
        "_limiter",
        "_lsr",
        "_octets",
        "_packets",
        "_reported",
        "_rtx_sequence",
        "_stream",
        "_transport_cc_id",
        "batch",
        "fraction_lost",
        "handle",
        "history",
        "lane",
        "munger",
        "name",
        "pending_at",
        "picture_offset",
        "protect_errors",
        "publication",
        "rtt_s",
        "rtx_ssrc",
        "selector",
        "sent_bps",
        "sequence_offset",
        "shape",
        "ssrc",
        "state",
        "timestamp_offset",
        "tl0_offset",
        "transport",
    )

    def __init__(
        self,
        publication: Publication,
        transport: Transport,
        ssrc: int,
        rtx_ssrc: int | None,
        history: SendHistory | None = None,
    ) -> None:
        """`history` numbers what leaves by the transport, whatever subscription it is of; None: nobody else's."""
        self.publication = publication
        self.ssrc = ssrc
        self.rtx_ssrc = rtx_ssrc
        self.history = history if history is not None else SendHistory()
        self.sequence_offset = 0
        self.timestamp_offset = 0
        self.picture_offset = 0
        self.tl0_offset = 0
        self.lane: Lane | None = None
        self.handle: Any = None
        self.name = 0
        self.batch: Any = None
        self.protect_errors = 0
        self.shape: router.Shape | None = None
        self.state = SubscriptionState.WAITING
        self.munger = Munger["IncomingStream | Lane"](random.getrandbits(15), random.getrandbits(32))
        self.selector = LayerSelector()
        self.pending_at: IncomingStream | None = None
        self.fraction_lost = 0.0
        self.rtt_s = 0.0
        self.sent_bps = 0.0  # payload, as of the last report
        self.transport = transport
        self._accepted: Mapping[int, Codec] | None = None
        self._extensions: Mapping[str, int] = {}
        self._transport_cc_id = 0
        self._stream: IncomingStream | None = None
        self._base = (0, 0)
        self._is_numbered = False  # its pictures were numbered here once, so they must be from then on
        self._first = (0, 0.0)  # the source's number of the first packet since the last start, and when
        self._clock: tuple[int, int] | None = None  # NTP time (32.32) and our time stamp that belong together
        self._packets = 0
        self._octets = 0
        self._last_sent: Last | None = None
        self._lsr: dict[int, float] = {}
        self._limiter = RtxLimiter()
        self._reported: tuple[int, float] | None = None  # payload bytes and time of the last report
        self._rtx_sequence = random.getrandbits(15)

    # ── life ────────────────────────────────────────────────────────────────────────────────────

    def enable(
        self, codecs: Mapping[int, Codec], extensions: Mapping[str, int], transport_cc_id: int = 0
    ) -> None:
        """The receiver has answered: these payload types, these extension ids; `transport_cc_id` is 0 when it does not
        tell when packets arrive."""
        self._transport_cc_id = transport_cc_id
        self._accepted = codecs
        self._extensions = extensions

    @property
    def is_ready(self) -> bool:
        """Answered and connected: only a starting point is missing."""
        transport = self.transport
        return self._accepted is not None and transport.keys is not None and transport.path is not None

    @property
    def layer(self) -> str | None:
        """The layer that is sent now; None while nothing is."""
        return self.selector.current

    @property
    def needs_keyframe(self) -> bool:
        """It waits for another source, not only for another share of the one that it has."""
        return self.is_ready and (self.shape is None or self._stream is not self.pending_at)

    def wants_lane(self) -> bool:
        """Whether it gets other temporal layers of its stream than it should."""
        stream = self._stream
        if stream is None or self.shape is None:
            return False
        return self._numbers(stream) and self._limit != self.selector.max_temporal

    @property
    def _limit(self) -> int:
        return self.lane.max_temporal if self.lane is not None else MAX_TEMPORAL

    def _numbers(self, stream: IncomingStream) -> bool:
        """Whether the pictures of this stream are numbered for this receiver."""
        return (
            stream.codec is not None
            and stream.codec.is_called("VP8")
            and (self._is_numbered or bool(stream.layer) or self.selector.max_temporal < MAX_TEMPORAL)
        )

    def was_there(self, sequence: int, now: float) -> bool:
        """Whether a late packet of the stream comes after the one that this receiver was started with."""
        first, since = self._first
        return now - since > _SETTLED_S or (sequence - first) & 0xFFFF < 0x8000

    def use_path(self) -> None:
        """Take over the transport's present way out."""
        transport = self.transport
        if transport.keys is None or transport.path is None:
            return
        self.handle = transport.keys.outbound
        self.batch = transport.path.batch
        self.name = transport.path.name
        if self._stream is not None:
            self._stream.regroup()

    def start(
        self,
        stream: IncomingStream,
        payload: bytes,
        sequence: int,
        timestamp: int,
        now: float,
        *,
        is_start: bool,
    ) -> bool:
        """Whether the receiver can be served from this packet of `stream` on; it leaves the one before."""
        if self._accepted is None or not self.is_ready or stream.codec is None:
            return False
        matched = match_codec(stream.codec, self._accepted)
        is_newest = (sequence - stream.last_sequence) & 0xFFFF < 0x8000 or stream.last_arrival == 0.0
        if matched is not None:
            if self._stream is stream and self.shape is not None:
                if (sequence - stream.last_sequence) & 0xFFFF != 1 or not self._may_change_lane(payload):
                    return False
            elif not (
                self.selector.may_switch(stream.layer, is_keyframe=is_start)
                and self._may_start(stream, payload, sequence, is_newest=is_newest)
            ):
                return False
        if self._stream is not None:
            self._stream.leave(self, before=sequence if self._stream is stream else None)
        self._stream = stream
        stream.members.append(self)
        if matched is None:
            self._change(SubscriptionState.UNSUPPORTED_CODEC)
            self.shape = None
            return True
        self.selector.switched(stream.layer)
        self.shape = router.Shape(
            matched,
            self._extensions.get(AUDIO_LEVEL_URI, 0),
            self._extensions.get(VIDEO_ORIENTATION_URI, 0),
            self._transport_cc_id,
        )
        self._take_place(stream, payload, sequence, timestamp, now, is_newest=is_newest, is_start=is_start)
        self.use_path()
        self._change(SubscriptionState.ACTIVE)
        return True

    def _may_start(self, stream: IncomingStream, payload: bytes, sequence: int, *, is_newest: bool) -> bool:
        """Whether the lane has a number for this keyframe: not for one that claims to be of an upper temporal layer."""
        if not self._numbers(stream):
            return True
        if (vp8.parse(payload).temporal_id or 0) > self.selector.max_temporal:
            return False
        lane = stream.lanes.get(self.selector.max_temporal)
        return is_newest or lane is None or lane.may_begin(sequence, payload, 0, len(payload))

    def _may_change_lane(self, payload: bytes) -> bool:
        """Down with any picture that stays, up with one that needs only what everybody has (RFC 7741, 4.2: Y)."""
        if not vp8.is_start_of_frame(payload):
            return False
        try:
            descriptor = vp8.parse(payload)
        except vp8.Vp8Error:
            return False
        temporal = descriptor.temporal_id or 0
        have, wanted = self._limit, self.selector.max_temporal
        if temporal > wanted:
            return False
        return wanted < have or vp8.is_keyframe(payload) or (descriptor.layer_sync and temporal > have)

    def _take_place(
        self,
        stream: IncomingStream,
        payload: bytes,
        sequence: int,
        timestamp: int,
        now: float,
        *,
        is_newest: bool,
        is_start: bool,
    ) -> None:
        """Let this packet follow what was sent last."""
        source: IncomingStream | Lane = stream
        pictures: tuple[int, int] | None = None
        number = sequence
        self.lane = None
        if self._numbers(stream):
            self._is_numbered = True
            source = self.lane = stream.lane(self.selector.max_temporal)
            thinner = self.lane.thinner
            if is_newest:
                thinner.take(sequence, payload, 0, len(payload))
            else:
                self.lane.begin(sequence)
                thinner.recall(sequence, payload, 0, len(payload))
            number = thinner.number
            if thinner.picture_bits:
                pictures = (thinner.picture_id, thinner.tl0picidx)
        last = self._last_sent
        if pictures is not None and last is not None and not is_start:
            pictures = (pictures[0], last.tl0picidx + 1 - self.tl0_offset)  # the same layers count on
        elapsed = self._elapsed(stream, timestamp, last, now) if last is not None else 1
        stretch = self.munger.rebase(source, number, timestamp, last, elapsed, pictures)
        self.sequence_offset = stretch.sequence_offset
        self.timestamp_offset = stretch.timestamp_offset
        self.picture_offset = stretch.picture_offset
        self.tl0_offset = stretch.tl0_offset
        self._base = (source.forwarded, source.forwarded_bytes)
        self._first = (number, now)

    def _elapsed(self, stream: IncomingStream, timestamp: int, last: Last, now: float) -> int:
        """RTP ticks from the last packet that was sent to this one: by the publisher's clock where layers say how
        theirs lie, else by our own. Not positive where this one was captured before."""
        by_arrival = int((now - last.at_s) * stream.clock_rate)
        if self._clock is None or stream.sender_report is None:
            return by_arrival
        ntp, known = self._clock
        reported_ntp, reported, _ = stream.sender_report
        between_s = distance(reported_ntp, ntp, 64) / (1 << 32)
        behind = distance(timestamp, reported, 32)
        by_clock = known + int(between_s * stream.clock_rate) + behind - last.timestamp
        by_clock = distance(by_clock, 0, 32)
        if abs(by_clock - by_arrival) > _CLOCKS_AGREE_S * stream.clock_rate:
            return by_arrival
        return by_clock

    def stopped(self, stream: IncomingStream, before: int | None = None) -> None:
        """The stream no longer feeds this receiver; keep what a later start must go on from.

        `before`: it stops before this packet, which the stream may have looked at.
        """
        if self.shape is not None and self._stream is stream:
            self._packets, self._octets = self._sent(stream)
            self._last_sent = self._last_of(stream, before)
            self._clock = None
            if stream.sender_report is not None:
                ntp, reported, _ = stream.sender_report
                self._clock = (ntp, (reported + self.timestamp_offset) & 0xFFFFFFFF)
        self.shape = None
        self.lane = None
        self.sent_bps = 0.0
        self._stream = None
        self.selector.stop()
        self._change(SubscriptionState.WAITING)

    def _last_of(self, stream: IncomingStream, before: int | None = None) -> Last:
        """What was sent last of the stream that feeds it."""
        if self.lane is not None:
            number, picture_id, tl0picidx = self.lane.thinner.latest(before)
        else:
            number = stream.last_sequence
            picture_id, tl0picidx = stream.last_picture() if self._numbers(stream) else (0, 0)
        return Last(
            (number + self.sequence_offset) & 0xFFFF,
            (stream.last_timestamp + self.timestamp_offset) & 0xFFFFFFFF,
            stream.last_arrival,
            (picture_id + self.picture_offset) & 0x7FFF,
            (tl0picidx + self.tl0_offset) & 0xFF,
        )

    def _change(self, state: SubscriptionState) -> None:
        if state is not self.state:
            was, self.state = self.state, state
            self.publication.subscription_changed(self, was)

    def _sent(self, stream: IncomingStream) -> tuple[int, int]:
        packets, octets = self._base
        source = self.lane or stream
        return (
            self._packets + source.forwarded - packets,
            self._octets + source.forwarded_bytes - octets,
        )

    # ── packets ─────────────────────────────────────────────────────────────────────────────────

    def send_alone(self, out: bytes, sequence: int, timestamp: int, now: float) -> None:
        """One packet by itself, for paths that take no batches."""
        packet = bytearray(out)
        _FIELDS(
            packet,
            2,
            (sequence + self.sequence_offset) & 0xFFFF,
            (timestamp + self.timestamp_offset) & 0xFFFFFFFF,
            self.ssrc,
        )
        if self.shape is not None and self.shape.transport_cc_id:
            self._number(packet, MEDIA, now)
        self.transport.send_rtp(bytes(packet))

    def _number(self, packet: bytearray, kind: int, now: float) -> None:
        _NUMBER(packet, router.NUMBER_AT, self.history.add((now, len(packet), kind)))

    @property
    def may_pad(self) -> bool:
        """Whether padding can be sent beside its picture, which needs not be on its way now."""
        return self._transport_cc_id > 0 and self.is_ready and self._padding_type() is not None

    def pad(self, size: int, now: float) -> int:
        """Send a retransmission (RFC 4588) of nothing, with `size` bytes of padding, at most 255; how large it was."""
        payload_type = self._padding_type()
        if payload_type is None or self.rtx_ssrc is None:
            return 0
        packet = bytearray(20 + size)
        packet[:2] = bytes((0xB0, payload_type))
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        _FIELDS(packet, 2, self._rtx_sequence, int(now * 90000) & 0xFFFFFFFF, self.rtx_ssrc)
        packet[12:17] = bytes((0xBE, 0xDE, 0, 1, self._transport_cc_id << 4 | 1))
        packet[-1] = size
        self._number(packet, PROBE, now)
        self.transport.send_rtp(bytes(packet))
        return len(packet)

    def _padding_type(self) -> int | None:
        if self.rtx_ssrc is None:
            return None
        if self.shape is not None:
            return self._rtx_payload_type(self.shape.payload_type)
        return next((n for n, codec in (self._accepted or {}).items() if codec.rtx_for is not None), None)

    def resend(self, sequences: Sequence[int], now: float) -> int:
        """Answer a NACK from the cache, as RTX (RFC 4588) where negotiated; returns how many were sent."""
        stream, shape = self._stream, self.shape
        if stream is None or shape is None:
            return 0
        last = self._last_of(stream).sequence
        sent = 0
        for sequence in sequences:
            resolved = self.munger.resolve(sequence, last)
            if resolved is None:
                continue
            stretch, number = resolved
            packet = stretch.source.find(number)
            if packet is None or not self._limiter.allow(sequence, len(packet), now):
                continue
            self._resend_one(packet, sequence, stretch, shape, now)
            sent += 1
        return sent

    def _resend_one(
        self,
        packet: bytes,
        sequence: int,
        stretch: Stretch[IncomingStream | Lane],
        shape: router.Shape,
        now: float,
    ) -> None:
        header = rtp_header.parse(packet)
        start, end = header.payload_start, header.payload_end
        source = stretch.source
        if isinstance(source, Lane):
            level, orientation = source.stream.read_extensions(packet)
            thinner = source.thinner
            if thinner.recall(header.sequence, packet, start, end) is Late.WHOLE:
                rendered, at = router.render_numbered(packet, shape, start, end, level, orientation, thinner)
                out = router.number_pictures(rendered, at, thinner, stretch)
            else:
                out = bytearray(router.render(packet, shape, end, end, level, orientation))
        else:
            level, orientation = source.read_extensions(packet)
            out = bytearray(router.render(packet, shape, start, end, level, orientation))
        timestamp = (header.timestamp + stretch.timestamp_offset) & 0xFFFFFFFF
        rtx = self._rtx_payload_type(shape.payload_type)
        if rtx is None or self.rtx_ssrc is None:
            _FIELDS(out, 2, sequence, timestamp, self.ssrc)
        else:
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            out[1] = (out[1] & 0x80) | rtx
            _FIELDS(out, 2, self._rtx_sequence, timestamp, self.rtx_ssrc)
            begin = 16 + 4 * out[15] if out[0] & 0x10 else 12
            out[begin:begin] = sequence.to_bytes(2, "big")
        if shape.transport_cc_id:
            self._number(out, RETRANSMISSION, now)
        self.transport.send_rtp(bytes(out))

    def _rtx_payload_type(self, payload_type: int) -> int | None:
        for number, codec in (self._accepted or {}).items():
            if codec.rtx_for == payload_type:
                return number
        return None

    # ── reports ─────────────────────────────────────────────────────────────────────────────────

    def sender_report(self, now: float) -> bytes | None:
        """The publisher's mapping of NTP to RTP time, moved on to now and onto our numbering, with our counts.

        The NTP clock stays the publisher's, so that its sound and picture stay together at the receiver.
        """
        stream = self._stream
        if stream is None or self.shape is None:
            return None
        self.munger.settle(self._last_of(stream).sequence)
        if stream.sender_report is None:
            return None
        ntp, rtp_ts, arrival = stream.sender_report
        elapsed = now - arrival
        ntp = (ntp + int(elapsed * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
        timestamp = rtp_ts + int(elapsed * stream.clock_rate) + self.timestamp_offset
        packets, octets = self._sent(stream)
        if self._reported is not None and now > self._reported[1]:
            self.sent_bps = 8 * (octets - self._reported[0]) / (now - self._reported[1])
            self._limiter.set_media_rate(self.sent_bps)
        self._reported = (octets, now)
        self._lsr[(ntp >> 16) & 0xFFFFFFFF] = now
        if len(self._lsr) > _REMEMBERED_REPORTS:
            del self._lsr[next(iter(self._lsr))]
        return rtcp.build_sr(
            self.ssrc, ntp, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
        )

    def on_report_block(self, block: rtcp.ReportBlock, now: float) -> None:
        """What the receiver says: loss, and round-trip time by RFC 3550 section 6.4.1."""
        self.fraction_lost = block.fraction_lost / 256
        sent_at = self._lsr.get(block.lsr)
        if sent_at is not None:
            self.rtt_s = max(0.0, now - sent_at - block.dlsr / 65536)

    def request_keyframe(self, now: float) -> None:
        if self._stream is not None:
            self._stream.request_keyframe(now)
