"""A rehearsal: what it gives back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from conference.model.agenda import Agenda, AgendaDraft, AgendaItem, AgendaKind, ItemState, promotion_item
from conference.model.broadcast import PublicView
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.rehearsal import Before, kept_one
from conference.model.statement import StatementBoard

AGENDA = Agenda(
    (
        AgendaItem("a_1", "汇报", AgendaKind.REPORT, 10),
        AgendaItem("a_2", "讨论", AgendaKind.DISCUSSION, 30),
    )
)


def consultation(status: Status = Status.SCHEDULED) -> Consultation:
    return Consultation("c", "协商会", status, Mode.AGENDA, True, False, True, 1, scheduled_at_ms=5)


def somebody(participant_id: str = "p_1") -> Participant:
    return Participant(
        participant_id, "c", "张三", Role.MEMBER, None, ParticipantKind.CLIENT, None, "t", "h", 1, 1
    )


def before(agenda: Agenda = AGENDA, *people: Participant) -> Before:
    return Before.of(Mode.AGENDA, agenda, StatementBoard(), people)


def test_it_begins_and_ends_where_it_is_scheduled_and_nowhere_else() -> None:
    rehearsed = consultation().rehearsed(1_000)
    assert (rehearsed.status, rehearsed.started_at_ms, rehearsed.is_running) == (
        Status.REHEARSAL,
        1_000,
        True,
    )
    moved = replace(rehearsed, program_high_water_ms=77, recording_paused=True, mode=Mode.FREE)
    assert moved.unrehearsed(Mode.AGENDA) == consultation()
    for status in Status:
        if status is not Status.SCHEDULED:
            with pytest.raises(ConferenceError, match=r"does not lead to rehearsal"):
                consultation(status).rehearsed(1)
    for status in set(Status) - {Status.SCHEDULED}:
        with pytest.raises(ConferenceError, match=r"rehearsal does not lead to"):
            rehearsed.moved_to(status)


def test_the_public_knows_nothing_of_it() -> None:
    assert replace(consultation().rehearsed(1_000), program_high_water_ms=9).for_public() == consultation()
    live = consultation().started(1_000)
    assert live.for_public() is live
    rehearsed = consultation().rehearsed(1)
    assert not PublicView.of(rehearsed, (), 5).ended


def test_the_agenda_stands_as_before_and_is_written_as_now() -> None:
    ran = AGENDA.went_live().started("a_1", 0).interrupted(promotion_item("m", "停车难", "老李", None), 500)
    ran = ran.edited(
        [AgendaDraft(replace(each, title="工作汇报").title, each.kind, each.id) for each in ran.items]
        + [AgendaDraft("总结", AgendaKind.SUMMARY)]
    )
    back = before().agenda(ran.advanced(900))
    assert [each.title for each in back.items] == ["工作汇报", "工作汇报", "总结"]
    assert {(each.state, each.started_at_ms, each.ended_at_ms) for each in back.items} == {
        (ItemState.PENDING, None, None)
    }


def test_an_item_that_was_current_before_is_current_again() -> None:
    started = AGENDA.started("a_1", None)
    back = before(started).agenda(started.went_live().advanced(700).closed(900))
    assert [each.state for each in back.items] == [ItemState.CURRENT, ItemState.PENDING]
    assert back.items[0].started_at_ms is None


def test_mutes_and_hands_are_as_they_were_also_by_way_of_json() -> None:
    locked = somebody().muted("主持人", hard=True).with_hand(3, 40)
    said = json.loads(json.dumps(asdict(before(AGENDA, locked))))
    again = Before.read(said)
    assert again == before(AGENDA, locked)
    assert again.participant(locked.unmuted().with_hand(None)) == locked
    newcomer = somebody("p_2")
    assert again.participant(newcomer.muted("主持人", hard=True).with_hand(1, 2)) == newcomer


def test_one_that_is_kept_is_over_and_not_public() -> None:
    kept = kept_one(replace(consultation().rehearsed(1_000), title="长" * 200), "c_2", 9_000, 8_000)
    assert (kept.id, kept.status, kept.is_public, kept.rehearsal_of) == ("c_2", Status.ENDED, False, "c")
    assert (kept.started_at_ms, kept.ended_at_ms, kept.program_high_water_ms) == (1_000, 9_000, 8_000)
    assert len(kept.title) == 200
    assert kept.title.endswith("（演练）")
