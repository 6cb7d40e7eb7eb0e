"""What preparing a consultation's venues and invitees has in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import Any, Final

from conference.model.audit import Personal, Value
from conference.model.consultation import Consultation, Status
from conference.model.errors import ConferenceError
from conference.services.consultations import consultation_of
from conference.services.ports import UnitOfWork

_UNTOLD: Final = frozenset({"phone", "operator_phone"})  # the record does not need telephone numbers


async def preparable(unit: UnitOfWork, consultation_id: str) -> Consultation:
    """The consultation, unless it is sealed or called off: then invalid_state."""
    consultation = await consultation_of(unit, consultation_id)
    if consultation.status in (Status.ARCHIVED, Status.CANCELLED):
        raise ConferenceError("invalid_state", f"status {consultation.status}")
    return consultation


def changes_between(
    before: Any, after: Any, names: Iterable[str], personal: Collection[str]
) -> dict[str, Value]:
    """For the trace: old and new value of every field that differs, personal ones apart from the line."""

    def value_of(name: str, value: Any) -> Value:
        if name in personal:
            return Personal(value) if value else ""
        plain: Value = value.value if isinstance(value, Enum) else value
        return plain

    changes: dict[str, Value] = {}
    for name in names:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            told: Value = {"old": value_of(name, old), "new": value_of(name, new)}
            changes[name] = "changed" if name in _UNTOLD else told
    return changes
