"""What a clip in a room looks and sounds like to who receives it: its pictures' numbers and its beeps, with times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from conference.sfu.tap_frames import Close, Frame, Open, Packet, Report
from tests.support.picture_code import read_code

_NTP_S: Final = 1 << 32
_BEEP: Final = 0.02  # louder than this is one


@dataclass
class _Track:
    opened: Open
    packets: list[tuple[int, bytes]] = field(default_factory=list)  # extended time stamp, packet
    reports: list[tuple[int, float]] = field(
        default_factory=list
    )  # time stamp, seconds of the sender's clock

    def seconds(self, stamp: int) -> float:
        """The sender's clock at this time stamp, by the report nearest to it."""
        nearest = min(self.reports, key=lambda each: abs(_ahead(stamp, each[0])))
        return nearest[1] + _ahead(stamp, nearest[0]) / self.opened.clock_rate


def _ahead(one: int, other: int) -> int:
    delta = (one - other) & 0xFFFFFFFF
    return delta if delta < 1 << 31 else delta - (1 << 32)


@dataclass(frozen=True)
class Shown:
    """A picture: its number in the film, when it belongs on the sender's clock, when it came (monotonic)."""

    number: int
    at_s: float
    arrived_s: float


class ClipWatch:
    """Decodes the frames of a tap that were collected so far."""

    def __init__(self, frames: list[Frame], participant_id: str) -> None:
        self._tracks: dict[str, _Track] = {}
        by_number: dict[int, _Track] = {}
        for frame in frames:
            match frame:
                case Open() if frame.participant_id == participant_id:
                    by_number[frame.track] = self._tracks[frame.kind] = _Track(frame)
                case Packet(number, arrival_us, packet) if number in by_number:
                    by_number[number].packets.append((arrival_us, packet))
                case Report(number, _, ntp, stamp) if number in by_number:
                    by_number[number].reports.append((stamp, ntp / _NTP_S))
                case Close(number):
                    by_number.pop(number, None)

    @property
    def sources(self) -> dict[str, str]:
        """Of each kind of track."""
        return {kind: each.opened.source for kind, each in self._tracks.items()}

    def pictures(self) -> list[Shown]:
        """All that can be read, in the order in which they came."""
        track = self._tracks.get("video")
        if track is None or not track.reports:
            return []
        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        found: list[Shown] = []
        unit, arrived_us, stamp = bytearray(), 0, 0
        for arrival_us, packet in track.packets:
            head = 12 + (4 + 4 * int.from_bytes(packet[14:16], "big") if packet[0] & 0x10 else 0)
            stamp = int.from_bytes(packet[4:8], "big")
            unit += _units(packet[head:])
            arrived_us = arrival_us
            if packet[1] & 0x80:
                for frame in decoder.decode(av.Packet(bytes(unit))):
                    code = read_code(frame.to_ndarray(format="rgb24"))
                    if code is not None:
                        found.append(Shown(code.frame, track.seconds(stamp), arrived_us / 1e6))
                unit.clear()
        return found

    def beeps(self) -> list[float]:
        """When each begins, on the sender's clock."""
        samples, times = self._samples()
        loud = np.flatnonzero(np.abs(samples) > _BEEP)
        if not len(loud):
            return []
        begins = loud[np.flatnonzero(np.diff(loud, prepend=-48_000) > 9_600)]
        return [float(times[each]) for each in begins]

    def loudness_since(self, at_s: float) -> float:
        """The largest sample after this time of the sender's clock."""
        samples, times = self._samples()
        later = np.abs(samples[times >= at_s])
        return float(later.max()) if len(later) else 0.0

    def _samples(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
        track = self._tracks.get("audio")
        if track is None or not track.reports:
            return np.zeros(0, np.float32), np.zeros(0)
        decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(decoder, av.AudioCodecContext)
        decoder.sample_rate, decoder.layout = 48_000, "stereo"
        samples, times = [], []
        for _, packet in track.packets:
            head = 12 + (4 + 4 * int.from_bytes(packet[14:16], "big") if packet[0] & 0x10 else 0)
            stamp = int.from_bytes(packet[4:8], "big")
            for frame in decoder.decode(av.Packet(packet[head:])):
                heard = frame.to_ndarray().reshape(-1, 2)[:, 0]
                if heard.dtype.kind == "i":
                    heard = heard / 32768
                samples.append(heard.astype(np.float32))
                times.append(track.seconds(stamp) + np.arange(len(heard)) / 48_000)
        if not samples:
            return np.zeros(0, np.float32), np.zeros(0)
        return np.concatenate(samples), np.concatenate(times)


def _units(payload: bytes) -> bytes:
    """The NAL units, or the piece of one, of a packet (RFC 6184), with start codes."""
    kind = payload[0] & 0x1F
    if kind == 24:
        units, at = b"", 1
        while at < len(payload):
            size = int.from_bytes(payload[at : at + 2], "big")
            units += b"\0\0\0\1" + payload[at + 2 : at + 2 + size]
            at += 2 + size
        return units
    if kind == 28:
        begins = payload[1] & 0x80
        head = b"\0\0\0\1" + bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) if begins else b""
        return head + payload[2:]
    return b"\0\0\0\1" + payload
