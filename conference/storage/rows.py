"""Between rows and the model's values: columns carry the names of the fields."""

from __future__ import annotations

from dataclasses import fields
from enum import Enum
from typing import Any

from sqlalchemy import RowMapping

from conference.model.audit import AuditHead, AuditLine, AuditText
from conference.model.consultation import Consultation, Mode, ProgramGap, Status
from conference.model.participant import Device, LeaveReason, MuteAllMark, Participant, ParticipantKind
from conference.model.permissions import Role


def to_row(
    value: Consultation | Participant | ProgramGap | AuditLine | AuditText | AuditHead,
) -> dict[str, Any]:
    """The column values of an entity."""
    row = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: each.value if isinstance(each, Enum) else each for name, each in row.items()}


def to_consultation(row: RowMapping) -> Consultation:
    return Consultation(**{**row, "status": Status(row["status"]), "mode": Mode(row["mode"])})


def to_gap(row: RowMapping) -> ProgramGap:
    return ProgramGap(**row)


def to_participant(row: RowMapping) -> Participant:
    device, mark, reason = row["device"], row["mute_all_mark"], row["leave_reason"]
    return Participant(
        **{
            **row,
            "role": Role(row["role"]),
            "kind": ParticipantKind(row["kind"]),
            "device": None if device is None else Device(device),
            "mute_all_mark": None if mark is None else MuteAllMark(mark),
            "leave_reason": None if reason is None else LeaveReason(reason),
        }
    )
