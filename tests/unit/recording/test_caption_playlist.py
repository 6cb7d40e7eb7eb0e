"""Playlists of captions: number by number with the program's, one file for each unbroken stretch of the replay."""

from __future__ import annotations

from recording.hls.caption_playlist import live_captions, replayed_captions, stretch
from recording.hls.playlist import master, media
from recording.hls.shown import View
from tests.support.hls import media_playlist
from tests.unit.recording.test_hls_playlist import PLAIN, Writer, written

OVER = View(ended=True)


def test_the_master_names_them_where_there_are_some() -> None:
    store = written(3.0).store
    assert "SUBTITLES" not in master(store, View())
    lines = master(store, View(), captions=True).splitlines()
    assert [each for each in lines if each.startswith("#EXT-X-MEDIA:")] == [
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="captions",NAME="字幕",LANGUAGE="zh",AUTOSELECT=YES,DEFAULT=NO,FORCED=NO,'
        'URI="captions.m3u8"'
    ]
    variants = [each for each in lines if each.startswith("#EXT-X-STREAM-INF:")]
    assert len(variants) == 3
    assert all(each.endswith('SUBTITLES="captions"') for each in variants)


def test_a_live_playlist_word_for_word() -> None:
    text = live_captions(written(2.4).store, View(), PLAIN)
    assert text is not None
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:1",
        "#EXT-X-SERVER-CONTROL:HOLD-BACK=3.0",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:20.000Z",
        "#EXTINF:1.000,",
        "1/captions/00000000.vtt",
        "#EXTINF:1.000,",
        "1/captions/00000001.vtt",
    ]
    assert live_captions(Writer().store, View(), PLAIN) is None


def test_they_go_with_the_pictures_through_deaths_delays_and_cuts() -> None:
    writer = written(5.4)
    writer.kill()
    writer.begin(9_000)
    for _ in range(200):
        writer.part()
    for view in (View(), View(until_ms=20_000), View(withdrawn=((12_000, 14_000),)), View(until_ms=3_000)):
        pictures, captions = (
            media(writer.store, "720p", view, PLAIN),
            live_captions(writer.store, view, PLAIN),
        )
        assert pictures is not None
        assert captions is not None
        one, other = media_playlist(pictures), media_playlist(captions)
        told = [
            [(each.number, each.duration_ms, each.discontinuity, each.wall_ms) for each in found.segments]
            for found in (one, other)
        ]
        assert told[0] == told[1]
        assert one.discontinuity_sequence == other.discontinuity_sequence


def test_the_replay_has_one_file_for_each_unbroken_stretch() -> None:
    writer = written(5.0)
    writer.kill()
    writer.begin(9_000)
    for _ in range(100):
        writer.part()
    writer.store.stop()
    view = View(withdrawn=((12_000, 18_000),), ended=True)
    text = replayed_captions(writer.store, view, PLAIN)
    assert text is not None
    assert [each for each in text.splitlines() if not each.startswith("#EXT-X-PROGRAM")] == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:11",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXTINF:5.000,",
        "../1/captions/00000000-00000004.vtt",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:6.000,",
        "../2/captions/00000005-00000010.vtt",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:11.000,",
        "../2/captions/00000014-00000024.vtt",
        "#EXT-X-ENDLIST",
    ]


def test_what_a_file_is_about() -> None:
    writer = written(5.0)
    writer.kill()
    writer.begin(9_000)
    for _ in range(25):
        writer.part()
    store = writer.store
    about = stretch(store, View(), 2, 6, 8)
    assert about is not None
    assert (about.from_ms, about.to_ms) == (10_000, 13_000)
    for life, first, last in ((1, 6, 8), (2, 8, 6), (2, 6, 99), (3, 6, 6), (1, 4, 5)):
        assert stretch(store, View(), life, first, last) is None
    assert stretch(store, View(until_ms=12_000), 2, 8, 8) is None, "not seen yet"
