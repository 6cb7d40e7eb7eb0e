"""Whose sound comes out of which hall, and who must not be given it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.hall import deaf_to, hall_of
from conference.model.participant import Participant, ParticipantKind
from conference.model.permissions import Role

PERSON = Participant(
    id="p",
    consultation_id="c",
    name="何委员",
    role=Role.MEMBER,
    venue=None,
    kind=ParticipantKind.CLIENT,
    device=None,
    token_id="t",
    resume_hash="",
    joined_at_ms=0,
    last_seen_ms=0,
)
AT_HALL = replace(PERSON, venue="青禾县分会场", venue_id="v_1")
OPERATOR = replace(AT_HALL, role=Role.VENUE_OPERATOR)
ENCODER = replace(AT_HALL, kind=ParticipantKind.WHIP)
SCREEN = replace(AT_HALL, role=Role.OBSERVER, kind=ParticipantKind.SCREEN)
PHONE = replace(AT_HALL, in_hall=True)


@pytest.mark.parametrize("equipment", [OPERATOR, SCREEN])
@pytest.mark.parametrize("voice", [OPERATOR, ENCODER, PHONE])
def test_what_plays_into_a_hall_is_deaf_to_every_voice_of_it(
    equipment: Participant, voice: Participant
) -> None:
    assert set(deaf_to(equipment)) & set(hall_of(voice))


def test_who_is_only_put_down_for_a_venue_is_heard_in_it_and_hears_it() -> None:
    assert hall_of(AT_HALL) == ()
    assert deaf_to(AT_HALL) == ()


@pytest.mark.parametrize("equipment", [OPERATOR, SCREEN])
def test_another_hall_is_heard(equipment: Participant) -> None:
    elsewhere = replace(OPERATOR, venue="石桥村连线点", venue_id="v_2")
    assert not set(deaf_to(equipment)) & set(hall_of(elsewhere))


def test_a_token_that_knows_the_name_alone_is_of_the_same_hall() -> None:
    by_name = replace(OPERATOR, venue_id=None)
    assert set(deaf_to(SCREEN)) & set(hall_of(by_name))
    # A hall that was renamed meanwhile is told by its id, and no id is taken for a name.
    assert set(deaf_to(SCREEN)) & set(hall_of(replace(OPERATOR, venue="新名")))
    assert not set(deaf_to(SCREEN)) & set(hall_of(replace(by_name, venue="v_1")))


def test_without_a_venue_there_is_no_hall() -> None:
    for each in (replace(PERSON, role=Role.VENUE_OPERATOR), replace(PERSON, kind=ParticipantKind.SCREEN)):
        assert hall_of(each) == deaf_to(each) == ()
