"""What a light client sends: VP8 and Opus RTP, synthetic but well formed, or real frames for a decoder."""

import asyncio
import dataclasses
import random
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Literal

from tests.support.light_client.h264 import payloads
from tests.support.light_client.peer import STAMP, Peer
from tests.support.light_client.rtcp import NTP_OFFSET_S, SenderReport
from tests.support.light_client.sdp import (
    AUDIO_LEVEL_URI,
    H264,
    MID_URI,
    OPUS,
    RID_URI,
    TRANSPORT_CC_URI,
    VP8,
    MediaSection,
    OfferedTrack,
)

_FILL = random.Random(7).randbytes(1500)
_PACE_S = 0.005
MAX_PAYLOAD = 1100
_RID_PACKETS = 60  # that bear a RID, as long as a browser waits for the first report on them


def ntp_now() -> int:
    """Wall clock as NTP (32.32)."""
    return int((time.time() + NTP_OFFSET_S) * (1 << 32))


class _Extensions:
    """The one-byte header extensions of one stream, rebuilt only where something in them changes."""

    def __init__(self, section: MediaSection | None, rid: str = "") -> None:
        self._rid = rid.encode()
        self._rid_id = section.extension(RID_URI) if section is not None and rid else None
        identifier = section.extension if section is not None else lambda uri: None
        self._mid_id = identifier(MID_URI)
        self._mid = section.mid.encode() if section is not None else b""
        self._level_id = identifier(AUDIO_LEVEL_URI)
        self._cc_id = identifier(TRANSPORT_CC_URI)
        self._fixed = self._pack(None, None) if self._level_id is None and self._cc_id is None else None

    @property
    def transport_cc(self) -> bool:
        """True when packets carry a transport-wide number."""
        return self._cc_id is not None

    def render(self, level_db: int | None = None, number: int | None = None) -> bytes:
        """The extension block; empty when nothing was negotiated."""
        return self._fixed if self._fixed is not None else self._pack(level_db, number)

    def _pack(self, level_db: int | None, number: int | None) -> bytes:
        body = b""
        if self._mid_id and self._mid:
            body += bytes([self._mid_id << 4 | len(self._mid) - 1]) + self._mid
        if self._rid_id:
            body += bytes([self._rid_id << 4 | len(self._rid) - 1]) + self._rid
        if self._level_id and level_db is not None:
            body += bytes([self._level_id << 4, (0x80 if level_db < 60 else 0) | level_db & 127])
        if self._cc_id and number is not None:
            body += bytes([self._cc_id << 4 | 1, number >> 8 & 255, number & 255])
        if not body:
            return b""
        body += bytes(-len(body) % 4)
        return struct.pack("!HH", 0xBEDE, len(body) // 4) + body


class _Source:
    """Numbers, counters and the timer that both kinds have."""

    kind: str
    clock_rate: int

    def __init__(self) -> None:
        self.ssrc = random.getrandbits(31) | 1
        self.seq = random.randrange(2000)
        self.timestamp = random.getrandbits(30)
        self.packets = self.octets = 0
        self.rid = ""  # of an encoding; told while the other side may not know the SSRC yet
        self.peer: Peer | None = None
        self.running = False
        self._section: MediaSection | None = None
        self._extensions = _Extensions(None)
        self._next_s = self._captured_s = 0.0
        self.began_s = 0.0  # the loop's time at which the first frame or packet was captured
        self._loop: asyncio.AbstractEventLoop

    def _prepare(self, peer: Peer, section: MediaSection | None) -> None:
        self.peer = peer
        self._section = section
        self._extensions = _Extensions(section, self.rid)
        self._loop = asyncio.get_running_loop()
        self.running = True

    def stop(self) -> None:
        """Send nothing more."""
        self.running = False

    def report(self) -> tuple[int, SenderReport]:
        """For the sender report: the RTP time of this moment, not that of the last packet."""
        timestamp = self.timestamp + int((self._loop.time() - self._captured_s) * self.clock_rate)
        return self.ssrc, SenderReport(ntp_now(), timestamp & 0xFFFFFFFF, self.packets, self.octets)

    def _send(
        self, payload_type: int, marker: bool, payload: bytes, level_db: int | None, keep: bool
    ) -> None:
        assert self.peer is not None
        number: int | None = None
        if self._extensions.transport_cc:
            number = self.peer.sent["transport number"]
            self.peer.sent["transport number"] += 1
        extensions = self._extensions.render(level_db, number)
        head = struct.pack(
            "!BBHII",
            0x90 if extensions else 0x80,
            payload_type | (0x80 if marker else 0),
            self.seq,
            self.timestamp,
            self.ssrc,
        )
        self.seq = self.seq + 1 & 0xFFFF
        self.packets += 1
        if self.rid and self.packets == _RID_PACKETS:
            self._extensions = _Extensions(self._section)
        self.octets += len(payload)
        self.peer.send_rtp(head + extensions + payload, keep=keep)


class VideoSource(_Source):
    """VP8, or H264 by its access units. With `frames` those real frames in a loop (first one a keyframe); else filler
    of VP8 at `bitrate_bps`. `shown` says in which place each frame is shown where that is not its own (B-frames).

    Filler ends with a mark and the sending time, which a sampling `Peer` turns into latency. `burst` packets
    go each 5 ms, as from Chromium's pacer; 0 sends whole frames at once. `picture` is the size in pixels that keyframes
    of filler tell. `temporal` are the temporal layers of
    the frames in turn, from each keyframe on; those above the first need only the last of the first (0) and of
    those between.
    """

    kind = "video"
    clock_rate = 90_000

    def __init__(
        self,
        *,
        fps: int = 30,
        bitrate_bps: float = 1_500_000,
        packet_size: int = 900,
        frames: Sequence[bytes] = (),
        codec: Literal["VP8", "H264"] = "VP8",
        shown: Sequence[int] = (),
        burst: int = 3,
        rtx: bool = False,
        transport_cc: bool = False,
        stream_id: str = "light",
        temporal: Sequence[int] = (),
        picture: tuple[int, int] = (640, 360),
    ) -> None:
        super().__init__()
        self._temporal = list(temporal)
        self._picture = picture
        self._tl0picidx = random.getrandbits(8)
        self.is_paused = False  # an encoding that its sender has switched off
        self.rtx_ssrc = random.getrandbits(31) | 1 if rtx else None
        self._shown = list(shown)
        assert frames or codec == "VP8", "there is no filler of H264"
        self.fps, self._frames, self._burst, self._codec = fps, list(frames), burst, codec
        self._offered = OfferedTrack(
            "video", self.ssrc, self.rtx_ssrc, (codec,), rtx, transport_cc, stream_id=stream_id
        )
        per_frame = bitrate_bps / 8 / fps
        self._per_frame = max(1, round(per_frame / packet_size))
        self._size = max(80, int(per_frame / self._per_frame))
        self.frame_count = self.keyframes_asked = 0
        self._want_key = True
        self._picture_id = random.getrandbits(15)
        self._payload_type = VP8 if codec == "VP8" else H264
        self._queue: list[tuple[int, bytes, bool, bool]] = []

    @property
    def offered(self) -> OfferedTrack:
        """The m-line for an offer."""
        return self._offered

    def start(self, peer: Peer, section: MediaSection | None = None) -> None:
        """Send on a connected peer; `section` is the answer's m-line."""
        self._prepare(peer, section)
        if section is not None:
            self._payload_type = section.payload_type(self._codec) or self._payload_type
            repeats = {base: number for number, base in section.rtx().items()}
            if self.rtx_ssrc is not None and self._payload_type in repeats:
                peer.use_rtx(self.ssrc, self.rtx_ssrc, repeats[self._payload_type])
        self._next_s = self.began_s = self._loop.time() + random.random() / self.fps
        self._loop.call_at(self._next_s, self._frame)

    def keyframe_requested(self, ssrc: int) -> None:
        """PLI or FIR came."""
        if ssrc in (self.ssrc, 0):
            self.keyframes_asked += 1
            self._want_key = True

    def _frame(self) -> None:
        if not self.running or self.peer is None or self.peer.closed:
            return
        self.timestamp = self.timestamp + 90000 // self.fps & 0xFFFFFFFF
        self._captured_s = self._next_s
        if self.is_paused:
            self._want_key = True
            self._next_s += 1 / self.fps
            self._loop.call_at(self._next_s, self._frame)
            return
        self._picture_id = self._picture_id + 1 & 0x7FFF
        first = self._descriptor()
        later = bytes((first[0] & 0xEF,)) + first[1:]
        idle = not self._queue
        if self._frames:
            self._queue_real(first, later)
        else:
            self._queue_filler(first, later)
        self.frame_count += 1
        if idle:
            self._pace()
        self._next_s += 1 / self.fps
        self._loop.call_at(self._next_s, self._frame)

    def _descriptor(self) -> bytes:
        """Of the first packet of the next frame (RFC 7741, section 4.2)."""
        if not self._temporal:
            return struct.pack("!BBH", 0x90, 0x80, 0x8000 | self._picture_id)
        # A keyframe that is asked for begins the loop, and with it the pattern, anew.
        place = 0 if self._want_key else self.frame_count % (len(self._frames) or 2 * self.fps)
        layer = self._temporal[place % len(self._temporal)]
        if layer == 0:
            self._tl0picidx = self._tl0picidx + 1 & 0xFF
        syncs = layer > 0 and self._temporal[(place - 1) % len(self._temporal)] != 1
        return struct.pack(
            "!BBHBB", 0x90, 0xE0, 0x8000 | self._picture_id, self._tl0picidx, layer << 6 | syncs << 5
        )

    def _queue_real(self, first: bytes, later: bytes) -> None:
        if self._want_key and not self._shown:  # amid frames out of order nothing can begin
            self.frame_count = -(-self.frame_count // len(self._frames)) * len(self._frames)
        self._want_key = False
        data = self._frames[self.frame_count % len(self._frames)]
        if self._codec == "H264":
            parts, at = payloads(data, MAX_PAYLOAD), self._shown_at()
            self._queue += [
                (at, part, number == len(parts), False) for number, part in enumerate(parts, start=1)
            ]
            return
        chunks = [data[start : start + MAX_PAYLOAD] for start in range(0, len(data), MAX_PAYLOAD)]
        for index, chunk in enumerate(chunks):
            payload = (first if index == 0 else later) + chunk
            self._queue.append((self.timestamp, payload, index == len(chunks) - 1, False))

    def _shown_at(self) -> int:
        place = self.frame_count % len(self._frames)
        later = self._shown[place] - place if self._shown else 0
        return self.timestamp + later * 90000 // self.fps & 0xFFFFFFFF

    def _queue_filler(self, first: bytes, later: bytes) -> None:
        key = self._want_key or self.frame_count % (2 * self.fps) == 0
        self._want_key = False
        count = self._per_frame
        body = max(0, self._size - 12 - 8 - len(first) - 10 - 12 - 16)
        # VP8 frame tag: inverse keyframe bit, show_frame, size of the first partition; start code; size.
        tag = struct.pack("<I", (0 if key else 1) | 1 << 4 | min(body, 300) << 5)[:3]
        tag += b"\x9d\x01\x2a" + struct.pack("<HH", *self._picture) if key else bytes(7)
        for index in range(count):
            payload = (first + tag if index == 0 else later + _FILL[:10]) + _FILL[10 : 10 + body] + STAMP
            self._queue.append((self.timestamp, payload, index == count - 1, True))

    def _pace(self) -> None:
        if self.peer is None or self.peer.closed or not self.running:
            self._queue.clear()
            return
        count = max(self._burst, len(self._queue) // 6) if self._burst else len(self._queue)
        current = self.timestamp
        for timestamp, payload, marker, stamped in self._queue[:count]:
            self.timestamp = timestamp
            if stamped:
                payload += time.time_ns().to_bytes(8, "big")
            self._send(self._payload_type, marker, payload, None, self.rtx_ssrc is not None)
        self.timestamp = current
        del self._queue[:count]
        if self._queue:
            self._loop.call_later(_PACE_S, self._pace)


class AudioSource(_Source):
    """Opus each 20 ms: real packets in a loop or filler; the header tells `level_db` (0 loud, 127 silent)."""

    kind = "audio"
    clock_rate = 48_000

    def __init__(
        self, *, packets: Sequence[bytes] = (), level_db: int = 30, size: int = 80, stream_id: str = "light"
    ) -> None:
        super().__init__()
        self._packets_of_file = list(packets)
        self.level_db = level_db
        self.size = size
        self._count = 0
        self._payload_type = OPUS
        self._offered = OfferedTrack("audio", self.ssrc, stream_id=stream_id)

    @property
    def offered(self) -> OfferedTrack:
        """The m-line for an offer."""
        return self._offered

    def start(self, peer: Peer, section: MediaSection | None = None) -> None:
        """Send on a connected peer; `section` is the answer's m-line."""
        self._prepare(peer, section)
        if section is not None:
            self._payload_type = section.payload_type("opus") or OPUS
        self._next_s = self.began_s = self._loop.time() + random.random() * 0.02
        self._loop.call_at(self._next_s, self._tick)

    def _tick(self) -> None:
        if not self.running or self.peer is None or self.peer.closed:
            return
        self.timestamp = self.timestamp + 960 & 0xFFFFFFFF
        self._captured_s = self._next_s
        if self._packets_of_file:
            payload = self._packets_of_file[self._count % len(self._packets_of_file)]
        else:
            payload = b"\xfc" + _FILL[: self.size - 13] + STAMP + time.time_ns().to_bytes(8, "big")
        self._send(self._payload_type, self._count == 0, payload, self.level_db, False)
        self._count += 1
        self._next_s += 0.02
        self._loop.call_at(self._next_s, self._tick)


class SimulcastSource:
    """One picture in several encodings, the smallest first; each has frames of its own."""

    kind = "video"

    def __init__(self, layers: Mapping[str, VideoSource]) -> None:
        self.layers = dict(layers)
        for rid, layer in self.layers.items():
            layer.rid = rid
        first = next(iter(self.layers.values())).offered
        self.offered = dataclasses.replace(first, rids=tuple(self.layers))

    @property
    def packets(self) -> int:
        """Sent of the largest."""
        return list(self.layers.values())[-1].packets

    def start(self, peer: Peer, section: MediaSection | None = None) -> None:
        """Send all layers on a connected peer."""
        for layer in self.layers.values():
            layer.start(peer, section)

    def stop(self) -> None:
        """Send nothing more."""
        for layer in self.layers.values():
            layer.stop()


Source = VideoSource | AudioSource


def attach(peer: Peer, sources: Sequence[Source | SimulcastSource]) -> None:
    """Let the peer ask these sources for keyframes and sender reports."""
    single: list[Source] = []
    for source in sources:
        single += source.layers.values() if isinstance(source, SimulcastSource) else [source]
    videos = [source for source in single if isinstance(source, VideoSource)]

    def requested(ssrc: int) -> None:
        for video in videos:
            video.keyframe_requested(ssrc)

    peer.on_keyframe_request = requested
    peer.sender_reports = lambda: [source.report() for source in single if source.packets]
