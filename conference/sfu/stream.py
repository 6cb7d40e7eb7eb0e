"""One incoming RTP stream: statistics, loss, cache, keyframes, and hand-over to the receivers.

A publication has one for each layer at a time. A publisher that reconnects brings new ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from conference.rtc import rtcp, rtp_header, srtp
from conference.rtc.codecs import h264, vp8
from conference.rtc.nack import NackGenerator
from conference.rtc.packet_cache import PacketCache
from conference.rtc.reception import ReceptionStatistics
from conference.rtc.sdp import Codec
from conference.rtc.sdp_codecs import AUDIO_LEVEL_URI, TRANSPORT_CC_URI, VIDEO_ORIENTATION_URI

from . import router
from .counters import Counters
from .lane import Lane

if TYPE_CHECKING:
    from .subscription import Subscription
    from .tap import TapTrack

PLI_INTERVAL_S = 0.5
_PLI_REPEAT_S = 1.0  # while a receiver still waits for its keyframe
_MOST = srtp.MAX_PACKET - srtp.TRAILER - 32  # bytes; packets grow by their extensions, and slots do not
_LATE = 1024  # packets; what is further behind belongs to another numbering
_MEASURE_S = 1.0


class Waiting(Protocol):
    """A receiver or a tap that waits for the packet from which it can be served by a stream."""

    pending_at: IncomingStream | None

    @property
    def needs_keyframe(self) -> bool:
        """Nothing but a keyframe is missing."""

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
        """Whether it is served from this packet of `stream` on; it takes its place there by itself."""


class IncomingStream:
    """Fed by the Publisher with plain packets of one SSRC; `receive` is the hot path."""

    def __init__(
        self,
        *,
        ssrc: int,
        is_audio: bool,
        codecs: Mapping[int, Codec],
        extension_ids: Mapping[str, int],
        record_arrival: Callable[[int, float], None] | None,
        observe_level: Callable[[int, bool, float], None] | None,
        send_rtcp: Callable[[bytes], None],
        counters: Counters,
        cname: str = "",
        is_reliable: bool = False,
        layer: str = "",
    ) -> None:
        """`codecs` by payload type, without RTX; `record_arrival(transport_sequence, now)` feeds congestion
        control; `observe_level(level, voice, now)` the speaker detection; `cname` names the sender's clock;
        of a stream that `is_reliable` nothing is asked for again: its only feedback is the request for a keyframe;
        `layer` is its name in simulcast, empty where it is the only one."""
        self.ssrc = ssrc
        self.layer = layer
        self.cname = cname
        self.is_audio = is_audio
        self.clock_rate = 48000 if is_audio else 90000
        self.codec: Codec | None = None
        self.is_open = True
        self.reception = ReceptionStatistics(self.clock_rate)
        self.nack = NackGenerator()
        self.cache = PacketCache(128 if is_audio else 1024)
        self.groups: list[router.Group] = []
        self.pending: list[Waiting] = []
        self.members: list[Subscription] = []
        self.lanes: dict[int, Lane] = {}  # by their highest temporal layer
        self.on_codec: Callable[[Codec], None] | None = None
        self.taps: tuple[TapTrack, ...] = ()
        # Last sender report: NTP time (32.32), RTP time stamp, arrival in s
        self.sender_report: tuple[int, int, float] | None = None
        self.forwarded = 0  # packets and payload bytes let through, the base of the receivers' reports
        self.forwarded_bytes = 0
        self.last_sequence = 0  # the highest let through
        self.last_timestamp = 0
        self.last_arrival = 0.0
        # Of the last second; the picture's size in pixels as of its last keyframe, 0 before that.
        self.bitrate_bps = 0
        self.fps = 0.0
        self.width = 0
        self.height = 0
        self._is_turned = False  # a phone that is held upright sends its pictures lying
        self._measured = (0.0, 0, 0)  # when, and payload bytes and sequence number then
        self._codecs = codecs
        self._send_rtcp = send_rtcp
        self._counters = counters
        self._record_arrival = record_arrival
        self._observe_level = observe_level
        self._transport_id = extension_ids.get(TRANSPORT_CC_URI, 0) if record_arrival else 0
        self._level_id = extension_ids.get(AUDIO_LEVEL_URI, 0)
        self._orientation_id = extension_ids.get(VIDEO_ORIENTATION_URI, 0)
        self._wants_nack = not is_audio and not is_reliable
        self._last_pli = float("-inf")
        self._pli_due = False
        self._restarted_at = -1  # what would confirm a numbering that began anew

    # ── the hot path ────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: bytes, now: float, *, recovered: bool = False) -> None:
        """One plain packet of this SSRC, straight from SRTP or out of a retransmission."""
        size = len(packet)
        first = packet[0] if 12 <= size <= _MOST else 0
        if first & 0xC0 != 0x80:
            self._counters.drops["rtp_malformed"] += 1
            return
        codec = self._codecs.get(packet[1] & 0x7F)
        if codec is None:
            self._counters.drops["payload_type"] += 1
            return
        at = 12 + 4 * (first & 0x0F)
        level = orientation = transport_sequence = -1
        if first & 0x10:
            if at + 4 > size:
                self._counters.drops["rtp_malformed"] += 1
                return
            one_byte = packet[at] == 0xBE and packet[at + 1] == 0xDE
            i = at + 4
            at = i + 4 * (packet[at + 2] << 8 | packet[at + 3])
            if at > size:
                self._counters.drops["rtp_malformed"] += 1
                return
            if one_byte:
                level_id, transport_id, orientation_id = (
                    self._level_id,
                    self._transport_id,
                    self._orientation_id,
                )
                while i < at:
                    head = packet[i]
                    if head == 0:
                        i += 1
                        continue
                    number = head >> 4
                    if number == transport_id and i + 2 < at:
                        transport_sequence = packet[i + 1] << 8 | packet[i + 2]
                    elif number == level_id and i + 1 < at:
                        level = packet[i + 1]
                    elif number == orientation_id and i + 1 < at:
                        orientation = packet[i + 1]
                    elif number == 15:
                        break
                    i += (head & 0x0F) + 2
            else:
                level, orientation, transport_sequence = self._slow_extensions(packet)
        end = size
        if first & 0x20:
            end -= packet[-1]
            if end < at or packet[-1] == 0:
                self._counters.drops["rtp_malformed"] += 1
                return
        sequence = packet[2] << 8 | packet[3]
        timestamp = int.from_bytes(packet[4:8], "big")
        if transport_sequence >= 0 and not recovered and self._record_arrival is not None:
            self._record_arrival(transport_sequence, now)
        cache = self.cache
        if cache.find(sequence) is not None:
            self._counters.drops["duplicate"] += 1
            return
        cache.store(sequence, packet)
        if not recovered:
            self.reception.on_packet(sequence, timestamp, now, size)
        if self._wants_nack:
            self.nack.on_packet(sequence, now, recovered=recovered)
        if level >= 0 and self.is_open and self._observe_level is not None:
            self._observe_level(level & 0x7F, level > 0x7F, now)
        if orientation >= 0:
            self._is_turned = orientation & 1 > 0
        if codec is not self.codec:
            self._change_codec(codec)
        if not self.is_open:
            if (sequence - self.last_sequence) & 0xFFFF < 0x8000:
                self.last_sequence = sequence  # a long mute must not look like another numbering
            return
        if self.pending:
            self._start_pending(packet[at:end], sequence, timestamp, now)
        self.forwarded += 1
        self.forwarded_bytes += end - at
        if (sequence - self.last_sequence) & 0xFFFF < 0x8000 or self.last_arrival == 0.0:
            self.last_sequence = sequence
            self.last_timestamp = timestamp
            self.last_arrival = now
            groups = self.groups
            if groups:
                router.forward(groups, packet, sequence, timestamp, at, end, level, orientation, now)
        elif (self.last_sequence - sequence) & 0xFFFF < _LATE:
            if self.groups:
                router.forward_late(
                    self.groups, packet, sequence, timestamp, at, end, level, orientation, now
                )
        elif not self._begins_anew(sequence, timestamp, now):
            return
        if self.taps:
            for tap in self.taps:
                tap.receive(packet, at, end, now)

    def _begins_anew(self, sequence: int, timestamp: int, now: float) -> bool:
        """Far behind: two in a row mean that the sender counts anew (RFC 3550, A.1), and one is nothing.

        Receivers then need a starting point: their old offsets would use numbers a second time.
        """
        if sequence != self._restarted_at:
            self._restarted_at = (sequence + 1) & 0xFFFF
            self._counters.drops["stray_sequence"] += 1
            return False
        self._restarted_at = -1
        self.cache.clear()  # its numbers come again
        self.restart_receivers()
        self.last_sequence = sequence
        self.last_timestamp = timestamp
        self.last_arrival = now
        return True

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height of the pictures as they are shown (3GPP TS 26.114, 7.4.5); 0 before they are known."""
        return (self.height, self.width) if self._is_turned else (self.width, self.height)

    @property
    def orientation_id(self) -> int:
        """The number of the header extension that says how a phone is held; 0 when there is none."""
        return self._orientation_id

    def find(self, sequence: int) -> bytes | None:
        """The packet of that number as it came, if it is still there."""
        return self.cache.find(sequence)

    def last_picture(self) -> tuple[int, int]:
        """Picture id and tl0picidx of the newest packet of VP8 that has them; zeros where none has."""
        for back in range(_LATE):
            packet = self.cache.find((self.last_sequence - back) & 0xFFFF)
            if packet is None:
                break
            header = rtp_header.parse(packet)
            try:
                descriptor = vp8.parse(packet[header.payload_start : header.payload_end])
            except vp8.Vp8Error:  # padding alone
                continue
            return descriptor.picture_id or 0, descriptor.tl0picidx or 0
        return 0, 0

    def read_extensions(self, packet: bytes) -> tuple[int, int]:
        """(audio level, video orientation) of a cached packet as raw bytes, -1 where absent."""
        level, orientation, _ = self._slow_extensions(packet)
        return level, orientation

    def _slow_extensions(self, packet: bytes) -> tuple[int, int, int]:
        try:
            found = rtp_header.extensions(packet, rtp_header.parse(packet))
        except rtp_header.RtpError:
            return -1, -1, -1
        level = found.get(self._level_id, b"")
        orientation = found.get(self._orientation_id, b"")
        transport = found.get(self._transport_id, b"")
        return (
            level[0] if self._level_id and level else -1,
            orientation[0] if self._orientation_id and orientation else -1,
            transport[0] << 8 | transport[1] if self._transport_id and len(transport) >= 2 else -1,
        )

    # ── receivers ───────────────────────────────────────────────────────────────────────────────

    def attach(self, waiting: Waiting) -> None:
        """Forward to this receiver from the next packet (sound) or keyframe (picture) on.

        It waits at one stream at a time; where it is served until then does not matter.
        """
        if waiting.pending_at is not self:
            if waiting.pending_at is not None:
                waiting.pending_at.cancel(waiting)
            waiting.pending_at = self
            self.pending.append(waiting)

    def cancel(self, waiting: Waiting) -> None:
        """It does not wait here any more. Unknown ones are ignored."""
        if waiting.pending_at is self:
            waiting.pending_at = None
            self.pending.remove(waiting)

    def detach(self, subscription: Subscription) -> None:
        """Stop at once. Unknown ones are ignored."""
        self.cancel(subscription)
        self.leave(subscription)

    def leave(self, subscription: Subscription, before: int | None = None) -> None:
        """Serve it no more, from packet `before` on, though it may wait for this stream or another one.

        Unknown ones are ignored.
        """
        if subscription in self.members:
            self.members.remove(subscription)
            subscription.stopped(self, before)
            self.regroup()

    def set_open(self, is_open: bool) -> None:
        """The gate of a hard mute: closed, nothing reaches anybody."""
        if is_open == self.is_open:
            return
        self.is_open = is_open
        for tap in self.taps:
            tap.gate(is_open=is_open)
        if not is_open:
            self.restart_receivers()

    def restart_receivers(self) -> None:
        """Every receiver waits for its next starting point."""
        members, self.members, self.groups, self.lanes = self.members, [], [], {}
        for subscription in members:
            subscription.stopped(self)
            if subscription.pending_at is None:
                self.attach(subscription)

    def regroup(self) -> None:
        """Sort the receivers into groups again; called when one comes, goes, or changes path or codec."""
        groups: dict[tuple[router.Shape, int, int], router.Group] = {}
        for subscription in self.members:
            shape = subscription.shape
            if shape is None:
                continue
            key = (shape, id(subscription.batch), id(subscription.lane))
            group = groups.get(key)
            if group is None:
                group = groups[key] = router.Group(shape, subscription.batch, subscription.lane)
            group.members.append(subscription)
        self.groups = list(groups.values())
        self.lanes = {group.lane.max_temporal: group.lane for group in self.groups if group.lane is not None}

    def lane(self, max_temporal: int) -> Lane:
        """The numbering for receivers with this limit; kept as long as it has some."""
        lane = self.lanes.get(max_temporal)
        if lane is None:
            lane = self.lanes[max_temporal] = Lane(self, max_temporal)
        return lane

    def _start_pending(self, payload: bytes, sequence: int, timestamp: int, now: float) -> None:
        if _LATE <= (self.last_sequence - sequence) & 0xFFFF <= 0x8000 and self.last_arrival:
            return  # of another numbering, perhaps
        is_start = self.is_audio or self.is_keyframe(payload)
        if is_start and self.layer and self.codec is not None and self.codec.is_called("H264"):
            # Layers differ in their parameter sets, and a browser sends them with every keyframe.
            is_start = h264.find_sps(payload) is not None
        if is_start and not self.is_audio:
            self._read_size(payload)
            if self.layer:  # it is what was asked for while receivers waited to change layers
                self._pli_due = False
        for waiting in tuple(self.pending):
            if waiting.start(self, payload, sequence, timestamp, now, is_start=is_start):
                self.cancel(waiting)
        if not self.is_audio and any(waiting.needs_keyframe for waiting in self.pending):
            self.request_keyframe(now)

    def is_keyframe(self, payload: bytes) -> bool:
        """Whether a keyframe of the present codec begins in this packet."""
        if self.codec is None or not payload:
            return False
        if self.codec.name.upper() == "H264":
            return h264.is_keyframe(payload)
        return vp8.is_keyframe(payload)

    def _read_size(self, payload: bytes) -> None:
        assert self.codec is not None
        if self.codec.is_called("H264"):
            parameters = h264.find_sps(payload)
            size = None if parameters is None else (parameters.width, parameters.height)
        else:
            size = vp8.keyframe_size(payload)
        if size is not None:
            self.width, self.height = size

    def _measure(self, now: float) -> None:
        """Once a second over what came since: from the cache, so that it costs nothing while packets come."""
        at, octets, sequence = self._measured
        self._measured = (now, self.forwarded_bytes, self.last_sequence)
        if at == 0.0:
            sequence = (self.last_sequence - _LATE) & 0xFFFF
        else:
            self.bitrate_bps = int(8 * (self.forwarded_bytes - octets) / (now - at))
        if self.is_audio:
            return
        pictures = 0
        count = min((self.last_sequence - sequence) & 0xFFFF, _LATE)
        begins = True
        for back in range(count - 1, -1, -1):
            packet = self.cache.find((self.last_sequence - back) & 0xFFFF)
            if packet is None:
                begins = True
                continue
            if begins:
                header = rtp_header.parse(packet)
                payload = packet[header.payload_start : header.payload_end]
                if self.is_keyframe(payload):
                    self._read_size(payload)
            begins = packet[1] > 0x7F
            pictures += begins
        if at != 0.0:
            self.fps = pictures / (now - at)

    def _change_codec(self, codec: Codec) -> None:
        self.codec = codec
        self.restart_receivers()
        if self.on_codec is not None:
            self.on_codec(codec)

    # ── feedback to the publisher ───────────────────────────────────────────────────────────────

    def request_keyframe(self, now: float) -> None:
        """Ask the publisher for a keyframe, at most twice a second; a request in between is kept for later."""
        if now - self._last_pli < PLI_INTERVAL_S:
            self._pli_due = True
            return
        self._last_pli = now
        self._pli_due = False
        self._counters.plis_sent += 1
        self._send_rtcp(rtcp.build_pli(1, self.ssrc))

    def tick(self, now: float, rtt_s: float) -> None:
        """Call every 20 ms or so: overdue NACKs and keyframe requests, and what the stream measures of itself."""
        if now - self._measured[0] >= _MEASURE_S and self.last_arrival:
            self._measure(now)
        if self._wants_nack:
            lost = self.nack.due(now, rtt_s)
            if lost:
                self._counters.nacks_sent += len(lost)
                self._send_rtcp(rtcp.build_nack(1, self.ssrc, lost))
            if self.nack.overflow:
                self.nack.overflow = False
                self._pli_due = True
        if self.is_audio or not self.is_open:
            return
        wait = PLI_INTERVAL_S if self._pli_due else _PLI_REPEAT_S
        if not self._pli_due and not any(waiting.needs_keyframe for waiting in self.pending):
            return
        if now - self._last_pli >= wait:
            self.request_keyframe(now)

    def on_sender_report(self, report: rtcp.SenderReport, now: float) -> None:
        self.sender_report = (report.ntp, report.rtp_ts, now)
        self.reception.on_sender_report(report.ntp, now)
        for tap in self.taps:
            tap.report(report.ntp, report.rtp_ts, now)

    def close(self) -> None:
        """Leave all receivers without a source."""
        for waiting in tuple(self.pending):
            self.cancel(waiting)
        for subscription in tuple(self.members):
            self.detach(subscription)
        for track in self.taps:
            track.stream = None
        self.groups = []
        self.taps = ()
        self.cache.clear()
