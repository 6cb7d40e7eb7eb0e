"""Lists of words: found as words, covered by harmless ones, read from files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.comment import Level
from conference.text.folding import fold
from conference.text.words import Category, Word, WordList, default_words, parsed, spellings


def found(text: str, *words: Word) -> list[str]:
    """What the list finds, as it was written."""
    folded = fold(text)
    return [text[slice(*folded.span(hit.start, hit.end))] for hit in WordList(words).hits(folded)]


def insult(text: str) -> Word:
    return Word(text, Level.HOLD, Category.INSULT)


def harmless(text: str) -> Word:
    return Word(text, Level.PASS, Category.HARMLESS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SB领导", ["SB"]),
        ("usb接口", []),
        ("sbs路面", []),
        ("usb s b", ["s b"]),
        ("s b", ["s b"]),
        ("他sb，真的", ["sb"]),
    ],
)
def test_latin_words_are_whole_words(text: str, expected: list[str]) -> None:
    assert found(text, insult("sb")) == expected


def test_a_harmless_word_covers_what_it_began_before() -> None:
    assert found("安徽信息", insult("徽信"), harmless("安徽")) == []
    assert found("加徽信号", insult("徽信"), harmless("信号")) == ["徽信"]
    assert found("垃圾分类，你这垃圾", insult("垃圾"), harmless("垃圾分类")) == ["垃圾"]
    assert found("垃圾", insult("垃圾"), harmless("垃")) == ["垃圾"]


def test_the_gravest_of_equal_words_counts() -> None:
    words = WordList([Word("刷单", Level.MARK, Category.FRAUD), Word("刷單", Level.BLOCK, Category.FRAUD)])
    assert len(words) == 1
    assert words.hits(fold("刷单"))[0].word.level is Level.BLOCK


@pytest.mark.parametrize("useless", ["", " ", "+v", "，。", "\u200b", "a"])
def test_words_that_would_be_everywhere_are_left_out(useless: str) -> None:
    assert len(WordList([insult(useless)])) == 0


def test_an_empty_list_finds_nothing() -> None:
    assert WordList([]).hits(fold("什么都有")) == []


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("傻[逼b]", ["傻逼", "傻b"]), ("[ab][cd]", ["ac", "ad", "bc", "bd"]), ("路", ["路"])],
)
def test_patterns_are_spelt_out(pattern: str, expected: list[str]) -> None:
    assert list(spellings(pattern)) == expected


@pytest.mark.parametrize("pattern", ["[", "]", "[]", "a]b", "[[a]", "[abcdefg][abcdefg][abcdefg]"])
def test_patterns_with_faults_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"brackets|spellings"):
        list(spellings(pattern))


@pytest.mark.parametrize("line", ["hold", "hold nothing 傻", "never insult 傻", "hold insult [傻"])
def test_a_fault_in_a_list_is_named_with_its_line(line: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        parsed(f"# words\n{line}\n")


def test_no_word_of_the_default_list_is_hidden_by_a_harmless_one_like_it() -> None:
    by_text: dict[str, set[bool]] = {}
    for word in default_words():
        by_text.setdefault(fold(word.text).text, set()).add(word.category is Category.HARMLESS)
    assert [text for text, kinds in by_text.items() if len(kinds) > 1] == []


@given(
    st.lists(st.text("微信傻逼ab1", min_size=2, max_size=4), min_size=1, max_size=8),
    st.text("微信傻逼ab1 ", max_size=30),
)
def test_words_are_found_where_they_stand_and_nowhere_else(words: list[str], text: str) -> None:
    folded = fold(text)
    for hit in WordList(map(insult, words)).hits(folded):
        assert folded.text[hit.start : hit.end] == fold(hit.word.text).text
    han = [word for word in words if not set(word) & set("ab")]
    hits = {hit.word.text for hit in WordList(map(insult, han)).hits(folded)}
    assert hits == {word for word in han if word in folded.text}
