"""The tap's rule for a slow reader, and what a track says when its stream changes: a real stream, a sink of our own."""

from __future__ import annotations

import struct

from conference.rtc import rtcp
from conference.rtc.sdp import Codec
from conference.sfu.counters import Counters
from conference.sfu.publication import Publication
from conference.sfu.stream import IncomingStream
from conference.sfu.tap import Tap
from conference.sfu.tap_frames import (
    ORIENTATION,
    Clock,
    Close,
    Decoder,
    Frame,
    Gap,
    Gate,
    Open,
    Packet,
    Report,
)

OPUS = {111: Codec(111, "opus", 48000, 2, "minptime=10;useinbandfec=1")}
VIDEO = {96: Codec(96, "VP8", 90000, 1), 98: Codec(98, "H264", 90000, 1, "profile-level-id=42e01f")}
KEY = b"\x10\x10\x00\x00\x9d\x01\x2a" + bytes(20)
DELTA = b"\x10\x11" + bytes(20)


class Sink:
    """Takes everything; `pending` is what the test says."""

    limit = 1 << 20

    def __init__(self) -> None:
        self.pending = 0
        self.closed = 0
        self._decoder = Decoder()
        self.frames: list[Frame] = []

    def write(self, data: bytes) -> None:
        self.frames += self._decoder.feed(data)

    def close(self) -> None:
        self.closed += 1

    def take(self) -> list[Frame]:
        frames, self.frames = self.frames, []
        return frames


class Track:
    """A publication with a stream, fed by hand."""

    def __init__(self, kind: str, *, is_open: bool = True) -> None:
        self.is_audio = kind == "audio"
        source = "microphone" if self.is_audio else "camera"
        self.publication = Publication(source, "member", kind, source, "", is_open=is_open)
        self.feedback: list[bytes] = []
        self.sequence = 65_530
        self.stream = self.renew(7)

    def renew(self, ssrc: int) -> IncomingStream:
        self.stream = IncomingStream(
            ssrc=ssrc, is_audio=self.is_audio, codecs=OPUS if self.is_audio else VIDEO, extension_ids={},
            record_arrival=None, observe_level=None, send_rtcp=self.feedback.append, counters=Counters(),
            cname="clock",
        )  # fmt: skip
        self.publication.set_stream(self.stream)
        return self.stream

    def send(self, payload: bytes = DELTA, now: float = 1.0, payload_type: int = 0) -> bytes:
        kind = payload_type or (111 if self.is_audio else 96)
        self.sequence = self.sequence + 1 & 0xFFFF
        packet = struct.pack("!BBHII", 0x80, kind, self.sequence, 5, self.stream.ssrc) + payload
        self.stream.receive(packet, now)
        return packet

    def plis(self) -> int:
        return sum(isinstance(one, rtcp.Pli) for data in self.feedback for one in rtcp.walk(data))


def tap_of(*tracks: Track) -> tuple[Tap, Sink]:
    sink = Sink()
    tap = Tap(sink, Counters(), program_time_ms=1000, at_s=0.5, now=1.0)
    for track in tracks:
        track.publication.add_tap(tap.open(track.publication), 1.0)
    return tap, sink


def test_the_clock_comes_first_and_every_five_seconds() -> None:
    tap, sink = tap_of()
    for now in (1.0, 3.0, 5.99, 6.0, 10.0, 11.0):
        tap.tick(now)
    assert sink.take() == [Clock(1_000_000, 1500), Clock(6_000_000, 6500), Clock(11_000_000, 11_500)]


def test_a_track_is_opened_by_its_first_packet() -> None:
    track = Track("audio")
    _, sink = tap_of(track)
    sink.take()
    packet = track.send(now=1.25)
    opened, heard = sink.take()
    assert opened == Open(
        1, "microphone", "member", "audio", "microphone", "opus", 48000, 7, "clock",
        {"minptime": "10", "useinbandfec": "1"},
    )  # fmt: skip
    assert heard == Packet(1, 1_250_000, packet)


def test_another_codec_and_another_stream_open_it_again() -> None:
    track = Track("video")
    _, sink = tap_of(track)
    track.send(KEY)
    sink.take()
    track.send(b"\x65\x88", payload_type=98)
    opened = sink.take()[0]
    assert isinstance(opened, Open)
    assert (opened.track, opened.codec, opened.parameters) == (1, "h264", {"profile-level-id": "42e01f"})
    track.renew(8)
    assert sink.take() == []
    track.send(KEY)
    opened = sink.take()[0]
    assert isinstance(opened, Open)
    assert (opened.track, opened.ssrc) == (1, 8)


def test_duplicates_are_not_handed_on() -> None:
    track = Track("video")
    _, sink = tap_of(track)
    packet = track.send(KEY)
    track.stream.receive(packet, 1.0)
    track.stream.receive(packet, 1.0, recovered=True)
    assert len([one for one in sink.take() if isinstance(one, Packet)]) == 1


def test_padding_comes_as_it_is() -> None:
    track = Track("video")
    _, sink = tap_of(track)
    track.send(KEY)
    padding = struct.pack("!BBHII", 0xA0, 96, track.sequence + 1 & 0xFFFF, 5, 7) + b"\x00\x00\x03"
    track.stream.receive(padding, 1.0)
    assert sink.take()[-1] == Packet(1, 1_000_000, padding)


