"""Encoders of the program: canvases to H264, mixed sound to AAC and Opus. One thread uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.codec.context import Flags
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from recording.hls.formats import (
    PPS,
    SPS,
    VIDEO_TIMESCALE,
    AudioFormat,
    VideoFormat,
    length_prefixed,
    nal_units,
)
from recording.hls.fragments import Sample

SAMPLE_RATE: Final = 48_000
FPS: Final = 25
FRAME_TICKS: Final = VIDEO_TIMESCALE // FPS
FRAME_SAMPLES: Final = SAMPLE_RATE // FPS
AAC_SAMPLES: Final = 1024
OPUS_SAMPLES: Final = 960
_NOT_IN_UNITS: Final = frozenset((6, SPS, PPS, 9))  # SEI, delimiters; parameter sets are kept apart
_IDR: Final = 5

Sound = npt.NDArray[np.float32]  # samples by 2 channels, full scale 1
Canvas = npt.NDArray[np.uint8]  # I420: height * 3 // 2 by width


class EncodingError(Exception):
    """An encoder does not do what it must; nothing can be made with it."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a picture is coded. `maxrate` in bit/s."""

    width: int
    height: int
    maxrate: int
    preset: str = "superfast"
    level: str = "3.1"


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """A coded picture: its NAL units without parameter sets, which `sets` are."""

    units: list[bytes]
    is_key: bool
    sets: tuple[bytes, ...] = ()

    @property
    def file_data(self) -> bytes:
        """As a sample of a file. A keyframe bears its parameter sets: FFmpeg reads the first init segment alone."""
        return length_prefixed([*(self.sets if self.is_key else ()), *self.units])


class VideoEncoder:
    """x264 without delay: one picture in, one out. Constrained baseline, because browsers in the room get it, too."""

    def __init__(self, coding: Coding) -> None:
        """Raises EncodingError."""
        self.coding = coding
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, av.VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = coding.width, coding.height, "yuv420p"
        codec.time_base, codec.framerate = Fraction(1, VIDEO_TIMESCALE), Fraction(FPS)
        codec.gop_size = 10_000  # keyframes come where they are asked for
        codec.thread_count = 1
        codec.flags |= Flags.global_header
        codec.options = {
            "preset": coding.preset,
            "tune": "zerolatency",
            "profile": "baseline",
            "level": coding.level,
            "crf": "23",
            "maxrate": str(coding.maxrate),
            "bufsize": str(coding.maxrate),
            "forced-idr": "1",
            "x264-params": "scenecut=0:keyint=infinite:min-keyint=1:threads=1:sliced-threads=0:"
            "colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m:fullrange=off",
        }
        try:
            codec.open()
        except av.FFmpegError as error:
            raise EncodingError(str(error)) from error
        self._codec = codec
        sets = {unit[0] & 0x1F: unit for unit in nal_units(codec.extradata or b"")}
        if SPS not in sets or PPS not in sets:
            raise EncodingError("the encoder gives no parameter sets")
        self.format = VideoFormat(coding.width, coding.height, sets[SPS], sets[PPS], coding.maxrate)

    def encode(self, frame: av.VideoFrame, ticks: int, *, key: bool) -> AccessUnit:
        """The picture at `ticks`; `key` makes it a starting point. Raises EncodingError."""
        frame.pts, frame.time_base = ticks, Fraction(1, VIDEO_TIMESCALE)
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = self._codec.encode(frame)
        if len(packets) != 1:
            raise EncodingError(f"{len(packets)} pictures out for one in")
        units = [unit for unit in nal_units(bytes(packets[0])) if unit[0] & 0x1F not in _NOT_IN_UNITS]
        is_key = any(unit[0] & 0x1F == _IDR for unit in units)
        return AccessUnit(units, is_key, (self.format.sps, self.format.pps))


class AacEncoder:
    """AAC-LC, stereo. Frame k holds the samples from k * 1024 on."""

    def __init__(self, bitrate: int) -> None:
        """Raises EncodingError."""
        codec = av.CodecContext.create("aac", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "stereo", "fltp"
        codec.bit_rate, codec.time_base = bitrate, Fraction(1, SAMPLE_RATE)
        codec.thread_count = 1
        codec.open()
        config = codec.extradata
        if not config or codec.frame_size != AAC_SAMPLES:
            raise EncodingError("no AAC-LC of 1024 samples")
        self._codec = codec
        self.format = AudioFormat(bytes(config), bitrate)

    def encode(self, samples: Sound, at: int) -> list[Sample]:
        """1024 samples from sample `at` of the life on; what comes out is one or two frames older."""
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, at
        return self._samples(frame)

    def finish(self) -> list[Sample]:
        """What is still inside."""
        return self._samples(None)

    def _samples(self, frame: av.AudioFrame | None) -> list[Sample]:
        # The frame before time 0 is the encoder's run-up: players do without, and nothing has to be shifted for it.
        return [
            Sample(bytes(packet), packet.pts, AAC_SAMPLES)
            for packet in self._codec.encode(frame)
            if packet.pts is not None and packet.pts >= 0
        ]


class OpusEncoder:
    """Opus for the room: 20 ms, stereo."""

    def __init__(self, bitrate: int = 96_000) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, av.AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "stereo", "s16"
        codec.bit_rate, codec.time_base = bitrate, Fraction(1, SAMPLE_RATE)
        codec.options = {"frame_duration": "20", "application": "audio", "compression_level": "4"}
        self._codec = codec

    def encode(self, samples: Sound, at: int) -> list[bytes]:
        """960 samples; in general one packet comes out."""
        whole = np.clip(samples * 32767, -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(whole.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = SAMPLE_RATE, at
        return [bytes(packet) for packet in self._codec.encode(frame)]


class Blocks:
    """Sound in pieces of any length, out in blocks of one length."""

    def __init__(self, size: int, at: int = 0) -> None:
        self._size = size
        self._at = at
        self._rest: Sound = np.zeros((0, 2), np.float32)

    def push(self, samples: Sound) -> Iterator[tuple[Sound, int]]:
        """The blocks that are full now, each with the number of its first sample."""
        held = np.concatenate((self._rest, samples))
        whole = len(held) // self._size * self._size
        self._rest = held[whole:]
        for start in range(0, whole, self._size):
            at, self._at = self._at, self._at + self._size
            yield held[start : start + self._size], at


def video_frame(canvas: Canvas) -> av.VideoFrame:
    """The canvas without copying: it must not change before the frame is encoded."""
    return av.VideoFrame.from_numpy_buffer(canvas, format="yuv420p")


class Scaler:
    """Cached scaling to one size, in one thread."""

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._reformatter = VideoReformatter()

    def scale(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The same frame where it has the size already."""
        width, height = self._size
        if (frame.width, frame.height) == self._size:
            return frame
        return self._reformatter.reformat(
            frame, width, height, "yuv420p", interpolation="FAST_BILINEAR", threads=1
        )
