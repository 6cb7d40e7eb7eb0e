"""RTP time on our clock: drifting clocks, jumps, losses, absurd reports."""

from __future__ import annotations

import itertools
import random

import pytest

from conference.rtc.reception import ntp_time
from conference.rtc.sync import ClockGroup, ProgramTime, SlidingMinimum, TrackClock

WALL = 1_700_000_000.0


class Sender:
    """A publisher's stream: captured at `t` on our clock, on the way for 30 ms and more."""

    def __init__(
        self, clock: TrackClock, *, rate: int, seed: int = 1, ahead_s: float = 300.0, drift: float = 0.0
    ) -> None:
        self.clock = clock
        self.rate = rate
        self.ahead_s = ahead_s
        self.drift = drift
        self.base = 4_294_960_000  # wraps at once
        self.delay_s = 0.03
        self.loss = 0.0
        self._random = random.Random(seed)

    def _own(self, t: float) -> float:
        return t * (1 + self.drift)

    def rtp(self, t: float) -> int:
        return int(self.base + self._own(t) * self.rate) & 0xFFFFFFFF

    def arrival(self, t: float) -> float:
        return t + self.delay_s + self._random.expovariate(100)

    def packet(self, t: float) -> float | None:
        """Send what was captured at `t`; returns where the clock puts it."""
        if self._random.random() >= self.loss:
            self.clock.on_packet(self.rtp(t), self.arrival(t))
        return self.clock.time_s(self.rtp(t))

    def report(self, t: float) -> None:
        if self._random.random() >= self.loss:
            ntp = ntp_time(WALL + self.ahead_s + self._own(t))
            self.clock.on_report(ntp, self.rtp(t), self.arrival(t))


def run(senders: list[Sender], begin: float, end: float, *, report_s: float = 1.0) -> list[list[float]]:
    """Every 20 ms a packet of each; returns for each (time given - captured)."""
    errors: list[list[float]] = [[] for _ in senders]
    steps = round((end - begin) / 0.02)
    for i in range(steps):
        t = begin + i * 0.02
        for sender, found in zip(senders, errors, strict=True):
            placed = sender.packet(t)
            if placed is not None:
                found.append(placed - t)
            if report_s and i % round(report_s / 0.02) == 25:
                sender.report(t)
    return errors


def pair(**options: float) -> tuple[Sender, Sender]:
    group = ClockGroup()
    sound = Sender(TrackClock(48000, group), rate=48000, seed=1, **options)
    picture = Sender(TrackClock(90000, group), rate=90000, seed=2, **options)
    picture.base = 17
    return sound, picture


def test_without_reports_arrival_places_it() -> None:
    sound, _ = pair()
    (errors,) = run([sound], 0, 20, report_s=0)
    assert all(0.029 < error < 0.05 for error in errors[50:])


def test_reports_bring_sound_and_picture_together_whatever_the_encoder_takes() -> None:
    sound, picture = pair()
    picture.delay_s = 0.18  # reports of the picture are as late as its packets here; the smallest way counts
    ours, theirs = run([sound, picture], 0, 60)
    assert abs(theirs[10] - ours[10]) > 0.1, "before the first report they are apart"
    assert all(abs(a - b) < 0.005 for a, b in zip(ours[1000:], theirs[1000:], strict=True))


def test_a_drifting_clock_is_followed_without_a_step() -> None:
    sound, picture = pair(drift=200e-6)
    both = run([sound, picture], 0, 300)
    for errors in both:
        assert all(abs(b - a) <= 0.02 * 0.0201 + 5e-5 for a, b in itertools.pairwise(errors))
        assert all(abs(error - 0.03) < 0.05 for error in errors[1000:])
    assert max(abs(a - b) for a, b in zip(both[0][1000:], both[1][1000:], strict=True)) < 0.005
    assert sound.clock.jumps == picture.clock.jumps == 0


@pytest.mark.parametrize("by_s", [3600.0, -3600.0, 0.6, 2.5, -2.5])
def test_setting_the_publishers_clock_moves_nothing(by_s: float) -> None:
    sound, picture = pair()
    run([sound, picture], 0, 30)
    sound.ahead_s += by_s
    picture.ahead_s += by_s
    both = run([sound, picture], 30, 60)
    for errors in both:
        assert all(abs(error - 0.03) < 0.06 for error in errors)
        assert all(abs(b - a) < 0.001 for a, b in itertools.pairwise(errors))
    assert sound.clock.jumps == picture.clock.jumps == 0


