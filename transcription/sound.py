"""Opus packets in, frames of 20 ms at 16 kHz out: what voice gate and engines hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import av
import numpy as np

from transcription.recognizer import SAMPLES_PER_MS

FRAME_MS: Final = 20
FRAME_BYTES: Final = FRAME_MS * SAMPLES_PER_MS * 2
_OPUS_RATE: Final = 48_000
_EVERY: Final = 3  # one of so many samples is left
_TAPS: Final = 97
_CUT_HZ: Final = 7_200
_DELAY_MS: Final = (_TAPS - 1) / 2 / 48  # of the filter
_APART_MS: Final = 30.0  # more between two packets is a hole, less is the unrest of clocks

_Samples = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class SoundFrame:
    """FRAME_MS of sound, 16 bits mono; `at_ms` is the time of its first sample."""

    at_ms: float
    pcm: bytes


class Ear:
    """One stream of Opus. Raises nothing for what is in packets."""

    def __init__(self) -> None:
        self._decoder = _decoder()
        self._before: _Samples = np.zeros(_TAPS - 1, np.float32)
        self._left = np.zeros(0, np.int16)
        self._next_ms: float | None = None

    def push(self, data: bytes, at_ms: float) -> list[SoundFrame]:
        """The packet's first sample was heard at `at_ms`."""
        samples = self._decode(data)
        if samples is None:
            return []
        if self._next_ms is not None and abs(at_ms - self._next_ms) > _APART_MS:
            self._before[:] = 0
            self._left = self._left[:0]
        self._next_ms = at_ms + len(samples) * 1000 / _OPUS_RATE
        start_ms = at_ms - _DELAY_MS - len(self._left) / SAMPLES_PER_MS
        whole = np.concatenate((self._left, self._reduced(samples)))
        size = FRAME_MS * SAMPLES_PER_MS
        count = len(whole) // size
        self._left = whole[count * size :]
        return [
            SoundFrame(start_ms + number * FRAME_MS, whole[number * size : (number + 1) * size].tobytes())
            for number in range(count)
        ]

    def _decode(self, data: bytes) -> _Samples | None:
        try:
            pieces = [frame.to_ndarray().reshape(-1) for frame in self._decoder.decode(av.Packet(data))]
        except (av.FFmpegError, ValueError):
            self._decoder = _decoder()
            return None
        return np.concatenate(pieces).astype(np.float32) if pieces else None

    def _reduced(self, samples: _Samples) -> np.ndarray[Any, np.dtype[np.int16]]:
        """Filtered, every third sample. Packets have a multiple of three."""
        whole = np.concatenate((self._before, samples))
        self._before = whole[-(_TAPS - 1) :].copy()
        windows = np.lib.stride_tricks.sliding_window_view(whole, _TAPS)[::_EVERY]
        return np.asarray(np.clip(windows @ _FILTER, -32768, 32767), np.int16)


def _filter() -> _Samples:
    """A windowed sinc, the same forwards and backwards."""
    times = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUT_HZ / _OPUS_RATE * times) * np.kaiser(_TAPS, 8.0)
    return np.asarray(taps / taps.sum(), np.float32)


_FILTER: Final = _filter()


def _decoder() -> av.AudioCodecContext:
    codec = av.CodecContext.create("libopus", "r")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate, codec.layout = _OPUS_RATE, "mono"
    return codec
