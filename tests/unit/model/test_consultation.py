"""The life of a consultation goes along its table and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.model.consultation import TRANSITIONS, Consultation, Mode, Status
from conference.model.errors import ConferenceError


def make(status: Status = Status.SCHEDULED) -> Consultation:
    return Consultation("c", "协商会", status, Mode.FREE, True, False, True, created_at_ms=0)


@pytest.mark.parametrize("before", Status)
@pytest.mark.parametrize("after", Status)
def test_every_pair_of_states(before: Status, after: Status) -> None:
    if after in TRANSITIONS[before]:
        assert make(before).moved_to(after).status is after
    else:
        with pytest.raises(ConferenceError) as caught:
            make(before).moved_to(after)
        assert caught.value.code == "invalid_state"


@given(st.lists(st.sampled_from(Status), max_size=12))
def test_any_walk_ends_where_the_table_allows(path: list[Status]) -> None:
    consultation = make(Status.DRAFT)
    for status in path:
        allowed = status in TRANSITIONS[consultation.status]
        try:
            consultation = consultation.moved_to(status)
        except ConferenceError:
            assert not allowed
        else:
            assert allowed
            assert consultation.status is status


def test_start_and_end_keep_their_times() -> None:
    live = make().started(1_000)
    assert (live.status, live.started_at_ms, live.program_high_water_ms) == (Status.LIVE, 1_000, 0)
    ended = live.ended(61_000, 60_000)
    assert (ended.status, ended.ended_at_ms, ended.program_high_water_ms) == (Status.ENDED, 61_000, 60_000)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.SCHEDULED, None),
        (Status.LIVE, None),
        (Status.ENDED, "consultation_ended"),
        (Status.ARCHIVED, "consultation_ended"),
        (Status.DRAFT, "consultation_not_open"),
        (Status.POSTPONED, "consultation_not_open"),
        (Status.CANCELLED, "consultation_not_open"),
    ],
)
def test_the_room_is_open_from_scheduled_to_the_end(status: Status, code: str | None) -> None:
    if code is None:
        make(status).require_open()
        return
    with pytest.raises(ConferenceError) as caught:
        make(status).require_open()
    assert caught.value.code == code
