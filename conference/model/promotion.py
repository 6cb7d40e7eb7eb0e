"""Promotions (上会): a comment put to the live session: proposed by a moderator, taken by the chair.

Once it is taken its life is that of its item of the agenda: the item is the one truth about when it was before the
meeting, so nothing can contradict it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from conference.model.agenda import Agenda, ItemState
from conference.model.errors import ConferenceError


class PromotionState(StrEnum):
    """What is written down."""

    PROPOSED = "proposed"
    DECLINED = "declined"  # by the chair
    WITHDRAWN = "withdrawn"  # by the moderators, or because its comment is gone
    TAKEN = "taken"


class PromotionPhase(StrEnum):
    """What everybody is told."""

    PROPOSED = "proposed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    CURRENT = "current"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Promotion:
    """`authors`: for how many its comment stands, of the group as it was then. `item_id`: of the agenda, once it was
    taken; `interrupted_id`: the item that goes on after it."""

    id: str
    consultation_id: str
    comment_id: str
    group_id: str
    state: PromotionState
    authors: int
    proposed_by: str
    proposed_wall_ms: int
    decided_by: str | None = None
    decided_wall_ms: int | None = None
    item_id: str | None = None
    interrupted_id: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state is PromotionState.PROPOSED

    def taken(self, item_id: str, interrupted_id: str | None, by: str, wall_ms: int) -> Promotion:
        """Before the meeting from now on."""
        self._require_open()
        return replace(
            self,
            state=PromotionState.TAKEN,
            item_id=item_id,
            interrupted_id=interrupted_id,
            decided_by=by,
            decided_wall_ms=wall_ms,
        )

    def closed(self, state: PromotionState, by: str, wall_ms: int) -> Promotion:
        """Declined or withdrawn; itself when that is so already."""
        if self.state is state:
            return self
        self._require_open()
        return replace(self, state=state, decided_by=by, decided_wall_ms=wall_ms)

    def _require_open(self) -> None:
        if not self.is_open:
            raise ConferenceError("comment_changed", f"the promotion is {self.state}")

    def phase(self, agenda: Agenda) -> PromotionPhase:
        """Where it stands, with this agenda."""
        if self.state is not PromotionState.TAKEN:
            return PromotionPhase(self.state.value)
        item = next((each for each in agenda.items if each.id == self.item_id), None)
        if item is not None and item.state is ItemState.CURRENT:
            return PromotionPhase.CURRENT
        return PromotionPhase.ENDED
