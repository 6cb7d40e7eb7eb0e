"""The role × action table, whole: a change of it is a change of this test."""

import pytest

from conference.model.errors import ForbiddenError
from conference.model.permissions import PERMISSIONS, Action, Role, actions_of, allowed, require

LISTEN = {"room.join", "participant.update", "consultation.read", "whep.play"}
SPEAK = LISTEN | {
    "media.publish",
    "media.screen",
    "whip.publish",
    "floor.request",
    "statement.add",
    "statement.like",
}
LEAD = SPEAK | {
    "participant.mute",
    "participant.remove",
    "floor.order",
    "floor.grant",
    "floor.mode",
    "agenda.edit",
    "agenda.run",
    "statement.take",
    "attendance.read",
    "desk.join",
    "audit.read",
    "consultation.start",
    "consultation.end",
    "participant.admit",
    "invitee.read",
    "clip.add",
}
PREPARE = {
    "consultation.create",
    "consultation.edit",
    "consultation.publish",
    "agenda.edit",
    "venue.edit",
    "clip.add",
    "precheck.run",
    "invitee.read",
    "invitee.edit",
    "link.read",
    "token.revoke",
}
VENUES = {"venue.message", "venue.watch", "precheck.read"}
BROADCAST = {"program.read", "program.direct", "broadcast.cut", "recording.pause", "clip.play"}
COMMENTS = {"comment.moderate", "comment.promote"}
CASES = {"response.read", "response.open", "account.read"}
LEDGER = {"response.read", "response.manage", "account.read"}
TRANSCRIPT = {"transcript.read", "transcript.confidential"}
MINUTES = {"minutes.read", "minutes.edit", "minutes.approve", "minutes.template"}
OVERSEE = {"attendance.read", "desk.join", "audit.read", "archive.read"}
TABLE = {
    "chair": LEAD
    | BROADCAST
    | VENUES
    | COMMENTS
    | CASES
    | TRANSCRIPT
    | {"promotion.decide", "minutes.read", "minutes.approve"},
    "secretariat": LEAD
    | PREPARE
    | BROADCAST
    | VENUES
    | COMMENTS
    | CASES
    | LEDGER
    | TRANSCRIPT
    | MINUTES
    | {"promotion.decide", "transcript.edit", "terms.edit", "room.inspect"}
    | {"statement.read_private", "archive.read", "recording.read", "recording.delete", "export.create"},
    "member": SPEAK,
    "department": SPEAK,
    "expert": SPEAK,
    "citizen": SPEAK,
    "venue_operator": SPEAK | {"venue.message", "precheck.run", "precheck.read", "clip.add", "clip.play"},
    "moderator": SPEAK | COMMENTS | CASES | {"desk.join", "program.read", "broadcast.cut", "transcript.read"},
    "observer": LISTEN,
    "organizer": LISTEN
    | PREPARE
    | VENUES
    | OVERSEE
    | LEDGER
    | TRANSCRIPT
    | (MINUTES - {"minutes.approve"})
    | {
        "room.inspect",
        "transcript.edit",
        "terms.edit",
        "consultation.start",
        "consultation.end",
        "recording.read",
        "export.create",
        "program.read",
        "program.direct",
        "broadcast.cut",
        "clip.play",
    },
    "administrator": LISTEN
    | PREPARE
    | VENUES
    | OVERSEE
    | LEDGER
    | TRANSCRIPT
    | {
        "room.inspect",
        "minutes.read",
        "minutes.template",
        "terms.edit",
        "audit.forget",
        "comment.trace",
        "program.read",
        "recording.read",
        "recording.delete",
        "export.create",
        "user.manage",
        "organization.manage",
        "organization.watch",
    },
}


def test_the_whole_table() -> None:
    assert {role.value: set(actions) for role, actions in PERMISSIONS.items()} == TABLE
    assert set(PERMISSIONS) == set(Role)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_require_says_what_the_table_says(role: Role, action: Action) -> None:
    if allowed(role, action):
        require(role, action)
        assert action in actions_of(role)
    else:
        with pytest.raises(ForbiddenError):
            require(role, action)
