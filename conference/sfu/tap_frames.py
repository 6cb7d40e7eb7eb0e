"""What a tap writes for the processes that record or recognise: frames over one stream socket.

Each frame is `u32 length | u8 type | body` in network order; the length counts type and body. Pure: the media
process encodes (conference.sfu.tap) and the worker decodes all but Keyframe and Height, which go the other way. Every
`arrival_us` is the media process' monotonic clock, which Clock ties to program time.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Annotated

import msgspec

MAX_PACKET = 0xFFFF  # an RTP packet as RFC 4571 can frame it
MAX_LENGTH = 1 + 12 + MAX_PACKET
MAX_TEXT = 256
MAX_VALUE = 2048  # of a parameter: parameter sets of H264 are long
MAX_PARAMETERS = 64
UNASKED_KEYFRAMES = "keyframes-unasked"  # a parameter in a feed: keyframes come when the source likes
ORIENTATION = "urn:3gpp:video-orientation"  # a parameter: the number of this header extension in the packets

_Number = Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Value = Annotated[str, msgspec.Meta(max_length=MAX_VALUE)]
_Fmtp = Annotated[dict[_Text, _Value], msgspec.Meta(max_length=MAX_PARAMETERS)]


class FrameType(IntEnum):
    """The type byte on the wire."""

    OPEN = 1
    PACKET = 2
    REPORT = 3
    GAP = 4
    GATE = 5
    CLOSE = 6
    CLOCK = 7
    KEYFRAME = 8
    HEIGHT = 9


class TapFrameError(ValueError):
    """The stream holds something that is no frame; it cannot be read on."""


class OversizedFrameError(TapFrameError):
    """A length or text beyond its bound."""


class UnknownFrameError(TapFrameError):
    """A type that is not in this file."""


class MalformedFrameError(TapFrameError):
    """A body that does not fit its type."""


class Open(msgspec.Struct, frozen=True):
    """A track begins, or another stream or codec begins behind the same number.

    `kind` is "audio" or "video", `codec` "opus", "vp8" or "h264", `source` as in conference.model.media.Source.
    Streams of one participant and `cname` share a clock. `parameters` are the codec's in the publisher's
    description (fmtp), and ORIENTATION where a phone says how it is held. In a feed they may name the header extension
    of audio levels by its URI as well. `label` is what its publication is called.
    """

    track: _Number
    publication_id: _Text
    participant_id: _Text
    kind: _Text
    source: _Text
    codec: _Text
    clock_rate: _Number
    ssrc: _Number
    cname: _Text
    parameters: _Fmtp
    label: _Text = ""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One RTP packet of the track without encryption, header as the publisher wrote it."""

    track: int
    arrival_us: int
    packet: bytes


class Report(msgspec.Struct, frozen=True, gc=False):
    """A sender report of the publisher: `ntp` (32.32) by its clock belongs to `rtp_timestamp`."""

    track: int
    arrival_us: int
    ntp: int
    rtp_timestamp: int


class Gap(msgspec.Struct, frozen=True, gc=False):
    """So many packets of the track were left out here, because the reader was too slow."""

    track: int
    packets: int


class Gate(msgspec.Struct, frozen=True, gc=False):
    """From here on the track's sound is heard (`is_open`), or left out because its participant is muted.

    Open is what a track is after each Open frame, unless this follows.
    """

    track: int
    is_open: bool


class Close(msgspec.Struct, frozen=True, gc=False):
    """The track has ended; its number is not used again."""

    track: int


class Clock(msgspec.Struct, frozen=True, gc=False):
    """Program time was `program_time_ms` when the media process' clock stood at `monotonic_us`."""

    monotonic_us: int
    program_time_ms: int


class Keyframe(msgspec.Struct, frozen=True, gc=False):
    """From the worker to the media process: ask the publisher of this track for a keyframe."""

    track: int


class Height(msgspec.Struct, frozen=True, gc=False):
    """From the worker to the media process: pictures of this track need not be higher than so many pixels.

    0 asks for the best again, which is what a track is after its first Open frame.
    """

    track: int
    height_px: int


Frame = Open | Packet | Report | Gap | Gate | Close | Clock | Keyframe | Height

_HEAD_SIZE = 4
_length = struct.Struct("!I")
_packet_head = struct.Struct("!IBIQ")
_packet_body = struct.Struct("!IQ")
_report = struct.Struct("!IQQI")
_gap = struct.Struct("!II")
_gate = struct.Struct("!IB")
_track = struct.Struct("!I")
_height = struct.Struct("!IH")
_clock = struct.Struct("!Qq")
_open_encoder = msgspec.msgpack.Encoder()
_open_decoder = msgspec.msgpack.Decoder(Open)


