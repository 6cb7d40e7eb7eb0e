"""Who has to wait before the door."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conference.model.admission import NEVER_WAIT, must_wait
from conference.model.consultation import Consultation, Mode, Status
from conference.model.errors import ConferenceError
from conference.model.participant import (
    FloorGate,
    LeaveReason,
    Participant,
    ParticipantKind,
)
from conference.model.permissions import Role

OPEN = Consultation("c", "会", Status.LIVE, Mode.FREE, True, False, True, 1)
CLOSED = replace(OPEN, waiting_room=True)
ME = Participant("p", "c", "张三", Role.MEMBER, None, ParticipantKind.CLIENT, None, "t", "h", 10, 10)


def waits(
    *before: Participant,
    room: Consultation = CLOSED,
    role: Role = Role.MEMBER,
    stranger: bool = False,
    staff: bool = False,
) -> bool:
    return must_wait(room, role, is_stranger=stranger, before=before, is_staff=staff)


@pytest.mark.parametrize("role", Role)
def test_who_comes_for_the_first_time(role: Role) -> None:
    assert waits(role=role) is (role not in NEVER_WAIT)
    assert not waits(room=OPEN, role=role)


def test_a_stranger_waits_everywhere() -> None:
    assert waits(room=OPEN, stranger=True)
    assert waits(stranger=True)


@pytest.mark.parametrize("reason", [None, LeaveReason.LEFT, LeaveReason.LOST, LeaveReason.REVOKED])
def test_who_was_in_does_not_wait_again(reason: LeaveReason | None) -> None:
    assert not waits(replace(ME, leave_reason=reason))
    assert not waits(replace(ME, leave_reason=reason), stranger=True)


@pytest.mark.parametrize("reason", [None, LeaveReason.LEFT, LeaveReason.LOST, LeaveReason.REFUSED])
def test_who_only_waited_waits_again(reason: LeaveReason | None) -> None:
    waited = replace(ME.waiting_from(12), leave_reason=reason)
    assert waits(waited)
    assert not waits(waited, room=OPEN), "the waiting room was opened meanwhile"
    assert waits(waited, room=OPEN, stranger=True)


def test_who_was_removed_waits_until_admitted_again() -> None:
    removed = ME.left(20, LeaveReason.REMOVED)
    assert waits(removed, room=OPEN)
    back = removed.returned(21).waiting_from(21)
    assert waits(back, room=OPEN)
    assert waits(back.left(22, LeaveReason.LEFT), room=OPEN), "giving up the place is no way in"
    assert waits(back.left(22, LeaveReason.REFUSED), room=OPEN)
    assert not waits(removed.returned(21).admitted(), room=OPEN)
    before, after = replace(ME, id="p0", joined_at_ms=5), replace(ME, id="p2", joined_at_ms=25)
    assert waits(before, removed, room=OPEN), "another window of the same token does not help"
    assert not waits(removed, after, room=OPEN)
    assert waits(removed, after.waiting_from(26), room=OPEN)


@pytest.mark.parametrize("role", [Role.CHAIR, Role.SECRETARIAT])
def test_who_could_admit_itself_does_not_wait(role: Role) -> None:
    assert not waits(ME.left(20, LeaveReason.REMOVED), role=role)


@pytest.mark.parametrize("role", [Role.SECRETARIAT, Role.MODERATOR, Role.ORGANIZER])
def test_staff_who_were_removed_wait(role: Role) -> None:
    removed = replace(ME, role=role, user_id="u").left(20, LeaveReason.REMOVED)
    assert waits(removed, role=role, room=OPEN, staff=True)
    assert not waits(removed.returned(21).admitted(), role=role, room=OPEN, staff=True)
    assert not waits(role=role, room=OPEN, staff=True)


def test_the_microphone_of_a_phone_in_a_hall() -> None:
    phone = replace(ME, in_hall=True, microphone_on=True)
    assert not phone.sound_open
    with pytest.raises(ConferenceError, match="floor_required"):
        phone.choosing_microphone(True)
    assert phone.given_floor().sound_open
    assert phone.given_floor().choosing_microphone(False).choosing_microphone(True).sound_open
    assert not phone.given_floor().under_floor(None).sound_open
    assert not phone.unmuted().sound_open
    assert not phone.under_floor(FloorGate.CLOSED).sound_open
