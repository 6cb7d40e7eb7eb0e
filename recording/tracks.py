"""One connection of the tap: packets in, frames with program time out, into the files of each track."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from conference.rtc.depacketizer import Depacketizer, Frame, depacketizer_for
from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered
from conference.rtc.sync import ClockGroup, ProgramTime, TrackClock
from conference.sfu import tap_frames
from recording.segments import Ledger, Names, Segments, Track
from recording.track_writer import SUFFIXES, TrackWriter

_SOUND_WAIT_S: Final = 0.2  # sound is not sent again: what is late for longer does not come
_GAP_FACT_S: Final = 1.0  # losses of one track are summed up for so long


class TrackRecorder:
    """One stream of one publication; another stream behind the publication is another recorder."""

    def __init__(
        self,
        opened: tap_frames.Open,
        names: Names,
        ledger: Ledger,
        clock: TrackClock,
        program_time: ProgramTime,
        ask_keyframe: Callable[[], None],
    ) -> None:
        """Raises ValueError for a codec that is not recorded."""
        self.sender = (opened.participant_id, opened.cname)  # whose clock it is
        self.segments = Segments(
            Track(opened.participant_id, opened.publication_id, opened.source, opened.codec, opened.label),
            names,
            ledger,
        )
        is_sound = opened.codec == "opus"
        self._buffer = JitterBuffer(wait_s=_SOUND_WAIT_S) if is_sound else JitterBuffer()
        self._depacketizer: Depacketizer = depacketizer_for(opened.codec, opened.parameters)
        self._clock = clock
        self._program_time = program_time
        self._ask_keyframe = ask_keyframe
        self._is_video = not is_sound
        self._needs_key = self._is_video
        self._missing = 0  # packets not told of yet
        self._tell_at_s = 0.0
        self._last_us: int | None = None

    def packet(self, frame: tap_frames.Packet) -> None:
        """A packet came."""
        now = frame.arrival_us / 1e6
        self._buffer.push(frame.packet, now)
        if len(frame.packet) >= 8:
            self._clock.on_packet(int.from_bytes(frame.packet[4:8], "big"), now)
        self.pop(now)

    def report(self, frame: tap_frames.Report) -> None:
        """The publisher's clock."""
        self._clock.on_report(frame.ntp, frame.rtp_timestamp, frame.arrival_us / 1e6)

    def pop(self, now: float) -> None:
        """Write what is in turn."""
        self._write(self._buffer.pop(now))
        if self._missing and now >= self._tell_at_s:
            self._tell_at_s = now + _GAP_FACT_S
            self._tell_missing()

    def gap(self, packets: int) -> None:
        """The tap left packets out. Their numbers are missing, too, so that they are counted once."""
        if not packets:
            return
        self._write(self._buffer.flush())
        self._write([Missing(0, packets)])

    def close(self, reason: str) -> None:
        """Write what is held, end the file."""
        self._write(self._buffer.flush())
        self._tell_missing()
        self.segments.close(reason)

    def _write(self, items: list[Ordered | Missing]) -> None:
        for item in items:
            if isinstance(item, Missing):
                self._missing += item.count
            for frame in self._depacketizer.push(item):
                self._write_frame(frame)

    def _write_frame(self, frame: Frame) -> None:
        if self._is_video and (frame.follows_loss or self._needs_key):
            # A picture that stands on a lost one is shown broken, and no decoder says so.
            self._needs_key = not frame.is_keyframe
            if self._needs_key:
                self._ask_keyframe()
                return
        at_s = self._clock.time_s(frame.timestamp)
        if at_s is None:
            # A time stamp far from all others has no place; put at its arrival it would push what follows it together.
            self._missing += 1
            self._start_anew()
            return
        at_us = self._last_us = round(self._program_time.at_ms(at_s) * 1000)
        size = (frame.width, frame.height)
        if not self.segments.write(frame.data, at_us, is_key=frame.is_keyframe, size=size):
            self._start_anew()

    def _start_anew(self) -> None:
        """A frame was left out: what follows a picture stands on it."""
        if self._is_video:
            self._needs_key = True
            self._ask_keyframe()

    def _tell_missing(self) -> None:
        if self._missing:
            missing, self._missing = self._missing, 0
            self.segments.gap(missing, self._last_us)


class Tracks:
    """All tracks of one connection. Every method but `writers` may raise DiskError."""

    def __init__(self, names: Names, ledger: Ledger, ask_keyframe: Callable[[int], None]) -> None:
        """`ask_keyframe` is called with the number of a track whose pictures need a starting point."""
        self._names = names
        self._ledger = ledger
        self._ask_keyframe = ask_keyframe
        self._tracks: dict[int, TrackRecorder] = {}
        self._groups: dict[tuple[str, str], ClockGroup] = {}
        self._program_time = ProgramTime()

    def take(self, frame: tap_frames.Frame) -> None:
        """One frame of the tap, in order. Those of tracks that are not recorded are passed over."""
        if isinstance(frame, tap_frames.Packet):
            track = self._tracks.get(frame.track)
            if track is not None:
                track.packet(frame)
            return
        match frame:
            case tap_frames.Clock(monotonic_us, program_time_ms):
                self._program_time.set(monotonic_us, program_time_ms)
            case tap_frames.Open():
                self._open(frame)
            case tap_frames.Report():
                if frame.track in self._tracks:
                    self._tracks[frame.track].report(frame)
            case tap_frames.Gap(number, packets):
                if number in self._tracks:
                    self._tracks[number].gap(packets)
            case tap_frames.Gate(number, is_open):
                if number in self._tracks:
                    self._tracks[number].segments.gate(is_open=is_open)
            case tap_frames.Close(number):
                self._close(number, "track_ended")

    def tick(self, now_us: int) -> None:
        """Call a few times a second: what waited long enough for a late packet goes on without it."""
        for track in self._tracks.values():
            track.pop(now_us / 1e6)

    def writers(self) -> list[TrackWriter]:
        """The files that are open."""
        return [each.segments.writer for each in self._tracks.values() if each.segments.writer is not None]

    def close(self, reason: str) -> None:
        """End every file."""
        for number in tuple(self._tracks):
            self._close(number, reason)

    def abandon(self) -> None:
        """Let go of all files as they are."""
        for track in self._tracks.values():
            track.segments.abandon()
        self._tracks.clear()

    def _open(self, opened: tap_frames.Open) -> None:
        number, sender = opened.track, (opened.participant_id, opened.cname)
        group = self._groups.get(sender) or ClockGroup()  # before the old stream, perhaps its last, is let go
        self._close(number, "stream_changed")
        if opened.codec not in SUFFIXES:
            print(f"recording worker: {opened.codec} is not recorded", file=sys.stderr)
            return
        try:
            clock = TrackClock(opened.clock_rate, group)
        except ValueError:
            return
        self._groups[sender] = group
        self._tracks[number] = TrackRecorder(
            opened, self._names, self._ledger, clock, self._program_time, lambda: self._ask_keyframe(number)
        )

    def _close(self, number: int, reason: str) -> None:
        track = self._tracks.pop(number, None)
        if track is not None:
            # Who publishes anew again and again does not make this grow.
            if all(each.sender != track.sender for each in self._tracks.values()):
                self._groups.pop(track.sender, None)
            track.close(reason)
