"""One microphone of a tap: packets put in order, placed in program time, and handed on as sound to be recognised."""

from __future__ import annotations

from typing import Final

from conference.rtc.depacketizer import OpusDepacketizer
from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered
from conference.rtc.sync import ProgramTime, TrackClock
from conference.sfu import tap_frames
from transcription.hearing import Hearing
from transcription.line import Line, Part
from transcription.source import Source

_WAIT_S: Final = 0.2  # sound is not sent again: what is late for longer does not come
_STOPPED_S: Final = 1.3  # without a packet: whoever spoke has paused
_MUTED_SLACK_MS: Final = 1_000
_SILENT_SLACK_MS: Final = 5_000  # what comes later than this has no place any more
_STRAY_S: Final = 10.0


class Microphone:
    """Used in the main thread. `close` in the end."""

    def __init__(
        self,
        consultation_id: str,
        opened: tap_frames.Open,
        clock: TrackClock,
        program_time: ProgramTime,
        hearing: Hearing,
    ) -> None:
        self.sender = (opened.participant_id, opened.cname)  # whose clock it is
        self.source = Source(consultation_id, opened.participant_id)
        self._clock = clock
        self._program_time = program_time
        self._hearing = hearing
        self._buffer = JitterBuffer(wait_s=_WAIT_S)
        self._depacketizer = OpusDepacketizer()
        self._line = Line()
        self._is_muted = False
        self._arrived_s = 0.0
        hearing.add(self.source)

    def packet(self, frame: tap_frames.Packet) -> None:
        """A packet came."""
        now = self._arrived_s = frame.arrival_us / 1e6
        self._buffer.push(frame.packet, now)
        if len(frame.packet) >= 8:
            self._clock.on_packet(int.from_bytes(frame.packet[4:8], "big"), now)
        self._bring(self._parts(self._buffer.pop(now)))

    def report(self, frame: tap_frames.Report) -> None:
        """The publisher's clock."""
        self._clock.on_report(frame.ntp, frame.rtp_timestamp, frame.arrival_us / 1e6)

    def gap(self) -> None:
        """The tap left packets out."""
        self._bring([*self._parts(self._buffer.flush()), *self._line.lose()])

    def gate(self, *, is_open: bool) -> None:
        """Muted, or heard again."""
        self._is_muted = not is_open
        if self._is_muted:
            self._bring([*self._parts(self._buffer.flush()), *self._line.pause()])

    def tick(self, now_s: float, seen_s: float) -> None:
        """Call a few times a second. All that arrived before `seen_s` was handed over; both are monotonic."""
        parts = self._parts(self._buffer.pop(now_s))
        if self._line.is_voiced and now_s - self._arrived_s > _STOPPED_S:
            parts += self._line.pause()
        if self._line.began_ms is not None:
            slack_ms = _MUTED_SLACK_MS if self._is_muted else _SILENT_SLACK_MS
            self._line.wait_until(self._program_time.at_ms(seen_s) - slack_ms)
            self._bring(parts)

    def close(self) -> None:
        """What is held is still recognised. Not to be used any more."""
        self._bring([*self._parts(self._buffer.flush()), *self._line.pause()])
        self._hearing.close(self.source)

    def _parts(self, items: list[Ordered | Missing]) -> list[Part]:
        parts: list[Part] = []
        for item in items:
            for frame in self._depacketizer.push(item):
                at_s = self._clock.time_s(frame.timestamp)
                if at_s is None or abs(at_s - frame.arrival_s) > _STRAY_S:
                    at_s = frame.arrival_s
                parts += self._line.push(frame.data, self._program_time.at_ms(at_s))
        return parts

    def _bring(self, parts: list[Part]) -> None:
        line = self._line
        if line.began_ms is None:
            return
        self.source.begin(line.began_ms)
        quiet_to_ms = None if line.is_voiced else line.quiet_to_ms
        self._hearing.sound(self.source, parts, newest_ms=line.end_ms, quiet_to_ms=quiet_to_ms)
