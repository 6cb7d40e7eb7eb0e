"""What can be done to a segment, and what it does to its text, words, times and automatic punctuation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.errors import ConferenceError
from conference.model.permissions import Role
from conference.model.transcript import MAX_TEXT, SpeakerLabel, TranscriptSegment, Word
from conference.model.transcript_edit import (
    Substitution,
    decided,
    edited,
    followed,
    joined,
    joined_words,
    marked,
    places_of,
    proposed,
    render,
    replaced,
    split,
    spoken_by,
    untaken,
)

WANG = SpeakerLabel("王建国", Role.MEMBER)


def words(*said: str | tuple[str, int]) -> tuple[Word, ...]:
    """Each 200 ms long; a number before one is the pause before it."""
    found, at = list[Word](), 1_000
    for each in said:
        text, pause = each if isinstance(each, tuple) else (each, 0)
        at += pause
        found.append(Word(text, at, at + 200))
        at += 200
    return tuple(found)


def segment(said: tuple[Word, ...], segment_id: str = "g1") -> TranscriptSegment:
    rendered = render(said)
    return TranscriptSegment(
        id=segment_id,
        consultation_id="c",
        participant_id="p",
        speaker=WANG,
        start_ms=said[0].start_ms,
        end_ms=said[-1].end_ms,
        text=rendered.text,
        raw=joined_words(said),
        words=said,
        engine="e",
        automatic=rendered.automatic,
    )


SAID = words("老旧", "小区", ("改造", 500), "问题")


def instead(*found: tuple[str, str]):  # type: ignore[no-untyped-def]
    """A rewrite that puts the second in place of the first, wherever it stands."""

    def rewrite(text: str) -> list[Substitution]:
        return sorted((at, at + len(wrong), right) for wrong, right in found for at in places_of(text, wrong))

    return rewrite


# ── rendering ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("said", "text", "automatic"),
    [
        (SAID, "老旧小区，改造问题。", (4, 9)),
        (words("老旧", ("小区", 399)), "老旧小区。", (4,)),
        (words("老旧", ("小区", 400)), "老旧，小区。", (2, 5)),
        (words("good", "morning", ("all", 500)), "good morning, all.", (12, 17)),
        (words("用", "Wi-Fi", "上网"), "用Wi-Fi上网。", (8,)),
        (words("안녕", "하세요"), "안녕 하세요.", (6,)),
        (words("您好。", ("各位", 900)), "您好。各位。", (5,)),
        (words("您好", ("？", 900)), "您好，？", (2,)),
        ((), "", ()),
    ],
)
def test_words_become_a_text(said: tuple[Word, ...], text: str, automatic: tuple[int, ...]) -> None:
    rendered = render(said)
    assert (rendered.text, rendered.automatic) == (text, automatic)


def test_terms_are_put_in_and_take_pauses_within_them_along() -> None:
    rendered = render(SAID, instead(("老旧", "老"), ("小区改造", "小区提升改造"), ("问题", "")))
    assert (rendered.text, rendered.automatic) == ("老小区提升改造。", (7,))
    rendered = render(SAID, instead(("小区", "社区")))
    assert (rendered.text, rendered.automatic) == ("老旧社区，改造问题。", (4, 9))
    rendered = render(SAID, instead(("改造", "提升改造")))
    assert (rendered.text, rendered.automatic) == ("老旧小区，提升改造问题。", (4, 11))


@given(st.lists(st.tuples(st.text("水利abc한", min_size=1, max_size=4), st.integers(0, 900)), min_size=1))
def test_what_is_automatic_was_never_said(said: list[tuple[str, int]]) -> None:
    found = words(*said)
    rendered = render(found)
    assert all(rendered.text[at] in "，。,." for at in rendered.automatic)
    kept = "".join(each for at, each in enumerate(rendered.text) if at not in rendered.automatic)
    assert kept == joined_words(found)


def test_nothing_is_said_where_terms_leave_nothing() -> None:
    assert render(words("嗯"), instead(("嗯", ""))).text == ""


def test_what_nobody_corrected_follows_the_terms() -> None:
    before = segment(SAID)
    after = followed(before, instead(("小区", "社区")))
    assert after == replace(before, text="老旧社区，改造问题。", revision=2)
    assert followed(before, lambda _text: ()) is None
    corrected = edited(before, "老旧小区改造难题")
    assert corrected is not None
    assert followed(corrected, instead(("小区", "社区"))) is None


# ── by hand ─────────────────────────────────────────────────────────────────────────────────────


def test_punctuation_stays_automatic_where_nobody_touched_it() -> None:
    before = segment(SAID)
    after = edited(before, " 老旧小区，改造的\n难题。")
    assert after is not None
    assert (after.text, after.automatic) == ("老旧小区，改造的 难题。", (4, 11))
    assert (after.revision, after.is_edited, after.raw, after.words) == (2, True, before.raw, before.words)
    without = edited(before, "老旧小区改造问题！")
    assert without is not None
    assert without.automatic == ()
    assert edited(before, before.text) is None


@pytest.mark.parametrize("text", ["", " \n", "水" * (MAX_TEXT + 1)])
def test_a_text_has_a_length(text: str) -> None:
    with pytest.raises(ConferenceError) as caught:
        edited(segment(SAID), text)
    assert caught.value.code == "bad_request"


def test_long_texts_are_compared_within_bounds() -> None:
    before = replace(segment(SAID), text="水利" * 2_000, automatic=(3_999,))
    after = edited(before, "教育" * 2_000)
    assert after is not None
    assert after.automatic == ()


def test_speaker_and_marks() -> None:
    before = segment(SAID)
    li = SpeakerLabel("李梅", Role.EXPERT, "分会场", is_certain=True)
    assert spoken_by(before, WANG) is None
    assert spoken_by(before, li) == replace(before, speaker=li, revision=2)
    unclear = marked(before, is_unclear=True)
    assert unclear == replace(before, is_unclear=True, revision=2)
    assert marked(unclear, is_unclear=True) is None
    assert marked(unclear, is_confidential=True) == replace(unclear, is_confidential=True, revision=3)


def test_replacing_is_plain_text() -> None:
    before = segment(SAID)
    assert places_of("水水水", "水水") == [0]
    assert places_of("水", "") == []
    after = replaced(before, "老旧小区", "社区")
    assert after is not None
    assert (after.text, after.automatic, after.is_edited) == ("社区，改造问题。", (2, 7), True)
    assert replaced(before, ".*", "x") is None
    assert replaced(before, "小区", "小区") is None
    gone = replaced(before, "，", "")
    assert gone is not None
    assert (gone.text, gone.automatic) == ("老旧小区改造问题。", (8,))
    with pytest.raises(ConferenceError):
        replaced(before, before.text, " ")


def test_a_proposal_is_taken_or_refused() -> None:
    before = proposed(segment(SAID), "老旧小区，改造问题很多。")
    assert before is not None
    assert (before.text, before.is_edited) == ("老旧小区，改造问题。", False)
    taken = decided(before, accept=True)
    assert taken is not None
    assert (taken.text, taken.proposal, taken.revision, taken.is_edited) == (
        "老旧小区，改造问题很多。",
        None,
        3,
        True,
    )
    refused = decided(before, accept=False)
    assert refused == replace(before, proposal=None, revision=3)
    assert decided(refused, accept=True) is None
    assert proposed(before, before.text) is None
    by_hand = edited(before, "老旧小区，改造问题很多。")
    assert by_hand is not None
    assert by_hand.proposal is None


def test_other_punctuation_alone_is_no_proposal() -> None:
    before = segment(SAID)
    for text in ("老旧小区改造问题", "老旧小区，改造问题！", " 老旧 小区 改造 问题 "):
        assert proposed(before, text) is None, text
    assert proposed(segment(words("ＡＢ１２")), "ab12") is None, "nor are case and width"


def test_words_of_a_proposal_come_with_it_and_go_back_with_it() -> None:
    better = (Word("老旧小区的", 1_000, 1_500, 0.7), Word("改造问题", 2_000, 2_400, 0.9))
    before = proposed(segment(SAID), "老旧小区的改造问题。", better)
    assert before is not None
    assert (before.words, before.other_words) == (SAID, better)
    taken = decided(before, accept=True)
    assert taken is not None
    assert (taken.words, taken.other_words, taken.raw) == (better, SAID, before.raw)
    back = untaken(taken, before.text, is_edited=False)
    assert back is not None
    assert back == replace(before, revision=4, automatic=back.automatic)
    again = decided(back, accept=True)
    assert again is not None
    assert (again.words, again.text) == (better, taken.text)
    refused = decided(before, accept=False)
    assert refused is not None
    assert (refused.words, refused.other_words) == (SAID, ())
    first, second = split(before, 4, "g2")
    assert (first.other_words, second.other_words, first.proposal) == ((), (), None)


def test_without_times_the_words_that_were_heard_stay() -> None:
    before = proposed(segment(SAID), "老旧小区的改造问题。")
    taken = decided(before or segment(SAID), accept=True)
    assert taken is not None
    assert (taken.words, taken.other_words) == (SAID, ())
    back = untaken(taken, "老旧小区，改造问题。", is_edited=True)
    assert back is not None
    assert (back.text, back.proposal, back.words, back.is_edited) == (
        "老旧小区，改造问题。",
        "老旧小区的改造问题。",
        SAID,
        True,
    )


# ── splitting and joining ───────────────────────────────────────────────────────────────────────


def test_a_split_between_words_parts_them_and_their_times() -> None:
    before = segment(SAID)
    first, second = split(before, 5, "g2")
    assert (first.text, first.automatic, first.words, first.raw) == ("老旧小区，", (4,), SAID[:2], "老旧小区")
    assert (second.text, second.automatic, second.words) == ("改造问题。", (4,), SAID[2:])
    assert (first.start_ms, first.end_ms, second.start_ms, second.end_ms) == (1_000, 1_400, 1_900, 2_300)
    assert (first.id, first.revision, second.id, second.revision) == ("g1", 2, "g2", 1)
    assert not first.is_edited
    assert not second.is_edited


@pytest.mark.parametrize(("at", "count"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3), (7, 3)])
def test_a_word_that_is_cut_goes_to_the_side_where_more_of_it_is(at: int, count: int) -> None:
    first, second = split(segment(SAID), at, "g2")
    assert (first.words, second.words) == (SAID[:count], SAID[count:])
    assert first.is_edited == second.is_edited == (at not in (2, 4, 5, 7))


def test_a_corrected_text_is_split_where_its_words_are() -> None:
    before = edited(segment(SAID), "那么老旧小区，加快改造问题。")
    assert before is not None
    first, second = split(before, 9, "g2")
    assert (first.text, second.text) == ("那么老旧小区，加快", "改造问题。")
    assert (first.words, second.words) == (SAID[:2], SAID[2:])
    assert first.is_edited


def test_without_words_time_is_parted_by_characters() -> None:
    before = replace(segment(SAID), words=(), raw="老旧小区改造问题", text="老旧小区改造问题", automatic=())
    first, second = split(before, 4, "g2")
    assert (first.end_ms, second.start_ms) == (1_650, 1_650)
    assert (first.raw, second.raw) == ("老旧小区", "改造问题")


@pytest.mark.parametrize("at", [-1, 0, 9, 10, 99])
def test_nothing_is_split_off_that_has_no_letter(at: int) -> None:
    with pytest.raises(ConferenceError) as caught:
        split(segment(SAID), at, "g2")
    assert caught.value.code == "bad_request"


@given(st.data())
def test_parts_keep_every_word_and_join_again(data: st.DataObject) -> None:
    said = words(
        *data.draw(
            st.lists(
                st.tuples(st.text("老旧小区改造ab", min_size=1, max_size=3), st.integers(0, 900)), min_size=2
            )
        )
    )
    before = segment(said)
    correction = data.draw(st.none() | st.text("老旧小区改造ab，", min_size=2, max_size=30))
    if correction and correction.strip("，"):
        before = edited(before, correction) or before
    at = data.draw(st.integers(1, len(before.text)))
    try:
        first, second = split(before, at, "g2")
    except ConferenceError:
        return
    assert (*first.words, *second.words) == before.words
    assert before.start_ms == first.start_ms <= first.end_ms <= second.start_ms <= second.end_ms
    assert second.end_ms == before.end_ms
    assert all(first.text[each] in "，。,." for each in first.automatic)
    assert all(second.text[each] in "，。,." for each in second.automatic)
    again = joined(first, second)
    assert (again.words, again.start_ms, again.end_ms) == (before.words, before.start_ms, before.end_ms)
    assert all(again.text[each] in "，。,." for each in again.automatic)
    assert [c for c in again.text if c.isalnum()] == [c for c in before.text if c.isalnum()]


def test_the_full_stop_of_the_first_becomes_a_comma_where_there_was_a_pause() -> None:
    one, two = segment(words("老旧", "小区")), segment(words(("改造", 800)), "g2")
    both = joined(one, two)
    assert (both.text, both.automatic, both.raw) == ("老旧小区，改造。", (4, 7), "老旧小区改造")
    close = joined(one, replace(two, start_ms=one.end_ms))
    assert (close.text, close.automatic) == ("老旧小区改造。", (6,))
    by_hand = edited(one, "老旧小区！")
    assert by_hand is not None
    kept = joined(by_hand, marked(two, is_unclear=True, is_confidential=True) or two)
    assert kept.text == "老旧小区！改造。"
    assert (kept.is_edited, kept.is_unclear, kept.is_confidential) == (True, True, True)


def test_what_is_punctuation_alone_is_joined_too() -> None:
    one, two = replace(segment(words("嗯")), text="。", automatic=(0,)), segment(words("小区"), "g2")
    assert joined(one, two).text == "小区。"


def test_a_proposal_of_one_half_is_one_of_the_whole() -> None:
    one, two = segment(words("老旧", "小区")), segment(words(("改造", 800)), "g2")
    both = joined(one, proposed(two, "改造啊。") or two)
    assert both.proposal == "老旧小区。改造啊。"


def test_only_the_same_speaker_is_joined() -> None:
    one, two = segment(words("老旧")), segment(words("小区"), "g2")
    for other in (
        replace(two, participant_id="q"),
        spoken_by(two, SpeakerLabel("李梅", Role.EXPERT)) or two,
    ):
        with pytest.raises(ConferenceError) as caught:
            joined(one, other)
        assert caught.value.code == "invalid_state"
