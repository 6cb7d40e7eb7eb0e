"""Mutes: what closes a gate, who may open it, and that an undo undoes just what was done."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.errors import ConferenceError
from conference.model.participant import FloorGate, LeaveReason, MuteAllMark, Participant, ParticipantKind
from conference.model.permissions import Role


def make() -> Participant:
    return Participant(
        id="p_1",
        consultation_id="c",
        name="张三",
        role=Role.MEMBER,
        venue=None,
        kind=ParticipantKind.CLIENT,
        device=None,
        token_id="t_1",
        resume_hash="0" * 64,
        joined_at_ms=0,
        last_seen_ms=0,
    )


def test_a_soft_mute_can_be_lifted_by_its_owner() -> None:
    muted = make().muted("主持人", hard=False)
    assert (muted.sound_open, muted.muted_by) == (False, "主持人")
    opened = muted.choosing_microphone(True)
    assert (opened.sound_open, opened.muted_by) == (True, None)


def test_a_hard_mute_can_not() -> None:
    muted = make().muted("主持人", hard=True)
    with pytest.raises(ConferenceError) as caught:
        muted.choosing_microphone(True)
    assert caught.value.code == "hard_muted"
    assert not muted.choosing_microphone(False).unmuted().sound_open
    assert muted.unmuted().sound_open


def test_muting_the_muted_changes_nothing() -> None:
    closed = make().choosing_microphone(False)
    assert closed.muted("主持人", hard=False) is closed
    hard = make().muted("主持人", hard=True)
    assert hard.muted("秘书处", hard=True) is hard
    assert make().unmuted() == make()


def test_leaving_and_coming_back_keeps_the_mutes_and_drops_the_hand() -> None:
    muted = make().with_hand(3).muted("主持人", hard=True)
    left = muted.left(10, LeaveReason.LOST)
    assert left.hand_order is None
    back = left.returned(20)
    assert (back.hard_muted, back.left_at_ms, back.leave_reason, back.last_seen_ms) == (True, None, None, 20)


Change = Callable[[Participant], Participant]


def choosing(on: bool) -> Change:
    def change(participant: Participant) -> Participant:
        try:
            return participant.choosing_microphone(on)
        except ConferenceError:
            return participant

    return change


changes: st.SearchStrategy[Change] = st.sampled_from(
    [
        choosing(True),
        choosing(False),
        lambda p: p.muted("a", hard=False),
        lambda p: p.muted("a", hard=True),
        lambda p: p.muted("a", hard=False, mark=MuteAllMark.SOFT),
        lambda p: p.muted("a", hard=True, mark=MuteAllMark.HARD),
        lambda p: p.unmuted(),
        lambda p: p.mute_all_undone(),
        lambda p: p.without_mark(),
    ]
)


@given(st.lists(changes, max_size=20))
def test_laws_of_the_gate(path: list[Change]) -> None:
    participant = make()
    for change in path:
        before, participant = participant, change(participant)
        assert participant.sound_open == (
            participant.microphone_on and not participant.soft_muted and not participant.hard_muted
        )
        assert (participant.muted_by is not None) == (participant.soft_muted or participant.hard_muted)
        if before.hard_muted and change in (choosing(True), choosing(False)):
            assert participant.hard_muted
        if participant.mute_all_mark is MuteAllMark.HARD:
            assert participant.hard_muted
        if participant.mute_all_mark is MuteAllMark.SOFT:
            assert participant.soft_muted


@given(st.lists(changes, max_size=10), st.booleans())
def test_undo_restores_the_gate_of_before(path: list[Change], hard: bool) -> None:
    participant = make()
    for change in path:
        participant = change(participant)
    mark = MuteAllMark.HARD if hard else MuteAllMark.SOFT
    closed = participant.muted("主持人", hard=hard, mark=mark)
    assert not closed.sound_open
    if closed is not participant:
        undone = closed.mute_all_undone()
        assert (undone.sound_open, undone.soft_muted, undone.hard_muted, undone.microphone_on) == (
            participant.sound_open,
            participant.soft_muted,
            participant.hard_muted,
            participant.microphone_on,
        )


doings = st.lists(st.sampled_from(["on", "off", "soft", "hard", "unmute", "undo"]), max_size=6)


def changed(one: Participant, names: list[str]) -> Participant:
    for name in names:
        with suppress(ConferenceError):
            match name:
                case "on" | "off":
                    one = one.choosing_microphone(name == "on")
                case "soft" | "hard":
                    one = one.muted("主持人", hard=name == "hard", mark=MuteAllMark(name))
                case "unmute":
                    one = one.unmuted()
                case _:
                    one = one.mute_all_undone()
    return one


@given(before=doings, during=doings, closed=st.booleans())
def test_the_floor_opens_and_never_leaves_more_open_than_before(
    before: list[str], during: list[str], closed: bool
) -> None:
    gate = FloorGate.CLOSED if closed else None
    one = changed(make(), before).under_floor(gate)
    assert not (closed and one.sound_open)
    given_floor = one.given_floor()
    assert given_floor.sound_open
    assert given_floor.under_floor(gate) == one
    held = changed(given_floor, during)
    assert held.holds_floor
    after = held.under_floor(gate)
    if not {"unmute", "undo"} & set(during):
        assert one.sound_open or not after.sound_open
    if closed:
        assert not after.sound_open
    back = after.under_floor(None)
    assert back.sound_open == (back.microphone_on and not back.soft_muted and not back.hard_muted)
