"""Groups of comments that say nearly the same: one stands for all, and one moderator at a time works on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from conference.model.errors import ConferenceError

CLAIM_MS: Final = 120_000  # a moderator who does nothing for so long has left


class ClaimedError(ConferenceError):
    """Somebody else works on it; the sentence says who."""

    def __init__(self, name: str) -> None:
        super().__init__("comment_claimed", claimed_by=name)
        self._name = name

    @property
    def text(self) -> str:
        return f"{self._name}正在处理这一组留言，请先看下一组。"


@dataclass(frozen=True, slots=True)
class CommentGroup:
    """What was said of a group. `representative_id`: None, the first that can be shown."""

    id: str
    consultation_id: str
    representative_id: str | None = None
    claimed_by: str | None = None
    claimed_name: str | None = None
    claimed_wall_ms: int | None = None

    def claimant(self, wall_ms: int) -> str | None:
        """The id of who works on it now."""
        if self.claimed_wall_ms is None or wall_ms - self.claimed_wall_ms >= CLAIM_MS:
            return None
        return self.claimed_by

    def require_free(self, actor_id: str | None, wall_ms: int) -> None:
        """Raise ClaimedError when somebody else works on it."""
        claimant = self.claimant(wall_ms)
        if claimant is not None and claimant != actor_id:
            raise ClaimedError(self.claimed_name or "")

    def claimed(self, actor_id: str | None, name: str, wall_ms: int) -> CommentGroup:
        """From now on this one's."""
        return replace(self, claimed_by=actor_id, claimed_name=name, claimed_wall_ms=wall_ms)

    def released(self) -> CommentGroup:
        return replace(self, claimed_by=None, claimed_name=None, claimed_wall_ms=None)
