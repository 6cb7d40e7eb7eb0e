"""Figures only where nothing is in doubt."""

from __future__ import annotations

import pytest

from conference.text.numbers import figures


def written(text: str) -> str:
    for first, last, instead in reversed(list(figures(text))):
        text = text[:first] + instead + text[last:]
    return text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("百分之三十", "30%"),
        ("增长了百分之三十五左右", "增长了35%左右"),
        ("百分之十", "10%"),
        ("百分之十二点五", "12.5%"),
        ("百分之零点零五", "0.05%"),
        ("百分之百", "100%"),
        ("百分之一百二十", "120%"),
        ("百分之一百零八", "108%"),
        ("百分之五，百分之六十二", "5%，62%"),
        ("百分之三十至百分之四十", "30%至40%"),
        ("二零二六年", "2026年"),
        ("一九九八年和二〇〇五年度", "1998年和2005年度"),
        ("二零一零年代", "2010年代"),
    ],
)
def test_beyond_doubt(said: str, expected: str) -> None:
    assert written(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "百分之三四十",
        "百分之三十多",
        "百分之三十几",
        "百分之两百",
        "百分之一百二",
        "百分之三十点名",
        "百分之三十到四十",
        "百分之一千",
        "千分之五",
        "三十",
        "三月十五日",
        "二六年",
        "三零二六年",
        "十二零二六年",
        "二零二六",
        "二零二五、二零二六年",
        "一两年",
        "第二十届",
        "万分之一",
        "",
    ],
)
def test_left_as_it_was_said(said: str) -> None:
    assert written(said) == said