def test_losing_half_of_everything_does_no_harm() -> None:
    sound, picture = pair()
    sound.loss = picture.loss = 0.5
    ours, theirs = run([sound, picture], 0, 60)
    assert all(abs(a - b) < 0.01 for a, b in zip(ours[-1000:], theirs[-1000:], strict=True))


def test_a_stall_of_the_network_is_no_jump_and_times_never_go_back() -> None:
    sound, _ = pair()
    run([sound], 0, 10)
    placed: list[float] = []
    for i in range(150):  # three seconds of sound arrive at once
        t = 10 + i * 0.02
        sound.clock.on_packet(sound.rtp(t), 13.05)
        found = sound.clock.time_s(sound.rtp(t))
        assert found is not None
        placed.append(found)
    assert placed == sorted(placed)
    (errors,) = run([sound], 13, 20)
    assert sound.clock.jumps == 0
    assert all(abs(error - 0.03) < 0.05 for error in errors)


@pytest.mark.parametrize("report_s", [0.0, 1.0])
def test_a_sender_that_paused_without_counting_is_placed_anew(report_s: float) -> None:
    sound, _ = pair()
    run([sound], 0, 10, report_s=report_s)
    sound.base -= 4 * 48000  # four seconds in which its time stamps stood still
    (errors,) = run([sound], 14, 30, report_s=report_s)
    assert sound.clock.jumps == 1
    assert all(abs(error - 0.03) < 0.05 for error in errors[300:])


@pytest.mark.parametrize("by", [1_000_000_000, -1_000_000_000, 700_000])
def test_time_stamps_that_begin_anew_are_followed(by: int) -> None:
    sound, _ = pair()
    run([sound], 0, 10)
    sound.base += by
    (errors,) = run([sound], 10, 20)
    assert all(abs(error - 0.03) < 0.06 for error in errors[1:])
    assert sound.clock.jumps == 1


def test_one_wrong_time_stamp_moves_nothing_and_has_no_place() -> None:
    sound, _ = pair()
    run([sound], 0, 10)
    sound.clock.on_packet((sound.rtp(10) + 90_000_000) & 0xFFFFFFFF, 10.03)
    assert sound.clock.time_s((sound.rtp(10) + 90_000_000) & 0xFFFFFFFF) is None
    (errors,) = run([sound], 10, 20)
    assert all(abs(error - 0.03) < 0.05 for error in errors)


def test_absurd_reports_are_not_believed() -> None:
    sound, _ = pair()
    for i in range(500):
        sound.packet(i * 0.02)
        if i % 50 == 0:
            sound.clock.on_report(ntp_time(WALL), (sound.rtp(i * 0.02) + i * 480_000) & 0xFFFFFFFF, i * 0.02)
            sound.clock.on_report(0, 0, i * 0.02)
    (errors,) = run([sound], 10, 20, report_s=0)
    assert all(abs(error - 0.03) < 0.05 for error in errors)


def test_another_participants_clock_counts_for_nothing() -> None:
    sound, _ = pair()
    other, _ = pair(ahead_s=-86_400.0)
    for errors in run([sound, other], 0, 10):
        assert all(abs(error - 0.03) < 0.05 for error in errors[100:])


def test_before_the_first_packet_there_is_no_time() -> None:
    assert TrackClock(48000, ClockGroup()).time_s(5) is None
    with pytest.raises(ValueError, match="clock rate"):
        TrackClock(0, ClockGroup())


def test_the_minimum_slides_and_stays_small() -> None:
    minimum = SlidingMinimum(5.0, 0.1)
    for i in range(100_000):
        minimum.add(i / 1000, float(i))
    assert minimum.value == pytest.approx(95_000, abs=200)
    minimum.add(100.0, -1.0)
    assert minimum.value == -1.0


def test_program_time_goes_by_the_last_clock_frame() -> None:
    program = ProgramTime()
    with pytest.raises(ValueError, match="clock"):
        program.at_ms(1.0)
    program.set(5_000_000, 60_000)
    assert program.at_ms(5.5) == 60_500.0
    assert program.at_ms(4.5) == 59_500.0
