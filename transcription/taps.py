"""The tap of one room as the worker reads it: its socket, its connection, the microphones in it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from conference.rtc.sync import ClockGroup, ProgramTime, TrackClock
from conference.sfu import tap_frames
from transcription.hearing import Hearing
from transcription.microphone import Microphone
from transcription.source import Source

_READ_SIZE: Final = 1 << 18
_HEARD: Final = "microphone"  # the source of those that are listened to


class Microphones:
    """Those of one connection. Frames of other tracks are passed over."""

    def __init__(self, consultation_id: str, hearing: Hearing) -> None:
        self._consultation_id = consultation_id
        self._hearing = hearing
        self._tracks: dict[int, Microphone] = {}
        self._groups: dict[tuple[str, str], ClockGroup] = {}
        self._program_time = ProgramTime()
        self._seen_us = 0
        self.sources: list[Source] = []  # of all that ever came

    def take(self, frame: tap_frames.Frame) -> None:
        """One frame, in order. Raises ValueError where the clock is missing."""
        if isinstance(frame, tap_frames.Packet):
            self._seen_us = max(self._seen_us, frame.arrival_us)
            track = self._tracks.get(frame.track)
            if track is not None:
                track.packet(frame)
            return
        match frame:
            case tap_frames.Clock(monotonic_us, program_time_ms):
                self._seen_us = max(self._seen_us, monotonic_us)
                self._program_time.set(monotonic_us, program_time_ms)
            case tap_frames.Open():
                self._open(frame)
            case tap_frames.Close(number):
                self._close(number)
            case tap_frames.Report() | tap_frames.Gap() | tap_frames.Gate():
                track = self._tracks.get(frame.track)
                if track is not None:
                    self._tell(track, frame)

    def tick(self, now_s: float) -> None:
        """Call a few times a second."""
        for track in self._tracks.values():
            track.tick(now_s, self._seen_us / 1e6)
        self.sources = [each for each in self.sources if self._hearing.is_listening_to([each])]

    def close(self) -> None:
        """The connection has ended."""
        for number in tuple(self._tracks):
            self._close(number)

    @staticmethod
    def _tell(track: Microphone, frame: tap_frames.Report | tap_frames.Gap | tap_frames.Gate) -> None:
        match frame:
            case tap_frames.Report():
                track.report(frame)
            case tap_frames.Gap(_, packets):
                if packets:
                    track.gap()
            case tap_frames.Gate(_, is_open):
                track.gate(is_open=is_open)

    def _open(self, opened: tap_frames.Open) -> None:
        number, sender = opened.track, (opened.participant_id, opened.cname)
        group = self._groups.get(sender) or ClockGroup()  # before the old stream, perhaps its last, is let go
        self._close(number)
        if opened.source != _HEARD or opened.codec != "opus":
            return
        try:
            clock = TrackClock(opened.clock_rate, group)
        except ValueError:
            return
        self._groups[sender] = group
        track = Microphone(self._consultation_id, opened, clock, self._program_time, self._hearing)
        self._tracks[number] = track
        self.sources.append(track.source)

    def _close(self, number: int) -> None:
        track = self._tracks.pop(number, None)
        if track is not None:
            track.close()
            if all(each.sender != track.sender for each in self._tracks.values()):
                self._groups.pop(track.sender, None)


class RoomTap:
    """Listens at `path` for the tap of a room. One connection at a time: the newest."""

    def __init__(
        self,
        consultation_id: str,
        path: str,
        selector: selectors.BaseSelector,
        hearing: Hearing,
        ready: Callable[[RoomTap], None],
    ) -> None:
        """`ready` is called whenever it waits for a connection. Raises OSError."""
        self.consultation_id = consultation_id
        self.path = path
        self._selector = selector
        self._hearing = hearing
        self._ready = ready
        self._sock: socket.socket | None = None
        self._decoder = tap_frames.Decoder()
        self._microphones = Microphones(consultation_id, hearing)
        self._sources: list[Source] = []  # of connections that have ended
        Path(path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        Path(path).chmod(0o600)
        self._listener.listen(4)
        self._listener.setblocking(False)
        selector.register(self._listener, selectors.EVENT_READ, self._accept)
        ready(self)

    def tick(self, now_s: float) -> None:
        """Call a few times a second."""
        self._microphones.tick(now_s)

    def close(self) -> None:
        """Take what is there, then let go. Idempotent."""
        if self._listener.fileno() < 0:
            return
        while self._sock is not None and self._read_some():
            pass
        self._lose()
        self._selector.unregister(self._listener)
        self._listener.close()
        with contextlib.suppress(OSError):
            Path(self.path).unlink()

    @property
    def is_heard(self) -> bool:
        """Whether all that was said in it was told; asked once it is closed."""
        return not self._hearing.is_listening_to(self._sources)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._listener.accept()
            self._lose()
            sock.setblocking(False)
            self._sock, self._decoder = sock, tap_frames.Decoder()
            self._microphones = Microphones(self.consultation_id, self._hearing)
            self._selector.register(sock, selectors.EVENT_READ, self._read_some)

    def _read_some(self) -> bool:
        """Whether there was something."""
        assert self._sock is not None
        try:
            data = self._sock.recv(_READ_SIZE)
            for frame in self._decoder.feed(data) if data else ():
                self._microphones.take(frame)
        except BlockingIOError:
            return False
        except (OSError, ValueError) as error:  # ValueError: what is no frame of a tap
            print(f"transcription worker: the tap broke: {error}", file=sys.stderr, flush=True)
            data = b""
        if not data:
            self._lose()
            self._ready(self)
        return bool(data)

    def _lose(self) -> None:
        if self._sock is not None:
            self._selector.unregister(self._sock)
            self._sock.close()
            self._sock = None
            self._microphones.close()
            self._sources = [*self._sources, *self._microphones.sources]
