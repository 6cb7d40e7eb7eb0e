"""The mix: samples where they belong, levels, loudness measured beside FFmpeg's meter, and nothing over the ceiling."""

from __future__ import annotations

import re
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording.program.loudness import SILENCE_LUFS, Leveller, Sound, factor, integrated
from recording.program.mixer import CEILING, LOOK_AHEAD, RING_SAMPLES, Limiter, Mixer, Ring, stretched
from tests.support.media import speech

PIECE = 1_920
START = 48_000 * 3_600


def tone(seconds: float, db: float, hz: float = 1_000, start: int = 0) -> Sound:
    """A sine of so many dB under full scale (RMS), on both channels."""
    times = (np.arange(round(seconds * 48_000)) + start) / 48_000
    wave_ = (np.sin(times * hz * 2 * np.pi) * np.sqrt(2) * factor(db)).astype(np.float32)
    return np.stack((wave_, wave_), axis=1)


def spoken(seconds: float, db: float) -> Sound:
    """Speech whose loudest sample is `db` under full scale."""
    samples = speech().astype(np.float32)
    samples = np.tile(samples, round(seconds * 48_000) // len(samples) + 1)[: round(seconds * 48_000)]
    samples *= factor(db) / np.abs(samples).max()
    return np.stack((samples, samples), axis=1)


def mixed(mixer: Mixer, pieces: int, at: int = START) -> Sound:
    return np.concatenate([mixer.mix(at + number * PIECE, PIECE) for number in range(pieces)])


def fed(mixer: Mixer, sounds: dict[int, Sound]) -> Sound:
    """Each sound as packets of 20 ms, mixed as they come."""
    voices = {number: mixer.voice(number, f"p{number}") for number in sounds}
    out = []
    length = max(map(len, sounds.values()))
    for at in range(0, length - PIECE, PIECE):
        for number, sound in sounds.items():
            for begin in range(at, min(at + PIECE, len(sound)), 960):
                voices[number].write(START + LOOK_AHEAD + begin, sound[begin : begin + 960])
        out.append(mixer.mix(START + at - PIECE, PIECE))
    return np.concatenate(out)


@pytest.mark.parametrize("db", [-40.0, -23.0, -6.0])
@pytest.mark.parametrize("hz", [60, 1_000, 7_000])
def test_loudness_is_what_ffmpegs_meter_says(db: float, hz: float, tmp_path: Path) -> None:
    sound = tone(4, db, hz) * np.repeat([1, 0.5], 96_000)[:, None].astype(np.float32)
    assert integrated(sound) == pytest.approx(measured(sound, tmp_path), abs=0.2)


def test_loudness_of_speech_is_what_ffmpegs_meter_says(tmp_path: Path) -> None:
    sound = spoken(8, -9)
    assert integrated(sound) == pytest.approx(measured(sound, tmp_path), abs=0.3)


def measured(sound: Sound, directory: Path) -> float:
    path = directory / "sound.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes((sound * 32767).astype(np.int16).tobytes())
    done = subprocess.run(
        ["ffmpeg", "-nostats", "-i", str(path), "-af", "ebur128", "-f", "null", "-"],
        capture_output=True,
        check=True,
    )
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr.decode())[-1])


def test_silence_has_no_loudness() -> None:
    assert integrated(np.zeros((48_000, 2), np.float32)) == SILENCE_LUFS


@pytest.mark.parametrize("db", [-20.0, -12.0, -6.0, 0.0])
def test_speech_comes_near_the_target_however_loud_it_was(db: float) -> None:
    out = fed(Mixer(), {1: spoken(24, db)})
    assert integrated(out[12 * 48_000 :]) == pytest.approx(-16, abs=2)
    assert np.abs(out).max() <= CEILING + 1e-4


def test_four_who_speak_at_once_are_no_louder_than_one() -> None:
    out = fed(Mixer(), {number: np.roll(spoken(24, -10), number * 9_000, axis=0) for number in range(4)})
    assert integrated(out[14 * 48_000 :]) == pytest.approx(-16, abs=2)


def test_what_is_almost_nothing_is_raised_by_so_much_and_no_more() -> None:
    leveller = Leveller()
    leveller.push(spoken(24, -30))
    assert leveller.gain_db == pytest.approx(22)


def test_silence_and_noise_are_not_pumped_up() -> None:
    noise = np.random.default_rng(1).normal(0, factor(-60), (48_000 * 20, 2)).astype(np.float32)
    out = fed(Mixer(), {1: noise})
    assert np.sqrt(np.mean(out**2)) <= factor(-60)
    leveller = Leveller()
    leveller.push(spoken(10, -20))
    before = leveller.gain
    leveller.push(noise)
    assert leveller.gain == pytest.approx(before, rel=0.02)  # the last 400 ms of speech reach into the noise


def test_microphones_are_heard_together_and_told_apart_by_level() -> None:
    mixer = Mixer()
    fed(mixer, {1: tone(2, -20, 400), 2: tone(2, -45, 900), 3: np.zeros((96_000, 2), np.float32)})
    levels = mixer.levels()
    assert levels["p1"] == pytest.approx(-20, abs=1.5)
    assert levels["p2"] == pytest.approx(-45, abs=1.5)
    assert levels["p3"] == pytest.approx(-127, abs=1)


def test_both_voices_are_in_the_mix() -> None:
    out = fed(Mixer(), {1: tone(2, -30, 400), 2: tone(2, -30, 900)})
    spectrum = np.abs(np.fft.rfft(out[24_000:72_000, 0]))
    assert sorted(np.argsort(spectrum)[-2:]) == [400, 900]


