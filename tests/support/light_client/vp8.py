"""The receiving end for real VP8: frames out of packets, pictures out of frames, codes out of pictures."""

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from tests.support.light_client.inbound import InboundStream
from tests.support.light_client.peer import Peer, header_length
from tests.support.picture_code import Code, read_code


def payload_of(packet: bytes) -> bytes:
    """Payload without padding."""
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return packet[header_length(packet) : end]


def strip_descriptor(payload: bytes) -> tuple[bool, bytes]:
    """(starts a frame, the rest) of a VP8 RTP payload (RFC 7741)."""
    first = payload[0]
    position = 1
    if first & 0x80:
        flags = payload[1]
        position = 2
        if flags & 0x80:
            position += 2 if payload[position] & 0x80 else 1
        position += bool(flags & 0x40)
        position += bool(flags & 0x30)
    return first & 0x17 == 0x10, payload[position:]


class CodeReader:
    """Attach to a peer: `codes` grows with what the decoded pictures say (None: not readable)."""

    def __init__(self, ssrc: int | None = None, payload_type: int | None = None) -> None:
        self._ssrc, self._payload_type = ssrc, payload_type
        codec = av.CodecContext.create("vp8", "r")
        assert isinstance(codec, VideoCodecContext)
        self._codec = codec
        self._frame = b""
        self._next_seq: int | None = None
        self._whole = self._started = False
        self.codes: list[Code | None] = []
        self.broken = 0

    def attach(self, peer: Peer) -> None:
        """Become the peer's receiver of RTP."""
        peer.on_rtp = self.receive

    def receive(self, stream: InboundStream, packet: bytes, _arrival_ns: int) -> None:
        """One decrypted packet, in order; frames with a hole are left out."""
        if self._ssrc not in (None, stream.ssrc) or stream.payload_type == 111:
            return
        if self._payload_type not in (None, stream.payload_type):
            return
        payload = payload_of(packet)
        if len(payload) < 2:
            return
        seq = packet[2] << 8 | packet[3]
        starts, data = strip_descriptor(payload)
        if starts:
            self._frame, self._whole = b"", True
        elif seq != self._next_seq:
            self._whole = False
        self._next_seq = seq + 1 & 0xFFFF
        self._frame += data
        if packet[1] & 0x80 and self._frame:
            self._decode()

    def _decode(self) -> None:
        keyframe = not self._frame[0] & 1
        if not self._whole:
            self.broken += 1
            return
        if not (keyframe or self._started):
            return
        self._started = True
        try:
            pictures = self._codec.decode(av.Packet(self._frame))
        except FFmpegError:
            self.broken += 1
            return
        self.codes += [read_code(picture.to_ndarray(format="rgb24")) for picture in pictures]
