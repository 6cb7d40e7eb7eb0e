"""What the rules of a body refuse: one more live consultation, one more in a room.

A meeting that goes on is never touched: these are asked when one begins, and when somebody comes who was not there.
"""

from __future__ import annotations

from conference.model.consultation import Consultation
from conference.model.errors import ConferenceError
from conference.model.permissions import Action, Role, allowed
from conference.services.ports import Storage, UnitOfWork


async def require_may_run(unit: UnitOfWork, consultation: Consultation) -> None:
    """too_many_live when its body has more live ones now than it may.

    Call it in the transaction that has written that this one runs: two that begin at once wait for each other.
    """
    owner = consultation.organization_id
    if owner is None:
        return
    rules = await unit.rules.of(owner, lock=True)
    if rules.max_live is not None and await unit.consultations.live_of(owner) > rules.max_live:
        raise ConferenceError("too_many_live", f"{rules.max_live} may be live", limit=rules.max_live)


async def require_seat(storage: Storage, consultation: Consultation, role: Role, seated: int) -> None:
    """room_limit when its body lets no more than the `seated` into a room. Who leads the meeting and the halls that
    it is held in are never kept out: they are the meeting."""
    if consultation.organization_id is None or allowed(role, Action.VENUE_MESSAGE):
        return
    async with storage.reading() as unit:
        rules = await unit.rules.of(consultation.organization_id)
    if rules.max_participants is not None and seated >= rules.max_participants:
        raise ConferenceError("room_limit", f"{seated} seated", limit=rules.max_participants)
