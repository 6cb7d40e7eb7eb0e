"""Who has to wait before the door, by the consultation, the role, and who somebody was here before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conference.model.consultation import Consultation
from conference.model.participant import Participant
from conference.model.permissions import Action, Role, allowed

NEVER_WAIT: Final = frozenset({Role.CHAIR, Role.SECRETARIAT, Role.ORGANIZER, Role.ADMINISTRATOR})


def must_wait(
    consultation: Consultation,
    role: Role,
    *,
    is_stranger: bool,
    before: Sequence[Participant],
    is_staff: bool = False,
) -> bool:
    """Whether the waiting room comes first.

    `is_stranger`: came by a hall's code with a name that is not on the list; `is_staff`: logged in. `before`: the
    participants that the same person was in this consultation. Who was removed waits, unless it could admit itself,
    which staff cannot (`services.waiting`); who was admitted once does not wait again.
    """
    if allowed(role, Action.PARTICIPANT_ADMIT) and not is_staff:
        return False
    removed = [each for each in before if each.removed_at_ms is not None]
    inside = [each for each in before if each.waiting_since_ms is None and each not in removed]
    if removed:
        removed_at_ms = max(each.removed_at_ms or 0 for each in removed)
        return not any(each.joined_at_ms > removed_at_ms for each in inside)
    if inside:
        return False
    return is_stranger or (consultation.waiting_room and role not in NEVER_WAIT)
