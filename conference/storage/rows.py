"""Between rows and the model's values: columns carry the names of the fields."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any

from sqlalchemy import RowMapping

from conference.model.agenda import AgendaItem, AgendaKind, ItemState
from conference.model.attendance import Stay
from conference.model.audit import AuditHead, AuditLine, AuditText
from conference.model.briefing import BriefingFile
from conference.model.broadcast import Cut, CutKind
from conference.model.camera import Camera
from conference.model.clip import Clip, Playing
from conference.model.comment import Mark, Word
from conference.model.comment_group import CommentGroup
from conference.model.consultation import (
    CommentIdentity,
    Consultation,
    ConsultationKind,
    Mode,
    Moderation,
    ProgramGap,
    Status,
)
from conference.model.department import Department
from conference.model.export import Export, ExportKind, ExportState
from conference.model.floor import Ending, EndReason, Turn, TurnState
from conference.model.identity import Identity, Proof
from conference.model.invitee import Invitee
from conference.model.minutes import EarlierText, Minutes, MinutesTemplate
from conference.model.notice import Notice
from conference.model.organization import Level, Organization, StaffSession, User
from conference.model.participant import (
    Device,
    EntryMeans,
    FloorGate,
    LeaveReason,
    MuteAllMark,
    Participant,
    ParticipantKind,
)
from conference.model.permissions import Role
from conference.model.promotion import Promotion, PromotionState
from conference.model.recording import FileState, Recording
from conference.model.response import FollowUp, ResponseRating
from conference.model.second_pass import SecondPass
from conference.model.statement import Statement
from conference.model.transcript import Coverage, Gap, Revision, TranscriptSegment
from conference.model.venue import Venue, VenueKind
from conference.model.venue_message import VenueMessage
from conference.model.viewers import ViewerMinute

Entity = (
    Consultation
    | Camera
    | Participant
    | ProgramGap
    | AuditLine
    | AuditText
    | AuditHead
    | AgendaItem
    | Turn
    | Statement
    | Stay
    | VenueMessage
    | Organization
    | User
    | StaffSession
    | Venue
    | Invitee
    | BriefingFile
    | Recording
    | Cut
    | Export
    | Clip
    | Playing
    | CommentGroup
    | Mark
    | ViewerMinute
    | Word
    | Promotion
    | Identity
    | Proof
    | Department
    | ResponseRating
    | FollowUp
    | Notice
    | TranscriptSegment
    | Revision
    | Coverage
    | Gap
    | SecondPass
    | Minutes
    | MinutesTemplate
    | EarlierText
)


def to_row(value: Entity) -> dict[str, Any]:
    """The column values of an entity."""
    row = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: each.value if isinstance(each, Enum) else each for name, each in row.items()}


def to_consultation(row: RowMapping) -> Consultation:
    return Consultation(
        **{
            **row,
            "status": Status(row["status"]),
            "mode": Mode(row["mode"]),
            "kind": ConsultationKind(row["kind"]),
            "moderation": Moderation(row["moderation"]),
            "comment_identity": CommentIdentity(row["comment_identity"]),
        }
    )


def to_gap(row: RowMapping) -> ProgramGap:
    return ProgramGap(**row)


def to_participant(row: RowMapping) -> Participant:
    device, mark, reason = row["device"], row["mute_all_mark"], row["leave_reason"]
    gate = row["floor_gate"]
    return Participant(
        **{
            **row,
            "role": Role(row["role"]),
            "kind": ParticipantKind(row["kind"]),
            "device": None if device is None else Device(device),
            "mute_all_mark": None if mark is None else MuteAllMark(mark),
            "leave_reason": None if reason is None else LeaveReason(reason),
            "floor_gate": None if gate is None else FloorGate(gate),
            "entered_by": EntryMeans(row["entered_by"]),
        }
    )


def to_agenda_item(row: RowMapping) -> AgendaItem:
    values = {name: row[name] for name in row if name not in ("consultation_id", "position")}
    return AgendaItem(**{**values, "kind": AgendaKind(row["kind"]), "state": ItemState(row["state"])})


def to_turn(row: RowMapping) -> Turn:
    reason = row["end_reason"]
    return Turn(
        **{
            **row,
            "role": Role(row["role"]),
            "ending": Ending(row["ending"]),
            "state": TurnState(row["state"]),
            "end_reason": None if reason is None else EndReason(reason),
        }
    )


def to_statement(row: RowMapping) -> Statement:
    return Statement(**{**row, "role": Role(row["role"])})


def to_stay(row: RowMapping) -> Stay:
    device = row["device"]
    return Stay(
        **{
            **row,
            "means": ParticipantKind(row["means"]),
            "device": None if device is None else Device(device),
        }
    )


def to_organization(row: RowMapping) -> Organization:
    return Organization(**{**row, "level": Level(row["level"])})


def to_user(row: RowMapping) -> User:
    return User(**{**row, "role": Role(row["role"])})


def to_staff_session(row: RowMapping) -> StaffSession:
    return StaffSession(**row)


def to_venue(row: RowMapping) -> Venue:
    return Venue(**{**row, "kind": VenueKind(row["kind"])})


def to_invitee(row: RowMapping) -> Invitee:
    return Invitee(**{**row, "role": Role(row["role"])})


def to_recording(row: RowMapping) -> Recording:
    return Recording(**{**row, "state": FileState(row["state"])})


def to_cut(row: RowMapping) -> Cut:
    return Cut(**{**row, "kind": CutKind(row["kind"])})


def to_export(row: RowMapping) -> Export:
    return Export(**{**row, "kind": ExportKind(row["kind"]), "state": ExportState(row["state"])})


def to_promotion(row: RowMapping) -> Promotion:
    return Promotion(**{**row, "state": PromotionState(row["state"])})
