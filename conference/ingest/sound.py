"""The sound of a source on its way into the room: Opus as it is, everything else decoded and encoded as Opus.

Every packet says how loud it is (RFC 6464), so that a camera's microphone counts among those who speak.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from conference.ingest.output import AUDIO_RATE, AUDIO_TRACK, Output
from conference.ingest.stream_clock import Stamps, StreamClock

_BLOCK: Final = 960  # samples of a packet: 20 ms
_ASTRAY_S: Final = 0.06  # between samples and the source's time: something was lost, or its clocks differ
_NEW_S: Final = 2.0  # so far back: the source's time began anew
_MOST_ERRORS: Final = 500  # in a row
_SILENCE: Final = 127


class SoundPath:
    """One source's sound; `begin` with each connection. Used in the source's thread. Sound that cannot be decoded is
    left out: the picture is worth more."""

    def __init__(self, output: Output, clock: StreamClock) -> None:
        self._output = output
        self._clock = clock
        self._stamps = Stamps(AUDIO_RATE)
        self._decoder: av.AudioCodecContext | None = None
        self._is_passed = False
        self._encoder: _Encoder | None = None
        self._errors = 0
        self._last_s: float | None = None
        self.is_heard = False  # sound of this connection has gone out

    def begin(self, stream: AudioStream) -> None:
        """Another connection."""
        self._decoder = stream.codec_context
        self._is_passed = self._decoder.name in ("opus", "libopus")
        self._encoder = None
        self._errors = 0
        self.is_heard = False

    def end(self) -> None:
        """The connection is gone."""
        self._decoder = self._encoder = None
        self.is_heard = False

    def push(self, packet: av.Packet[Any], stream_s: float, now_s: float) -> None:
        """A packet of the source."""
        if self._decoder is None or (not self._output.has_reader and self.is_heard):
            return
        try:
            frames = self._decoder.decode(packet)
        except av.FFmpegError:
            self._errors += 1
            if self._errors > _MOST_ERRORS:
                self._decoder = None
            return
        self._errors = 0
        if self._is_passed:
            level = min((_level_of(each) for each in frames), default=_SILENCE)
            self._send(bytes(packet), stream_s, now_s, level)
            return
        for frame in frames:
            at_s = stream_s if frame.pts is None or packet.time_base is None else frame.pts * packet.time_base
            if self._encoder is None or not self._encoder.takes(frame):
                self._encoder = _Encoder(frame)
            for payload, begins_s, level in self._encoder.push(frame, float(at_s)):
                self._send(payload, begins_s, now_s, level)

    def jump(self) -> None:
        """What comes next is another place of the same source."""
        self._stamps.jump()
        self._encoder = None

    def report(self) -> None:
        """Tie the newest packet to our clock."""
        if self.is_heard and self._last_s is not None:
            self._output.report(AUDIO_TRACK, self._clock.our_s(self._last_s), self._stamps.last)

    def _send(self, payload: bytes, stream_s: float, now_s: float, level: int) -> None:
        if not payload:
            return
        self._output.open_audio()
        self._last_s = stream_s
        self.is_heard = True
        self._output.sound(payload, self._stamps.stamp(stream_s, now_s), level)


class _Encoder:
    """Samples of one shape, out as packets of 20 ms on the source's clock."""

    def __init__(self, frame: av.AudioFrame) -> None:
        self._shape = _shape_of(frame)
        self._rate = frame.sample_rate
        self._channels = min(2, frame.layout.nb_channels)
        self._layout = "stereo" if self._channels == 2 else "mono"
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = AUDIO_RATE, self._layout, "s16"
        codec.bit_rate = 48_000 * self._channels
        codec.options = {"frame_duration": "20", "application": "voip", "compression_level": "1"}
        self._codec = codec
        self._sample = 0
        self._is_ahead = False
        self._resampler: AudioResampler | None = None
        self._begins_s = 0.0  # the source's time of its first sample
        self._taken = 0  # samples of the source since then
        self._given = 0  # and of ours

    def takes(self, frame: av.AudioFrame) -> bool:
        """Whether it is of the same shape."""
        return _shape_of(frame) == self._shape

    def push(self, frame: av.AudioFrame, at_s: float) -> Iterator[tuple[bytes, float, int]]:
        """Packets with the source's time of their first sample and their level."""
        ahead_s = self._begins_s + self._taken / self._rate - at_s
        self._is_ahead = self._resampler is not None and _NEW_S > ahead_s > (
            0.0 if self._is_ahead else _ASTRAY_S
        )
        if self._is_ahead:
            return  # more samples came than the source's time has room for
        if self._resampler is None or abs(ahead_s) > _ASTRAY_S:
            self._resampler = AudioResampler("s16", self._layout, AUDIO_RATE, frame_size=_BLOCK)
            self._begins_s, self._taken, self._given = at_s, 0, 0
        self._taken += frame.samples
        frame.pts = None  # the resampler would fill holes of its own accord
        for block in self._resampler.resample(frame):
            begins_s = self._begins_s + self._given / AUDIO_RATE
            samples = block.to_ndarray().ravel()
            level = _level(samples)
            self._given += block.samples
            block.pts = self._sample
            self._sample += block.samples
            for packet in self._codec.encode(block):
                yield bytes(packet), begins_s, level


def _shape_of(frame: av.AudioFrame) -> tuple[str, str, int]:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _level_of(frame: av.AudioFrame) -> int:
    samples = frame.to_ndarray()
    if samples.dtype.kind == "f":
        return _level(samples * 32767)
    return _level(samples)


def _level(samples: npt.NDArray[Any]) -> int:
    """0 for a square wave of full scale to 127 for silence, in -dBov."""
    if not samples.size:
        return _SILENCE
    power = float(np.mean(np.square(samples.astype(np.float32))))
    if power <= 0:
        return _SILENCE
    return max(0, min(_SILENCE, round(-10 * math.log10(power / 32767**2))))