def encode_packet(track: int, arrival_us: int, packet: bytes) -> bytes:
    """The frame of one RTP packet: the hot one. Raises OversizedFrameError."""
    size = len(packet)
    if size > MAX_PACKET:
        raise OversizedFrameError(f"packet of {size} bytes")
    return _packet_head.pack(13 + size, FrameType.PACKET, track, arrival_us) + packet


def encode(frame: Frame) -> bytes:
    """One frame with its length. Raises OversizedFrameError, MalformedFrameError for values out of range."""
    try:
        return _encode(frame)
    except (struct.error, OverflowError) as error:
        raise MalformedFrameError(str(error)) from error


def _encode(frame: Frame) -> bytes:
    match frame:
        case Packet(track, arrival_us, packet):
            return encode_packet(track, arrival_us, packet)
        case Open():
            return _wrap(FrameType.OPEN, _open_encoder.encode(_checked(frame)))
        case Report(track, arrival_us, ntp, rtp_timestamp):
            return _wrap(FrameType.REPORT, _report.pack(track, arrival_us, ntp, rtp_timestamp))
        case Gap(track, packets):
            return _wrap(FrameType.GAP, _gap.pack(track, min(packets, 0xFFFFFFFF)))
        case Gate(track, is_open):
            return _wrap(FrameType.GATE, _gate.pack(track, is_open))
        case Close(track):
            return _wrap(FrameType.CLOSE, _track.pack(track))
        case Keyframe(track):
            return _wrap(FrameType.KEYFRAME, _track.pack(track))
        case Height(track, height_px):
            return _wrap(FrameType.HEIGHT, _height.pack(track, height_px))
        case Clock(monotonic_us, program_time_ms):
            return _wrap(FrameType.CLOCK, _clock.pack(monotonic_us, program_time_ms))


def _wrap(kind: FrameType, body: bytes) -> bytes:
    if 1 + len(body) > MAX_LENGTH:
        raise OversizedFrameError(f"frame of {len(body)} bytes")
    return _length.pack(1 + len(body)) + bytes((kind,)) + body


def _checked(frame: Open) -> Open:
    """A struct checks nothing when it is made, only when it is read: both ends keep the same bounds."""
    try:
        return msgspec.convert(msgspec.structs.asdict(frame), Open)
    except msgspec.ValidationError as error:
        raise OversizedFrameError(str(error)) from error


class Decoder:
    """Bytes in, frames out; keeps the incomplete tail."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._error: TapFrameError | None = None

    @property
    def is_between_frames(self) -> bool:
        """Whether a stream that ends here ends cleanly."""
        return not self._buffer and self._error is None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """The frames that are complete now.

        Raises TapFrameError where the stream is broken, at once or, when whole frames came before that, at the next
        call; from then on every call raises.
        """
        if self._error is not None:
            raise self._error
        buffer = self._buffer
        buffer += data
        frames: list[Frame] = []
        at, size = 0, len(buffer)
        with memoryview(buffer) as view:
            while size - at >= _HEAD_SIZE:
                (length,) = _length.unpack_from(view, at)
                end = at + _HEAD_SIZE + length
                if not 1 <= length <= MAX_LENGTH:
                    self._error = OversizedFrameError(f"frame of {length} bytes")
                    break
                if end > size:
                    break
                with view[at + _HEAD_SIZE + 1 : end] as body:
                    try:
                        frames.append(_decode(view[at + _HEAD_SIZE], body))
                    except TapFrameError as error:
                        self._error = error
                        break
                at = end
        del buffer[:at]
        if self._error is not None and not frames:
            raise self._error
        return frames


def _decode(kind: int, body: memoryview) -> Frame:
    try:
        if kind == FrameType.PACKET:
            if len(body) < _packet_body.size:
                raise MalformedFrameError("packet frame is cut")
            track, arrival_us = _packet_body.unpack_from(body)
            return Packet(track, arrival_us, bytes(body[_packet_body.size :]))
        match kind:
            case FrameType.OPEN:
                return _open_decoder.decode(body)
            case FrameType.REPORT:
                return Report(*_report.unpack(body))
            case FrameType.GAP:
                return Gap(*_gap.unpack(body))
            case FrameType.GATE:
                track, is_open = _gate.unpack(body)
                return Gate(track, bool(is_open))
            case FrameType.CLOSE:
                return Close(*_track.unpack(body))
            case FrameType.KEYFRAME:
                return Keyframe(*_track.unpack(body))
            case FrameType.HEIGHT:
                return Height(*_height.unpack(body))
            case FrameType.CLOCK:
                return Clock(*_clock.unpack(body))
    except (struct.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedFrameError(f"{FrameType(kind).name}: {error}") from error
    raise UnknownFrameError(f"type {kind}")
