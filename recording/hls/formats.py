"""What the tracks of a rendition are, and the init segment that says so to players (ISO 14496-12, -14, -15). Pure."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from recording.hls.boxes import box, full_box

VIDEO_TRACK: Final = 1
AUDIO_TRACK: Final = 2
VIDEO_TIMESCALE: Final = 90_000
AUDIO_TIMESCALE: Final = 48_000
_MATRIX: Final = struct.pack("!9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDEFINED_LANGUAGE: Final = 0x55C4  # "und"
_START_CODE: Final = b"\0\0\1"
SPS: Final = 7
PPS: Final = 8


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """H264. `sps` and `pps` are NAL units without start code; `bitrate` in bit/s is the most that is sent."""

    width: int
    height: int
    sps: bytes
    pps: bytes
    bitrate: int = 0

    @property
    def codec(self) -> str:
        """In the words of RFC 6381."""
        return f"avc1.{self.sps[1:4].hex()}"


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """AAC-LC. `config` is the AudioSpecificConfig."""

    config: bytes
    bitrate: int
    channels: int = 2

    @property
    def codec(self) -> str:
        """In the words of RFC 6381."""
        return f"mp4a.40.{self.config[0] >> 3}"


@dataclass(frozen=True, slots=True)
class Format:
    """A rendition by name: picture and sound, or sound alone."""

    name: str
    video: VideoFormat | None
    audio: AudioFormat

    @property
    def codecs(self) -> str:
        return ",".join(each.codec for each in (self.video, self.audio) if each is not None)

    @property
    def bandwidth(self) -> int:
        """In bit/s, boxes included."""
        bitrate = self.audio.bitrate + (self.video.bitrate if self.video is not None else 0)
        return bitrate * 21 // 20 + 16_000


def nal_units(annex_b: bytes) -> list[bytes]:
    """What stands between start codes."""
    units = []
    at = annex_b.find(_START_CODE)
    while at >= 0:
        begin = at + 3
        at = annex_b.find(_START_CODE, begin)
        unit = annex_b[begin : at if at >= 0 else len(annex_b)].rstrip(b"\0")
        if unit:
            units.append(unit)
    return units


def length_prefixed(units: list[bytes]) -> bytes:
    """As a sample of a file."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def init_segment(format_: Format) -> bytes:
    """ftyp and moov without samples."""
    traks, extends = b"", b""
    if format_.video is not None:
        traks += _trak(VIDEO_TRACK, VIDEO_TIMESCALE, _video_entry(format_.video), format_.video)
        extends += _trex(VIDEO_TRACK)
    traks += _trak(AUDIO_TRACK, AUDIO_TIMESCALE, _audio_entry(format_.audio), None)
    extends += _trex(AUDIO_TRACK)
    mvhd = full_box(
        b"mvhd", 0, 0,
        struct.pack("!4I", 0, 0, 1000, 0), struct.pack("!IHHQ", 0x10000, 0x0100, 0, 0),
        _MATRIX, bytes(24), struct.pack("!I", AUDIO_TRACK + 1),
    )  # fmt: skip
    moov = box(b"moov", mvhd, traks, box(b"mvex", extends))
    return box(b"ftyp", b"iso6", struct.pack("!I", 0), b"iso6cmfcmp41") + moov


def _trex(track: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack("!5I", track, 1, 0, 0, 0))


def _trak(track: int, timescale: int, entry: bytes, video: VideoFormat | None) -> bytes:
    is_video = video is not None
    width, height = (video.width, video.height) if video is not None else (0, 0)
    tkhd = full_box(
        b"tkhd", 0, 3,
        struct.pack("!5I", 0, 0, track, 0, 0), bytes(8),
        struct.pack("!4H", 0, 0, 0 if is_video else 0x0100, 0), _MATRIX,
        struct.pack("!II", width << 16, height << 16),
    )  # fmt: skip
    mdhd = full_box(b"mdhd", 0, 0, struct.pack("!4IHH", 0, 0, timescale, 0, _UNDEFINED_LANGUAGE, 0))
    handler, name = (b"vide", b"VideoHandler\0") if is_video else (b"soun", b"SoundHandler\0")
    hdlr = full_box(b"hdlr", 0, 0, bytes(4), handler, bytes(12), name)
    media_head = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack("!I", 1), full_box(b"url ", 0, 1)))
    nothing = struct.pack("!I", 0)
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack("!I", 1), entry),
        full_box(b"stts", 0, 0, nothing), full_box(b"stsc", 0, 0, nothing),
        full_box(b"stsz", 0, 0, nothing, nothing), full_box(b"stco", 0, 0, nothing),
    )  # fmt: skip
    return box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, box(b"minf", media_head, dinf, stbl)))


def _video_entry(video: VideoFormat) -> bytes:
    config = b"".join((
        b"\1", video.sps[1:4], b"\xff\xe1", len(video.sps).to_bytes(2, "big"), video.sps,
        b"\1", len(video.pps).to_bytes(2, "big"), video.pps,
    ))  # fmt: skip
    if video.sps[1] in (100, 110, 122, 144):
        config += b"\xfd\xf8\xf8\0"  # 4:2:0 in 8 bits
    head = struct.pack("!6xH16xHHIIIH32xHh", 1, video.width, video.height, 72 << 16, 72 << 16, 0, 1, 24, -1)
    # BT.601 in limited range is what the compositor makes; without a word players take 720 lines for BT.709.
    colour = box(b"colr", b"nclx", struct.pack("!3HB", 6, 6, 6, 0))
    return box(b"avc1", head, box(b"avcC", config), colour, box(b"pasp", struct.pack("!II", 1, 1)))


def _audio_entry(audio: AudioFormat) -> bytes:
    head = struct.pack("!6xH8xHHHHI", 1, audio.channels, 16, 0, 0, AUDIO_TIMESCALE << 16)
    decoder = _descriptor(
        4, struct.pack("!BB3xII", 0x40, 0x15, audio.bitrate, audio.bitrate), _descriptor(5, audio.config)
    )
    esds = full_box(b"esds", 0, 0, _descriptor(3, struct.pack("!HB", 0, 0), decoder, _descriptor(6, b"\2")))
    return box(b"mp4a", head, esds)


def _descriptor(tag: int, *content: bytes) -> bytes:
    """Of MPEG-4 systems: all of ours are shorter than 128 bytes."""
    body = b"".join(content)
    return bytes((tag, len(body))) + body
