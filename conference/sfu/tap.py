"""A tap: one more receiver of a room's publications, or of those of some sources, which hands plain RTP to a process.

Synchronous and never waiting. What the reader does not take in time waits in the sink; where that fills up, video is
left out track by track until its next keyframe, and sound only after that. conference.sfu.tap_frames says what is
written.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from . import tap_frames
from .counters import Counters

if TYPE_CHECKING:
    from .publication import Publication
    from .stream import IncomingStream

_CLOCK_S = 5.0
_KEYFRAME_S = 1.0  # between requests while a track waits for its starting point
_CONTROL_RESERVE = 64 << 10  # bytes for what must not be left out: tracks that open, close, are gated


class Sink(Protocol):
    """Where the bytes go. The owner is told by its own means when the reader is gone."""

    limit: int

    @property
    def pending(self) -> int:
        """Bytes that were not taken yet."""

    def write(self, data: bytes) -> None:
        """Queue; never blocks. More than `limit` bytes pending ends the sink, like a reader that went away."""

    def close(self) -> None:
        """Nothing more will come: end when the rest is written; idempotent."""


class Tap:
    """Owned by the Room; `tick` drives the clock frames and the requests for keyframes."""

    def __init__(
        self,
        sink: Sink,
        counters: Counters,
        *,
        program_time_ms: int,
        at_s: float,
        now: float,
        sources: Collection[str] = (),
    ) -> None:
        """Program time was `program_time_ms` when the monotonic clock stood at `at_s` seconds. Of `sources`, where some
        are named, and of no others it takes packets."""
        self.sink = sink
        self.counters = counters
        self._sources = frozenset(sources)
        self.tracks: dict[int, TapTrack] = {}
        self._base_ms = program_time_ms
        self._base_s = at_s
        self._last_track = 0
        self._next_clock = now
        self._write_clock(now)

    def takes(self, publication: Publication) -> bool:
        """Whether it wants this one at all."""
        return not self._sources or publication.source in self._sources

    def open(self, publication: Publication) -> TapTrack:
        """A number for one more publication; nothing is written before its first packet."""
        self._last_track += 1
        track = TapTrack(self, self._last_track, publication)
        self.tracks[track.number] = track
        return track

    def request_keyframe(self, number: int, now: float) -> None:
        """The reader needs a starting point. Tracks that are gone are ignored."""
        track = self.tracks.get(number)
        if track is not None:
            track.request_keyframe(now)

    def want_height(self, number: int, height_px: int | None, now: float) -> None:
        """The reader needs pictures of this track no higher than that; None: the best. Tracks that are gone are
        ignored."""
        track = self.tracks.get(number)
        if track is not None:
            track.want_height(height_px, now)

    def tick(self, now: float) -> None:
        """Call every 20 ms or so."""
        if now >= self._next_clock:
            self._write_clock(now)
        for track in self.tracks.values():
            if track.is_waiting:
                track.tick(now)

    def close(self) -> None:
        """End every track, then the sink; idempotent."""
        for track in list(self.tracks.values()):
            track.close()
        self.sink.close()

    def _write_clock(self, now: float) -> None:
        self._next_clock = now + _CLOCK_S
        program_time_ms = self._base_ms + round((now - self._base_s) * 1000)
        self.sink.write(tap_frames.encode(tap_frames.Clock(int(now * 1e6), program_time_ms)))


class TapTrack:
    """One publication in a tap. The stream that it takes calls `receive` for each packet it lets through; to one of
    another layer it moves like a receiver, at a keyframe."""

    __slots__ = (
        "_dropped",
        "_is_audio",
        "_limit",
        "_next_request",
        "_publication",
        "_resume_at",
        "_sink",
        "_stream",
        "height_px",
        "is_waiting",
        "number",
        "pending_at",
        "stream",
        "tap",
    )

    def __init__(self, tap: Tap, number: int, publication: Publication) -> None:
        self.number = number
        self.height_px: int | None = None  # higher pictures are not needed
        self.stream: IncomingStream | None = (
            None  # that hands it packets; `_stream` is that of the last Open frame
        )
        self.pending_at: IncomingStream | None = None
        self.is_waiting = False  # left out until there is room and, for pictures, a keyframe
        self.tap = tap
        self._sink = tap.sink
        self._publication = publication
        self._stream: IncomingStream | None = None
        self._is_audio = publication.kind == "audio"
        limit = tap.sink.limit
        self._limit = limit - _CONTROL_RESERVE if self._is_audio else limit * 3 // 4
        self._resume_at = limit * 3 // 4 if self._is_audio else limit // 2
        self._dropped = 0
        self._next_request = 0.0

    # ── the hot path ────────────────────────────────────────────────────────────────────────────

    def receive(self, packet: bytes, payload_start: int, payload_end: int, now: float) -> None:
        """A packet that the gate let through, no duplicate, out of RTX if it came so."""
        sink = self._sink
        if self.is_waiting:
            if not self._may_resume(packet, payload_start, payload_end):
                self._drop()
                return
            self._resume()
        elif sink.pending > self._limit:
            self.is_waiting = True
            self._drop()
            return
        sink.write(tap_frames.encode_packet(self.number, int(now * 1e6), packet))

    def _may_resume(self, packet: bytes, payload_start: int, payload_end: int) -> bool:
        if self._sink.pending > self._resume_at:
            return False
        if self._is_audio:
            return True
        return self._stream is not None and self._stream.is_keyframe(packet[payload_start:payload_end])

    def _drop(self) -> None:
        self._dropped += 1
        self.tap.counters.tap_dropped += 1

    def _resume(self) -> None:
        self.is_waiting = False
        self._write_gap()

    # ── moving between layers ───────────────────────────────────────────────────────────────────

    @property
    def needs_keyframe(self) -> bool:
        """Nothing but a keyframe is missing, wherever it waits."""
        return True

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
        """Go over to the stream at a keyframe that comes in its turn."""
        is_newest = (sequence - stream.last_sequence) & 0xFFFF < 0x8000 or stream.last_arrival == 0.0
        if not is_start or not is_newest:
            return False
        self.move(stream)
        return True

    def move(self, stream: IncomingStream) -> None:
        """Take this stream from now on, and leave the one before."""
        old, self.stream = self.stream, stream
        if old is not None:
            old.taps = tuple(one for one in old.taps if one is not self)
        stream.taps = (*stream.taps, self)
        self.begin(stream)

    def want_height(self, height_px: int | None, now: float) -> None:
        """Pictures that are higher are not needed; None: the best."""
        if height_px != self.height_px:
            self.height_px = height_px
            self._publication.move_tap(self, now)

    # ── what happens to the track ───────────────────────────────────────────────────────────────

    def begin(self, stream: IncomingStream) -> None:
        """Another stream or codec is behind the publication; called when the codec is known."""
        codec = stream.codec
        if codec is None:
            return
        self._write_gap()
        self._stream = stream
        publication = self._publication
        parameters = _parameters(codec.fmtp)
        if stream.orientation_id:
            parameters[tap_frames.ORIENTATION] = str(stream.orientation_id)
        opened = tap_frames.Open(
            track=self.number,
            publication_id=publication.id,
            participant_id=publication.participant_id,
            kind=publication.kind,
            source=publication.source,
            codec=codec.name.lower(),
            clock_rate=codec.clock_rate,
            ssrc=stream.ssrc,
            cname=stream.cname[: tap_frames.MAX_TEXT],
            parameters=parameters,
            label=publication.label[: tap_frames.MAX_TEXT],
        )
        self._sink.write(tap_frames.encode(opened))
        if not stream.is_open:
            self.gate(is_open=False)
        if stream.sender_report is not None:
            self.report(*stream.sender_report)

    def report(self, ntp: int, rtp_timestamp: int, now: float) -> None:
        """A sender report of the publisher; left out like sound."""
        if self._stream is not None and self._sink.pending <= self._limit:
            frame = tap_frames.Report(self.number, int(now * 1e6), ntp, rtp_timestamp)
            self._sink.write(tap_frames.encode(frame))

    def gate(self, *, is_open: bool) -> None:
        """The sound gate of the participant changed."""
        if self._stream is not None:
            self._sink.write(tap_frames.encode(tap_frames.Gate(self.number, is_open)))

    def request_keyframe(self, now: float) -> None:
        """Ask the publisher; sound needs none."""
        if self.stream is not None and not self._is_audio:
            self.stream.request_keyframe(now)

    def tick(self, now: float) -> None:
        """Called while the track waits: there may be room for it again."""
        if now >= self._next_request and self._sink.pending <= self._resume_at:
            self._next_request = now + _KEYFRAME_S
            self.request_keyframe(now)

    def close(self) -> None:
        """The publication has gone, or the tap goes; idempotent."""
        if self.tap.tracks.pop(self.number, None) is None:
            return
        if self._stream is not None:
            self._write_gap()
            self._sink.write(tap_frames.encode(tap_frames.Close(self.number)))
            self._stream = None

    def _write_gap(self) -> None:
        if self._dropped:
            self._sink.write(tap_frames.encode(tap_frames.Gap(self.number, self._dropped)))
            self._dropped = 0


def _parameters(fmtp: str) -> dict[str, str]:
    """`key=value;…` as a dict; what is too much for a frame is left out."""
    out: dict[str, str] = {}
    for part in fmtp.split(";"):
        name, _, value = part.partition("=")
        if (
            name.strip()
            and len(name) <= tap_frames.MAX_TEXT
            and len(value) <= tap_frames.MAX_VALUE
            and len(out) < tap_frames.MAX_PARAMETERS - 1  # one is ours
        ):
            out[name.strip().lower()] = value.strip()
    return out