def test_a_slow_reader_loses_video_to_its_next_keyframe_and_is_asked_for_one() -> None:
    track = Track("video")
    tap, sink = tap_of(track)
    track.send(KEY)
    sink.take()
    sink.pending = sink.limit * 3 // 4 + 1
    for _ in range(10):
        track.send()
    before = track.plis()
    tap.tick(2.0)
    assert sink.take() == []
    assert track.plis() == before, "there is no room yet"
    sink.pending = sink.limit // 2 + 1
    track.send(KEY)
    assert sink.take() == [], "a keyframe that would fill it again"
    sink.pending = sink.limit // 2
    track.send()
    assert sink.take() == [], "no picture without the one before"
    tap.tick(3.0)
    tap.tick(3.02)
    assert track.plis() == before + 1
    packet = track.send(KEY)
    after = track.send()
    assert sink.take() == [Gap(1, 12), Packet(1, 1_000_000, packet), Packet(1, 1_000_000, after)]
    assert tap.counters.tap_dropped == 12


def test_sound_is_left_out_last_and_comes_back_by_itself() -> None:
    sound, picture = Track("audio"), Track("video")
    _, sink = tap_of(sound, picture)
    sound.send()
    picture.send(KEY)
    sink.take()
    sink.pending = sink.limit * 9 // 10
    picture.send()
    heard = sound.send()
    assert sink.take() == [Packet(1, 1_000_000, heard)]
    sink.pending = sink.limit
    sound.send()
    sound.stream.on_sender_report(rtcp.SenderReport(7, 1, 2, 0, 0, ()), 1.0)
    assert sink.take() == []
    sink.pending = sink.limit * 3 // 4
    heard = sound.send()
    assert sink.take() == [Gap(1, 1), Packet(1, 1_000_000, heard)]


def test_what_must_not_be_left_out_is_written_to_a_full_sink() -> None:
    sound = Track("audio")
    tap, sink = tap_of(sound)
    sound.send()
    sink.pending = sink.limit
    sink.take()
    sound.send()
    sound.publication.set_open(False)
    sound.publication.close()
    assert sink.take() == [Gate(1, False), Gap(1, 1), Close(1)]
    assert tap.tracks == {}


def test_the_gate_is_said_when_the_track_opens_and_when_it_changes() -> None:
    sound = Track("audio", is_open=False)
    _, sink = tap_of(sound)
    sink.take()
    sound.send()
    opened, gate = sink.take()
    assert isinstance(opened, Open)
    assert gate == Gate(1, False)
    sound.publication.set_open(True)
    packet = sound.send()
    assert sink.take() == [Gate(1, True), Packet(1, 1_000_000, packet)]


def test_reports_are_handed_on_and_the_last_one_told_to_a_late_tap() -> None:
    sound = Track("audio")
    sound.send()
    sound.stream.on_sender_report(rtcp.SenderReport(7, 11, 22, 0, 0, ()), 0.75)
    _, sink = tap_of(sound)
    assert sink.take()[2] == Report(1, 750_000, 11, 22)
    sound.stream.on_sender_report(rtcp.SenderReport(7, 33, 44, 0, 0, ()), 1.5)
    assert sink.take() == [Report(1, 1_500_000, 33, 44)]


def test_closing_ends_every_track_and_the_sink_and_nothing_follows() -> None:
    sound, picture = Track("audio"), Track("video")
    tap, sink = tap_of(sound, picture)
    sound.send()
    sink.take()
    sound.publication.drop_tap(tap)
    picture.publication.drop_tap(tap)
    tap.close()
    tap.close()
    assert sink.take() == [Close(1)], "the picture was never opened"
    assert sink.closed
    sound.send()
    picture.send(KEY)
    assert sink.take() == []


def test_long_parameters_are_left_out() -> None:
    sound = Track("audio")
    _, sink = tap_of(sound)
    sink.take()
    sound.stream._codecs = {111: Codec(111, "opus", 48000, 2, f"a={'x' * 3000};b=1;{'k' * 300}=1;c")}
    sound.send()
    opened = sink.take()[0]
    assert isinstance(opened, Open)
    assert opened.parameters == {"b": "1", "c": ""}


def test_two_taps_of_one_publication_do_not_notice_each_other() -> None:
    track = Track("video")
    (recording, kept), (program, shown) = tap_of(track), tap_of(track)
    key = track.send(KEY)
    assert kept.take()[-1] == shown.take()[-1] == Packet(1, 1_000_000, key)
    shown.pending = shown.limit
    packet = track.send()
    assert (kept.take(), shown.take()) == ([Packet(1, 1_000_000, packet)], [])
    assert (recording.counters.tap_dropped, program.counters.tap_dropped) == (0, 1)
    track.publication.drop_tap(program)
    packet = track.send()
    assert (kept.take(), shown.take()) == ([Packet(1, 1_000_000, packet)], [Gap(1, 1), Close(1)])
    track.renew(8)
    packet = track.send(KEY)
    opened, got = kept.take()
    assert isinstance(opened, Open)
    assert (opened.ssrc, got, shown.take()) == (8, Packet(1, 1_000_000, packet), [])
    track.publication.drop_tap(recording)
    track.send()
    assert (kept.take(), track.stream.taps) == ([Close(1)], ())


def test_gates_and_reports_reach_every_tap_and_the_end_of_the_publication_ends_them() -> None:
    track = Track("audio")
    sinks = [tap_of(track)[1] for _ in range(3)]
    track.send()
    for sink in sinks:
        sink.take()
    track.publication.set_open(False)
    track.stream.on_sender_report(rtcp.SenderReport(7, 33, 44, 0, 0, ()), 1.5)
    track.publication.close()
    for sink in sinks:
        assert sink.take() == [Gate(1, False), Report(1, 1_500_000, 33, 44), Close(1)]


def test_a_phone_that_says_how_it_is_held_says_where() -> None:
    picture = Track("video")
    _, sink = tap_of(picture)
    sink.take()
    picture.stream._orientation_id = 4
    picture.send(KEY)
    opened = sink.take()[0]
    assert isinstance(opened, Open)
    assert opened.parameters[ORIENTATION] == "4"