def test_a_sample_comes_out_at_its_time() -> None:
    mixer = Mixer()
    voice = mixer.voice(1, "p", is_levelled=False)
    click = np.zeros((960, 2), np.float32)
    click[500] = 0.5
    mixer.mix(START - PIECE, PIECE)
    voice.write(START, np.zeros((960, 2), np.float32))
    voice.write(START + 960, click)
    out = mixed(mixer, 2)
    assert np.argmax(np.abs(out[:, 0])) == 960 + 500


def test_what_nobody_wrote_is_silence() -> None:
    mixer = Mixer()
    voice = mixer.voice(1, "p", is_levelled=False)
    mixer.mix(START - PIECE, PIECE)
    voice.write(START, tone(0.02, -10))
    voice.write(START + 2_880, tone(0.02, -10), follows_loss=True)
    out = mixed(mixer, 3)
    assert np.abs(out[100:900]).max() > 0.3
    assert np.abs(out[970:2_870]).max() == 0
    assert np.abs(out[3_000:3_800]).max() > 0.3
    assert np.abs(np.diff(out[:, 0])).max() < 0.1  # neither end clicks
    assert not mixed(mixer, 2, START + 3 * PIECE).any()


def test_a_voice_that_was_removed_is_not_heard() -> None:
    mixer = Mixer()
    mixer.mix(START - PIECE, PIECE)
    mixer.voice(1, "p", is_levelled=False).write(START, tone(0.02, -10))
    mixer.remove(1)
    mixer.remove(1)
    assert not mixed(mixer, 2).any()
    assert mixer.levels() == {}


@pytest.mark.parametrize("ppm", [-2_000, -300, 300, 2_000])
def test_a_clock_that_drifts_is_followed_without_a_jump(ppm: int) -> None:
    mixer = Mixer()
    voice = mixer.voice(1, "p", is_levelled=False)
    out = []
    sent = written = 0
    for piece in range(25 * 8):
        while written < (piece + 2) * PIECE:
            voice.write(START + written, tone(0.02, -20, 440, sent))
            sent += 960
            written = round(sent * (1 + ppm / 1e6))
        out.append(mixer.mix(START + piece * PIECE, PIECE))
    assert voice.jumps == 0
    sound = np.concatenate(out)[PIECE:-PIECE, 0]
    assert np.abs(np.diff(sound)).max() < 0.02  # a 440 Hz tone of that level moves by 0.008 a sample


def test_a_clock_that_jumps_goes_on_where_it_is() -> None:
    mixer = Mixer()
    voice = mixer.voice(1, "p", is_levelled=False)
    mixer.mix(START - PIECE, PIECE)
    for number in range(4):
        voice.write(START + number * 960, tone(0.02, -20))
    for number in range(20, 24):
        voice.write(START + number * 960, tone(0.02, -20))
    assert voice.jumps == 1
    out = mixed(mixer, 12)
    assert not out[4 * 960 + 10 : 20 * 960 - 10].any()
    assert np.abs(out[21 * 960 : 23 * 960]).max() > 0.1


@given(st.lists(st.tuples(st.integers(-200_000, 400_000), st.integers(1, 3_000)), max_size=30))
@settings(deadline=None)
def test_a_ring_takes_any_times(writes: list[tuple[int, int]]) -> None:
    ring = Ring()
    at = START
    for offset, count in writes:
        ring.write(max(0, START + offset), np.ones((count, 2), np.float32))
        found = ring.read(at, PIECE)
        assert found is None or (found.shape == (PIECE, 2) and set(np.unique(found)) <= {0.0, 1.0})
        at += PIECE
    assert ring.read(at + 10 * RING_SAMPLES, PIECE) is None


@given(st.lists(st.floats(0, 6), min_size=2, max_size=20), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=40)
def test_nothing_is_over_the_ceiling_and_what_is_below_is_left_alone(peaks: list[float], seed: int) -> None:
    limiter = Limiter()
    noise = np.random.default_rng(seed).uniform(-1, 1, (len(peaks) * PIECE, 2)).astype(np.float32)
    sound = noise * np.repeat(np.array(peaks, np.float32), PIECE)[:, None]
    out = np.concatenate([limiter.process(sound[at : at + PIECE]) for at in range(0, len(sound), PIECE)])
    assert np.abs(out).max() <= CEILING + 1e-5
    if max(peaks) < CEILING:
        np.testing.assert_array_equal(out[LOOK_AHEAD:], sound[:-LOOK_AHEAD])


def test_the_limiter_does_not_distort_a_loud_tone() -> None:
    limiter = Limiter()
    sound = tone(1, 3, 500)
    out = np.concatenate([limiter.process(sound[at : at + PIECE]) for at in range(0, len(sound), PIECE)])[
        :, 0
    ]
    spectrum = np.abs(np.fft.rfft(out[9_600:33_600] * np.hanning(24_000))) ** 2
    fundamental = spectrum[240:260].sum()
    assert 10 * np.log10((spectrum.sum() - fundamental) / fundamental) < -35


@given(st.integers(1, 2_000), st.integers(-5_000, 5_000))
@settings(deadline=None)
def test_stretching_moves_by_a_few_samples_towards_the_place(size: int, error: int) -> None:
    samples = np.linspace(0, 1, size, dtype=np.float32)[:, None].repeat(2, axis=1)
    change = len(stretched(samples, error)) - size
    assert abs(change) <= 12
    assert change * error >= 0
