"""Folding: what people read as the same becomes the same, and the way back is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.text.folding import fold, fold_text
from conference.text.lookalikes import plain

COMMENTS = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("微信傻逼一三八零〇１３８①⑩㊀ａＡаΑ縣體發 \u200b\u202e\u0301.，。-*❤🐴🇻🅥ﷺ㎏½\t\n"),
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＡＢＣ１２３", "abc123"),
        ("醫療養老", "医疗养老"),
        ("微 信\u3000号", "微信号"),
        ("微\u200b信\u2060号", "微信号"),
        ("微.信*号", "微信号"),
        ("вест νх", "bectvx"),
        ("ⓥⓧ 🅥🅧 🇻🇽 𝐯𝓍", "vxvxvxvx"),
        ("h̶e̷l̸l̵o", "hello"),
        ("一二三四五六七八九零〇", "12345678900"),
        ("壹贰叁肆伍陆柒捌玖", "123456789"),
        ("①②③⑴⒈❶➀٣३3️⃣", "1231111333"),
        ("㊀⑩", "110"),
        ("❤🐴", "心马"),
        ("支持！👍", "支持"),
        ("", ""),
        ("\u202e\u200b\ufeff", ""),
    ],
)
def test_reads_what_a_person_reads(written: str, read: str) -> None:
    assert fold(written).text == read


@given(COMMENTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = fold(text)
    assert fold(once.text).text == once.text
    assert fold(once.marked).marked == once.marked
    assert fold(once.marked).text == once.text


@given(COMMENTS)
def test_every_character_knows_where_it_came_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.positions) == len(folded.text)
    assert list(folded.positions) == sorted(folded.positions)
    assert len(folded.gaps) == len(folded.text) + 1
    for number, character in enumerate(folded.text):
        start, end = folded.span(number, number + 1)
        assert character in plain(text[start:end])
    for number, character in enumerate(folded.marked):
        start, end = folded.marked_span(number, number + 1)
        assert character in plain(text[start:end])


@given(COMMENTS, st.data())
def test_a_part_folds_as_it_does_in_the_whole(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    assert fold(text[:cut]).text + fold(text[cut:]).text == fold(text).text


@pytest.mark.parametrize(
    ("text", "word", "broken"),
    [
        ("路很微，信号差", "微信", True),
        ("路很微\n信号差", "微信", True),
        ("加 微 信 聊", "微信", False),
        ("狗，官，们", "狗官", False),
        ("傻-逼", "傻逼", False),
        ("傻 逼", "傻逼", False),
    ],
)
def test_a_sentence_ends_a_word_unless_it_is_spelt_out(text: str, word: str, broken: bool) -> None:
    folded = fold(text)
    start = folded.text.index(word)
    assert folded.breaks(start, start + len(word)) is broken


@given(COMMENTS)
def test_the_text_alone_is_the_same(text: str) -> None:
    assert fold_text(text) == fold(text).text
