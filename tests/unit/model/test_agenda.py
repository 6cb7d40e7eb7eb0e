"""The agenda: at most one current item, whatever is done, and nothing that began gets lost."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.agenda import Agenda, AgendaDraft, AgendaKind, ItemState
from conference.model.errors import ConferenceError


def made(*titles: str) -> Agenda:
    return Agenda().edited([AgendaDraft(title, AgendaKind.SPEECH) for title in titles])


def test_walking_through() -> None:
    agenda = made("甲", "乙").advanced(10)
    assert [each.state for each in agenda.items] == ["current", "pending"]
    agenda = agenda.advanced(20)
    assert [(each.state, each.started_at_ms, each.ended_at_ms) for each in agenda.items] == [
        ("done", 10, 20),
        ("current", 20, None),
    ]
    agenda = agenda.advanced(30)
    assert agenda.current is None
    with pytest.raises(ConferenceError) as caught:
        agenda.advanced(40)
    assert caught.value.code == "invalid_state"
    again = agenda.started(agenda.items[0].id, 50)
    assert (again.items[0].state, again.items[0].started_at_ms) == (ItemState.CURRENT, 10)


def test_editing_keeps_what_began() -> None:
    agenda = made("甲", "乙", "丙").advanced(1).advanced(2)
    first, second, _ = agenda.items
    with pytest.raises(ConferenceError) as caught:
        agenda.edited([AgendaDraft("乙", AgendaKind.SPEECH, id=second.id)])
    assert caught.value.code == "agenda_item_begun"
    edited = agenda.edited(
        [
            AgendaDraft("新", AgendaKind.REPORT),
            AgendaDraft("乙二", AgendaKind.SPEECH, id=second.id),
            AgendaDraft("甲", AgendaKind.SPEECH, id=first.id),
        ]
    )
    assert [(each.title, each.state) for each in edited.items] == [
        ("新", "pending"),
        ("乙二", "current"),
        ("甲", "done"),
    ]
    for drafts in (
        [AgendaDraft("x", AgendaKind.SPEECH, id="a_unknown")],
        [AgendaDraft("x", AgendaKind.SPEECH, id=first.id)] * 2,
    ):
        with pytest.raises(ConferenceError):
            agenda.edited(drafts)


def test_items_begun_before_going_live_start_with_it() -> None:
    agenda = made("甲").advanced(None)
    assert agenda.items[0].started_at_ms is None
    assert agenda.went_live().items[0].started_at_ms == 0


@given(st.lists(st.tuples(st.sampled_from(["start", "next", "end"]), st.integers(0, 3)), max_size=20))
def test_at_most_one_is_current(steps: list[tuple[str, int]]) -> None:
    agenda = made("甲", "乙", "丙", "丁")
    for now, (name, index) in enumerate(steps):
        with suppress(ConferenceError):
            if name == "start":
                agenda = agenda.started(agenda.items[index].id, now)
            else:
                agenda = agenda.advanced(now) if name == "next" else agenda.ended(now)
        assert sum(each.state is ItemState.CURRENT for each in agenda.items) <= 1
        for each in agenda.items:
            assert (each.ended_at_ms is not None) == (each.state is ItemState.DONE)
            assert (each.started_at_ms is None) == (each.state is ItemState.PENDING)
