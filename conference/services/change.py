"""A change of a room: what its rows become, in one transaction, before memory and the clients follow."""

from __future__ import annotations

from dataclasses import dataclass

from conference.model.agenda import Agenda
from conference.model.attendance import Stay
from conference.model.broadcast import Cut
from conference.model.comment import Comment
from conference.model.consultation import Consultation
from conference.model.floor import Turn
from conference.model.participant import Participant
from conference.model.promotion import Promotion
from conference.services.cases import NewCase
from conference.services.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Change:
    """What one use case changes, as it will be. `turns`: those that ended, and the one that is held now."""

    participants: tuple[Participant, ...] = ()
    consultation: Consultation | None = None
    agenda: Agenda | None = None
    turns: tuple[Turn, ...] = ()
    stays: tuple[Stay, ...] = ()
    cuts: tuple[Cut, ...] = ()
    comments: tuple[Comment, ...] = ()
    promotions: tuple[Promotion, ...] = ()
    case: NewCase | None = None

    async def write(self, unit: UnitOfWork, room_id: str) -> None:
        """Everything but the participants."""
        if self.consultation is not None:
            await unit.consultations.save(self.consultation)
        if self.agenda is not None:
            await unit.agenda.save(room_id, self.agenda)
        for turn in self.turns:
            await unit.floor.save(turn)
        for stay in self.stays:
            await unit.stays.save(stay)
        await unit.broadcast_cuts.save(self.cuts)
        await unit.comments.save(self.comments)
        await unit.promotions.save(self.promotions)
        if self.case is not None:
            await self.case.write(unit)
