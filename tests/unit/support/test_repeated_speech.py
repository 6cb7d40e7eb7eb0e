"""How much of what somebody repeats was heard rightly."""

from __future__ import annotations

import pytest

from tests.support.repeated_speech import Accuracy, accuracy

SAID = ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("heard", "found"),
    [
        ("a b c d e", Accuracy(5, 0)),
        ("d e a b c d e a b c d e a", Accuracy(13, 0)),
        ("a b x d e", Accuracy(5, 1)),
        ("a b d e a", Accuracy(6, 1)),
        ("a b b c d e", Accuracy(5, 1)),
        ("d x y b c", Accuracy(5, 2)),
        ("", Accuracy(0, 0)),
    ],
)
def test_words_that_are_wrong_missing_or_too_many_are_errors(heard: str, found: Accuracy) -> None:
    assert accuracy(SAID, heard.split()) == found
