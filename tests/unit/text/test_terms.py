"""Terms at work: plain texts, the longest first, in one pass, whatever the list holds."""

from __future__ import annotations

import pytest

from conference.model.terms import Term
from conference.text.terms import TermIndex, TermList


def written(text: str, *terms: Term) -> str:
    for first, last, instead in reversed(TermList(TermIndex(terms)).rewrite(text)):
        text = text[:first] + instead + text[last:]
    return text


@pytest.mark.parametrize(
    ("terms", "said", "expected"),
    [
        ([Term("张巍", "张伟")], "请张伟委员，张伟", "请张巍委员，张巍"),
        ([Term("河长制", "合长制"), Term("河长", "合长")], "合长制和合长", "河长制和河长"),
        ([Term("淮河流域", "淮河")], "淮河流域在淮河", "淮河流域在淮河流域"),
        ([Term("张伟", "伟")], "张伟和伟", "张伟和张伟"),
        ([Term("乙", "甲"), Term("丙", "乙")], "甲乙", "乙丙"),
        ([Term("AI", "ai")], "ai mail ai.", "AI mail AI."),
        ([Term("(a+)+", "a")], "a aa", "(a+)+ aa"),
        ([Term("x", "(a+)+$")], "(a+)+$ aaaa", "x aaaa"),
        ([Term("河长制")], "河长制", "河长制"),
        ([Term("三成", "百分之三十")], "百分之三十和百分之四十", "三成和40%"),
        ([Term("百分", "百芬")], "百分之三十", "百分之三十"),
        ([], "百分之三十", "30%"),
    ],
)
def test_wrong_becomes_right(terms: list[Term], said: str, expected: str) -> None:
    assert written(said, *terms) == expected


def test_a_list_as_long_as_there_may_be() -> None:
    many = [Term(f"对{number:05}", f"错{number:05}") for number in range(50_000)]
    assert written("错00001错49999错50000", *many) == "对00001对49999错50000"


@pytest.mark.parametrize(
    ("own", "of_body", "said", "expected"),
    [
        ([Term("张巍", "张威")], [Term("张维", "张威"), Term("淮河", "怀河")], "张威在怀河", "张巍在淮河"),
        ([Term("怀河")], [Term("淮河", "怀河")], "怀河", "淮河"),
        ([Term("合长", "河长")], [Term("河长制")], "河长制和河长", "河长制和合长"),
        ([], [Term("淮河", "怀河")], "怀河", "淮河"),
    ],
)
def test_own_terms_stand_above_those_of_the_body(
    own: list[Term], of_body: list[Term], said: str, expected: str
) -> None:
    for first, last, instead in reversed(TermList(TermIndex(own), TermIndex(of_body)).rewrite(said)):
        said = said[:first] + instead + said[last:]
    assert said == expected
