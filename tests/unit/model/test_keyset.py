"""Which key signs, which are accepted, and how one is taken out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.errors import ConferenceError, NotFoundError
from conference.model.keyset import Key, KeySet, KeyState, key_id

DAY_MS = 86_400_000


def made(number: int) -> Key:
    secret = number.to_bytes(32, "big")
    return Key(key_id(secret), secret, number, f"public {number}")


def test_a_rotation_leaves_the_former_key_accepted_for_its_overlap() -> None:
    one, two = made(1), made(2)
    keys = KeySet((one,)).rotated(two, until_ms=100)
    assert keys.signing is two
    former = keys.find(one.id)
    assert former is not None
    assert [former.state(at) for at in (0, 99, 100)] == [KeyState.ACCEPTED, KeyState.ACCEPTED, KeyState.ENDED]
    assert (former.ended_ms(99), former.ended_ms(100)) == (None, 100)
    assert two.state(10**15) is KeyState.SIGNS


def test_a_retired_key_is_over_at_once_and_for_good() -> None:
    one, two = made(1), made(2)
    keys = KeySet((one,)).rotated(two, until_ms=100).retired(one.id, 50)
    former = keys.find(one.id)
    assert former is not None
    assert (former.state(0), former.ended_ms(0)) == (KeyState.RETIRED, 50)
    assert keys.retired(one.id, 70) == keys, "repeating it is harmless"
    with pytest.raises(ConferenceError, match="it signs"):
        keys.retired(two.id, 50)
    with pytest.raises(NotFoundError):
        keys.retired("deadbeef", 50)


def test_the_key_that_signs_is_never_forgotten() -> None:
    one, two = made(1), made(2)
    keys = KeySet((one,)).rotated(two, until_ms=100).forgetting(frozenset({one.id, two.id}))
    assert [each.secret for each in keys.keys] == [None, two.secret]
    assert keys.keys[0].record_key == "public 1", "what it signed is verified for ever"


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (made(1), made(1)),
        (made(1), made(2)),
        (Key("a", None, 1, "x"),),
        (Key("a", b"x" * 32, 1, "x", until_ms=5),),
        (Key("a", b"x" * 32, 1, "x", retired_ms=5),),
    ],
)
def test_sets_that_make_no_sense_are_refused(keys: tuple[Key, ...]) -> None:
    with pytest.raises(ValueError, match="key"):
        KeySet(keys)


def test_a_secret_is_not_in_what_is_logged_of_a_key() -> None:
    assert "secret" not in repr(KeySet((made(1),)))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rotate"), st.integers(1, 400)),
        st.tuples(st.just("retire"), st.integers(0, 10)),
        st.tuples(st.just("wait"), st.integers(0, 500)),
        st.tuples(st.just("forget"), st.integers(0, 10)),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_one_key_signs_and_none_comes_back(steps: list[tuple[str, int]]) -> None:
    keys, now_ms, over = KeySet((made(1),)), 0, set[str]()
    for what, amount in steps:
        before = keys
        chosen = keys.keys[amount % len(keys.keys)]
        if what == "rotate":
            keys = keys.rotated(made(len(keys.keys) + 1), now_ms + amount * DAY_MS)
        elif what == "retire" and chosen is not keys.signing:
            keys = keys.retired(chosen.id, now_ms)
        elif what == "forget":
            keys = keys.forgetting(frozenset({chosen.id}))
        else:
            now_ms += amount * DAY_MS
        states = {each.id: each.state(now_ms) for each in keys.keys}
        assert [each for each in states if states[each] is KeyState.SIGNS] == [keys.signing.id]
        over |= {each for each in states if states[each] in (KeyState.ENDED, KeyState.RETIRED)}
        assert all(states[each] in (KeyState.ENDED, KeyState.RETIRED) for each in over)
        same = [(each.id, each.until_ms, each.retired_ms) for each in before.keys] == [
            (each.id, each.until_ms, each.retired_ms) for each in keys.keys
        ]
        assert (before.fingerprint == keys.fingerprint) is same
