"""Subtitles and the text to read, out of segments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from conference.model.subtitles import MOST_CHARACTERS, Cue, cues, srt, vtt
from conference.model.transcript_edit import edited, times_of
from conference.model.transcript_text import transcript_text
from tests.contract.test_storage import consultation
from tests.support.transcripts import HALL, said

LONG = said(1, *("协商民主" for _ in range(6)), ("广泛", 1_000), *("多层制度" for _ in range(7)))


def test_a_short_segment_is_one_cue() -> None:
    assert list(cues([said(1, "老旧", "小区")])) == [Cue(10_000, 10_800, "王建国", "老旧小区。")]
    assert list(cues([replace(said(1, "甲"), end_ms=10_000)])) == [Cue(10_000, 10_700, "王建国", "甲。")]


def test_a_long_one_is_broken_at_a_pause_and_shown_when_it_is_said() -> None:
    first, second = cues([LONG])
    assert first == Cue(10_000, 15_800, "王建国", "协商民主" * 6 + "，")
    assert second == Cue(15_800, LONG.end_ms, "王建国", "广泛" + "多层制度" * 7 + "。")


def test_a_corrected_one_is_broken_where_its_words_are() -> None:
    corrected = edited(LONG, "各位委员，" + LONG.text.replace("广泛", "很广泛"))
    assert corrected is not None
    assert [each.from_ms for each in cues([corrected])] == [10_000, 15_800]


def test_unclear_ones_are_marked_when_asked() -> None:
    unclear = replace(said(1, "老旧"), is_unclear=True)
    assert [each.text for each in cues([unclear])] == ["老旧。"]
    assert [each.text for each in cues([unclear], mark_unclear=True)] == ["［听不清］老旧。"]


@given(st.lists(st.text("协商，。ab 1", min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=5))
def test_cues_keep_every_word_in_order_and_in_bounds(texts: list[str]) -> None:
    segment = said(1, *texts)
    found = list(cues([segment]))
    assert "".join(each.text for each in found).replace(" ", "") == segment.text.replace(" ", "")
    assert all(each.from_ms < each.to_ms for each in found)
    assert [each.from_ms for each in found] == sorted(each.from_ms for each in found)
    assert all(len(each.text) <= 2 * MOST_CHARACTERS for each in found)
    assert times_of(segment, [0]) == [segment.start_ms]


def test_files_are_what_players_read() -> None:
    found = [Cue(3_723_004, 3_725_000, "王<b>", "甲 --> 乙\n<i>&"), Cue(3_725_000, 3_726_000, "李", "丙")]
    assert vtt(found) == (
        "WEBVTT\n\n01:02:03.004 --> 01:02:05.000\n<v 王&lt;b&gt;>甲 → 乙 &lt;i&gt;&amp;</v>\n"
        "\n01:02:05.000 --> 01:02:06.000\n<v 李>丙</v>\n"
    )
    assert srt(found) == (
        "1\n01:02:03,004 --> 01:02:05,000\n王<b>：甲 → 乙 <i>&\n\n2\n01:02:05,000 --> 01:02:06,000\n李：丙\n"
    )
    assert vtt([]) == "WEBVTT\n"


def test_the_text_to_read() -> None:
    segments = [
        said(1, "老旧", "小区"),
        replace(said(2, "停车"), is_unclear=True, is_edited=True),
        said(3, "水费", participant_id="p2", speaker=HALL),
    ]
    held = replace(consultation(), started_at_ms=1_790_000_000_000)
    assert transcript_text(held, segments, UTC, left_out=1, mark_unclear=True) == (
        "水环境治理协商会　转写稿\n"
        "开始时间：2026年09月21日 14:13\n"
        "共 3 段，其中人工校对 1 段。本稿由语音识别自动生成，标点和停顿为自动添加，须经人工核对，不是会议纪要。\n"
        "另有 1 段标记为不公开，未列入。\n"
        "\n"
        "[00:00:10] 王建国（教授，主会场）\n"
        "老旧小区。\n"
        "［听不清］停车。\n"
        "\n"
        "[00:00:30] 分会场（发言人待确认）\n"
        "水费。\n"
    )
