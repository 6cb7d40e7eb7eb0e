"""Who may do what: the one role × action table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from conference.model.errors import ForbiddenError


class Role(StrEnum):
    """Roles in a consultation, then staff accounts."""

    CHAIR = "chair"
    MEMBER = "member"
    DEPARTMENT = "department"
    EXPERT = "expert"
    CITIZEN = "citizen"
    VENUE_OPERATOR = "venue_operator"
    MODERATOR = "moderator"
    SECRETARIAT = "secretariat"
    OBSERVER = "observer"
    ORGANIZER = "organizer"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What can be asked for, in the words of the protocol."""

    ROOM_JOIN = "room.join"
    MEDIA_PUBLISH = "media.publish"
    MEDIA_SCREEN = "media.screen"
    PARTICIPANT_UPDATE = "participant.update"  # one's own choices
    PARTICIPANT_MUTE = "participant.mute"
    PARTICIPANT_REMOVE = "participant.remove"
    FLOOR_REQUEST = "floor.request"
    FLOOR_ORDER = "floor.order"  # the queue of raised hands of others
    FLOOR_GRANT = "floor.grant"
    FLOOR_MODE = "floor.mode"
    AGENDA_EDIT = "agenda.edit"
    AGENDA_RUN = "agenda.run"
    VENUE_MESSAGE = "venue.message"  # between desk and venue; an operator for the own venue
    VENUE_WATCH = "venue.watch"  # how all venues fare, and what they write
    STATEMENT_ADD = "statement.add"
    STATEMENT_LIKE = "statement.like"
    STATEMENT_TAKE = "statement.take"
    STATEMENT_READ_PRIVATE = "statement.read_private"
    ATTENDANCE_READ = "attendance.read"
    DESK_JOIN = "desk.join"
    WHIP_PUBLISH = "whip.publish"
    WHEP_PLAY = "whep.play"
    CONSULTATION_READ = "consultation.read"
    CONSULTATION_CREATE = "consultation.create"
    CONSULTATION_START = "consultation.start"
    CONSULTATION_END = "consultation.end"
    AUDIT_READ = "audit.read"
    ROOM_INSPECT = "room.inspect"  # how everybody's connection fares
    ARCHIVE_READ = "archive.read"  # holds the private notes to the secretariat, too
    PARTICIPANT_ADMIT = "participant.admit"  # from the waiting room, or refuse
    CONSULTATION_EDIT = "consultation.edit"
    CONSULTATION_PUBLISH = "consultation.publish"  # and postpone, cancel, archive
    VENUE_EDIT = "venue.edit"
    CLIP_ADD = "clip.add"  # and list, cue, delete; an operator those of the own venue
    CLIP_PLAY = "clip.play"  # in the same way
    PRECHECK_RUN = "precheck.run"  # an operator that of the own venue
    PRECHECK_READ = "precheck.read"  # in the same way
    INVITEE_READ = "invitee.read"  # names, titles, sectors, places
    INVITEE_EDIT = "invitee.edit"  # and telephone numbers
    LINK_READ = "link.read"  # personal links, operators' links, entry codes
    TOKEN_REVOKE = "token.revoke"  # noqa: S105 - the name of an action
    AUDIT_FORGET = "audit.forget"  # delete personal text, as the law may ask
    RECORDING_READ = "recording.read"
    RECORDING_DELETE = "recording.delete"
    EXPORT_CREATE = "export.create"  # have files made out of recordings
    RECORDING_PAUSE = "recording.pause"
    PROGRAM_READ = "program.read"  # undelayed and uncut, also of an internal consultation
    PROGRAM_DIRECT = "program.direct"
    BROADCAST_CUT = "broadcast.cut"  # and restore, withdraw, reinstate
    COMMENT_MODERATE = "comment.moderate"  # read the queue, decide, claim, group, edit the word list
    COMMENT_PROMOTE = "comment.promote"  # put to the session; without the next one it is a proposal
    PROMOTION_DECIDE = "promotion.decide"  # take, decline and end
    RESPONSE_READ = "response.read"  # the ledger of answers
    RESPONSE_OPEN = "response.open"  # make a case of a comment
    RESPONSE_MANAGE = "response.manage"  # ask departments, approve what they answer
    ACCOUNT_READ = "account.read"  # what became of it all, in numbers
    COMMENT_TRACE = "comment.trace"  # read a comment author's address
    TRANSCRIPT_READ = "transcript.read"
    TRANSCRIPT_EDIT = "transcript.edit"  # and the terms of a consultation
    TERMS_EDIT = "terms.edit"  # of one's own body
    TRANSCRIPT_CONFIDENTIAL = "transcript.confidential"  # read what is marked as confidential, too
    MINUTES_READ = "minutes.read"
    MINUTES_EDIT = "minutes.edit"  # make, write, review, reopen
    MINUTES_APPROVE = "minutes.approve"
    MINUTES_TEMPLATE = "minutes.template"  # of one's own body
    USER_MANAGE = "user.manage"
    ORGANIZATION_MANAGE = "organization.manage"
    ORGANIZATION_WATCH = "organization.watch"  # what goes on in the own body and those below, and its trace


