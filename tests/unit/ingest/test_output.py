"""What goes to the media process: tracks that outlive readers, and no waiting for one that is slow."""

from __future__ import annotations

import socket

import pytest

from conference.ingest.output import AUDIO_TRACK, VIDEO_TRACK, Output
from conference.rtc.sdp import AUDIO_LEVEL_URI
from conference.sfu import tap_frames
from conference.sfu.tap_frames import Close, Frame, Gap, Keyframe, Open, Packet, Report

KEY, DELTA = [b"\x67sps", b"\x68pps", b"\x65" + bytes(3000)], [b"\x41" + bytes(500)]


class Ends:
    """An output and its reader."""

    def __init__(self) -> None:
        self.output = Output("p_1", "front", ("camera", "microphone"))
        self.reader = self.attach()

    def attach(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        theirs.settimeout(1)
        self.output.attach(ours)
        self.decoder = tap_frames.Decoder()
        return theirs

    def came(self) -> list[Frame]:
        try:
            return self.decoder.feed(self.reader.recv(1 << 20))
        except TimeoutError:
            return []


@pytest.fixture
def ends() -> Ends:
    return Ends()


def test_tracks_bear_who_publishes_them_and_under_which_name(ends: Ends) -> None:
    ends.output.open_video("4d401f", is_asked=False)
    ends.output.open_audio()
    ends.output.open_audio()
    video, audio = [frame for frame in ends.came() if isinstance(frame, Open)]
    assert (video.participant_id, video.source, video.label, video.codec) == (
        "p_1",
        "camera",
        "front",
        "h264",
    )
    assert video.parameters["profile-level-id"] == "4d401f"
    assert tap_frames.UNASKED_KEYFRAMES in video.parameters
    assert (audio.source, audio.codec) == ("microphone", "opus")
    assert audio.parameters[AUDIO_LEVEL_URI] == "1"


def test_another_level_is_no_other_stream_and_another_profile_is(ends: Ends) -> None:
    for profile, is_asked in (("42c01e", False), ("42c01f", False), ("64001f", False), ("64001f", True)):
        ends.output.open_video(profile, is_asked=is_asked)
    profiles = [frame.parameters["profile-level-id"] for frame in ends.came() if isinstance(frame, Open)]
    assert profiles == ["42c01e", "64001f", "64001f"]


def test_pictures_begin_with_a_key_and_fit_the_network(ends: Ends) -> None:
    ends.output.open_video("42c01f", is_asked=False)
    ends.output.picture(DELTA, 100, is_key=False)
    ends.output.picture(KEY, 200, is_key=True)
    ends.output.picture(DELTA, 300, is_key=False)
    packets = [frame.packet for frame in ends.came() if isinstance(frame, Packet)]
    assert [int.from_bytes(each[4:8], "big") for each in packets] == [200] * (len(packets) - 1) + [300]
    assert all(len(each) <= 1200 for each in packets)
    assert packets[0][12] & 0x1F == 24, "parameter sets together, first"


def test_a_new_reader_is_told_what_is_open_and_asked_for(ends: Ends) -> None:
    ends.output.open_video("42c01f", is_asked=False)
    assert ends.output.take_new()
    assert not ends.output.take_new()
    ends.reader = ends.attach()
    assert [type(frame) for frame in ends.came()] == [Open]
    assert ends.output.take_new()
    ends.reader.send(tap_frames.encode(Keyframe(VIDEO_TRACK)))
    assert ends.output.read()
    assert (ends.output.take_asked(), ends.output.take_asked()) == (True, False)
    ends.reader.close()
    assert not ends.output.read()
    assert not ends.output.has_reader
    ends.output.picture(KEY, 1, is_key=True)


def test_who_does_not_read_costs_nobody_anything_and_hears_of_the_hole(ends: Ends) -> None:
    ends.output.open_video("42c01f", is_asked=False)
    big = [b"\x65" + bytes(100_000)]
    for number in range(60):
        ends.output.picture(KEY if number == 0 else big, number, is_key=True)
    came: list[Frame] = []
    for number in range(100, 200):
        came += ends.came()
        ends.output.picture(DELTA, number, is_key=False)
        ends.output.picture(KEY, number, is_key=True)
        if any(isinstance(frame, Gap) for frame in came):
            break
    gap = next(frame for frame in came if isinstance(frame, Gap))
    assert gap.track == VIDEO_TRACK
    assert gap.packets > 10
    ends.reader.close()


def test_sound_says_how_loud_it_is_and_reports_tie_it_to_our_clock(ends: Ends) -> None:
    ends.output.sound(b"early", 1, 20)
    ends.output.open_audio()
    ends.output.sound(b"opus", 960, 33)
    ends.output.report(AUDIO_TRACK, 1.0, 960)
    ends.output.report(VIDEO_TRACK, 1.0, 960)
    _, sound, report = ends.came()
    assert isinstance(sound, Packet)
    assert sound.packet[12:].startswith(bytes((0xBE, 0xDE, 0, 1, 0x10, 33)))
    assert sound.packet.endswith(b"opus")
    assert isinstance(report, Report)
    assert (report.track, report.rtp_timestamp) == (AUDIO_TRACK, 960)


def test_what_is_over_is_closed_once(ends: Ends) -> None:
    ends.output.open_audio()
    ends.output.close_tracks(VIDEO_TRACK, AUDIO_TRACK)
    ends.output.close_tracks(AUDIO_TRACK)
    assert [type(frame) for frame in ends.came()] == [Open, Close]
