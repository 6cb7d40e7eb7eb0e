"""The sound of a source: any codec out as Opus at the source's own times, with its level."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream

from conference.ingest.sound import SoundPath
from conference.ingest.stream_clock import StreamClock

TONE_HZ = 440


class Room:
    """Keeps what it is sent. In the place of Output."""

    def __init__(self) -> None:
        self.has_reader = True
        self.packets: list[tuple[bytes, int, int]] = []
        self.is_open = False

    def open_audio(self) -> None:
        self.is_open = True

    def sound(self, payload: bytes, stamp: int, level: int) -> None:
        assert self.is_open
        self.packets.append((payload, stamp, level))

    @property
    def steps(self) -> list[int]:
        return [b - a for a, b in itertools.pairwise(stamp for _, stamp, _ in self.packets)]

    def pitch_hz(self) -> float:
        decoder = av.CodecContext.create("libopus", "r")
        assert isinstance(decoder, av.AudioCodecContext)
        decoder.sample_rate, decoder.layout = 48_000, "mono"
        pieces = [
            frame.to_ndarray().ravel()
            for payload, _, _ in self.packets
            for frame in decoder.decode(av.Packet(payload))
        ]
        samples = np.concatenate(pieces)[-24_000:].astype(np.float32)
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return float(np.fft.rfftfreq(len(samples), 1 / 48_000)[spectrum.argmax()])


class Microphone:
    """A file in place of a camera's sound."""

    def __init__(
        self, codec: str, rate: int, seconds: float = 3.0, loud: int = 8000, layout: str = "mono"
    ) -> None:
        self.file = io.BytesIO()
        with av.open(self.file, "w", format="nut" if codec.startswith("pcm") else "matroska") as out:
            stream = out.add_stream(codec, rate=rate, layout=layout)
            assert isinstance(stream, AudioStream)
            size = rate // 50
            for number in range(int(seconds * 50)):
                times = (np.arange(size) + number * size) / rate
                tone = (np.sin(times * TONE_HZ * 2 * np.pi) * loud).astype(np.int16)
                both = np.repeat(tone, 2 if layout == "stereo" else 1)[None]
                frame = av.AudioFrame.from_ndarray(both, format="s16", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, number * size, Fraction(1, rate)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        self.file.seek(0)
        self.container = av.open(self.file, "r")
        self.stream = self.container.streams.audio[0]

    def packets(self) -> Iterator[tuple[av.Packet[Any], float]]:
        for packet in self.container.demux(self.stream):
            if packet.size:
                assert packet.pts is not None
                assert packet.time_base is not None
                yield packet, float(packet.pts * packet.time_base)


class Way:
    def __init__(self) -> None:
        self.room = Room()
        self.clock = StreamClock()
        room: Any = self.room
        self.path = SoundPath(room, self.clock)

    def push(self, packet: av.Packet[Any], at_s: float) -> None:
        self.clock.on_packet(at_s, 500 + at_s)
        self.path.push(packet, at_s, 500 + at_s)

    def hear(self, microphone: Microphone) -> None:
        self.path.begin(microphone.stream)
        for packet, at_s in microphone.packets():
            self.push(packet, at_s)


@pytest.mark.parametrize(
    ("codec", "rate", "layout"),
    [("pcm_alaw", 8000, "mono"), ("pcm_mulaw", 8000, "mono"), ("aac", 44_100, "stereo"), ("aac", 16_000, "mono"),
     ("libopus", 48_000, "mono")],
)  # fmt: skip
def test_whatever_comes_the_tone_goes_into_the_room(codec: str, rate: int, layout: str) -> None:
    way = Way()
    way.hear(Microphone(codec, rate, layout=layout))
    assert way.path.is_heard
    assert len(way.room.packets) >= 140
    assert way.room.pitch_hz() == pytest.approx(TONE_HZ, abs=5)
    assert all(abs(step - 960) <= 1 for step in way.room.steps[2:])


def test_levels_tell_loud_from_quiet() -> None:
    levels = []
    for loud in (16_000, 1_600, 0):
        way = Way()
        way.hear(Microphone("pcm_alaw", 8000, loud=loud))
        levels.append(way.room.packets[50][2])
    assert levels[0] == pytest.approx(9, abs=2), "a sine of half the scale"
    assert levels[1] == pytest.approx(29, abs=2)
    assert levels[2] > 60


def test_opus_passes_as_it_is() -> None:
    way, microphone = Way(), Microphone("libopus", 48_000)
    sent = [bytes(packet) for packet, _ in microphone.packets()]
    way.hear(Microphone("libopus", 48_000))
    assert [payload for payload, _, _ in way.room.packets] == sent


def test_a_hole_in_the_source_is_a_hole_in_the_room() -> None:
    way, microphone = Way(), Microphone("pcm_alaw", 8000)
    way.path.begin(microphone.stream)
    for packet, at_s in microphone.packets():
        if not 1.0 <= at_s < 1.2:
            way.push(packet, at_s)
    holes = [step for step in way.room.steps if step > 2000]
    assert len(holes) == 1
    assert holes[0] == pytest.approx(0.2 * 48_000, abs=2 * 960)


@pytest.mark.parametrize("pace", [0.97, 1.03])
def test_samples_that_run_beside_their_times_are_brought_back_to_them(pace: float) -> None:
    way, microphone = Way(), Microphone("pcm_alaw", 8000, seconds=8)
    way.path.begin(microphone.stream)
    for packet, at_s in microphone.packets():
        packet.pts = None if packet.pts is None else round(packet.pts * pace)
        way.push(packet, at_s * pace)
    stamps = [stamp for _, stamp, _ in way.room.packets]
    assert stamps == sorted(stamps)
    assert min(way.room.steps) > 900, "never two at once"
    assert (stamps[-1] - stamps[0]) / 48_000 == pytest.approx(8 * pace, abs=0.15)


def test_rubbish_is_silence_and_no_trouble() -> None:
    way, microphone = Way(), Microphone("aac", 48_000)
    way.path.begin(microphone.stream)
    for number, (packet, at_s) in enumerate(microphone.packets()):
        if number % 5 == 0:
            way.push(av.Packet(b"\xff\xff nonsense" * 5), at_s)
        else:
            way.push(packet, at_s)
    assert way.room.pitch_hz() == pytest.approx(TONE_HZ, abs=15)


def test_what_nobody_receives_is_not_encoded() -> None:
    way = Way()
    way.room.has_reader = False
    way.hear(Microphone("pcm_alaw", 8000))
    assert len(way.room.packets) <= 2