_LISTEN: Final = frozenset(
    {Action.ROOM_JOIN, Action.PARTICIPANT_UPDATE, Action.CONSULTATION_READ, Action.WHEP_PLAY}
)
_SPEAK: Final = _LISTEN | {
    Action.MEDIA_PUBLISH,
    Action.MEDIA_SCREEN,
    Action.WHIP_PUBLISH,
    Action.FLOOR_REQUEST,
    Action.STATEMENT_ADD,
    Action.STATEMENT_LIKE,
}
_LIFE_CYCLE: Final = frozenset({Action.CONSULTATION_START, Action.CONSULTATION_END})
_LEAD: Final = (
    _SPEAK
    | _LIFE_CYCLE
    | {
        Action.PARTICIPANT_MUTE,
        Action.PARTICIPANT_REMOVE,
        Action.FLOOR_ORDER,
        Action.FLOOR_GRANT,
        Action.FLOOR_MODE,
        Action.AGENDA_EDIT,
        Action.AGENDA_RUN,
        Action.STATEMENT_TAKE,
        Action.ATTENDANCE_READ,
        Action.DESK_JOIN,
        Action.AUDIT_READ,
        Action.PARTICIPANT_ADMIT,
        Action.INVITEE_READ,
        Action.CLIP_ADD,
    }
)
_PREPARE: Final = frozenset(
    {
        Action.CONSULTATION_CREATE,
        Action.CONSULTATION_EDIT,
        Action.CONSULTATION_PUBLISH,
        Action.AGENDA_EDIT,
        Action.VENUE_EDIT,
        Action.CLIP_ADD,
        Action.PRECHECK_RUN,
        Action.INVITEE_READ,
        Action.INVITEE_EDIT,
        Action.LINK_READ,
        Action.TOKEN_REVOKE,
    }
)

_BROADCAST: Final = frozenset(
    {
        Action.PROGRAM_READ,
        Action.PROGRAM_DIRECT,
        Action.BROADCAST_CUT,
        Action.RECORDING_PAUSE,
        Action.CLIP_PLAY,
    }
)
_VENUES: Final = frozenset({Action.VENUE_MESSAGE, Action.VENUE_WATCH, Action.PRECHECK_READ})
_COMMENTS: Final = frozenset({Action.COMMENT_MODERATE, Action.COMMENT_PROMOTE})
_OPEN_CASES: Final = frozenset({Action.RESPONSE_READ, Action.RESPONSE_OPEN, Action.ACCOUNT_READ})
_KEEP_LEDGER: Final = frozenset({Action.RESPONSE_READ, Action.RESPONSE_MANAGE, Action.ACCOUNT_READ})
_TRANSCRIPT: Final = frozenset({Action.TRANSCRIPT_READ, Action.TRANSCRIPT_CONFIDENTIAL})
_WRITE_MINUTES: Final = frozenset(
    {Action.MINUTES_READ, Action.MINUTES_EDIT, Action.MINUTES_APPROVE, Action.MINUTES_TEMPLATE}
)
_OVERSEE: Final = frozenset(
    {Action.ATTENDANCE_READ, Action.DESK_JOIN, Action.AUDIT_READ, Action.ARCHIVE_READ}
)

