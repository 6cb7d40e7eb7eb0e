"""Who spoke into a microphone, and what was on the agenda then."""

from __future__ import annotations

from typing import Any

import pytest

from conference.model.agenda import AgendaItem, AgendaKind
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role
from conference.model.speaking import is_shared, item_at, speaker_of


def person(name: str, **values: Any) -> Participant:
    said = {"role": Role.MEMBER, "venue": None, "kind": ParticipantKind.CLIENT, "device": None}
    return Participant(
        **{
            **said,
            "id": name,
            "name": name,
            "consultation_id": "c",
            "token_id": "t",
            "resume_hash": "",
            "joined_at_ms": 1,
            "last_seen_ms": 1,
            **values,
        }
    )


HALL = person("操作员", role=Role.VENUE_OPERATOR, venue="青禾县分会场", venue_id="v1")
ENCODER = person("会场主机", kind=ParticipantKind.WHIP, venue="青禾县分会场", venue_id="v1")
LONE_ENCODER = person("移动机位", kind=ParticipantKind.WHIP)
GUEST = person("王代表", venue="青禾县分会场", venue_id="v1", sector="农业界")
OTHER = person("李委员", venue="主会场", venue_id="v2", title="市医院")


@pytest.mark.parametrize(
    ("who", "shared"), [(HALL, True), (ENCODER, True), (LONE_ENCODER, False), (GUEST, False)]
)
def test_a_microphone_of_a_hall_is_shared(who: Participant, shared: bool) -> None:
    assert is_shared(who) is shared


@pytest.mark.parametrize(
    ("microphone", "holder", "name", "certain"),
    [
        (OTHER, None, "李委员", True),
        (OTHER, GUEST, "李委员", True),
        (HALL, None, "青禾县分会场", False),
        (HALL, GUEST, "王代表", True),
        (ENCODER, GUEST, "王代表", True),
        (HALL, OTHER, "青禾县分会场", False),
        (ENCODER, HALL, "青禾县分会场", False),
        (HALL, HALL, "青禾县分会场", False),
        (LONE_ENCODER, None, "移动机位", True),
    ],
)
def test_whose_words_they_are(
    microphone: Participant, holder: Participant | None, name: str, certain: bool
) -> None:
    label = speaker_of(microphone, holder)
    assert (label.name, label.is_certain) == (name, certain)


def test_the_second_line_of_a_label() -> None:
    assert speaker_of(OTHER, None).title == "市医院"
    assert speaker_of(GUEST, None).title == "农业界"
    assert speaker_of(HALL, None).title is None


def test_an_item_goes_on_behind_what_interrupts_it() -> None:
    def item(name: str, started: int | None, ended: int | None) -> AgendaItem:
        return AgendaItem(name, name, AgendaKind.SPEECH, started_at_ms=started, ended_at_ms=ended)

    items = [item("通报", 0, 10), item("讨论", 10, None), item("上会", 20, 30), item("总结", None, None)]
    found = {at: item_at(items, at) for at in (0, 10, 20, 29, 30, 99)}
    assert [None if each is None else each.id for each in found.values()] == [
        "通报", "讨论", "上会", "上会", "讨论", "讨论",
    ]  # fmt: skip
    assert item_at([item("通报", 5, 10)], 4) is None
