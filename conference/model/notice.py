"""Notices to departments: what is to be sent, over which channel, and whether it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

RETRY_MS: Final = (60_000, 300_000, 1_800_000, 7_200_000, 21_600_000)  # after the first try, the second, …
LEASE_MS: Final = 120_000  # whoever tries has so long before another server does


class NoticeKind(StrEnum):
    """Why a department is written to."""

    ASSIGNED = "assigned"
    RETURNED = "returned"
    BEFORE = "before"  # soon due
    DUE = "due"  # today
    OVERDUE = "overdue"
    BY_HAND = "by_hand"


class Channel(StrEnum):
    """How it gets there."""

    EMAIL = "email"
    WEBHOOK = "webhook"  # to whoever sends short messages, or anything else


class NoticeState(StrEnum):
    """`dropped`: the answer came before it was sent."""

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Notice:
    """One message over one channel. `key` names the occasion: with case and channel it is there once, so that
    nobody is told twice. `attempts`: how often it was tried; it is tried again from `next_wall_ms` on."""

    id: str
    consultation_id: str
    response_id: str
    department_id: str
    kind: NoticeKind
    key: str
    channel: Channel
    state: NoticeState
    attempts: int
    next_wall_ms: int
    created_wall_ms: int
    done_wall_ms: int | None = None

    def done(self, state: NoticeState, wall_ms: int) -> Notice:
        """Nothing more is tried."""
        return replace(self, state=state, attempts=self.attempts + 1, done_wall_ms=wall_ms)

    def tried(self, wall_ms: int) -> Notice:
        """It failed and is tried again later; failed for good after the last time."""
        if self.attempts >= len(RETRY_MS):
            return self.done(NoticeState.FAILED, wall_ms)
        return replace(self, attempts=self.attempts + 1, next_wall_ms=wall_ms + RETRY_MS[self.attempts])