PERMISSIONS: Final[Mapping[Role, frozenset[Action]]] = MappingProxyType(
    {
        Role.CHAIR: _LEAD
        | _BROADCAST
        | _VENUES
        | _COMMENTS
        | _OPEN_CASES
        | _TRANSCRIPT
        | {Action.PROMOTION_DECIDE, Action.MINUTES_READ, Action.MINUTES_APPROVE},
        Role.SECRETARIAT: _LEAD
        | _PREPARE
        | _BROADCAST
        | _VENUES
        | _COMMENTS
        | _OPEN_CASES
        | _KEEP_LEDGER
        | _TRANSCRIPT
        | _WRITE_MINUTES
        | {
            Action.PROMOTION_DECIDE,
            Action.ROOM_INSPECT,
            Action.TRANSCRIPT_EDIT,
            Action.TERMS_EDIT,
            Action.STATEMENT_READ_PRIVATE,
            Action.ARCHIVE_READ,
            Action.RECORDING_READ,
            Action.RECORDING_DELETE,
            Action.EXPORT_CREATE,
        },
        Role.MEMBER: _SPEAK,
        Role.DEPARTMENT: _SPEAK,
        Role.EXPERT: _SPEAK,
        Role.CITIZEN: _SPEAK,
        Role.VENUE_OPERATOR: _SPEAK
        | {
            Action.VENUE_MESSAGE,
            Action.PRECHECK_RUN,
            Action.PRECHECK_READ,
            Action.CLIP_ADD,
            Action.CLIP_PLAY,
        },
        Role.MODERATOR: _SPEAK
        | _COMMENTS
        | _OPEN_CASES
        | {Action.DESK_JOIN, Action.PROGRAM_READ, Action.BROADCAST_CUT, Action.TRANSCRIPT_READ},
        Role.OBSERVER: _LISTEN,
        Role.ORGANIZER: _LISTEN
        | _LIFE_CYCLE
        | _OVERSEE
        | _PREPARE
        | _VENUES
        | _KEEP_LEDGER
        | _TRANSCRIPT
        | (_WRITE_MINUTES - {Action.MINUTES_APPROVE})
        | {
            Action.ROOM_INSPECT,
            Action.TRANSCRIPT_EDIT,
            Action.TERMS_EDIT,
            Action.RECORDING_READ,
            Action.EXPORT_CREATE,
            Action.PROGRAM_READ,
            Action.PROGRAM_DIRECT,
            Action.BROADCAST_CUT,
            Action.CLIP_PLAY,
        },
        Role.ADMINISTRATOR: _LISTEN
        | _OVERSEE
        | _PREPARE
        | _VENUES
        | _KEEP_LEDGER
        | _TRANSCRIPT
        | {
            Action.ROOM_INSPECT,
            Action.MINUTES_READ,
            Action.MINUTES_TEMPLATE,
            Action.TERMS_EDIT,
            Action.AUDIT_FORGET,
            Action.COMMENT_TRACE,
            Action.PROGRAM_READ,
            Action.RECORDING_READ,
            Action.RECORDING_DELETE,
            Action.EXPORT_CREATE,
            Action.USER_MANAGE,
            Action.ORGANIZATION_MANAGE,
            Action.ORGANIZATION_WATCH,
        },
    }
)


def allowed(role: Role, action: Action) -> bool:
    """Whether the table lets `role` do `action`."""
    return action in PERMISSIONS[role]


def require(role: Role, action: Action) -> None:
    """Raise ForbiddenError unless the table allows it."""
    if not allowed(role, action):
        raise ForbiddenError(f"{role} may not {action}")


def actions_of(role: Role) -> tuple[str, ...]:
    """Everything a role may do, sorted: what the client is told as `can`."""
    return tuple(sorted(PERMISSIONS[role]))
