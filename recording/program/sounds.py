"""One tapped track of sound: Opus packets in, samples at their times into the mix. Never raises for what is sent."""

from __future__ import annotations

from typing import Final

import av
import numpy as np

from conference.rtc.depacketizer import OpusDepacketizer
from conference.rtc.jitter_buffer import JitterBuffer, Missing, Ordered
from conference.rtc.sync import TrackClock
from conference.sfu import tap_frames
from recording.program.encoder import SAMPLE_RATE, Sound
from recording.program.mixer import Voice, sample_at

_WAIT_S: Final = 0.1  # sound that comes later than that is not waited for: the mix goes on
_LATE_PACKETS: Final = 10  # in a row
_SPARE_US: Final = 60_000
_TOO_EARLY_US: Final = 300_000
_EARLY_PACKETS: Final = 1_500  # 30 s
_MOST_DELAY_US: Final = 1_500_000
_STRAY_US: Final = 4_000_000


class Delay:
    """How much later than others a sender is shown and heard, because its way is slower than the program waits.

    One for sound and pictures of a sender, so that they stay together.
    """

    def __init__(self) -> None:
        self.us = 0
        self._late = 0
        self._early = 0
        self._least_spare_us = 0

    def on_sound(self, spare_us: float) -> None:
        """A packet came so long before it is mixed; after it where negative."""
        if spare_us < 0:
            self._early = 0
            self._late += 1
            if self._late >= _LATE_PACKETS:
                self._late = 0
                self.us = min(_MOST_DELAY_US, self.us + int(-spare_us) + _SPARE_US)
            return
        self._late = 0
        if not self.us:
            return
        self._least_spare_us = min(self._least_spare_us, int(spare_us)) if self._early else int(spare_us)
        self._early += 1
        if self._early >= _EARLY_PACKETS:
            self._early = 0
            if self._least_spare_us > _TOO_EARLY_US:
                self.us = max(0, self.us - (self._least_spare_us - _TOO_EARLY_US // 2))


class SoundTrack:
    """Owned by Inputs; used in the thread that reads."""

    def __init__(self, clock: TrackClock, delay: Delay, voice: Voice) -> None:
        self._clock = clock
        self._delay = delay
        self._voice = voice
        self._buffer = JitterBuffer(wait_s=_WAIT_S)
        self._depacketizer = OpusDepacketizer()
        self._decoder = _decoder()
        self._is_open = True
        self._lost = False

    def packet(self, frame: tap_frames.Packet, mixed_to_us: float) -> None:
        """A packet came; the mix has gone up to `mixed_to_us` on the media process' clock."""
        now = frame.arrival_us / 1e6
        self._buffer.push(frame.packet, now)
        if len(frame.packet) >= 8:
            self._clock.on_packet(int.from_bytes(frame.packet[4:8], "big"), now)
        self.pop(now, mixed_to_us)

    def report(self, frame: tap_frames.Report) -> None:
        """The publisher's clock."""
        self._clock.on_report(frame.ntp, frame.rtp_timestamp, frame.arrival_us / 1e6)

    def gap(self) -> None:
        """The tap left packets out."""
        self._buffer.flush()
        self._lost = True

    def gate(self, *, is_open: bool) -> None:
        """Shut: what is still on the way is not heard."""
        self._is_open = is_open

    def pop(self, now: float, mixed_to_us: float) -> None:
        """Decode what is in turn."""
        for item in self._buffer.pop(now):
            self._item(item, mixed_to_us)

    def _item(self, item: Ordered | Missing, mixed_to_us: float) -> None:
        for frame in self._depacketizer.push(item):
            samples = self._decode(frame.data)
            at_s = self._clock.time_s(frame.timestamp)
            if at_s is None or abs(at_s - frame.arrival_s) * 1e6 > _STRAY_US:
                at_s = frame.arrival_s
            at_us = at_s * 1e6 + self._delay.us
            if samples is None or not self._is_open:
                self._lost = True
                continue
            self._delay.on_sound(at_us - mixed_to_us)
            self._voice.write(sample_at(at_us), samples, follows_loss=frame.follows_loss or self._lost)
            self._lost = False

    def _decode(self, data: bytes) -> Sound | None:
        try:
            frames = self._decoder.decode(av.Packet(data))
            pieces = [
                frame.to_ndarray().reshape(-1, 2) for frame in frames if frame.sample_rate == SAMPLE_RATE
            ]
        except (av.FFmpegError, ValueError):
            self._decoder = _decoder()
            return None
        if not pieces:
            return None
        whole = np.concatenate(pieces)
        return np.asarray(whole, np.float32) / np.float32(32768)


def _decoder() -> av.AudioCodecContext:
    """Mono comes out on both channels."""
    codec = av.CodecContext.create("libopus", "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout = SAMPLE_RATE, "stereo"
    return codec
