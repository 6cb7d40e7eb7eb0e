"""The sound of a clip: any sound, out as Opus in stereo, about as loud as the voices beside it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream

from conference.loudness import BLOCK_SAMPLES, RATE, SILENCE_LUFS, Sound, factor, gated, power

Packet: TypeAlias = "av.Packet[Any]"

TARGET_LUFS: Final = -18.0  # -23 (EBU R 128) is too soft beside voices that the program brings to -16
OPUS_SAMPLES: Final = 960
_PEAK: Final = 0.9  # nothing is amplified above this
_MOST_UP_DB: Final = 22.0
_BITRATE: Final = 128_000
_JUMP_SAMPLES: Final = 1_920  # 40 ms from where it belongs: a hole, or sound that is said twice
_MOST_SILENCE: Final = RATE  # written at once


class Decoded:
    """Frames of any kind as stereo samples at 48 kHz, each with its place."""

    def __init__(self) -> None:
        self._resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
        self._kind: tuple[str, str, int] | None = None

    def push(self, frame: AudioFrame) -> Sound:
        """What comes out of this one."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind:  # a film may change its sound in the midst
            self._resampler = AudioResampler(format="fltp", layout="stereo", rate=RATE)
            self._kind = kind
        frame.pts = None  # places are counted here: a hole in a file's times is not filled by the resampler
        pieces = [each.to_ndarray() for each in self._resampler.resample(frame)]
        if not pieces:
            return np.zeros((0, 2), np.float32)
        return np.ascontiguousarray(np.concatenate(pieces, axis=1).T, np.float32)


class Meter:
    """How loud it is as a whole."""

    def __init__(self) -> None:
        self._powers: list[float] = []
        self._peak = 0.0
        self._rest: Sound = np.zeros((0, 2), np.float32)

    def push(self, samples: Sound) -> None:
        if not len(samples):
            return
        self._peak = max(self._peak, float(np.abs(samples).max()))
        held = np.concatenate((self._rest, samples))
        whole = len(held) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._rest = held[whole:]
        self._powers += [power(held[at : at + BLOCK_SAMPLES]) for at in range(0, whole, BLOCK_SAMPLES)]

    @property
    def gain(self) -> float:
        """The factor that brings it to the target; silence stays silent, and peaks are not cut off."""
        loudness = gated(self._powers)
        if loudness <= SILENCE_LUFS or not self._peak:
            return 1.0
        return min(factor(min(_MOST_UP_DB, TARGET_LUFS - loudness)), _PEAK / self._peak)


class SoundTrack:
    """Takes samples with their times, gives packets of the file that is made. What is missing becomes silence."""

    def __init__(self, out: av.container.OutputContainer, gain: float) -> None:
        stream = out.add_stream("libopus", rate=RATE)
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        context.layout, context.format, context.bit_rate = "stereo", "flt", _BITRATE
        context.time_base = Fraction(1, RATE)
        stream.options = {"frame_duration": "20", "application": "audio", "compression_level": "5"}
        self._stream = stream
        self._gain = np.float32(gain)
        self._taken = 0  # samples that have their place
        self._coded = 0
        self._rest: Sound = np.zeros((0, 2), np.float32)

    @property
    def end_s(self) -> float:
        return self._taken / RATE

    def push(self, samples: Sound, at_s: float) -> Iterator[Packet]:
        """Sound that begins at that time; a little beside it is drift and goes on where it stood."""
        at = round(at_s * RATE)
        late = at - self._taken
        if late > _JUMP_SAMPLES:
            yield from self._silence(late)
        elif late < -_JUMP_SAMPLES:
            samples = samples[-late:]
        yield from self._take(samples * self._gain)

    def finish(self, until_s: float) -> Iterator[Packet]:
        yield from self._silence(round(until_s * RATE) - self._taken)
        short = -len(self._rest) % OPUS_SAMPLES
        yield from self._take(np.zeros((short, 2), np.float32))
        yield from self._stream.encode(None)

    def _silence(self, samples: int) -> Iterator[Packet]:
        while samples > 0:
            count = min(samples, _MOST_SILENCE)
            yield from self._take(np.zeros((count, 2), np.float32))
            samples -= count

    def _take(self, samples: Sound) -> Iterator[Packet]:
        self._taken += len(samples)
        held = np.concatenate((self._rest, samples))
        whole = len(held) // OPUS_SAMPLES * OPUS_SAMPLES
        self._rest = held[whole:]
        for at in range(0, whole, OPUS_SAMPLES):
            block = np.ascontiguousarray(held[at : at + OPUS_SAMPLES]).reshape(1, -1)
            frame = AudioFrame.from_ndarray(block, format="flt", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE, self._coded, Fraction(1, RATE)
            self._coded += OPUS_SAMPLES
            yield from self._stream.encode(frame)
