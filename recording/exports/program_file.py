"""The program in one MP4 with chapters and captions: encoded pictures and sound are copied as they are, all lives on
one time line.

Where nothing was made the last picture stands and there is silence: players that take no notice of a hole in the
sound would be out of step behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import av.container
import av.stream

from conference.export_job import CaptionLine, ChapterMark
from recording.exports.caption_track import CaptionTrack
from recording.exports.program_reader import Life, Stream
from recording.exports.sink import NothingRecordedError, Packet, Sink, UnreadableError

if TYPE_CHECKING:
    from av.container.core import Chapter

_FRAME: Final = 1024  # samples in a frame of AAC
_RATE: Final = 48_000
_SAMPLES_PER_S: Final = 110  # pictures and frames of sound: the most that a second holds

Progress = Callable[[float], None]


def write_program(
    lives: Sequence[Life],
    sink: Sink,
    chapters: Sequence[ChapterMark],
    title: str,
    progress: Progress,
    captions: Sequence[CaptionLine] = (),
) -> tuple[int, int]:
    """Fill the sink; from and duration in ms. Raises DiskError, UnreadableError, NothingRecordedError."""
    origin_ms = lives[0].segments[0].from_ms
    end_ms = max(life.segments[-1].to_ms for life in lives)
    total = sum(each.size_bytes for life in lives for each in life.segments) or 1
    pictures = (end_ms - origin_ms) * _SAMPLES_PER_S // 1000 + _SAMPLES_PER_S
    container = sink.begin(pictures + 2 * len(captions))
    container.metadata["title"] = title
    container.set_chapters(_chapters(chapters, origin_ms, end_ms))
    inits = {each.init.read_bytes() for each in lives if each.init is not None}
    spoken = CaptionTrack(captions, -origin_ms, end_ms - origin_ms)
    writer = _Writer(container, spoken, is_changing=len(inits) > 1)
    done = 0
    for life in lives:
        assert life.init is not None
        stream = Stream(life.init, life.segments)

        def told(before: int = done, of: Stream = stream) -> None:
            progress((before + of.read_bytes) / total)

        with av.open(stream, "r", format="mp4") as source:
            writer.add_life(source, -origin_ms, told)
        done += stream.read_bytes
    spoken.until(end_ms - origin_ms)
    if not writer.packets:
        raise NothingRecordedError("nothing to play in it")
    return origin_ms, end_ms - origin_ms


def _chapters(marks: Sequence[ChapterMark], origin_ms: int, end_ms: int) -> list[Chapter]:
    if not marks:
        return []
    begins = [max(0, mark.at_ms - origin_ms) for mark in marks]
    ends = [*begins[1:], end_ms - origin_ms]
    return [
        {
            "id": number,
            "start": begin,
            "end": end,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": mark.title},
        }
        for number, (mark, begin, end) in enumerate(zip(marks, begins, ends, strict=True))
        if end > begin
    ]


class _Writer:
    """Puts one life behind the other."""

    def __init__(
        self, container: av.container.OutputContainer, captions: CaptionTrack, *, is_changing: bool
    ) -> None:
        """`is_changing`: what the decoder must know differs between lives, and is said again at each keyframe."""
        self._container = container
        self._captions = captions
        self._is_changing = is_changing
        self._out: dict[str, av.stream.Stream] = {}
        self._ends: dict[str, int] = {}  # in ticks of the stream as it comes
        self._silence: bytes | None = None
        self.packets = 0

    def add_life(self, source: av.container.InputContainer, shift_ms: int, told: Callable[[], None]) -> None:
        streams = {each.type: each for each in source.streams if each.type in ("video", "audio")}
        for stream in streams.values():
            self._add_stream(stream)
        self._captions.begin(self._container)
        sets = _parameter_sets(streams["video"]) if self._is_changing and "video" in streams else b""
        for packet in source.demux(*streams.values()):
            if packet.pts is None or packet.dts is None or packet.time_base is None:
                continue  # the end of a stream
            kind = str(packet.stream.type)
            shift = int(shift_ms * _ticks(packet.time_base) // 1000)
            packet.pts += shift
            packet.dts += shift
            if kind == "audio":
                self._fill(packet)
            if packet.dts < self._ends[kind]:
                continue  # of two lives that both say that this time is theirs, the first has it
            self._ends[kind] = packet.dts + (packet.duration or 0)
            if kind == "video" and packet.is_keyframe and sets:
                packet = _preceded(sets, packet)
            packet.stream = self._out[kind]
            self._captions.until(self._ends[kind] * 1000 / _ticks(packet.time_base))
            self._container.mux(packet)
            self.packets += 1
            told()

    def _add_stream(self, stream: av.stream.Stream) -> None:
        if stream.type not in self._out:
            self._out[stream.type] = self._container.add_stream_from_template(stream)
            self._ends[stream.type] = 0
            if stream.type == "audio":
                self._silence = _silent_frame(stream)

    def _fill(self, packet: Packet) -> None:
        """Silence up to this packet."""
        assert packet.dts is not None
        assert packet.time_base is not None
        step = _FRAME * _ticks(packet.time_base) // _RATE
        if self._silence is None or step <= 0:
            return
        while packet.dts - self._ends["audio"] >= step:
            silent = av.Packet(self._silence)
            silent.time_base = packet.time_base
            silent.pts = silent.dts = self._ends["audio"]
            silent.duration = step
            silent.is_keyframe = True
            silent.stream = self._out["audio"]
            self._container.mux(silent)
            self._ends["audio"] += step


def _ticks(time_base: Fraction) -> int:
    return int(1 / time_base)


def _preceded(sets: bytes, packet: Packet) -> Packet:
    """The same packet with these NAL units in front."""
    whole = av.Packet(sets + bytes(packet))
    whole.pts, whole.dts, whole.duration = packet.pts, packet.dts, packet.duration
    whole.time_base = packet.time_base
    whole.is_keyframe = True
    return whole


def _parameter_sets(stream: av.stream.Stream) -> bytes:
    """SPS and PPS out of the avcC (ISO 14496-15), each behind its length as in a sample."""
    config = stream.codec_context.extradata or b""
    if len(config) < 7 or config[0] != 1 or config[4] & 3 != 3:
        raise UnreadableError("not H264 as a file has it")
    sets, at = b"", 5
    for mask in (0x1F, 0xFF):
        count, at = config[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(config[at : at + 2], "big")
            sets += size.to_bytes(4, "big") + config[at + 2 : at + 2 + size]
            at += 2 + size
    return sets


def _silent_frame(stream: av.stream.Stream) -> bytes | None:
    """A frame of silence for a decoder of this stream, None where there is none to be had."""
    known = stream.codec_context
    if not isinstance(known, av.AudioCodecContext) or known.name != "aac":
        return None
    encoder = av.CodecContext.create("aac", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = known.sample_rate, known.layout.name, "fltp"
    encoder.options = {"aac_coder": "fast"}
    packets: list[Packet] = []
    for number in range(4):
        frame = av.AudioFrame(format="fltp", layout=known.layout.name, samples=_FRAME)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts = known.sample_rate, number * _FRAME
        packets += encoder.encode(frame)
    same = (encoder.extradata or b"")[:2] == (known.extradata or b"")[:2]
    return bytes(packets[-1]) if same and packets else None
