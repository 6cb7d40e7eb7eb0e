"""The score of a track: bounded, never better for being worse, and where it stands in cases that are known."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from conference.model.quality import FAIR, GOOD, Received, score

share = st.floats(0.0, 1.0)
tracks = st.builds(
    Received,
    is_sound=st.booleans(),
    loss=share,
    rtt_ms=st.none() | st.integers(0, 5000),
    freeze=st.none() | share,
    concealed=st.none() | share,
    height=st.integers(0, 2160),
    wanted_height=st.integers(0, 2160),
    temporal=st.integers(0, 2),
    is_paused=st.booleans(),
)


@given(tracks)
def test_is_a_share_of_a_hundred(track: Received) -> None:
    assert 0 <= score(track) <= 100


@given(tracks, share, st.integers(0, 2000))
def test_worse_is_never_better(track: Received, more: float, further: int) -> None:
    worse = replace(
        track,
        loss=min(1.0, track.loss + more),
        rtt_ms=(track.rtt_ms or 0) + further,
        freeze=None if track.freeze is None else min(1.0, track.freeze + more),
        concealed=None if track.concealed is None else min(1.0, track.concealed + more),
    )
    assert score(worse) <= score(track)


@given(tracks, st.integers(1, 2160))
def test_a_smaller_picture_is_never_better(track: Received, height: int) -> None:
    larger = replace(track, height=height + 1)
    assert score(replace(track, height=height)) <= score(larger)


def test_known_cases() -> None:
    picture = Received(is_sound=False, loss=0.0, rtt_ms=40, freeze=0.0, height=360, wanted_height=360)
    assert score(picture) == 100
    assert score(replace(picture, loss=0.05)) == 100, "lost packets came again: nothing stood still"
    assert score(replace(picture, freeze=0.1)) == 50
    assert score(replace(picture, freeze=None, loss=0.05)) == 81, "without a report the loss must do"
    assert FAIR <= score(replace(picture, height=180)) < GOOD
    assert score(replace(picture, rtt_ms=800)) == 50
    assert score(replace(picture, is_paused=True)) == 0
    sound = Received(is_sound=True, loss=0.0, rtt_ms=40, concealed=0.05)
    assert score(sound) == 50
    assert score(replace(sound, concealed=0.0, height=180, wanted_height=720)) == 100
