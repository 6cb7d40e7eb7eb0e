"""What becomes of the files that people bring: clips that every browser can show, or a reason why not."""

from __future__ import annotations

import shutil
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.video.stream import VideoStream

from conference.ingest.clip_file import Places, RefusedError, make_clip
from conference.ingest.clip_picture import frame_rate
from conference.loudness import integrated
from conference.model.clip import MadeClip
from tests.support.films import film
from tests.support.picture_code import read_code


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "source.mp4", tmp_path / "made.mp4", tmp_path / "poster.jpg", 0)


def prepared(places: Places) -> MadeClip:
    return make_clip(places, lambda *_: None)


def pictures(path: Path) -> list[npt.NDArray[np.generic]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def numbers(path: Path) -> list[int]:
    found = [read_code(each) for each in pictures(path)]
    assert None not in found
    return [each[1] for each in found if each is not None]


def sound(path: Path) -> npt.NDArray[np.float32]:
    with av.open(str(path)) as container:
        frames = [each.to_ndarray() for each in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).T.astype(np.float32)


def test_a_film_with_b_frames_becomes_one_without_and_a_keyframe_a_second(places: Places) -> None:
    film(places.source, seconds=3, options={"bf": "3", "g": "90"})
    steps: list[str] = []
    made = make_clip(places, lambda step, share: steps.append(step) if 0 <= share <= 1 else None)
    assert made == replace(made, width=320, height=180, has_picture=True, has_sound=True)
    assert made.duration_ms == pytest.approx(3000, abs=60)
    assert list(dict.fromkeys(steps)) == ["checking", "transcoding"]
    with av.open(str(places.out)) as container:
        video = container.streams.video[0]
        assert isinstance(video, VideoStream)
        assert video.codec_context.profile == "Constrained Baseline"
        keys = []
        for packet in container.demux(video):
            if packet.size:
                assert packet.pts == packet.dts
                if packet.is_keyframe and packet.pts is not None and packet.time_base is not None:
                    keys.append(float(packet.pts * packet.time_base))
    assert keys == pytest.approx([0, 1, 2], abs=0.001) or keys == pytest.approx([0, 1, 2, 3], abs=0.001)
    assert numbers(places.out)[:90] == list(range(90))
    assert not list(places.out.parent.glob("*.part"))
    with av.open(str(places.poster)) as poster:
        assert (poster.streams.video[0].width, poster.streams.video[0].height) == (320, 180)


def test_more_pictures_than_thirty_a_second_become_an_even_share(places: Places) -> None:
    film(places.source, fps=50, seconds=1, sound=None)
    made = prepared(places)
    assert made.has_sound is False
    assert numbers(places.out) == list(range(0, 50, 2))
    assert [frame_rate(Fraction(each)) for each in (25, 30, 60, 120)] == [25, 30, 30, 30]
    assert frame_rate(Fraction(60000, 1001)) == Fraction(30000, 1001)
    assert frame_rate(None) == 25


def test_a_large_picture_becomes_smaller_and_a_small_one_stays(places: Places) -> None:
    film(places.source, size=(1920, 1080), fps=10, seconds=0.5, sound=None, options={"preset": "ultrafast"})
    assert (prepared(places).width, places.out.stat().st_size > 0) == (1280, True)
    film(places.source, size=(720, 1280), fps=10, seconds=0.5, sound=None, options={"preset": "ultrafast"})
    made = prepared(places)
    assert (made.width, made.height) == (406, 720) or (made.width, made.height) == (404, 720)


@pytest.mark.parametrize("level", [0.01, 0.7])
def test_sound_is_brought_to_one_loudness(places: Places, level: float) -> None:
    film(places.source, seconds=3, level=level)
    prepared(places)
    assert integrated(sound(places.out)) == pytest.approx(-18, abs=1)


def test_sound_and_picture_stay_together(places: Places) -> None:
    film(places.source, seconds=3, level=0.5, beeps_every_s=1.0)
    prepared(places)
    loud = np.abs(sound(places.out)[:, 0]) > 0.02
    at = np.flatnonzero(loud)
    beginnings = at[np.flatnonzero(np.diff(at, prepend=-48_000) > 24_000)] / 48_000
    assert beginnings == pytest.approx([0, 1, 2], abs=0.025)


def test_a_telephone_held_upright_is_shown_upright(places: Places, tmp_path: Path) -> None:
    film(places.source, size=(320, 180), seconds=0.5, sound=None)
    turned = tmp_path / "turned.mp4"
    data = bytearray(places.source.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the matrix, behind version, times, ids and volume
    one = 1 << 16
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 180 * one, 0, 1 << 30)
    turned.write_bytes(data)
    made = prepared(replace(places, source=turned))
    assert (made.width, made.height) == (180, 320)
    upright = np.rot90(pictures(places.out)[0])
    assert read_code(np.ascontiguousarray(upright)) == (3, 0)


def test_sound_alone_is_a_clip_without_a_picture(places: Places, tmp_path: Path) -> None:
    source = film(tmp_path / "sound.m4a", codec=None, seconds=1)
    made = prepared(replace(places, source=source))
    assert (made.has_picture, made.has_sound, made.width) == (False, True, 0)
    assert made.duration_ms == pytest.approx(1000, abs=60)
    assert not places.poster.exists()


def test_what_is_no_film_is_refused(places: Places, tmp_path: Path) -> None:
    places.source.write_bytes(b"%PDF-1.7 what a film is not\n" * 1000)
    with pytest.raises(RefusedError) as refused:
        prepared(places)
    assert refused.value.reason == "not_media"
    film(tmp_path / "secret.mp4", seconds=0.5)
    for listing in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {tmp_path}/secret.mp4\n",
    ):
        places.source.write_text(listing)
        with pytest.raises(RefusedError) as refused:
            prepared(places)
        assert refused.value.reason == "not_media"
    assert not places.out.exists()


def test_one_that_is_too_long_or_too_short_is_refused(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(places.source, seconds=1)
    monkeypatch.setattr("conference.ingest.clip_file.MAX_DURATION_MS", 500)
    with pytest.raises(RefusedError) as refused:
        prepared(places)
    assert refused.value.reason == "too_long"
    monkeypatch.undo()
    film(places.source, seconds=0.07, sound=None)
    with pytest.raises(RefusedError) as refused:
        prepared(places)
    assert refused.value.reason == "too_short"


def test_one_that_was_cut_off_is_shown_as_far_as_it_goes(places: Places, tmp_path: Path) -> None:
    whole = film(tmp_path / "whole.mkv", seconds=3)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    made = prepared(replace(places, source=cut))
    assert 500 < made.duration_ms < 3000


def test_a_full_disk_is_said_and_nothing_is_left(places: Places) -> None:
    film(places.source, seconds=0.5)
    free = shutil.disk_usage(places.out.parent).free
    with pytest.raises(RefusedError) as refused:
        make_clip(replace(places, reserve_bytes=2 * free), lambda *_: None)
    assert refused.value.reason == "disk_full"
    assert sorted(each.name for each in places.out.parent.iterdir()) == ["source.mp4"]
